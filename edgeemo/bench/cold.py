"""The first answer of a fresh process: what starting costs, and how much memory is needed."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns
from typing import Any

STARTS = 3
_FURTHER = 30  # calls after the first, until the memory is read
_PATIENCE_S = 300
_RUN = "import time; began = time.perf_counter_ns(); from edgeemo.bench.cold import child; child(began)"


def cold(name: str, method: str, arguments: tuple[Any, ...], **how: Any) -> dict[str, float]:
    """Start `STARTS` processes that open a bundle and read an input; return the median of each number.

    Files are in the system's cache, as they are after a first start.

    Args:
        name: the bundle's name or path. method: ``"predict"``, ``"predict_batch"`` or ``"detect"``.
        arguments: of the method. how: of `Recognizer.open` or `FaceDetector.open`.

    Returns:
        ``cold_start_us`` (from starting the interpreter to the answer), of which ``import_us``, ``open_us``,
        ``first_us`` (the first call); ``peak_memory_mb`` of the process after 30 calls more.

    Raises:
        EdgeemoError: as in this process. DelegateError, InferenceError: the process died, under a delegate
            that was named, or without.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [_stored(Path(folder) / f"{i}.npy", value) for i, value in enumerate(arguments)]
        task = json.dumps({"name": name, "method": method, "arguments": files, "how": how})
        runs = [_start(task, how.get("delegate", "auto")) for _ in range(STARTS)]
    return {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]}


def child(began: int) -> None:
    """Be the fresh process: read the task from standard input, and print what it cost."""
    import edgeemo

    imported = perf_counter_ns()
    task = json.load(sys.stdin)
    arguments = [_loaded(value) for value in task["arguments"]]
    loaded = perf_counter_ns()
    kind = edgeemo.FaceDetector if task["method"] == "detect" else edgeemo.Recognizer
    try:
        opened = kind.open(task["name"], **task["how"])
        ready = perf_counter_ns()
        call = getattr(opened, task["method"])
        call(*arguments)
        answered = perf_counter_ns()
        for _ in range(_FURTHER):
            call(*arguments)
    except edgeemo.EdgeemoError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        return
    found = {
        "answered": answered - (loaded - imported),  # the input is there when a product is asked
        "import_us": (imported - began) / 1e3,
        "open_us": (ready - loaded) / 1e3,
        "first_us": (answered - ready) / 1e3,
        "peak_memory_mb": _peak_mb(),
    }
    print(json.dumps(found))


def _start(task: str, delegate: str) -> dict[str, float]:
    from .. import errors

    keeps = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as installed
    began = perf_counter_ns()  # the system's monotonic clock: the same in both processes
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _RUN],
            input=task, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S, env=keeps,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise errors.InferenceError(
            f"No answer from a fresh process after {_PATIENCE_S} s. Give a smaller input."
        ) from error
    lines = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(lines[-1]) if lines and done.returncode == 0 else {}
    if "error" in found:
        raise getattr(errors, found["error"])(found["message"])
    if not found:
        said = " ".join(done.stderr.split())[-300:] or "it said nothing"
        kind = errors.InferenceError if delegate in ("auto", "cpu") else errors.DelegateError
        raise kind(
            f"A fresh process that opens the bundle with the delegate {delegate!r} ended with code "
            f"{done.returncode} ({said}). Try another delegate or backend."
        )
    return {"cold_start_us": (found.pop("answered") - began) / 1e3, **found}


def _stored(path: Path, value: Any) -> Any:
    """Return what stands for an argument in the task: an array lies in a file beside it."""
    import numpy as np

    if not isinstance(value, np.ndarray):
        return value
    np.save(path, value)
    return {"npy": str(path)}


def _loaded(value: Any) -> Any:
    import numpy as np

    return np.load(value["npy"]) if isinstance(value, dict) else value


def _peak_mb() -> float:
    """The most memory that was resident, in MiB: by /proc, else what getrusage says (of the parent, too)."""
    from ..machine import read

    for line in read(Path("/proc/self/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 if sys.platform != "darwin" else 1024**2)
