"""Whether the system's files look as Linux writes them: what reads them takes anything else for silence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..machine import CPUS
from ..told import find, read
from .case import Case, Finding, Skipped, info

_NUMBER, _CLOCK = "[0-9]{1,19}", f"{CPUS}/cpu[0-9]*/cpufreq"
_CORES = f"({_NUMBER}(-{_NUMBER})?(,|$))+"  # "0-3,5"
FORMS = {  # where: how its first line looks
    "proc/cpuinfo": r"[\w ]+\s*:.*",
    "proc/loadavg": r"[0-9]{1,6}\.[0-9]+ [0-9]{1,6}\.[0-9]+ .*",
    "proc/meminfo": rf"MemTotal: *{_NUMBER} kB",
    "proc/mounts": r"\S+ /\S* \S+ \S+ [0-9] [0-9]",
    "proc/stat": rf"cpu +({_NUMBER} ?){{8,}}",
    "sys/class/hwmon/hwmon*/temp*_input": "-?[0-9]{1,7}",
    "sys/class/thermal/thermal_zone*/temp": "-?[0-9]{1,7}",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": r"[\w-]+",
    "sys/fs/cgroup/cpu.max": rf"(max|{_NUMBER}) {_NUMBER}",
    "sys/fs/cgroup/memory.max": f"max|{_NUMBER}",
    f"{CPUS}/offline": _CORES,
    f"{CPUS}/present": _CORES,
    f"{CPUS}/cpu[0-9]*/thermal_throttle/core_throttle_count": _NUMBER,
    **{f"{_CLOCK}/{name}": f"{_NUMBER}|<.*>" for name in ("scaling_cur_freq", "cpuinfo_max_freq")},
    f"{_CLOCK}/scaling_governor": r"\w+",
    f"{_CLOCK}/scaling_max_freq": _NUMBER,
}


def forms(case: Case) -> Iterator[Finding]:
    """Files that hold something else; an empty one may be a sensor that is asleep."""
    there = {path: form for pattern, form in FORMS.items() for path in find(case.root, pattern)}
    if not there:
        raise Skipped("none of Linux' own files is here")
    told = {path: read(path).partition("\n")[0] for path in there}
    odd = [path for path, line in told.items() if line and not re.fullmatch(there[path], line, re.ASCII)]
    if odd:
        shown = [f"{path.relative_to(case.root)} says {told[path][:40]!r}" for path in odd[:3]]
        yield info(
            "system-files-odd",
            "Files of the system hold what Linux does not write there: what they should tell is not known.",
            "; ".join(shown) + (f"; and {len(odd) - 3} more" if len(odd) > 3 else ""),
            "Look at them (`cat`); of a copy given by --sys-root, see whether it is whole.",
        )
