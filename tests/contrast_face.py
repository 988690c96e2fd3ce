"""A small face bundle that reads contrast: bright below and dark above is happy, the reverse is sad.

``python tests/contrast_face.py`` makes ``tests/contrast_face.tflite`` again, which needs TensorFlow. The
tests read that file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeemo import Bundle, ModelCard
from edgeemo.card import Calibration, DataSource
from edgeemo.frontends import FaceSpec

FLATBUFFER = Path(__file__).with_name("contrast_face.tflite")
SIDE = 16
SPEC = FaceSpec(width=SIDE, height=SIDE, normalization="mean_std")
LABELS = ("happiness", "sadness")


def card(**changes: object) -> ModelCard:
    """Return the card of the bundle, with some fields changed."""
    fields: dict[str, Any] = {
        "name": "contrast-face",
        "version": "1.0.0",
        "modality": "face",
        "labels": LABELS,
        "multi_label": False,
        "emotions": {label: (label,) for label in LABELS},
        "calibration": Calibration((1.0, 1.0), (0.0, 0.0)),
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "affect": {"happiness": (0.8, 0.5), "sadness": (-0.6, -0.3)},
        "outputs": {"labels": "labels"},
        "spec": SPEC.to_dict(),
        "spec_digest": SPEC.digest,
        "licence": "Apache-2.0",
        "commercial": "cleared",
        "data": (DataSource("none", "Apache-2.0", "made by hand"),),
    }
    return ModelCard(**{**fields, **changes})


def write(folder: Path) -> Path:
    """Write the bundle into a folder and return its path."""
    return Bundle(FLATBUFFER.read_bytes(), card(), {}).write(folder / "contrast_face.tflite").path or Path()


def make() -> None:
    """Make the flatbuffer: a mean over the lower half, minus one over the upper."""
    import numpy as np
    import tensorflow as tf

    weights = np.full((SIDE * SIDE, 2), 1.0, np.float32) / (SIDE * SIDE)
    weights[: SIDE * SIDE // 2] *= -1
    weights[:, 1] *= -1

    class Mask(tf.Module):  # type: ignore[misc]
        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((1, SIDE, SIDE, 1), tf.float32, name="face")]
        )
        def __call__(self, face: Any) -> dict[str, Any]:
            return {"labels": tf.matmul(tf.reshape(face, (1, SIDE * SIDE)), 4 * weights)}

    module = Mask()
    rng = np.random.default_rng(0)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.__call__.get_concrete_function()], module
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [rng.normal(size=(1, SIDE, SIDE, 1)).astype(np.float32)] for _ in range(50)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    FLATBUFFER.write_bytes(converter.convert())


if __name__ == "__main__":
    make()
