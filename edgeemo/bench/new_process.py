"""Open a bundle and read an input in a new process, as a product does.

Starting the process is the cold start. The measurement runs there, too: a delegate that crashes ends that
process only, and the heap is like a product's. The state of the heap shows in the times. If a freed block
lies at the end, glibc gives it back to the system, and the next call takes it again, page by page.
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

import numpy as np

from .. import errors

_TIMEOUT_S = 300.0
_LEAVE_S = 10.0
_RUN = (  # Python would import a numpy.py in the current folder in place of NumPy
    "import sys, time; began = time.perf_counter_ns(); sys.path[:] = [p for p in sys.path if p]; "
    f"sys.path.append({str(Path(__file__).parents[2])!r}); "  # this edgeemo, if it is not installed
    "from edgeemo.bench.worker import main; main(began)"
)
Tick = Callable[[str, float], None]


def run_in_new_process(
    name: str,
    method: str,
    arguments: tuple[Any, ...],
    how: dict[str, Any],
    measure: dict[str, Any] | None = None,
    tick: Tick = lambda what, share: None,
) -> dict[str, Any]:
    """Run `edgeemo.bench.worker` and return its result.

    Args:
        name: the bundle's name or path. method: ``"predict"``, ``"predict_batch"`` or ``"detect"``.
        arguments: of the method. how: of `Recognizer.open` or `FaceDetector.open`.
        measure: arguments of `edgeemo.bench.measure.measure` as plain values; None for the cold start alone.
        tick: called between calls, at most ten times a second; the process waits for it.

    Returns:
        ``cold_start_us``: from starting the interpreter to the answer. Its parts are ``import_us``,
        ``open_us`` and ``first_us`` (the first call). ``peak_memory_mb``: after 30 further calls, or a second
        of them. And the result of ``measure``.

    Raises:
        EdgeemoError: the error of the process. DelegateError, InferenceError: the process died or does not
            answer, with a named delegate or without one.
    """
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "stderr").open("w+b") as stderr:
        files = [_stored(Path(folder) / f"{i}.npy", value) for i, value in enumerate(arguments)]
        task = {"name": name, "method": method, "arguments": files, "how": how, "measure": measure}
        began = perf_counter_ns()  # the system's monotonic clock, which is the same in both processes
        code, found = _talk(json.dumps(task), stderr, tick)
        stderr.seek(0)
        output = " ".join(stderr.read().decode("utf-8", "replace").split())[-300:]
    if "error" in found:
        raise getattr(errors, found["error"])(found["message"])
    if not found:
        delegate = how.get("delegate", "auto")
        kind = errors.InferenceError if delegate in ("auto", "cpu") else errors.DelegateError
        what = f"did not answer for {_TIMEOUT_S:g} s" if code is None else f"ended with code {code}"
        raise kind(
            f"A new process that uses the delegate {delegate!r} {what} ({output or 'without a message'}). "
            "Try another delegate or backend, or a smaller input."
        )
    return {"cold_start_us": (found.pop("answered") - began) / 1e3, **found}


def _talk(task: str, stderr: IO[bytes], tick: Tick) -> tuple[int | None, dict[str, Any]]:
    """Return the exit code (None after a timeout) and the last message; answer every tick."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as installed
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _RUN],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment, encoding="utf-8",
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    found: dict[str, Any] = {}
    timeouts: list[bool] = []

    def give_up() -> None:
        timeouts.append(True)
        process.kill()

    try:
        with suppress(BrokenPipeError):
            _say(process.stdin, task)
            while line := _next_line(process.stdout, give_up):
                if not line.startswith("{"):  # a driver prints lines of its own
                    continue
                message = json.loads(line)
                if "tick" not in message:
                    found = message
                    break
                tick(*message["tick"])
                _say(process.stdin, "")
        with suppress(BrokenPipeError):
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):  # a library may hang or crash when it is unloaded
            process.wait(_LEAVE_S)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    return (None if timeouts else process.returncode), found


def _say(pipe: IO[str], line: str) -> None:
    pipe.write(line + "\n")
    pipe.flush()


def _next_line(pipe: IO[str], give_up: Callable[[], None]) -> str:
    """Return the next line, ``""`` at the end or after a timeout."""
    limit = Timer(_TIMEOUT_S, give_up)
    limit.daemon = True
    limit.start()
    try:
        return pipe.readline()
    finally:
        limit.cancel()


def _stored(path: Path, value: Any) -> Any:
    """Write an array into a file, and return a value for the task that names it."""
    if not isinstance(value, np.ndarray):
        return value
    np.save(path, value)
    return {"npy": str(path)}
