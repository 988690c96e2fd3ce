"""The float reference of a bundle: its Keras model behind the same frontend and the same readout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgeemo.backends import Tensor, TensorInfo
from edgeemo.bundle import Bundle
from edgeemo.errors import BundleMismatchError, ConversionError
from edgeemo.moved import renamed
from edgeemo.runtime import Runtime
from edgeemo.tasks import task_of

from .quantize import require_keras

_UNFIT = (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, BundleMismatchError)


class KerasBackend:
    """The float model in the place of a device's interpreter; all around it is the bundle's own."""

    name, delegate = "keras", "cpu"

    def __init__(self, model: Path) -> None:
        import keras
        import tensorflow as tf

        loaded = keras.models.load_model(model, compile=False)
        taken, self._names = loaded.inputs[0], sorted(loaded.output)
        shape, dtype = (1, *taken.shape[1:]), np.dtype(taken.dtype)
        self.inputs = [TensorInfo(taken.name, shape, dtype, 0.0, 0)]
        self.outputs = [
            TensorInfo(name, (1, *loaded.output[name].shape[1:]), np.dtype(np.float32), 0.0, 0)
            for name in self._names
        ]
        signature = [tf.TensorSpec(shape, dtype)]
        self._forward = tf.function(lambda x: loaded(x, training=False), input_signature=signature)

    def invoke(self, *inputs: Tensor) -> list[Tensor]:
        """See `edgeemo.backends.Backend`."""
        answers = self._forward(inputs[0])
        return [np.asarray(answers[name], np.float32) for name in self._names]


def float_reference(model: Path, bundle: Bundle) -> Any:
    """Return a recognizer (or detector) like the bundle's whose network is the Keras model.

    Raises:
        ConversionError: the model cannot be read, or does not fit the bundle's card.
    """
    require_keras(model)
    try:
        return task_of(bundle.card).opener(bundle, Runtime(b"", backend=KerasBackend(model)))
    except _UNFIT as error:
        raise ConversionError(f"{model} does not run as the card says: {error}") from error


__getattr__ = renamed(__name__, {"float_recognizer": "float_reference", "float_detector": "float_reference"})
