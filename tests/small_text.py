"""A small text bundle like the shipped one: ids in, int8 logits and int8 valence and arousal out.

Each known word votes for one label, so the right answers are known. ``python tests/small_text.py`` makes
``tests/small_text.tflite`` again, which needs TensorFlow. The tests read that file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeemo import Bundle, ModelCard, TextSpec
from edgeemo.card import Calibration, DataSource, Group

FLATBUFFER = Path(__file__).with_name("small_text.tflite")
LENGTH = 8
PIECES = ("[PAD]", "[UNK]", "happy", "sad", "angry", "plain", "so", "!", "😀", "scorn", "a", "##b")
LABELS = ("joy", "sadness", "anger", "neutral", "scorn")
VOTES = {
    "happy": "joy",
    "sad": "sadness",
    "angry": "anger",
    "plain": "neutral",
    "😀": "joy",
    "scorn": "scorn",
}
AFFECT = {"happy": (2, 1), "sad": (-2, -1), "angry": (-2, 2), "😀": (2, 2)}

TABLE = [  # a text and the label and emotion this model must find
    ("so happy!", "joy", "happiness"),
    ("SAD, so sad", "sadness", "sadness"),
    ("angry", "anger", "anger"),
    ("plain", "neutral", "neutral"),
    ("scorn!", "scorn", "contempt"),
]


def card(**changes: object) -> ModelCard:
    """Return the card of the small text model, with some fields changed."""
    spec = TextSpec(length=LENGTH)
    fields: dict[str, Any] = {
        "name": "small-text",
        "version": "1.0.0",
        "modality": "text",
        "labels": LABELS,
        "multi_label": True,
        "emotions": {
            "neutral": ("neutral",),
            "happiness": ("joy",),
            "sadness": ("sadness",),
            "anger": ("anger",),
            "contempt": ("scorn",),
        },
        "groups": {"mood": {"good": Group(("joy",), 0.4), "bad": Group(("sadness", "anger"), 0.6)}},
        "calibration": Calibration((1.0,) * 5, (0.0,) * 5),
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "outputs": {"labels": "labels", "affect": "affect"},
        "spec": spec.to_dict(),
        "spec_digest": spec.digest,
        "licence": "CC0-1.0",
        "commercial": "cleared",
        "data": (DataSource("made-up words", "CC0-1.0", "weights"),),
    }
    return ModelCard(**{**fields, **changes})


def bundle(*, assets: Mapping[str, bytes] | None = None, **changes: object) -> Bundle:
    """Return the small text bundle, with some fields of its card changed or with other assets."""
    vocabulary = {"vocab.txt": ("\n".join(PIECES) + "\n").encode()}
    return Bundle(FLATBUFFER.read_bytes(), card(**changes), vocabulary if assets is None else assets)


def _make() -> None:
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import layers

    words = np.eye(len(PIECES), dtype=np.float32)
    words[0] = 0.0
    logits = np.zeros((len(PIECES), len(LABELS)), np.float32)
    affect = np.zeros((len(PIECES), 2), np.float32)
    for i, piece in enumerate(PIECES):
        if piece in VOTES:
            logits[i, LABELS.index(VOTES[piece])] = 40.0
        affect[i] = np.multiply(AFFECT.get(piece, (0, 0)), 4.0)

    ids = keras.Input(batch_shape=(1, LENGTH), dtype="int32", name="ids")
    embedding = layers.Embedding(len(PIECES), len(PIECES), name="words")
    mean = layers.GlobalAveragePooling1D(name="mean")(embedding(ids))
    labels_head = layers.Dense(len(LABELS), name="labels")
    affect_head = layers.Dense(2, activation="tanh", name="affect")
    model = keras.Model(ids, {"labels": labels_head(mean), "affect": affect_head(mean)})
    embedding.set_weights([words])
    labels_head.set_weights([logits, np.full(len(LABELS), -3.0, np.float32)])
    affect_head.set_weights([affect, np.zeros(2, np.float32)])

    random = np.random.default_rng(0)
    texts = [np.zeros((1, LENGTH), np.int32)]
    for i in range(1, len(PIECES)):
        for n in range(1, 4):
            text = np.zeros((1, LENGTH), np.int32)
            text[0, :n] = i
            text[0, n] = random.integers(1, len(PIECES))
            texts.append(text)

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([text] for text in texts)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_output_type = tf.int8
    FLATBUFFER.write_bytes(converter.convert())


if __name__ == "__main__":
    _make()
