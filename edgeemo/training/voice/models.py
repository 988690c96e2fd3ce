"""The networks of voice recipes, and how two become one.

Every builder returns an uncompiled functional ``keras.Model`` from ``features`` ``(batch, frames, mels)`` to
a mapping of outputs. The networks of emotions and of bursts give logits ``labels`` or ``bursts`` ``(batch,
labels)``, the speech networks ``speech`` ``(batch, blocks)``; a block is `BLOCK` frames. Plain convolutions:
they train fast on a CPU and lose little in int8. `join` renames layers, so a builder need not.
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
    heads: int = 0,
    teacher: int = 0,
) -> keras.Model:
    """Convolutions over time and mels that shrink both, then over time alone, pooling, dense.

    Args:
        heads: how many attentions pool over time (Safari, India and Hernando 2020, arXiv:2008.01077). Each
            one learns which blocks count, so silence around a word does not thin the word. With 0 the mean
            pools.
        teacher: the number of a teacher's components to learn beside the labels; see
            `edgeemo.training.distil`.
    """
    return _labelled("labels", (frames, mels), n_labels, channels, width, hidden, dropout, heads, teacher)


def burst_cnn(
    frames: int,
    mels: int,
    n_labels: int,
    *,
    channels: Sequence[int] = (12, 20, 24),
    width: int = 48,
    hidden: int = 48,
    dropout: float = 0.2,
    heads: int = 2,
    teacher: int = 0,
) -> keras.Model:
    """As `voice_cnn`, smaller, for bursts."""
    return _labelled("bursts", (frames, mels), n_labels, channels, width, hidden, dropout, heads, teacher)


def _labelled(
    role: str,
    shape: tuple[int, int],
    n_labels: int,
    channels: Sequence[int],
    width: int,
    hidden: int,
    dropout: float,
    heads: int,
    teacher: int,
) -> keras.Model:
    features = keras.Input(shape, name="features")
    pooled = layers.Dropout(dropout)(_pooled(features, channels, width, dropout, heads))
    embedding = layers.Dense(hidden, activation="relu", name="embedding")(pooled)
    logits = layers.Dense(n_labels, dtype="float32", name=role)(layers.Dropout(dropout)(embedding))
    outputs = {role: logits}
    if teacher:
        outputs["teacher"] = layers.Dense(teacher, dtype="float32", name="teacher")(embedding)
    return keras.Model(features, outputs)


def _pooled(
    features: keras.KerasTensor, channels: Sequence[int], width: int, dropout: float, heads: int
) -> keras.KerasTensor:
    """Return ``(batch, (1 + max(heads, 1)) * width)``: means over time by attention, and the maximum."""
    x = _shrunk(features, channels)
    for kernel, dilation in ((1, 1), (3, 1), (3, 2)):
        x = layers.Conv1D(width, kernel, padding="same", use_bias=False, dilation_rate=dilation)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
    x = layers.Dropout(dropout / 2)(x)
    if not heads:
        return layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    looked = layers.Conv1D(heads, 1)(layers.Conv1D(24, 1, activation="relu")(x))
    share = layers.Softmax()(layers.Permute((2, 1))(looked))
    # not a product of matrices: older runtimes compute it wrongly in int8
    single = [layers.Cropping1D((i, heads - 1 - i))(share) for i in range(heads)]
    parts = [layers.Multiply()([x, layers.Permute((2, 1))(one)]) for one in single]
    means = [layers.Rescaling(float(x.shape[1]))(layers.GlobalAveragePooling1D()(part)) for part in parts]
    return layers.Concatenate()([*means, layers.GlobalMaxPooling1D()(x)])


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
BURSTS: dict[str, Callable[..., keras.Model]] = {"burst_cnn": burst_cnn}
"""Networks of the step ``bursts``."""
SPEECH: dict[str, Callable[..., keras.Model]] = {"speech_cnn": speech_cnn}
"""Networks of the step ``speech``."""


def as_shipped(model: keras.Model) -> keras.Model:
    """Return a network without the teacher's components; one of emotions shows its embedding instead."""
    outputs = {name: value for name, value in model.output.items() if name != "teacher"}
    if "labels" in outputs:
        outputs["embedding"] = model.get_layer("embedding").output
    return keras.Model(model.input, outputs)


def join(parts: Mapping[str, keras.Model]) -> keras.Model:
    """Return one float32 model from ``features`` to the outputs of all parts, with their weights.

    Args:
        parts: a name for the layers → a trained model. No output may stand in two parts.
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
        outputs.update(copy.output)
    return keras.Model(features, outputs)
