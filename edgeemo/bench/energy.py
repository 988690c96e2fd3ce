"""Measure the energy of calls by RAPL's counters, else by a board's power meter."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter_ns
from typing import Any

from ..machine import board_meter
from ..system_files import find, natural, read

NONE = "no counter: neither RAPL (sys/class/powercap) nor a board's power meter"


class Meter:
    """Adds up the energy of everything that runs between `start` and `stop`, other programs included."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        packages = _packages(root)
        self._counters = [path for path in packages if natural(read(path)) is not None]
        self._forbidden = packages[0] if packages and not self._counters else None
        self._board = not self._counters and board_meter(root) is not None
        self._joules, self._calls = 0.0, 0
        self._began: list[int] = []

    def start(self) -> None:
        """Begin to count."""
        self._began = [perf_counter_ns(), *(natural(read(path)) or 0 for path in self._counters)]

    def stop(self, calls: int) -> None:
        """Add the energy since `start`, and the number of calls."""
        seconds = (perf_counter_ns() - self._began[0]) / 1e9
        if self._counters:
            for path, began in zip(self._counters, self._began[1:], strict=True):
                used = (natural(read(path)) or 0) - began
                if used < 0:  # the counter began again at 0
                    used += natural(read(path.with_name("max_energy_range_uj"))) or 0
                self._joules += max(used, 0) / 1e6
        elif self._board:
            self._joules += (board_meter(self._root) or 0.0) * seconds
        self._calls += calls

    def to_dict(self) -> dict[str, Any]:
        """Return millijoules a call and their source, or why there are none."""
        if self._counters:
            source = "RAPL: " + ", ".join(read(p.with_name("name")) or p.parent.name for p in self._counters)
        elif self._board:
            source = "the board's power meter"
        elif self._forbidden is not None:
            return {"mj_per_call": None, "why": f"{self._forbidden} may not be read: run it as root"}
        else:
            return {"mj_per_call": None, "why": NONE}
        each = 1e3 * self._joules / self._calls if self._calls else 0.0
        return {"mj_per_call": round(each, 6), "why": f"{source}; of all that ran, not of us alone"}


def _packages(root: Path) -> list[Path]:
    """Return the counter of each package, once.

    The kernel may show a package in two ways (intel-rapl and intel-rapl-mmio). It also shows the parts of a
    package (core, uncore, dram) and the whole board (psys), which are left out here.
    """
    found: dict[str, Path] = {}
    for path in find(root, "sys/class/powercap/*/energy_uj"):
        name = read(path.with_name("name"))
        if name.startswith("package-"):
            found.setdefault(name, path)
    return list(found.values())
