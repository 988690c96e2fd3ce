"""The float twin of a bundle: its Keras model behind the same frontend and the same readout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from edgeemo.backends import Tensor, TensorInfo
from edgeemo.bundle import Bundle
from edgeemo.errors import BundleMismatchError, ConversionError
from edgeemo.face_detector import FaceDetector
from edgeemo.recognizer import Recognizer
from edgeemo.runtime import Runtime

from .quantize import require_keras

_UNFIT = (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, BundleMismatchError)


class KerasBackend:
    """The float model where a device has its interpreter; all around it is the bundle's own."""

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


def float_recognizer(model: Path, bundle: Bundle) -> Recognizer:
    """Return a recognizer like the bundle's whose network is the Keras model.

    Raises:
        ConversionError: the model cannot be read, or does not fit the bundle's card.
    """
    with _runtime(model) as runtime:
        return Recognizer(bundle, runtime)


def float_detector(model: Path, bundle: Bundle) -> FaceDetector:
    """Return a detector like the bundle's whose network is the Keras model.

    Raises:
        ConversionError: the model cannot be read, or does not fit the bundle's card.
    """
    with _runtime(model) as runtime:
        return FaceDetector(bundle, runtime)


@contextmanager
def _runtime(model: Path) -> Iterator[Runtime]:
    """Give the Keras model as a runtime; what does not fit it is a `ConversionError`."""
    require_keras(model)
    try:
        yield Runtime(b"", backend=KerasBackend(model))
    except _UNFIT as error:
        raise ConversionError(f"{model} does not run as the card says: {error}") from error
