"""The networks of face recipes.

Every builder returns an uncompiled functional ``keras.Model`` from ``pixels`` ``(batch, height, width,
channels)`` to ``{"labels": logits}``. Plain 3 × 3 convolutions: they train fast on a CPU and lose little in
int8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
from keras import layers


def face_cnn(
    shape: Sequence[int],
    n_labels: int,
    *,
    channels: Sequence[int] = (32, 64, 112, 144),
    dropout: float = 0.3,
) -> keras.Model:
    """Stages that halve the picture, but the first; from the third on with a residual of two convolutions.

    Weights fit any size of picture: what is left of it is averaged in the end.
    """
    pixels = keras.Input(tuple(shape), name="pixels")
    x = pixels
    for i, n in enumerate(channels):
        x = _conv(x, n, 2 if i else 1)
        if i == 1:
            x = _conv(x, n)
        elif i > 1:
            x = layers.ReLU()(layers.Add()([x, _conv(_conv(x, n), n, active=False)]))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(pixels, {"labels": layers.Dense(n_labels, dtype="float32", name="labels")(x)})


def _conv(x: keras.KerasTensor, n: int, strides: int = 1, *, active: bool = True) -> keras.KerasTensor:
    x = layers.Conv2D(n, 3, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal")(
        x
    )
    x = layers.BatchNormalization(momentum=0.95)(x)
    return layers.ReLU()(x) if active else x


EXPRESSION: dict[str, Callable[..., keras.Model]] = {"face_cnn": face_cnn}
"""Networks by the name a recipe gives them."""
