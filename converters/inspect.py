"""Look into a ``.tflite``: operators, inputs, outputs, quantization. Needs no TensorFlow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgeemo.errors import InferenceError, RuntimeUnavailableError


@dataclass(frozen=True)
class Tensor:
    """An input or output; ``scale`` is 0 where it is not quantized."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True)
class Anatomy:
    """A model taken apart.

    Attributes:
        size: bytes of the flatbuffer.
        operators: operator name → how often, most frequent first; empty if the runtime does not tell.
        foreign: operators a plain runtime does not have (Flex or custom).
        inputs, outputs: of its signature.
        tensors: dtype → how many.
    """

    size: int
    operators: Mapping[str, int]
    foreign: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    tensors: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return asdict(self)


def dissect(flatbuffer: bytes) -> Anatomy:
    """Take a model apart with the LiteRT interpreter.

    Raises:
        RuntimeUnavailableError: LiteRT is not installed.
        InferenceError: LiteRT refuses the model.
    """
    try:
        from ai_edge_litert import interpreter as litert
    except ImportError as error:
        raise RuntimeUnavailableError(
            f"LiteRT is missing ({error}): pip install 'ai-edge-litert>=2.1.6,<3'."
        ) from error
    try:
        # without delegates the operators are the file's own, not what a delegate made of them
        model = litert.Interpreter(
            model_content=flatbuffer,
            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        signature = model.get_signature_runner()
        details = model.get_tensor_details()
    except (ValueError, RuntimeError) as error:
        raise InferenceError(f"LiteRT refuses the model: {error}. Convert it again.") from error
    operators = _operators(model)
    return Anatomy(
        size=len(flatbuffer),
        operators=operators,
        foreign=tuple(name for name in operators if name.upper().startswith(("FLEX", "CUSTOM"))),
        inputs=tuple(_tensor(n, d) for n, d in sorted(signature.get_input_details().items())),
        outputs=tuple(_tensor(n, d) for n, d in sorted(signature.get_output_details().items())),
        tensors=dict(Counter(np.dtype(d["dtype"]).name for d in details).most_common()),
    )


def graph_facts(flatbuffer: bytes) -> dict[str, Any]:
    """Return the ``foreign_operators`` of a graph and its number of ``float_tensors``."""
    anatomy = dissect(flatbuffer)
    return {
        "foreign_operators": anatomy.foreign, "float_tensors": anatomy.tensors.get("float32", 0)
    }  # fmt: skip


def _operators(model: Any) -> dict[str, int]:
    """Count operators by a call LiteRT has but does not promise."""
    try:
        names = [str(op["op_name"]) for op in model._get_ops_details()]
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}
    return dict(Counter(names).most_common())


def _tensor(name: str, detail: Mapping[str, Any]) -> Tensor:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(n) for n in detail["shape"])
    return Tensor(name, shape, np.dtype(detail["dtype"]).name, float(scale), int(zero_point))
