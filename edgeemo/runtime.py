"""A loaded model: takes float32 or the model's own dtype, and returns float32 arrays by name."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import numpy as np

from . import _core
from .backends import BACKENDS, DELEGATES, Backend, NativeBackend, Tensor
from .delegates import Options, open_backend, option_lines
from .errors import DelegateError, InferenceError, InputError, InputTypeError, RuntimeUnavailableError
from .external import Goldens
from .types import FloatArray

logger = logging.getLogger("edgeemo")


@dataclass(frozen=True)
class RuntimeInfo:
    """The backend and delegate that run, and the delegate that the caller asked for.

    Attributes:
        backend, delegate: the names; the delegate is ``"cpu"``, ``"gpu"`` or the path of an external one.
        threads: CPU threads.
        reason: why edgeemo chose this backend and this delegate.
        asked: the delegate that the caller asked for.
    """

    backend: str
    delegate: str
    threads: int
    reason: str
    asked: str = "auto"


class Runtime:
    """A loaded model. Calls from several threads run one after the other.

    Attributes:
        info: the backend and delegate, and why. inputs, outputs: tensors by name.
        model: the native model, which the recognizers use.

    Args:
        flatbuffer: a verified model.
        backend: one of `edgeemo.backends.BACKENDS`, or a ready `Backend`. ``"auto"`` is ``"native"``, or
            ``"litert"`` if the native engine cannot run the model; ``info`` says why.
        delegate, delegate_options, threads: as `Recognizer.open` takes them.
        goldens: makes inputs for the trial of a delegate; see `edgeemo.delegates.golden_inputs`.

    Raises:
        InputError: ``threads`` is out of range, or the options cannot be used.
        InputTypeError: ``backend`` is neither name nor `Backend`, or the options are not a mapping.
        DelegateError: the named delegate cannot be used.
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
        self.model = (
            loaded.model if isinstance(loaded, NativeBackend) else _core.LoadedModel.of_backend(loaded)
        )
        self.info = RuntimeInfo(loaded.name, loaded.delegate, threads, reason, asked)
        self.inputs = {info.name: info for info in loaded.inputs}
        self.outputs = {info.name: info for info in loaded.outputs}
        logger.info("a model runs on %s/%s: %s", loaded.name, loaded.delegate, reason)

    def run(self, *inputs: Tensor) -> dict[str, FloatArray]:
        """Run once on arrays in the order of ``inputs``, in the model's shape and dtype.

        `run` quantizes a float32 array for an int8 input.

        Returns:
            float32 arrays by output name, dequantized where the model is int8.

        Raises:
            InputError: an array for an int8 input holds NaN.
            InferenceError: an array has another shape or dtype, the model was closed, or a child process
                uses a model that was opened before the `fork`.
        """
        return self.model.run(*inputs)

    @property
    def quantization(self) -> tuple[float, int] | None:
        """Scale and zero point of the first input; None if the input is not quantized."""
        first = next(iter(self.inputs.values()), None)
        if first is None or first.dtype != np.int8 or first.scale <= 0:
            return None
        return first.scale, first.zero_point

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.model.closed

    def close(self) -> None:
        """Release the model and its memory; `run` then raises `InferenceError`."""
        self.model.close()


def _load(
    flatbuffer: bytes, name: str, delegate: str, lines: str, threads: int, goldens: Goldens | None
) -> tuple[Backend, str]:
    """Return the backend of that name, and why edgeemo chose the backend and its delegate."""
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
