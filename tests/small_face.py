"""A small face bundle whose answers are known, faces drawn for it, and a detector that finds them.

A face is a light square, and its lighter half says what the face expresses. ``python tests/small_face.py``
makes ``tests/small_face.tflite`` again, which needs TensorFlow. The tests read that file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import Bundle, ModelCard
from edgeemo.card import Calibration, DataSource
from edgeemo.faces import Face
from edgeemo.frontends import FaceFrontend, FaceSpec

FLATBUFFER = Path(__file__).with_name("small_face.tflite")
SIDE = 16
SPEC = FaceSpec(width=SIDE, height=SIDE)
LABELS = ("neutral", "happiness", "sadness", "anger")
AFFECT = {"neutral": (0.0, 0.0), "happiness": (0.8, 0.5), "sadness": (-0.6, -0.3), "anger": (-0.5, 0.6)}
SCORE = 0.875
"""The score that the detector gives every face."""
_DARK, _SKIN, _LIGHT = 20, 140, 240
Pixels = npt.NDArray[np.uint8]


def face(label: str, side: int = 40) -> Pixels:
    """Return a gray face, ``(side, side)``, which the model reads as this label."""
    found = np.full((side, side), _SKIN, np.uint8)
    half = side // 2
    places: dict[str, Any] = {"happiness": np.s_[half:], "sadness": np.s_[:half], "anger": np.s_[:, :half]}
    if label in places:
        found[places[label]] = _LIGHT
    return found


def scene(faces: Sequence[tuple[str, int, int, int]], width: int = 320, height: int = 240) -> Pixels:
    """Return an RGB picture, ``(height, width, 3)``, of faces: (label, x, y, side) each; cut at its edges."""
    found = np.full((height, width, 3), _DARK, np.uint8)
    for label, x, y, side in faces:
        top, left = max(-y, 0), max(-x, 0)
        place = found[max(y, 0) : max(y + side, 0), max(x, 0) : max(x + side, 0)]
        place[:] = face(label, side)[top : top + place.shape[0], left : left + place.shape[1], None]
    return found


class SquareDetector:
    """A fake `FaceDetector`: finds separate light rectangles, and refuses what the real detector refuses."""

    def __init__(self) -> None:
        self.looks = 0
        self._frontend = FaceFrontend(FaceSpec(width=8, height=8))

    def detect(self, image: Any, color: Any = "rgb") -> list[Face]:
        self.looks += 1
        self._frontend.compute(image, color)
        rows = 2 * image.shape[0] // 3 if color == "nv12" else image.shape[0]
        gray = image[:rows] if image.ndim == 2 else image[..., 0 if color in ("yuyv", "gray") else 1]
        found = [_face(box) for box in _rectangles(gray > (_DARK + _SKIN) // 2)]
        return sorted(found, key=lambda f: f.score, reverse=True)

    def close(self) -> None:
        pass


def _rectangles(light: npt.NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    found, left = [], light.copy()
    while left.any():
        y0, x0 = (int(i) for i in divmod(int(left.argmax()), left.shape[1]))
        x1 = x0 + _run(left[y0, x0:])
        y1 = y0 + _run(left[y0:, x0])
        left[y0:y1, x0:x1] = False
        found.append((x0, y0, x1, y1))
    return found


def _run(light: npt.NDArray[np.bool_]) -> int:
    return len(light) if light.all() else int(light.argmin())


def _face(box: tuple[int, int, int, int]) -> Face:
    x0, y0, x1, y1 = (float(v) for v in box)
    y = y0 + 0.4 * (y1 - y0)
    eyes = ((x0 + 0.3 * (x1 - x0), y), (x0 + 0.7 * (x1 - x0), y))
    return Face((x0, y0, x1, y1), eyes, SCORE)


def card(**changes: object) -> ModelCard:
    """Return the card of the small face bundle, with some fields changed."""
    fields: dict[str, Any] = {
        "name": "small-face",
        "version": "1.0.0",
        "modality": "face",
        "labels": LABELS,
        "multi_label": False,
        "emotions": {label: (label,) for label in LABELS},
        "calibration": Calibration((1.0,) * 4, (0.0,) * 4),
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "affect": AFFECT,
        "outputs": {"labels": "labels"},
        "spec": SPEC.to_dict(),
        "spec_digest": SPEC.digest,
        "licence": "CC0-1.0",
        "commercial": "cleared",
        "data": (DataSource("drawn squares", "CC0-1.0", "weights"),),
    }
    return ModelCard(**{**fields, **changes})


def bundle(**changes: object) -> Bundle:
    """Return the small face bundle, with some fields of its card changed."""
    return Bundle(FLATBUFFER.read_bytes(), card(**changes), {})


def write(folder: Path, name: str = "small_face.tflite", **changes: object) -> Path:
    path = folder / name
    bundle(**changes).write(path)
    return path


def _make() -> None:
    import keras
    import tensorflow as tf
    from keras import layers

    picture = keras.Input(batch_shape=(1, SIDE, SIDE, 1), name="picture")
    head = layers.Dense(len(LABELS), name="labels")
    model = keras.Model(picture, {"labels": head(layers.Flatten()(picture))})
    half = SIDE // 2
    weights = np.zeros((SIDE, SIDE, len(LABELS)), np.float32)
    strong = 14 / (SIDE * half)
    weights[..., LABELS.index("happiness")] = np.where(np.arange(SIDE) < half, -strong, strong)[:, None]
    weights[..., LABELS.index("sadness")] = np.where(np.arange(SIDE) < half, strong, -strong)[:, None]
    weights[..., LABELS.index("anger")] = np.where(np.arange(SIDE) < half, strong, -strong)
    head.set_weights([weights.reshape(-1, len(LABELS)), np.array([2, 0, 0, 0], np.float32)])

    frontend = FaceFrontend(SPEC)
    faces = [frontend.compute(face(label), "gray")[None] for label in LABELS]
    faces += [np.zeros_like(faces[0]), np.ones_like(faces[0])]
    for one in faces:
        print(np.round(np.asarray(model(one)["labels"]), 1))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one] for one in faces)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    FLATBUFFER.write_bytes(converter.convert())


if __name__ == "__main__":
    _make()
