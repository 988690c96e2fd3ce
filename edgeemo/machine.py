"""What a measurement was taken on, and in what condition: from Linux' own files and boards' tools.

Every path is taken below ``root``, so that a test can draw a machine. What a system does not say is empty
or None.
"""

from __future__ import annotations

import math
import os
import platform
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CPUS = "sys/devices/system/cpu"

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
_SINCE_BOOT = 16  # the same four again, for what has happened since the start
_PATIENCE_S = 5.0


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
    bits = _throttled_bits(root)
    now, before = (
        tuple(name for bit, name in _THROTTLED.items() if bits >> (bit + shift) & 1)
        for shift in (0, _SINCE_BOOT)
    )
    load, free = read(root / "proc/loadavg").split(), _kilobytes(read(root / "proc/meminfo"), "MemAvailable")
    return Condition(
        temperature_c=_temperature(root),
        clock_mhz=_highest(root, "scaling_cur_freq"),
        clock_limit_mhz=_highest(root, "cpuinfo_max_freq"),
        governors=tuple(sorted({read(p) for p in _clocks(root, "scaling_governor")} - {""})),
        throttled=now,
        throttled_before=before,
        throttle_events=throttle_events(root),
        power_w=_power(root),
        load=_number(load[0]) if load else None,
        memory_free_mb=None if free is None else free // 1024,
    )


def cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use: those it is bound to, or a container's fewer."""
    bound = len(os.sched_getaffinity(0)) if root == Path("/") else 0
    there = bound or len(_clocks(root, "")) or 1
    allowed = quota(root)
    return there if allowed is None else min(there, max(1, int(allowed)))


def quota(root: Path = Path("/")) -> float | None:
    """Return how many cores' time a container allows, None where it sets no limit (cgroup 2 or 1)."""
    told = read(root / "sys/fs/cgroup/cpu.max").split()  # "max 100000", or "150000 100000"
    told = told or [
        read(root / f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period")
    ]  # "-1" and "100000", or "150000" and "100000"
    if len(told) == 2 and all(part.isdecimal() for part in told) and int(told[1]) > 0:
        return int(told[0]) / int(told[1])
    return None


def throttle_events(root: Path = Path("/")) -> int | None:
    """Return how often cores were slowed down for heat since the start; None where nobody counts.

    The hyper-threads of a core have one counter, and both show it.
    """
    counts: dict[tuple[str, ...], int] = {}
    for path in _clocks(root, ""):
        told = read(path / "thermal_throttle/core_throttle_count")
        ids = tuple(read(path / "topology" / name) for name in ("physical_package_id", "die_id", "core_id"))
        if told.isdecimal():
            core = ids if ids[2] else (path.name,)
            counts[core] = max(int(told), counts.get(core, 0))
    return sum(counts.values()) if counts else None


def read(path: Path) -> str:
    """Return a small system file's text without the white space around; "" where it cannot be read."""
    try:
        return path.read_bytes()[:1_000_000].decode("utf-8", "replace").strip("\0 \n\t")
    except OSError:  # absent, forbidden, or a sensor that is asleep
        return ""


def ask(*command: str) -> str:
    """Return what a tool prints, "" where it is not installed, fails, or takes more than five seconds."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _board(root: Path, cpuinfo: str) -> str:
    tree = read(root / "proc/device-tree/model")
    return tree or _field(cpuinfo, "Model") or read(root / "sys/class/dmi/id/product_name")


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _kilobytes(meminfo: str, name: str) -> int | None:
    found = re.search(rf"^{name}:\s*(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) if found else None


def _clocks(root: Path, name: str) -> list[Path]:
    return [
        path / "cpufreq" / name if name else path
        for path in sorted((root / CPUS).glob("cpu[0-9]*"))
        if path.name[3:].isdecimal()
    ]


def _highest(root: Path, name: str) -> float | None:
    khz = [int(text) for text in map(read, _clocks(root, name)) if text.isdecimal()]
    return max(khz) / 1000 if khz else None


def _temperature(root: Path) -> float | None:
    milli = [_number(text) for text in map(read, root.glob("sys/class/thermal/thermal_zone*/temp"))]
    sane = [value / 1000 for value in milli if value is not None and -40_000 < value < 200_000]
    return max(sane) if sane else None


def _undervolted(root: Path) -> int:
    """The first of those bits, from the sensor ``rpi_volt`` of a Raspberry Pi's kernel."""
    sensors = [path for path in root.glob("sys/class/hwmon/hwmon*") if read(path / "name") == "rpi_volt"]
    low = any(read(path / "in0_lcrit_alarm") == "1" for path in sensors)
    return 1 | 1 << _SINCE_BOOT if low else 0


def _throttled_bits(root: Path) -> int:
    said = ask("vcgencmd", "get_throttled").removeprefix("throttled=")
    said = said or "0x" + read(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    try:
        return int(said, 16)
    except ValueError:
        return _undervolted(root)


def board_meter(root: Path = Path("/")) -> float | None:
    """Return the watts of the whole board by its own meter in sysfs (a Jetson's INA3221), else None."""
    for label in root.glob("sys/class/hwmon/hwmon*/in*_label"):
        if read(label) in ("VDD_IN", "VIN", "POM_5V_IN"):
            number = label.name[2:].split("_")[0]
            volts, amperes = (
                read(label.parent / f"in{number}_input"),
                read(label.parent / f"curr{number}_input"),
            )
            if volts.isdecimal() and amperes.isdecimal():
                return int(volts) * int(amperes) / 1e6
    return None


def _power(root: Path) -> float | None:
    """The board's input: its meter, else one line of tegrastats."""
    watts = board_meter(root)
    if watts is not None:
        return watts
    found = re.search(r"(?:VDD_IN|VIN|POM_5V_IN) (\d+)(?:mW)?/", _first_line_of_tegrastats())
    return int(found[1]) / 1000 if found else None


def _first_line_of_tegrastats() -> str:
    tool = shutil.which("tegrastats")
    if tool is None:
        return ""
    try:  # it goes on for ever: a line is enough
        subprocess.run([tool, "--interval", "100"], capture_output=True, text=True, timeout=1.0, check=False)
    except subprocess.TimeoutExpired as ended:
        said = ended.stdout or b""
        return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).split("\n")[0]
    except OSError:
        pass
    return ""


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
