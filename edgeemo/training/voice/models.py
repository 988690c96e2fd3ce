"""The networks of voice recipes, and how two become one.

Every builder returns an uncompiled functional ``keras.Model`` from ``features`` ``(batch, frames, mels)`` to
a mapping of logits. The emotion networks give ``labels`` ``(batch, labels)``, the speech networks ``speech``
``(batch, blocks)``; a block is `BLOCK` frames. Plain convolutions: they train fast on a CPU and lose
little in int8. `join` renames layers, so a builder need not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import layers

BLOCK = 8
"""Frames behind one speech answer."""


def voice_cnn(
    frames: int,
    mels: int,
    n_labels: int,
    *,
    channels: Sequence[int] = (16, 28, 40),
    width: int = 76,
    hidden: int = 64,
    dropout: float = 0.2,
) -> keras.Model:
    """Convolutions over time and mels that shrink both, then over time alone, mean and maximum, dense."""
    features = keras.Input((frames, mels), name="features")
    x = _shrunk(features, channels)
    for kernel, dilation in ((1, 1), (3, 1), (3, 2)):
        x = layers.Conv1D(width, kernel, padding="same", use_bias=False, dilation_rate=dilation)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
    x = layers.Dropout(dropout / 2)(x)
    pooled = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    pooled = layers.Dropout(dropout)(pooled)
    pooled = layers.Dropout(dropout)(layers.Dense(hidden, activation="relu")(pooled))
    return keras.Model(features, {"labels": layers.Dense(n_labels, dtype="float32", name="labels")(pooled)})


def speech_cnn(
    frames: int,
    mels: int,
    *,
    channels: Sequence[int] = (8, 16, 24),
    width: int = 40,
    context: int = 5,
    dropout: float = 0.1,
) -> keras.Model:
    """Convolutions over time and mels that shrink both, one that looks around, one logit a block."""
    features = keras.Input((frames, mels), name="features")
    x = _shrunk(features, channels)  # 2 ** 3 == BLOCK
    x = layers.Conv1D(width, 1, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
    x = layers.SpatialDropout1D(dropout)(x)
    x = layers.Conv1D(width, context, padding="same", activation="relu")(x)
    x = layers.SpatialDropout1D(dropout)(x)
    logits = layers.Conv1D(1, 1, dtype="float32")(x)
    return keras.Model(features, {"speech": layers.Flatten(name="speech", dtype="float32")(logits)})


def _shrunk(features: keras.KerasTensor, channels: Sequence[int]) -> keras.KerasTensor:
    """Return ``(batch, frames / 8, mels / 16 * channels)``, of three convolutions over both.

    The first takes four mels a step: what follows is small matrices, which train and run fast. Only the last
    is normalised by batch: on a CPU that costs more than the convolutions before it.
    """
    x = layers.Reshape((*features.shape[1:], 1))(features)
    for i, n in enumerate(channels):
        last = i + 1 == len(channels)
        kernel, strides = (3, (2, 2)) if i else (5, (2, 4))
        x = layers.Conv2D(
            n, kernel, strides=strides, padding="same", use_bias=not last, kernel_initializer="he_normal"
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x) if last else x)
    return layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)


EMOTION: dict[str, Callable[..., keras.Model]] = {"voice_cnn": voice_cnn}
"""Networks of the step ``emotion``, by the name a recipe gives them."""
SPEECH: dict[str, Callable[..., keras.Model]] = {"speech_cnn": speech_cnn}
"""Networks of the step ``speech``."""


def join(parts: Mapping[str, keras.Model]) -> keras.Model:
    """Return one float32 model from ``features`` to the outputs of all parts, with their weights.

    Args:
        parts: output name → a trained model with that output.
    """
    shape = next(iter(parts.values())).input_shape[1:]
    features = keras.Input(shape, name="features")
    outputs = {}
    for name, part in parts.items():

        def renamed(layer: keras.layers.Layer, name: str = name) -> keras.layers.Layer:
            config: dict[str, Any] = layer.get_config()
            config["dtype"], config["name"] = "float32", f"{name}_{layer.name}"
            return type(layer).from_config(config)

        plain = keras.Model(part.input, part.output)  # without the optimizer and losses of its training
        copy = keras.models.clone_model(plain, input_tensors=features, clone_function=renamed)
        copy.set_weights(part.get_weights())
        outputs[name] = copy.output[name]
    return keras.Model(features, outputs)
