"""The new process of `edgeemo.bench.new_process`: the first answer, then, if asked, the measurement."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter_ns
from typing import Any

_FURTHER, _FURTHER_NS = 30, 1_000_000_000  # calls after the first, or time, before the memory is read
_TICKS_NS = 100_000_000  # the least time between ticks
_last_tick = 0


def main(began: int) -> None:
    """Read the task from standard input, and print the result as one line of JSON."""
    import edgeemo

    imported = perf_counter_ns()
    try:
        found = _run(json.loads(sys.stdin.readline()), began, imported)
    except edgeemo.EdgeemoError as error:
        found = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(found), flush=True)


def _run(task: dict[str, Any], began: int, imported: int) -> dict[str, Any]:
    import numpy as np

    import edgeemo

    arguments = tuple(np.load(v["npy"]) if isinstance(v, dict) else v for v in task["arguments"])
    loaded = perf_counter_ns()
    kind = edgeemo.FaceDetector if task["method"] == "detect" else edgeemo.Recognizer
    opened = kind.open(task["name"], **task["how"])
    ready = perf_counter_ns()
    call = getattr(opened, task["method"])
    call(*arguments)
    answered = perf_counter_ns()
    for _ in range(_FURTHER):
        _tick("cold start", 0.0)
        call(*arguments)
        if perf_counter_ns() - answered > _FURTHER_NS:
            break
    found = {
        "answered": answered - (loaded - imported),  # a product has its input before
        "import_us": (imported - began) / 1e3,
        "open_us": (ready - loaded) / 1e3,
        "first_us": (answered - ready) / 1e3,
        "peak_memory_mb": _peak_mb(),
    }
    if task["measure"] is not None:
        from .measure import measure

        how = {**task["measure"], "root": Path(task["measure"]["root"])}
        found |= measure(opened, task["method"], arguments, **how, tick=_tick)
    return found


def _tick(what: str, share: float) -> None:
    """Report the progress now and then, and wait until it is shown: nothing runs beside the measurement."""
    global _last_tick
    if perf_counter_ns() - _last_tick < _TICKS_NS:
        return
    print(json.dumps({"tick": [what, share]}), flush=True)
    sys.stdin.readline()
    _last_tick = perf_counter_ns()


def _peak_mb() -> float:
    """Return the largest resident memory in MiB, from /proc, else from getrusage (the parent's included)."""
    from ..system_files import read

    for line in read(Path("/proc/self/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 if sys.platform != "darwin" else 1024**2)
