"""A fresh process that opens a bundle and reads an input, as a product does: nothing else was in its memory.

Starting it is the cold start. Measuring in it, too, has two reasons: a delegate that crashes takes nobody
with it, and what the heap looks like shows in the times (where a freed block lies at its end, glibc gives it
back to the system, and the next call takes it again, page by page), so it should be a product's heap.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Timer
from time import perf_counter_ns
from typing import IO, Any

from .. import errors

_PATIENCE_S = 300.0
_LEAVE_S = 10.0
_RUN = (  # Python puts the folder it is called in before all others: a numpy.py there is not what is meant
    "import sys, time; began = time.perf_counter_ns(); sys.path[:] = [p for p in sys.path if p]; "
    f"sys.path.append({str(Path(__file__).parents[2])!r}); "  # ours, where it is not installed
    "from edgeemo.bench.child import main; main(began)"
)


def fresh(
    name: str,
    method: str,
    arguments: tuple[Any, ...],
    how: dict[str, Any],
    measure: dict[str, Any] | None = None,
    tick: Callable[[str, float], None] = lambda what, share: None,
) -> dict[str, Any]:
    """Run `edgeemo.bench.child` and return what it found.

    Args:
        name: the bundle's name or path. method: ``"predict"``, ``"predict_batch"`` or ``"detect"``.
        arguments: of the method. how: of `Recognizer.open` or `FaceDetector.open`.
        measure: what `edgeemo.bench.measure.measure` takes, as plain values; None: the cold start alone.
        tick: called between calls, ten times a second at most; the process waits for it.

    Returns:
        ``cold_start_us``: from starting the interpreter to the answer; of that ``import_us``, ``open_us`` and
        ``first_us`` (the first call). ``peak_memory_mb`` after 30 calls more, or a second of them. And what
        was measured.

    Raises:
        EdgeemoError: as it was raised there. DelegateError, InferenceError: the process died or does not
            answer, under a delegate that was named, or without.
    """
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "stderr").open("w+b") as stderr:
        files = [_stored(Path(folder) / f"{i}.npy", value) for i, value in enumerate(arguments)]
        task = {"name": name, "method": method, "arguments": files, "how": how, "measure": measure}
        began = perf_counter_ns()  # the system's monotonic clock: the same in both processes
        code, found = _talk(json.dumps(task), stderr, tick)
        stderr.seek(0)
        said = " ".join(stderr.read().decode("utf-8", "replace").split())[-300:]
    if "error" in found:
        raise getattr(errors, found["error"])(found["message"])
    if not found:
        delegate = how.get("delegate", "auto")
        kind = errors.InferenceError if delegate in ("auto", "cpu") else errors.DelegateError
        what = f"gave no sign for {_PATIENCE_S:g} s" if code is None else f"ended with code {code}"
        raise kind(
            f"A fresh process that reads with the delegate {delegate!r} {what} "
            f"({said or 'it said nothing'}). Try another delegate or backend, or a smaller input."
        )
    return {"cold_start_us": (found.pop("answered") - began) / 1e3, **found}


def _talk(
    task: str, stderr: IO[bytes], tick: Callable[[str, float], None]
) -> tuple[int | None, dict[str, Any]]:
    """Return the exit code (None: it was given up) and the last thing said; answer every tick."""
    keeps = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as installed
    given_up = []
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _RUN],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=keeps, text=True, encoding="utf-8",
    )  # fmt: skip

    def give_up() -> None:
        given_up.append(True)
        process.kill()

    found: dict[str, Any] = {}
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(BrokenPipeError):
            _tell(process.stdin, task)
            while line := _heard(process.stdout, give_up):
                if not line.startswith("{"):  # a driver that chats
                    continue
                said = json.loads(line)
                if "tick" not in said:
                    found = said
                    break
                tick(*said["tick"])
                _tell(process.stdin, "")
        with suppress(BrokenPipeError):
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):  # a library that hangs, or crashes, when it is unloaded:
            process.wait(_LEAVE_S)  # the answer is there
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    return (None if given_up else process.returncode), found


def _tell(pipe: IO[str], line: str) -> None:
    pipe.write(line + "\n")
    pipe.flush()


def _heard(pipe: IO[str], give_up: Callable[[], None]) -> str:
    """Return the next line, "" at the end."""
    patience = Timer(_PATIENCE_S, give_up)
    patience.daemon = True
    patience.start()
    try:
        return pipe.readline()
    finally:
        patience.cancel()


def _stored(path: Path, value: Any) -> Any:
    """Return what stands for an argument in the task: an array lies in a file beside it."""
    import numpy as np

    if not isinstance(value, np.ndarray):
        return value
    np.save(path, value)
    return {"npy": str(path)}
