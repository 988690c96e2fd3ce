"""One interpreter with names: float32 or the model's own dtype in, float32 arrays out by name."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _core
from .backends import BACKENDS, DELEGATES, Backend, Tensor, TensorInfo
from .delegates import Options, open_backend, option_lines
from .errors import DelegateError, InferenceError, InputError, InputTypeError, RuntimeUnavailableError
from .external import Goldens
from .types import FloatArray

CLOSED = "The model was closed; open it again."
FORKED = (
    "The model was opened before a fork and is used in the child; open it in the process that uses it "
    "(multiprocessing: the start method 'spawn')."
)
_forks = 0  # how often this process is a child; asking for its id takes longer


def _forked() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_forked)


@dataclass(frozen=True)
class RuntimeInfo:
    """What was asked for and what runs.

    Attributes:
        backend, delegate: what runs. The delegate is ``"cpu"``, ``"gpu"`` or the path of an external one.
        threads: of the CPU.
        reason: why that backend and that delegate.
        asked: the delegate that was asked for.
    """

    backend: str
    delegate: str
    threads: int
    reason: str
    asked: str = "auto"


class Runtime:
    """A loaded model. Calls from several threads are served one after the other.

    Args:
        flatbuffer: a verified model.
        backend: one of `edgeemo.backends.BACKENDS`, or a ready `Backend`. ``"auto"`` is ``"native"``, or,
            with the reason in ``info``, ``"litert"`` where the native engine cannot run the model.
        delegate: ``"auto"``, ``"cpu"``, ``"gpu"`` or the path of an external TFLite delegate's ``.so``; as
            `Recognizer.open` takes it.
        delegate_options: text or numbers by name; see `edgeemo.delegates.option_lines`.
        threads: CPU threads, 1 … 64.
        goldens: makes inputs that a delegate is tried with, beside noise; see
            `edgeemo.delegates.golden_inputs`.

    Raises:
        InputError: ``threads`` is out of range, or the options cannot be used.
        InputTypeError: ``backend`` is neither name nor `Backend`, or the options are no mapping.
        DelegateError: the delegate was named and cannot be used.
        RuntimeUnavailableError, InferenceError, BundleCorruptError: as `edgeemo.backends.NativeBackend` and
            `edgeemo.backends.InterpreterBackend`.
    """

    def __init__(
        self,
        flatbuffer: bytes,
        *,
        backend: str | Backend = "auto",
        delegate: str | os.PathLike[str] = "auto",
        delegate_options: Options | None = None,
        threads: int = 1,
        goldens: Goldens | None = None,
    ) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 64:
            raise InputError(f"threads is {threads!r}: expected a whole number from 1 to 64.")
        if not isinstance(backend, str) and not hasattr(backend, "invoke"):
            raise InputTypeError(
                f"backend is {backend!r}: expected one of {', '.join(BACKENDS)}, or a Backend."
            )
        if not isinstance(delegate, str | os.PathLike):
            raise InputTypeError(f"delegate is {delegate!r}: expected 'auto', 'cpu', 'gpu' or a path.")
        asked, lines = os.fsdecode(delegate), option_lines(delegate_options)
        loaded, reason = (
            _load(flatbuffer, backend, asked, lines, threads, goldens)
            if isinstance(backend, str)
            else (backend, "the backend was given")
        )
        if not isinstance(backend, str) and asked not in ("auto", loaded.delegate):
            raise DelegateError(
                f"The backend given runs on {loaded.delegate}, not on {asked}: leave the delegate out."
            )
        self._backend: Backend | None = loaded
        self._lock = threading.Lock()
        self._forks = _forks
        self.info = RuntimeInfo(loaded.name, loaded.delegate, threads, reason, asked)
        self.inputs = {info.name: info for info in loaded.inputs}
        self.outputs = {info.name: info for info in loaded.outputs}
        # float32 is quantized on the way in, where the model is int8
        self._in = [(i.scale, i.zero_point) if _is_quantized(i) else None for i in loaded.inputs]
        self._quantizes = any(self._in)
        self._out = [(o.name, o.scale, o.zero_point) for o in loaded.outputs]

    def run(self, *inputs: Tensor) -> dict[str, FloatArray]:
        """Run once on arrays in the order of ``inputs``, already in the model's shape and dtype.

        A float32 array for an int8 input is quantized by the one rule.

        Returns:
            float32 arrays by output name, dequantized where the model is int8.

        Raises:
            InputError: NaN where it had to be quantized.
            InferenceError: closed; or opened before a `fork` and used in the child.
        """
        if self._quantizes:
            inputs = tuple(
                _core.quantize(value, *how) if how and value.dtype == np.float32 else value
                for value, how in zip(inputs, self._in, strict=True)
            )
        if _forks != self._forks:  # a thread of the parent may hold the lock, and is not here
            raise InferenceError(FORKED)
        with self._lock:
            if self._backend is None:
                raise InferenceError(CLOSED)
            raw = self._backend.invoke(*inputs)
        return {
            name: _core.dequantize(value, scale, zero_point) if scale else value
            for (name, scale, zero_point), value in zip(self._out, raw, strict=True)
        }

    @property
    def quantization(self) -> tuple[float, int] | None:
        """Scale and zero point of the first input; None where it is not quantized."""
        return self._in[0]

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._backend is None

    def close(self) -> None:
        """Release the interpreter and its memory; `run` then raises `InferenceError`."""
        if _forks != self._forks:  # the parent's, and its lock may be held for good
            return
        with self._lock:
            self._backend = None

    def run_named(self, inputs: Mapping[str, Any]) -> dict[str, FloatArray]:
        """Check names, shapes and dtypes, then `run`.

        Raises:
            InputError, InputTypeError: an input is missing, unknown, or of another shape or dtype.
        """
        if set(inputs) != set(self.inputs):
            raise InputError(f"Expected inputs {sorted(self.inputs)}, got {sorted(inputs)}.")
        for name, info in self.inputs.items():
            value = inputs[name]
            kinds = (info.dtype, np.dtype(np.float32)) if _is_quantized(info) else (info.dtype,)
            if not isinstance(value, np.ndarray) or value.dtype not in kinds:
                raise InputTypeError(
                    f"{name}: expected {' or '.join(map(str, kinds))}, "
                    f"got {getattr(value, 'dtype', type(value))}."
                )
            if value.shape != info.shape:
                raise InputError(f"{name}: expected shape {info.shape}, got {value.shape}.")
        return self.run(*(inputs[name] for name in self.inputs))


def _load(
    flatbuffer: bytes, name: str, delegate: str, lines: str, threads: int, goldens: Goldens | None
) -> tuple[Backend, str]:
    """Return the backend of that name, and why it and its delegate where the choice was ours."""
    why = ""
    if name == "native" or (name == "auto" and delegate in DELEGATES):
        try:
            return open_backend(flatbuffer, "native", delegate, lines, threads, goldens)
        except (RuntimeUnavailableError, InferenceError) as error:
            if name == "native":
                raise
            if delegate == "gpu":
                raise DelegateError(
                    f"The GPU is the native engine's, which is not usable: {error}"
                ) from error
            why = f"the native engine is not used: {error}; "
    interpreter = "litert" if name == "auto" else name
    loaded, reason = open_backend(flatbuffer, interpreter, delegate, lines, threads, goldens)
    return loaded, why + reason


def _is_quantized(info: TensorInfo) -> bool:
    return info.dtype == np.int8 and info.scale > 0
