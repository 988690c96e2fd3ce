"""The machine and its present condition, from the files of Linux and the tools of boards.

Every path lies below ``root``, so a test can build a machine out of files. Unknown values are empty or None.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .system_files import find, first_line, natural, number, read, tool_output

CPUS = "sys/devices/system/cpu"
PROCESSORS = ("coretemp", "k10temp", "zenpower")
"""Names in hwmon of the sensors inside processors."""
SPURIOUS_C = 125.0
"""A monitor chip reads this or more at an unconnected input. A processor is off by then."""

_FEATURES = {
    *("avx", "avx2", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16"),
    *("neon", "asimd", "asimddp", "asimdhp", "fphp", "i8mm", "sve"),
}
_CORTEX = {  # "CPU part" of ARM's own cores: MIDR_EL1 in their Technical Reference Manuals
    "0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55", "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72", "0xd0a": "Cortex-A75", "0xd0b": "Cortex-A76", "0xd0c": "Neoverse-N1",
    "0xd42": "Cortex-A78AE",
}  # fmt: skip
_THROTTLED = ("under-voltage", "clock capped", "throttled", "soft temperature limit")
"""The bits of `vcgencmd get_throttled`, as Raspberry Pi documents them."""
_THROTTLED_FILE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_SINCE_BOOT = 16  # the same four bits again, for events since the start


class _Facts:
    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}


@dataclass(frozen=True)
class Machine(_Facts):
    """A machine.

    Args:
        cores: how many this process may use. features: instructions that edgeemo or LiteRT uses.
        memory_mb: all memory, in MiB.
    """

    board: str
    cpu: str
    architecture: str
    cores: int
    features: tuple[str, ...]
    memory_mb: int
    system: str
    glibc: str
    python: str


@dataclass(frozen=True)
class Condition(_Facts):
    """The condition of a machine at one moment.

    Args:
        temperature_c: of the hottest sensor.
        clock_mhz, clock_limit_mhz: of the fastest core now, and the hardware's limit.
        governors: of the cores' clocks, each once.
        throttled: faults of power and heat now; ``throttled_before``: those since the start.
        throttle_events: how often the kernel slowed cores down since the start.
        power_w: of the whole board, if the board has a meter.
        load: processes that want a core, mean of the last minute.
        memory_free_mb: memory that is still available, in MiB.
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


def machine(root: Path = Path("/")) -> Machine:
    """Return the machine whose system files lie below ``root``."""
    cpuinfo = read(root / "proc/cpuinfo")
    flags = _field(cpuinfo, "flags") or _field(cpuinfo, "Features")
    memory = _kilobytes(read(root / "proc/meminfo"), "MemTotal")
    board = read(root / "proc/device-tree/model") or _field(cpuinfo, "Model")
    return Machine(
        board=board or read(root / "sys/class/dmi/id/product_name"),
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
    """Return the present condition; use ``vcgencmd`` and ``tegrastats`` if they are installed."""
    by_tool = vcgencmd_bits()
    bits = by_tool if by_tool is not None else kernel_bits(root) or 0
    now, before = (
        tuple(name for bit, name in enumerate(_THROTTLED) if bits >> (bit + shift) & 1)
        for shift in (0, _SINCE_BOOT)
    )
    load = number(read(root / "proc/loadavg").partition(" ")[0])
    free = _kilobytes(read(root / "proc/meminfo"), "MemAvailable")
    return Condition(
        temperature_c=max((c for c in map(celsius, sensors(root)) if c is not None), default=None),
        clock_mhz=_highest(root, "scaling_cur_freq"),
        clock_limit_mhz=_highest(root, "cpuinfo_max_freq"),
        governors=tuple(sorted({read(path) for path in _clocks(root, "scaling_governor")} - {""})),
        throttled=now,
        throttled_before=before,
        throttle_events=throttle_events(root),
        power_w=_power(root),
        load=load if load is not None and 0 <= load < 1e6 else None,
        memory_free_mb=None if free is None else free // 1024,
    )


def cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use, by its affinity and its container's quota."""
    bound = len(os.sched_getaffinity(0)) if root == Path("/") else 0
    present = bound or len(processors(root)) or 1
    allowed = quota(root)
    return present if allowed is None else min(present, max(1, int(allowed)))


def quota(root: Path = Path("/")) -> float | None:
    """Return how many cores' time a container allows; None without a limit (cgroup 2 or 1)."""
    words = read(root / "sys/fs/cgroup/cpu.max").split()  # "max 100000" or "150000 100000"
    words = words or [  # "-1" and "100000", or "150000" and "100000"
        read(root / f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period")
    ]
    time_us, period_us = map(natural, words) if len(words) == 2 else (None, None)
    return None if time_us is None or not period_us else time_us / period_us


def throttle_events(root: Path = Path("/")) -> int | None:
    """Return how often the kernel slowed cores down for heat since the start; None without a counter.

    The hyper-threads of a core share one counter.
    """
    counts: dict[tuple[str, ...], int] = {}
    for path in processors(root):
        count = natural(read(path / "thermal_throttle/core_throttle_count"))
        ids = tuple(read(path / "topology" / name) for name in ("physical_package_id", "die_id", "core_id"))
        if count is not None:
            core = ids if ids[2] else (path.name,)
            counts[core] = max(count, counts.get(core, 0))
    return sum(counts.values()) if counts else None


def processors(root: Path) -> list[Path]:
    """Return the folder of each logical processor."""
    return [path for path in find(root, f"{CPUS}/cpu[0-9]*") if natural(path.name[3:]) is not None]


def sensors(root: Path) -> list[Path]:
    """Return the files with a temperature: thermal zones and processors' own sensors, else other chips'."""
    zones, inputs = "sys/class/thermal/thermal_zone*/temp", "sys/class/hwmon/hwmon*/temp*_input"
    values = {path: celsius(path) for path in (*find(root, zones), *find(root, inputs))}
    sane = [path for path, value in values.items() if value is not None]
    first = [path for path in sane if path.name == "temp" or read(path.with_name("name")) in PROCESSORS]
    return first or [path for path in sane if (values[path] or 0) < SPURIOUS_C]


def celsius(path: Path) -> float | None:
    """Return a sensor's temperature in °C; None if the file holds no sane number."""
    milli = number(read(path))
    return None if milli is None or not -40 < milli / 1000 < 200 else milli / 1000


def vcgencmd_bits() -> int | None:
    """Return the bits of `vcgencmd get_throttled`; None if the tool is absent, fails or prints others."""
    found = re.fullmatch("throttled=0x([0-9a-f]{1,8})", tool_output("vcgencmd", "get_throttled"))
    return int(found[1], 16) if found else None


def kernel_bits(root: Path) -> int | None:
    """Return the bits of `vcgencmd_bits` from a Raspberry Pi's kernel: its file, or its voltage sensor."""
    found = re.fullmatch("(?:0x)?([0-9a-f]{1,8})", read(root / _THROTTLED_FILE))
    if found:
        return int(found[1], 16)
    volts = [name for name in find(root, "sys/class/hwmon/hwmon*/name") if read(name) == "rpi_volt"]
    alarms = {read(name.with_name("in0_lcrit_alarm")) for name in volts}
    return 1 | 1 << _SINCE_BOOT if "1" in alarms else 0 if "0" in alarms else None


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _kilobytes(meminfo: str, name: str) -> int | None:
    found = re.search(rf"^{name}:\s*(\d+) kB", meminfo, re.MULTILINE)
    return natural(found[1]) if found else None


def _clocks(root: Path, name: str) -> list[Path]:
    return [path / "cpufreq" / name for path in processors(root)]


def _highest(root: Path, name: str) -> float | None:
    khz = [value for value in map(natural, map(read, _clocks(root, name))) if value is not None]
    return max(khz) / 1000 if khz else None


def board_meter(root: Path = Path("/")) -> float | None:
    """Return the watts of the whole board from its meter in sysfs (a Jetson's INA3221), else None."""
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
    """Return the watts of the whole board from its meter, else from one line of tegrastats."""
    watts = board_meter(root)
    if watts is not None:
        return watts
    line = first_line("tegrastats", "--interval", "100")
    found = re.search(r"(?:VDD_IN|VIN|POM_5V_IN) (\d{1,19})(?:mW)?/", line)
    return int(found[1]) / 1000 if found else None
