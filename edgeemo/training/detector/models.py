"""The networks of detector recipes, and their losses.

Every builder returns an uncompiled functional ``keras.Model`` from ``pixels`` ``(batch, height, width, 1)``
to the three heads of `edgeemo.faces.DetectorSpec`: ``logits``, ``boxes`` and ``eyes``. Plain convolutions:
they train fast on a CPU and lose little in int8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

import keras
from keras import layers, ops

from ...faces import DetectorSpec
from ..fit import cross_entropies, known_targets

HEADS = {"logits": 1, "boxes": 4, "eyes": 4}
BOUNDS = {"boxes": 3.0, "eyes": 0.6}
"""The bounds of a face's places, either way: in strides and logarithms of strides, and in sides."""
FACES = 0.01
"""The share of cells that begin as faces (Lin et al. 2017): most begin with a logit that says no."""


def face_finder(
    spec: DetectorSpec,
    *,
    channels: Sequence[int] = (16, 24, 48, 64),
    blocks: Sequence[int] = (0, 1, 1, 3),
    most: float | None = None,
) -> keras.Model:
    """Stages that halve the picture, each with residual blocks; what the coarse grid knows goes to the fine.

    The last two stages are the grids of strides 8 and 16 (Lin et al. 2017, "Feature pyramid networks").
    ``most`` is what a feature is cut off at: residual sums grow, and int8 has 256 steps for all of them.
    """
    pixels = keras.Input((spec.height, spec.width, 1), name="pixels")
    x, stages = pixels, []
    for n, repeats in zip(channels, blocks, strict=True):
        x = _conv(x, n, 2, most=most)
        for _ in range(repeats):
            inner = _conv(_conv(x, n, most=most), n, active=False)
            x = layers.ReLU(max_value=most)(layers.Add()([x, inner]))
        stages.append(x)
    fine, coarse = stages[-2:]
    wide = layers.UpSampling2D(2)(_conv(coarse, channels[-2], side=1, active=False))
    fine = _conv(layers.ReLU(max_value=most)(layers.Add()([fine, wide])), channels[-2], most=most)
    return keras.Model(pixels, {name: _head(name, n, (fine, coarse)) for name, n in HEADS.items()})


def _head(name: str, n: int, grids: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    bias = -log(1 / FACES - 1) if name == "logits" else 0.0
    parts = []
    for i, x in enumerate(grids):
        start = keras.initializers.Constant(bias)
        y = layers.Conv2D(n, 1, bias_initializer=start, dtype="float32", name=f"{name}_{i}")(x)
        parts.append(y)
    return _joined(name, parts)


def _joined(name: str, parts: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    shape = (-1, HEADS[name]) if HEADS[name] > 1 else (-1,)
    rows = [layers.Reshape(shape, dtype="float32")(y) for y in parts]
    return layers.Concatenate(axis=1, dtype="float32", name=name)(rows)


def _conv(
    x: keras.KerasTensor,
    n: int,
    strides: int = 1,
    *,
    side: int = 3,
    active: bool = True,
    most: float | None = None,
) -> keras.KerasTensor:
    x = layers.Conv2D(
        n, side, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    x = layers.BatchNormalization(momentum=0.97)(x)
    return layers.ReLU(max_value=most)(x) if active else x


FINDERS: dict[str, Callable[..., keras.Model]] = {"face_finder": face_finder}
"""Networks by the name a recipe gives them."""


def training_model(model: keras.Model) -> keras.Model:
    """Return the same network with ``logits`` and ``places`` ``(cells, 8)``, boxes and eyes in one."""
    outputs = {name: model.get_layer(name).output for name in HEADS}
    places = layers.Concatenate(axis=-1, dtype="float32", name="places")([outputs["boxes"], outputs["eyes"]])
    return keras.Model(model.inputs[0], {"logits": outputs["logits"], "places": places})


def device_model(model: keras.Model) -> keras.Model:
    """Return the network behind `training_model` as a device runs it, its places within `BOUNDS`.

    Without a face a cell may say anything; in int8 such numbers would widen the steps of all others.
    """
    outputs = {"logits": model.get_layer("logits").output}
    for name, bound in BOUNDS.items():
        parts = []
        for i in range(2):
            trained = model.get_layer(f"{name}_{i}")
            kernel, bias = (3 / bound * w for w in trained.get_weights())
            again = layers.Conv2D(HEADS[name], 1, dtype="float32", name=f"{name}_{i}_within")
            y = layers.ReLU(max_value=6.0)(again(trained.input))  # one step with the convolution
            again.set_weights([kernel, bias + 3])
            parts.append(layers.Rescaling(bound / 3, -bound)(y))
        outputs[name] = _joined(name, parts)
    return keras.Model(model.inputs[0], outputs)


def focal(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Focal loss (Lin et al. 2017, arXiv:1708.02002): cross-entropy of all cells; right cells count little.

    The sum is divided by the faces of the batch. A NaN cell does not count. Targets may be soft.
    """
    known, target = known_targets(truth)
    missed = ops.square(target - ops.sigmoid(logits))
    loss = ops.sum(cross_entropies(target, logits) * missed * ops.cast(known, "float32"), axis=-1)
    return 4.0 * loss / ops.maximum(ops.mean(ops.sum(target, axis=-1)), 1.0)


def place_loss(truth: keras.KerasTensor, value: keras.KerasTensor) -> keras.KerasTensor:
    """The loss of boxes and eyes, over the cells that have a face; the target of other cells is NaN.

    For boxes it is one minus intersection over union, and distances in sides. For eyes it is the distance, in
    eye distances, from where they *are* to where the decoder will put them: eyes correct the box's error.
    """
    there, seen = ops.isfinite(truth[..., 0]), ops.isfinite(truth[..., 4])
    t, here = ops.where(ops.isfinite(truth), truth, 0.0), ops.cast(there, "float32")
    middle, sides = t[..., :2], ops.exp(t[..., 2:4])
    size = ops.clip(value[..., 2:4], -4.0, 8.0)
    at, wide = value[..., :2], ops.exp(size)
    both = ops.minimum(middle + sides / 2, at + wide / 2) - ops.maximum(middle - sides / 2, at - wide / 2)
    common = ops.prod(ops.maximum(both, 0.0), axis=-1)
    union = ops.prod(sides, axis=-1) + ops.prod(wide, axis=-1) - common
    off = ops.concatenate([(at - middle) / sides, size - t[..., 2:4]], axis=-1)
    boxes = 1.0 - common / ops.maximum(union, 1e-6) + 0.5 * ops.sum(_huber(off, 0.1), axis=-1)

    twice = ops.concatenate
    at, wide = ops.stop_gradient(at), ops.stop_gradient(wide)
    put = twice([at, at], axis=-1) + value[..., 4:] * twice([wide, wide], axis=-1)
    are = twice([middle, middle], axis=-1) + t[..., 4:] * twice([sides, sides], axis=-1)
    distance = ops.maximum(
        ops.sqrt(ops.sum(ops.square(are[..., 2:] - are[..., :2]), axis=-1, keepdims=True) + 1e-6),
        0.2 * sides[..., :1],
    )
    eyes = ops.sum(_huber((put - are) / distance, 0.1), axis=-1) * ops.cast(seen, "float32")
    loss = ops.sum((boxes + eyes) * here, axis=-1)
    return loss / ops.maximum(ops.mean(ops.sum(here, axis=-1)), 1.0)


def _huber(off: keras.KerasTensor, bend: float) -> keras.KerasTensor:
    size = ops.abs(off)
    return ops.where(size < bend, 0.5 * ops.square(off) / bend, size - 0.5 * bend)
