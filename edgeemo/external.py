"""Try external TFLite delegates (a vendor's ``.so``) in a child process before this process loads them.

External delegates export ``tflite_plugin_create_delegate``, which only the Python interpreters take. The
child process loads the model on the CPU and on the delegate. The child compares the answers by the rule of
the native engine, and times both.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from . import _core
from .backends import Backend, InterpreterBackend, Tensor, interpreter_file
from .errors import DelegateError, EdgeemoError, InferenceError

Goldens = Callable[[], Sequence[Tensor]]
"""Makes inputs for a model with one input, when they are needed."""

_BEGINS = "loading the model on the delegate"  # before this step, a failure is not the delegate's


@dataclass(frozen=True)
class Verdict:
    """The result of a probe: ``ratio`` is the time of a run over the CPU's, 0 if nothing was timed."""

    usable: bool
    ratio: float
    reason: str


def difference(cpu: Backend, other: Backend, goldens: Sequence[Tensor]) -> str:
    """Return how the other backend's answers to goldens, zeros and noise differ, as a sentence, or ``""``."""
    right, given = (_core.LoadedModel.of_backend(backend) for backend in (cpu, other))
    return _core.difference(right, given, [np.ascontiguousarray(golden).tobytes() for golden in goldens])


def probe(
    flatbuffer: bytes, path: str, options: str, *, name: str, threads: int, goldens: Goldens | None
) -> Verdict:
    """Try a delegate in a child process, and put the verdict on record.

    Args:
        flatbuffer: a verified model. path: of the delegate's ``.so``. threads: CPU threads.
        options: lines ``key = value``; edgeemo keeps those that begin with ``probe_``.
        name: the interpreter, a key of `edgeemo.backends.INTERPRETERS`. goldens: makes inputs to compare.

    Raises:
        InputError: an option is unknown or has a wrong value.
    """
    records, timeout_ms, most_ratio, rest = _core.read_delegate_options(options)
    with io.BytesIO() as file:
        place = str(Path(path).resolve())
        request = {"name": name, "path": place, "options": _mapping(rest), "threads": threads}
        arrays = {f"golden{i}": value for i, value in enumerate(goldens() if goldens else ())}
        np.savez(
            file,
            request=np.frombuffer(json.dumps(request).encode(), np.uint8),
            model=np.frombuffer(flatbuffer, np.uint8),
            **arrays,  # type: ignore[arg-type]
        )
        verdict, its_own = _run_child(file.getvalue(), timeout_ms)
    trouble = ""
    if records and its_own:
        key = _key(flatbuffer, path, rest, name, threads)
        trouble = _core.put_on_record(records, key, verdict.usable, verdict.ratio, verdict.reason)
    verdict = _quick(verdict, most_ratio)
    if verdict.usable and trouble:
        return Verdict(True, verdict.ratio, f"the verdict is not kept: {trouble}")
    return verdict


def open_external(
    flatbuffer: bytes, path: str, options: str, *, name: str, threads: int, goldens: Goldens | None
) -> tuple[Backend, str]:
    """Open an interpreter with a delegate that passed the probe, and say how; arguments as in `probe`.

    Raises:
        DelegateError: the file is not a delegate. The delegate crashes, hangs, is slow, or answers otherwise
            than the CPU. The last process that opened it here died.
        InputError, RuntimeUnavailableError, InferenceError: the errors of `InterpreterBackend` on the CPU.
    """
    cpu = InterpreterBackend(flatbuffer, name=name, threads=threads)
    records, _, most_ratio, rest = _core.read_delegate_options(options)
    key = _key(flatbuffer, path, rest, name, threads) if records else ""
    found, died = _core.recall(records, key) if records else (None, False)
    verdict = _quick(Verdict(*found), most_ratio) if found else Verdict(False, 0.0, "")
    known = verdict.usable and os.access(records, os.W_OK)  # else a crash would leave no trace
    if not known and not died:
        verdict = probe(flatbuffer, path, options, name=name, threads=threads, goldens=goldens)
    wrong = verdict.reason
    if verdict.usable:
        inputs = goldens() if goldens else ()
        with _core.Opening(records, key):
            try:
                opened = InterpreterBackend(
                    flatbuffer, name=name, delegate=path, delegate_options=_mapping(rest), threads=threads
                )
                wrong = difference(cpu, opened, inputs)
            except (DelegateError, InferenceError) as error:
                wrong = _without(path, error)
        if not wrong:
            return opened, f"asked for; a run took {verdict.ratio:.2f} of the CPU's time in the probe"
        if records:  # the good verdict there no longer holds
            _core.put_on_record(records, key, False, 0.0, wrong)
    shown = path.encode("utf-8", "replace").decode()
    raise DelegateError(f"The delegate {shown} cannot be used: {wrong}. Use delegate 'auto' or 'cpu'.")


def _quick(verdict: Verdict, most_ratio: float) -> Verdict:
    why = _core.too_slow(verdict.ratio, most_ratio) if verdict.usable else ""
    return Verdict(False, verdict.ratio, why) if why else verdict


def _without(path: str, error: EdgeemoError) -> str:
    """Return the message of an error in UTF-8, with "it" in place of the path."""
    return str(error).rstrip(".").replace(path, "it", 1).encode("utf-8", "replace").decode()


def _key(flatbuffer: bytes, path: str, options: str, name: str, threads: int) -> str:
    """Name the record by everything that the verdict depends on: model, files, options and threads."""
    interpreter, version = interpreter_file(name)
    facts = f"{options}{name} {version}"
    for file in (Path(path).resolve(), interpreter):
        info = file.stat()
        facts += f"\n{file} {info.st_size} {info.st_mtime_ns}"
    return _core.record_key(
        os.fsencode(interpreter.parent), sha256(flatbuffer).hexdigest(), threads, ascii(facts)
    )


def _mapping(lines: str) -> dict[str, str]:
    parts = (line.partition(" = ") for line in lines.splitlines())
    return {key: value for key, _, value in parts}


# --- the child ---


def _run_child(request: bytes, timeout_ms: int) -> tuple[Verdict, bool]:
    """Return the verdict, and whether it is about the delegate, and not about the machine or a Ctrl-C."""
    if not sys.executable:
        return Verdict(False, 0.0, "this Python does not know its own program, so no child can try it"), False
    places = [place for place in sys.path if isinstance(place, str)]  # as Python's own import has it
    start = f"import sys; sys.path[:] = {places!r}; from edgeemo.external import child; child()"
    command = [os.fsencode(word) for word in (sys.executable, "-c", start)]
    found, its_own = _core.try_in_child(command, request, timeout_ms, _BEGINS)
    verdict = Verdict(*found)
    if verdict.reason.endswith(" while starting"):
        why = f"{verdict.reason}; is that (sys.executable) a Python that can import edgeemo?"
        verdict = Verdict(False, 0.0, why)
    return verdict, its_own


def child() -> None:
    """Try the delegate of the request on standard input. Call this in a child process only."""
    answers = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # libraries print lines of their own

    def say(what: str) -> None:
        os.write(answers, (" ".join(what.split()) + "\n").encode("utf-8", "replace"))

    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as file:
        request: Mapping[str, Any] = json.loads(file["request"].tobytes())
        model = file["model"].tobytes()
        goldens = [file[f"golden{i}"] for i in range(len(file.files) - 2)]
    how: dict[str, Any] = {"name": request["name"], "threads": request["threads"]}
    try:
        say("at loading the model on the CPU")
        cpu = InterpreterBackend(model, **how)
        say(f"at {_BEGINS}")
        other = InterpreterBackend(
            model, delegate=request["path"], delegate_options=request["options"], **how
        )
        say("at running the model on the delegate")
        wrong = difference(cpu, other, goldens)
        if not wrong:
            say("at timing the delegate")
        say(f"not {wrong}" if wrong else f"same {round(_time_ratio(cpu, other) * 1e6)}")
    except EdgeemoError as error:
        say(f"not {_without(request['path'], error)}")
    os._exit(0)  # a delegate may hang or crash when it is unloaded


def _time_ratio(cpu: Backend, other: Backend) -> float:
    """Time both in turns, so that load disturbs both alike: half a second, 5 to 50 runs of each."""
    trial = [np.zeros(info.shape, info.dtype) for info in cpu.inputs]
    times: tuple[list[float], list[float]] = ([], [])
    while len(times[1]) < 5 or (sum(map(sum, times)) < 0.5 and len(times[1]) < 50):
        for backend, spent in zip((cpu, other), times, strict=True):
            begin = time.perf_counter()
            backend.invoke(*trial)
            spent.append(time.perf_counter() - begin)
    return max(float(np.median(times[1]) / np.median(times[0])), 1e-6)
