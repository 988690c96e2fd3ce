"""A small text bundle with a float model. Each known word votes for one label, so answers are known.

``python tests/float_text.py`` makes ``tests/float_text.tflite`` again, which needs TensorFlow.
"""

from pathlib import Path

from edgeemo import Bundle, ModelCard, TextSpec
from edgeemo.card import Calibration, DataSource, Group

FLATBUFFER = Path(__file__).with_name("float_text.tflite")
LENGTH = 8
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "happy", "proud", "sad", "angry", "plain", "so", "!")
LABELS = ("joy", "pride", "sadness", "anger", "neutral")
VOTES = {"happy": "joy", "proud": "pride", "sad": "sadness", "angry": "anger", "plain": "neutral"}
AFFECT = {
    "joy": (0.8, 0.4),
    "pride": (0.7, 0.3),
    "sadness": (-0.7, -0.4),
    "anger": (-0.6, 0.7),
    "neutral": (0.0, 0.0),
}


def card(**changes: object) -> ModelCard:
    spec = TextSpec(length=LENGTH)
    fields: dict[str, object] = {
        "name": "tiny",
        "version": "1.2.3",
        "title": "A tiny reader for tests",
        "modality": "text",
        "labels": LABELS,
        "multi_label": True,
        "emotions": {
            "neutral": ("neutral",),
            "happiness": ("joy", "pride"),
            "sadness": ("sadness",),
            "anger": ("anger",),
        },
        "groups": {
            "ekman": {
                "happy_ones": Group(("joy", "pride"), 0.5),
                "sadness": Group(("sadness",), 0.5),
                "anger": Group(("anger",), 0.5),
                "neutral": Group(("neutral",), 0.5),
            }
        },
        "calibration": Calibration((1.0,) * 5, (0.0,) * 5),
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "affect": AFFECT,
        "outputs": {"labels": "labels"},
        "spec": spec.to_dict(),
        "spec_digest": spec.digest,
        "licence": "Apache-2.0",
        "commercial": "cleared",
        "data": (DataSource("made-up words", "CC0", "weights"),),
        "metrics": {"macro_f1": {"value": 0.9, "low": 0.8, "high": 0.95, "n": 1234}},
        "tools": {"edgeemo": "0.1.0"},
    }
    return ModelCard(**(fields | changes))  # type: ignore[arg-type]


def bundle(**changes: object) -> Bundle:
    return Bundle(
        FLATBUFFER.read_bytes(), card(**changes), {"vocab.txt": ("\n".join(PIECES) + "\n").encode()}
    )


def write(folder: Path, name: str = "tiny.tflite", **changes: object) -> Path:
    path = folder / name
    bundle(**changes).write(path)
    return path


def _make() -> None:
    import numpy as np
    import tensorflow as tf

    table = np.full((len(PIECES), len(LABELS)), -2.0, np.float32)
    for word, label in VOTES.items():
        table[PIECES.index(word), LABELS.index(label)] = 2.0

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((1, LENGTH), tf.int32, name="ids")]
    )
    def read(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"labels": tf.reduce_max(tf.gather(tf.constant(table), ids), axis=1)}

    module = tf.Module()
    module.read = read
    converter = tf.lite.TFLiteConverter.from_concrete_functions([read.get_concrete_function()], module)
    FLATBUFFER.write_bytes(converter.convert())


if __name__ == "__main__":
    _make()
