"""The interface between edgeemo and an inference library: `Backend`.

`NativeBackend` calls LiteRT through its C API, from the native engine. One adapter serves three TFLite
interpreters, which have the same Python interface. Tests use `FakeBackend`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import DelegateError, InferenceError, InputTypeError, RuntimeUnavailableError

Tensor = npt.NDArray[Any]


@dataclass(frozen=True)
class TensorInfo:
    """A tensor of a model; ``scale`` is 0 if the tensor is not quantized."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int


class Backend(Protocol):
    """The part of an inference library that `Runtime` uses. `Runtime` serves threads one after the other."""

    name: str
    delegate: str

    @property
    def inputs(self) -> Sequence[TensorInfo]:
        """The tensors that `invoke` takes, in this order."""
        ...

    @property
    def outputs(self) -> Sequence[TensorInfo]:
        """The tensors that `invoke` returns, in this order."""
        ...

    def invoke(self, *inputs: Tensor) -> list[Tensor]:
        """Run once on arrays in the order of ``inputs``; return new arrays in the order of ``outputs``."""
        ...


INTERPRETERS: Mapping[str, tuple[str, str, str]] = {
    # backend name: (module, attribute path of the interpreter class, how to get it)
    "litert": ("ai_edge_litert.interpreter", "Interpreter", "pip install 'ai-edge-litert>=2.1.6,<3'"),
    "tflite-runtime": (
        "tflite_runtime.interpreter",
        "Interpreter",
        "pip install 'edgeemo[legacy]' (Python < 3.12)",
    ),
    "tf.lite": ("tensorflow", "lite.Interpreter", "pip install 'edgeemo[train]'"),
}
"""More interpreters for a bundle: ``litert`` is the second choice, the others serve old boards."""

BACKENDS: tuple[str, ...] = ("auto", "native", *INTERPRETERS)
"""The names of backends: ``auto`` is ``native``, or ``litert`` if ``native`` is not usable."""

DELEGATES: tuple[str, ...] = ("auto", "cpu", "gpu")
"""The names of delegates; any other name is the path of an external delegate."""


class NativeBackend:
    """LiteRT through its C API, without the GIL.

    Args:
        flatbuffer: the model's bytes; the engine checks their structure once more.
        delegate: ``"auto"``, ``"cpu"`` (XNNPACK) or ``"gpu"`` (LiteRT's accelerator); see
            `edgeemo.delegates`.
        delegate_options: lines ``key = value``; see `edgeemo.delegates.option_lines`.
        threads: CPU threads, 1 … 64.
        library: path of ``libLiteRt.so``; by default from ``ai-edge-litert``, else from the system.
        goldens: makes the inputs for the trial of a delegate, when they are needed.

    Attributes:
        model: the native model, which `edgeemo.runtime.Runtime` and the recognizers call.

    Raises:
        DelegateError: the delegate is not one of the above, or cannot be used.
        InputError: the options cannot be read.
        InputTypeError: ``flatbuffer`` is not bytes.
        RuntimeUnavailableError: there is no usable LiteRT.
        InferenceError: LiteRT refuses the model, or gives wrong answers.
        BundleCorruptError: the bytes are not a whole model.
    """

    name = "native"

    def __init__(
        self,
        flatbuffer: bytes,
        *,
        delegate: str = "auto",
        delegate_options: str = "",
        threads: int = 1,
        library: str | None = None,
        goldens: Callable[[], Sequence[bytes]] | None = None,
    ) -> None:
        if not isinstance(flatbuffer, bytes):
            raise InputTypeError(f"Expected a model as bytes, got {type(flatbuffer).__name__}.")
        self.model = _core.LoadedModel(
            flatbuffer,
            library=os.fsencode(litert_library() if library is None else library),
            threads=threads,
            delegate=delegate,
            delegate_options=delegate_options,
            goldens=goldens,
        )
        self.library, self.delegate = self.model.library, self.model.delegate
        self.reason = self.model.reason
        self.inputs: Sequence[TensorInfo] = [TensorInfo(*info) for info in self.model.inputs]
        self.outputs: Sequence[TensorInfo] = [TensorInfo(*info) for info in self.model.outputs]

    def invoke(self, *inputs: Tensor) -> list[Tensor]:
        """See `Backend.invoke`."""
        return self.model.invoke(*inputs)


def litert_library() -> str:
    """Return the path of the installed ``ai-edge-litert``'s ``libLiteRt.so``; "" if there is none."""
    try:
        found = importlib.util.find_spec("ai_edge_litert")
    except (ImportError, ValueError):
        return ""
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "libLiteRt.so"
        if path.is_file():
            return str(path)
    return ""


class InterpreterBackend:
    """Any of the TFLite interpreters of `INTERPRETERS`.

    Args:
        flatbuffer: the bytes of a verified model.
        name: a key of `INTERPRETERS`.
        delegate: ``"auto"`` or ``"cpu"``: XNNPACK on the CPU. The path of an external delegate's ``.so``:
            this process loads the file, so `edgeemo.external` tries it in a child process before.
        delegate_options: text by name, for the external delegate.
        threads: CPU threads, at least 1.

    Raises:
        RuntimeUnavailableError: the package is missing.
        DelegateError: the delegate is not one of the above, or cannot be loaded.
        InferenceError: the library refuses the model.
    """

    def __init__(
        self,
        flatbuffer: bytes,
        *,
        name: str = "litert",
        delegate: str = "auto",
        delegate_options: Mapping[str, str] | None = None,
        threads: int = 1,
    ) -> None:
        check_delegate(delegate)
        if delegate == "gpu":
            raise DelegateError(
                f"The backend {name} has no GPU: leave the backend out, or use delegate 'auto' or 'cpu'."
            )
        self.name, self.delegate = name, "cpu" if delegate == "auto" else delegate
        interpreter_class = _interpreter_class(name)
        how: dict[str, Any] = {"num_threads": threads}
        if delegate not in DELEGATES:
            how["experimental_delegates"] = [_load_delegate(name, delegate, delegate_options or {})]
        try:
            self._interpreter = interpreter_class(model_content=flatbuffer, **how)
            self._interpreter.allocate_tensors()
            # a model made by `edgeemo convert` has one signature; its names are those the card uses
            runner = self._interpreter.get_signature_runner()
        except SystemError as error:  # tflite-runtime beside numpy 2
            raise _unusable(name, error) from error
        except (ValueError, RuntimeError) as error:
            raise InferenceError(
                f"{name} refuses the model: {_line(error)}. Convert it again, or upgrade the runtime."
            ) from error
        ins, outs = sorted(runner.get_input_details().items()), sorted(runner.get_output_details().items())
        self.inputs: Sequence[TensorInfo] = [_info(*named) for named in ins]
        self.outputs: Sequence[TensorInfo] = [_info(*named) for named in outs]
        self._in, self._out = ([detail["index"] for _, detail in found] for found in (ins, outs))

    def invoke(self, *inputs: Tensor) -> list[Tensor]:
        """See `Backend.invoke`."""
        interpreter = self._interpreter
        try:
            for index, value in zip(self._in, inputs, strict=True):
                interpreter.set_tensor(index, value)
            interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise InferenceError(
                f"{self.name} could not run the model: {_line(error)}. Convert it again."
            ) from error
        return [interpreter.get_tensor(index) for index in self._out]


def interpreter_file(name: str) -> tuple[Path, str]:
    """Return the file of an interpreter's Python module, and its version (``""`` if unknown).

    Raises:
        RuntimeUnavailableError: the package is missing, or there is no such backend.
    """
    import importlib.metadata  # here, because `import edgeemo` must be quick

    module = _interpreter(name)[0]
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError) as error:
        raise _unusable(name, error) from error
    if found is None or found.origin is None:
        raise _unusable(name, ImportError(f"No module named '{module}'"))
    try:
        return Path(found.origin), importlib.metadata.version(module.partition(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return Path(found.origin), ""


class FakeBackend:
    """A model made of a Python function, for tests."""

    name = "fake"
    delegate = "cpu"

    def __init__(
        self,
        function: Callable[..., list[Tensor]],
        inputs: Sequence[TensorInfo],
        outputs: Sequence[TensorInfo],
    ) -> None:
        self._function, self.inputs, self.outputs = function, inputs, outputs

    def invoke(self, *inputs: Tensor) -> list[Tensor]:
        """See `Backend.invoke`."""
        return self._function(*inputs)


def check_delegate(delegate: str) -> None:
    """Raise `DelegateError` unless the delegate is one of `DELEGATES` or the path of a file."""
    if delegate not in DELEGATES and not Path(delegate).is_file():
        raise DelegateError(
            f"There is no delegate {delegate!r}: expected 'auto', 'cpu', 'gpu' or the path of an external "
            "delegate's .so."
        )


def _load_delegate(name: str, path: str, options: Mapping[str, str]) -> Any:
    module: Any = importlib.import_module(INTERPRETERS[name][0])
    load = module.lite.experimental.load_delegate if name == "tf.lite" else module.load_delegate
    try:
        return load(str(Path(path).resolve()), dict(options))
    except (OSError, ValueError, AttributeError) as error:
        raise DelegateError(f"{path} is not loaded as a delegate: {_line(error) or 'it refuses'}.") from error


def _interpreter(name: str) -> tuple[str, str, str]:
    if name not in INTERPRETERS:
        raise RuntimeUnavailableError(f"There is no backend {name!r}: expected one of {', '.join(BACKENDS)}.")
    return INTERPRETERS[name]


def _interpreter_class(name: str) -> Any:
    module, attribute, _ = _interpreter(name)
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise _unusable(name, error) from error
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")  # the libraries' messages end in line breaks


def _unusable(name: str, error: BaseException) -> RuntimeUnavailableError:
    return RuntimeUnavailableError(
        f"The backend {name} is not usable here ({_line(error)}): {INTERPRETERS[name][2]}."
    )


def _info(name: str, detail: Mapping[str, Any]) -> TensorInfo:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(n) for n in detail["shape"])
    return TensorInfo(name, shape, np.dtype(detail["dtype"]), float(scale), int(zero_point))
