"""What a measurement was taken on, and in what condition: from Linux' own files and boards' tools.

Every path is taken below ``root``, so that a test can draw a machine. What a system does not say is empty
or None.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .told import ask, find, first_line, natural, number, read

CPUS = "sys/devices/system/cpu"
PROCESSORS = ("coretemp", "k10temp", "zenpower")
"""Names in hwmon of the sensors that are inside processors."""
SPURIOUS_C = 125.0
"""And above: what a monitor chip reads where nothing is connected. A processor is off by then."""

_FEATURES = {
    *("avx", "avx2", "avx512f", "avx512_vnni", "avx_vnni"),
    *("neon", "asimd", "asimddp", "asimdhp", "fphp", "i8mm", "sve"),
}
_CORTEX = {  # the "CPU part" of ARM's own cores: MIDR_EL1, in their Technical Reference Manuals
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd42": "Cortex-A78AE",
}
_THROTTLED = {  # bits of `vcgencmd get_throttled`, as Raspberry Pi documents them
    0: "under-voltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
_THROTTLED_FILE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_SINCE_BOOT = 16  # the same four again, for what has happened since the start


@dataclass(frozen=True)
class Machine:
    """What runs. ``cores`` this process may use, ``features`` that matter to us, memory in MiB."""

    board: str
    cpu: str
    architecture: str
    cores: int
    features: tuple[str, ...]
    memory_mb: int
    system: str
    glibc: str
    python: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {**asdict(self), "features": list(self.features)}


@dataclass(frozen=True)
class Condition:
    """How a machine is at one moment.

    Args:
        temperature_c: of the hottest sensor.
        clock_mhz, clock_limit_mhz: of the fastest core now, and what the hardware allows.
        governors: of the cores' clocks, each once.
        throttled: what is wrong with power and heat now; ``throttled_before``: what was since the start.
        throttle_events: how often cores were slowed down since the start.
        power_w: of the whole board, where it has a meter.
        load: processes that want a core, mean of the last minute.
        memory_free_mb: what could still be had, in MiB.
    """

    temperature_c: float | None
    clock_mhz: float | None
    clock_limit_mhz: float | None
    governors: tuple[str, ...]
    throttled: tuple[str, ...]
    throttled_before: tuple[str, ...]
    throttle_events: int | None
    power_w: float | None
    load: float | None
    memory_free_mb: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def machine(root: Path = Path("/")) -> Machine:
    """Return what this machine is."""
    cpuinfo = read(root / "proc/cpuinfo")
    flags = _field(cpuinfo, "flags") or _field(cpuinfo, "Features")
    memory = _kilobytes(read(root / "proc/meminfo"), "MemTotal")
    return Machine(
        board=_board(root, cpuinfo),
        cpu=_field(cpuinfo, "model name") or _CORTEX.get(_field(cpuinfo, "CPU part"), ""),
        architecture=platform.machine(),
        cores=cores(root),
        features=tuple(sorted(_FEATURES & set(flags.split()))),
        memory_mb=0 if memory is None else memory // 1024,
        system=f"{platform.system()} {platform.release()}",
        glibc=" ".join(platform.libc_ver()).strip(),
        python=platform.python_version(),
    )


def condition(root: Path = Path("/")) -> Condition:
    """Return how this machine is now; asks ``vcgencmd`` and ``tegrastats`` where they are installed."""
    told = vcgencmd_bits()
    bits = told if told is not None else kernel_bits(root) or 0
    now, before = (
        tuple(name for bit, name in _THROTTLED.items() if bits >> (bit + shift) & 1)
        for shift in (0, _SINCE_BOOT)
    )
    free = _kilobytes(read(root / "proc/meminfo"), "MemAvailable")
    return Condition(
        temperature_c=_temperature(root),
        clock_mhz=_highest(root, "scaling_cur_freq"),
        clock_limit_mhz=_highest(root, "cpuinfo_max_freq"),
        governors=tuple(sorted({read(p) for p in _clocks(root, "scaling_governor")} - {""})),
        throttled=now,
        throttled_before=before,
        throttle_events=throttle_events(root),
        power_w=_power(root),
        load=_load(root),
        memory_free_mb=None if free is None else free // 1024,
    )


def cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use: those it is bound to, or a container's fewer."""
    bound = len(os.sched_getaffinity(0)) if root == Path("/") else 0
    there = bound or len(processors(root)) or 1
    allowed = quota(root)
    return there if allowed is None else min(there, max(1, int(allowed)))


def quota(root: Path = Path("/")) -> float | None:
    """Return how many cores' time a container allows, None where it sets no limit (cgroup 2 or 1)."""
    told = read(root / "sys/fs/cgroup/cpu.max").split()  # "max 100000", or "150000 100000"
    told = told or [
        read(root / f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period")
    ]  # "-1" and "100000", or "150000" and "100000"
    time_us, period_us = map(natural, told) if len(told) == 2 else (None, None)
    return None if time_us is None or not period_us else time_us / period_us


def throttle_events(root: Path = Path("/")) -> int | None:
    """Return how often cores were slowed down for heat since the start; None where nobody counts.

    The hyper-threads of a core have one counter, and both show it.
    """
    counts: dict[tuple[str, ...], int] = {}
    for path in processors(root):
        told = natural(read(path / "thermal_throttle/core_throttle_count"))
        ids = tuple(read(path / "topology" / name) for name in ("physical_package_id", "die_id", "core_id"))
        if told is not None:
            core = ids if ids[2] else (path.name,)
            counts[core] = max(told, counts.get(core, 0))
    return sum(counts.values()) if counts else None


def processors(root: Path) -> list[Path]:
    """Return the folder of each logical processor."""
    return [path for path in find(root, f"{CPUS}/cpu[0-9]*") if natural(path.name[3:]) is not None]


def sensors(root: Path) -> list[Path]:
    """Return the files of temperatures that tell one: thermal zones and processors' own; else any chip's."""
    zones, inputs = "sys/class/thermal/thermal_zone*/temp", "sys/class/hwmon/hwmon*/temp*_input"
    told = {path: celsius(path) for path in (*find(root, zones), *find(root, inputs))}
    sane = [path for path, value in told.items() if value is not None]
    first = [p for p in sane if p.name == "temp" or read(p.with_name("name")) in PROCESSORS]
    return first or [path for path in sane if (told[path] or 0) < SPURIOUS_C]


def celsius(path: Path) -> float | None:
    """Return what a sensor says, in °C; None of one that says nothing, or nothing sane."""
    milli = number(read(path))
    return None if milli is None or not -40 < milli / 1000 < 200 else milli / 1000


def vcgencmd_bits() -> int | None:
    """Return what `vcgencmd get_throttled` says; None where it is not there, fails or says anything else."""
    found = re.fullmatch("throttled=0x([0-9a-f]{1,8})", ask("vcgencmd", "get_throttled"))
    return int(found[1], 16) if found else None


def kernel_bits(root: Path) -> int | None:
    """Return the same bits by a Raspberry Pi's kernel: its file, or the first by its sensor ``rpi_volt``."""
    found = re.fullmatch("(?:0x)?([0-9a-f]{1,8})", read(root / _THROTTLED_FILE))
    if found:
        return int(found[1], 16)
    volts = [name for name in find(root, "sys/class/hwmon/hwmon*/name") if read(name) == "rpi_volt"]
    alarms = {read(name.with_name("in0_lcrit_alarm")) for name in volts}
    return 1 | 1 << _SINCE_BOOT if "1" in alarms else 0 if "0" in alarms else None


def _board(root: Path, cpuinfo: str) -> str:
    tree = read(root / "proc/device-tree/model")
    return tree or _field(cpuinfo, "Model") or read(root / "sys/class/dmi/id/product_name")


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _kilobytes(meminfo: str, name: str) -> int | None:
    found = re.search(rf"^{name}:\s*(\d+) kB", meminfo, re.MULTILINE)
    return natural(found[1]) if found else None


def _load(root: Path) -> float | None:
    told = number((read(root / "proc/loadavg").split() or [""])[0])
    return None if told is None or not 0 <= told < 1e6 else told


def _clocks(root: Path, name: str) -> list[Path]:
    return [path / "cpufreq" / name for path in processors(root)]


def _highest(root: Path, name: str) -> float | None:
    khz = [value for value in map(natural, map(read, _clocks(root, name))) if value is not None]
    return max(khz) / 1000 if khz else None


def _temperature(root: Path) -> float | None:
    return max((value for value in map(celsius, sensors(root)) if value is not None), default=None)


def board_meter(root: Path = Path("/")) -> float | None:
    """Return the watts of the whole board by its own meter in sysfs (a Jetson's INA3221), else None."""
    for label in find(root, "sys/class/hwmon/hwmon*/in*_label"):
        if read(label) in ("VDD_IN", "VIN", "POM_5V_IN"):
            channel = label.name[2:].split("_")[0]
            millivolts, milliamperes = (
                natural(read(label.with_name(f"{kind}{channel}_input"))) for kind in ("in", "curr")
            )
            if millivolts is not None and milliamperes is not None:
                return millivolts * milliamperes / 1e6
    return None


def _power(root: Path) -> float | None:
    """The board's input: its meter, else one line of tegrastats."""
    watts = board_meter(root)
    if watts is not None:
        return watts
    line = first_line("tegrastats", "--interval", "100")
    found = re.search(r"(?:VDD_IN|VIN|POM_5V_IN) (\d+)(?:mW)?/", line)
    milliwatts = natural(found[1]) if found else None
    return None if milliwatts is None else milliwatts / 1000
