"""Delegates: accelerators that run a model in place of the CPU, and a trial of each on this machine.

A delegate is foreign code: a GPU's driver or a vendor's library. So a child process runs the delegate first,
compares its answers with the CPU's on the bundle's golden inputs, and times both. A small file keeps the
verdict. ``delegate="auto"`` takes the GPU if the file holds a good verdict, else the CPU.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from . import _core
from .backends import (
    DELEGATES,
    Backend,
    InterpreterBackend,
    NativeBackend,
    Tensor,
    check_delegate,
    litert_library,
)
from .bundle import Bundle
from .errors import DelegateError, EdgeemoError, InputError, InputTypeError
from .external import Goldens, open_external, probe

Options = Mapping[str, str | int | float]
_MANIFESTS = ("VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_ADD_DRIVER_FILES")
_DRIVERS = (*_MANIFESTS, "VK_LOADER_DRIVERS_SELECT")


@dataclass(frozen=True)
class DelegateReport:
    """The verdict on one delegate for one bundle on this machine.

    Attributes:
        name: ``"cpu"``, ``"gpu"``, or the path of an external delegate.
        usable: whether the delegate runs, answers as the CPU does, and is as fast.
        reason: why the delegate is not usable; if usable, why the verdict was not kept, or ``""``.
        ratio: the time of a run over the CPU's (below 1 is faster), measured roughly; None without a run.
    """

    name: str
    usable: bool
    reason: str
    ratio: float | None


def survey(
    bundle: Bundle,
    *,
    delegate: str | os.PathLike[str] | None = None,
    delegate_options: Options | None = None,
    threads: int = 1,
) -> list[DelegateReport]:
    """Try every delegate with a bundle and put the verdicts on record.

    The call takes a few seconds, at most the timeout for each delegate.

    Args:
        bundle: the model to run.
        delegate: the path of an external TFLite delegate to try as well; a name of `DELEGATES` adds nothing.
        delegate_options: as `Recognizer.open` takes them. Options that edgeemo does not know go to the
            external delegate if there is one, else to the GPU.
        threads: CPU threads, 1 … 64.

    Returns:
        The CPU, the GPU, and the external delegate if one was given.

    Raises:
        InputError, InputTypeError: the options cannot be used. DelegateError: there is no file ``delegate``.
    """
    lines = option_lines(delegate_options)
    path = None if delegate is None or delegate in DELEGATES else os.fsdecode(delegate)
    if path is not None:
        check_delegate(path)
    make = partial(golden_inputs, bundle)
    reports = [_cpu(bundle, threads)]
    ours = "".join(f"{line}\n" for line in lines.splitlines() if path is None or line.startswith("probe_"))
    try:
        usable, ratio, reason = _core.probe_gpu(
            bundle.flatbuffer,
            library=os.fsencode(litert_library()),
            threads=threads,
            delegate_options=ours,
            goldens=partial(golden_bytes, make),
        )
    except InputError:
        raise
    except EdgeemoError as error:  # no LiteRT that the native engine knows
        usable, ratio, reason = False, 0.0, str(error)
    reports.append(DelegateReport("gpu", usable, reason, ratio or None))
    if path is not None:
        verdict = probe(bundle.flatbuffer, path, lines, name="litert", threads=threads, goldens=make)
        reports.append(DelegateReport(path, verdict.usable, verdict.reason, verdict.ratio or None))
    return reports


def open_backend(
    flatbuffer: bytes, name: str, delegate: str, lines: str, threads: int, goldens: Goldens | None
) -> tuple[Backend, str]:
    """Open a backend by name (not ``"auto"``) on a delegate that passed its trial, and say why that one.

    Raises:
        DelegateError, InputError, RuntimeUnavailableError, InferenceError: as the backends.
    """
    check_delegate(delegate)
    if name == "native":
        if delegate not in DELEGATES:
            raise DelegateError(
                f"The native backend knows no external delegates ({delegate}): leave the backend out."
            )
        make = None if goldens is None else partial(golden_bytes, goldens)
        native = NativeBackend(
            flatbuffer, delegate=delegate, delegate_options=lines, threads=threads, goldens=make
        )
        return native, native.reason
    if delegate in DELEGATES:
        why = "asked for" if delegate == "cpu" else f"{name} has no GPU"
        return InterpreterBackend(flatbuffer, name=name, delegate=delegate, threads=threads), why
    return open_external(flatbuffer, delegate, lines, name=name, threads=threads, goldens=goldens)


def golden_inputs(bundle: Bundle) -> list[Tensor]:
    """Return the golden inputs of the bundle's card, as its frontend makes them, flat."""
    dtype = np.int32 if bundle.card.modality == "text" else np.float32
    inputs = _core.golden_inputs(bundle.card.to_json(), dict(bundle.assets))
    return [np.frombuffer(golden, dtype) for golden in inputs]


def golden_bytes(goldens: Goldens) -> list[bytes]:
    """Return golden inputs as the native engine takes them."""
    return [np.ascontiguousarray(value).tobytes() for value in goldens()]


def option_lines(options: Options | None) -> str:
    """Return options as lines ``key = value``, with the folder of records unless ``probe_records`` names one.

    edgeemo reads four options; the delegate gets all others:

    - ``probe_records``: the folder that keeps verdicts; ``""`` keeps none.
    - ``probe_timeout_ms`` (20000): the time limit of a trial.
    - ``probe_most_ratio`` (1): the longest time of a run, in the CPU's time.
    - ``probe_program``: the path of ``edgeemo-probe``.

    Raises:
        InputTypeError: the options do not map names to text or numbers.
        InputError: an option holds a line break or bytes that are not UTF-8, or a name holds ``=``.
    """
    given = {} if options is None else options
    if not isinstance(given, Mapping):
        raise InputTypeError(f"delegate_options: expected a mapping, got {type(given).__name__}.")
    lines = {"probe_records": records_folder()}
    for key, value in given.items():
        if not isinstance(key, str) or not isinstance(value, str | int | float):
            raise InputTypeError(
                f"delegate_options: expected text or a number by name, got {key!r}: {value!r}."
            )
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not key.strip() or "=" in key or not _fits_a_line(key + text):
            raise InputError(
                f"delegate_options: {key!r}: {text!r} does not fit into a line key = value of UTF-8."
            )
        lines[key.strip()] = text
    return "".join(f"{key} = {value}\n" for key, value in lines.items())


def records_folder() -> str:
    """Return the folder of verdicts: ``$XDG_CACHE_HOME/edgeemo/delegates``, else in ``~/.cache``.

    If environment variables choose Vulkan's drivers, each choice and each version of these drivers has a
    folder of its own. The result is ``""`` if the path has a line break or bytes that are not UTF-8.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # as the XDG specification has it
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            return ""
    chosen = "\n".join(f"{name}={os.environ[name]}" for name in _DRIVERS if name in os.environ)
    places = ":".join(os.environ.get(name, "") for name in _MANIFESTS).split(":")
    drivers = b"".join(_core.drivers_at(os.fsencode(place)) for place in places if place)
    folder = base / "edgeemo" / "delegates"
    if chosen:
        folder /= sha256(os.fsencode(chosen) + drivers).hexdigest()[:16]
    return str(folder) if _fits_a_line(str(folder)) else ""


def _fits_a_line(text: str) -> bool:
    return "\n" not in text and "\r" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _cpu(bundle: Bundle, threads: int) -> DelegateReport:
    why = []
    for backend in (NativeBackend, InterpreterBackend):
        try:
            backend(bundle.flatbuffer, delegate="cpu", threads=threads)
            return DelegateReport("cpu", True, "", 1.0)
        except InputError:
            raise
        except EdgeemoError as error:
            why.append(str(error))
    return DelegateReport("cpu", False, " ".join(why), None)
