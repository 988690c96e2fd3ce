"""A small voice bundle whose answers are known.

The model takes for speech what differs much in level from band to band. A deep voice is sad, a high voice is
angry, and a voice between them is neutral. The model finds no speech in silence and noise.
``python tests/small_voice.py`` makes ``tests/small_voice.tflite`` again, which needs TensorFlow. The tests
read that file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import Bundle, ModelCard
from edgeemo.card import Calibration, DataSource
from edgeemo.frontends import VoiceSpec

FLATBUFFER = Path(__file__).with_name("small_voice.tflite")
RATE = 16_000
SPAN, HOP, MELS, BLOCK = 64, 16, 16, 8
SPEC = VoiceSpec(span_frames=SPAN, hop_frames=HOP, mels=MELS, preemphasis=0.0, normalization="level")
LABELS = ("neutral", "calm", "sadness", "anger")
AFFECT = {"neutral": (0.0, 0.0), "calm": (0.3, -0.5), "sadness": (-0.7, -0.5), "anger": (-0.6, 0.8)}
EVIDENCE = {"threshold": 0.5, "least": 0.2, "enough": 0.6}
BURSTS: dict[str, Any] = {
    "labels": ["none", "sigh", "sob", "scream"],
    "scale": 2.0,
    "emotions": {"neutral": ["sigh"], "sadness": ["sob"], "fear": ["scream"]},
    "affect": {"sigh": [0.25, -0.5], "sob": [-0.75, 0.25], "scream": [-1.0, 1.0]},
}
HEARS_BURSTS: dict[str, Any] = {
    "bursts": BURSTS,
    "outputs": {"labels": "labels", "speech": "speech", "bursts": "labels"},
}
"""Changes of the card: the output of the labels is read a second time, as bursts."""
VOICES = {"sadness": 150.0, "neutral": 1_000.0, "anger": 5_000.0}
"""Label → frequency in Hz of the tone that the model reads as this label."""


def voice(label: str, seconds: float, rate_hz: int = RATE) -> npt.NDArray[np.int16]:
    """Return a tone with a little noise, which the model reads as this label."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(1).normal(0, 3, t.size)
    return np.round(6_000 * np.sin(2 * np.pi * VOICES[label] * t) + noise).astype(np.int16)


def noise(seconds: float, rate_hz: int = RATE) -> npt.NDArray[np.int16]:
    return np.random.default_rng(2).normal(0, 500, round(seconds * rate_hz)).astype(np.int16)


def silence(seconds: float, rate_hz: int = RATE) -> npt.NDArray[np.int16]:
    return np.zeros(round(seconds * rate_hz), np.int16)


def card(**changes: object) -> ModelCard:
    """Return the card of the small voice bundle, with some fields changed."""
    n = len(LABELS)
    fields: dict[str, Any] = {
        "name": "small-voice",
        "version": "1.0.0",
        "modality": "voice",
        "labels": LABELS,
        "multi_label": False,
        "emotions": {"neutral": ("neutral", "calm"), "sadness": ("sadness",), "anger": ("anger",)},
        "calibration": Calibration((1.0,) * n, (0.0,) * n),
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "affect": AFFECT,
        "evidence": EVIDENCE,
        "outputs": {"labels": "labels", "speech": "speech"},
        "spec": SPEC.to_dict(),
        "spec_digest": SPEC.digest,
        "licence": "CC0-1.0",
        "commercial": "cleared",
        "data": (DataSource("made-up tones", "CC0-1.0", "weights"),),
    }
    return ModelCard(**{**fields, **changes})


def bundle(**changes: object) -> Bundle:
    """Return the small voice bundle, with some fields of its card changed."""
    return Bundle(FLATBUFFER.read_bytes(), card(**changes), {})


def write(folder: Path, name: str = "small_voice.tflite", **changes: object) -> Path:
    path = folder / name
    bundle(**changes).write(path)
    return path


def _make() -> None:
    import keras
    import tensorflow as tf
    from keras import layers

    from edgeemo.frontends import VoiceFrontend

    features = keras.Input(batch_shape=(1, SPAN, MELS), name="features")
    loud = layers.ReLU()(features)
    height = layers.GlobalAveragePooling1D()(loud)
    labels_head = layers.Dense(len(LABELS), name="labels")
    spread = layers.Add()([loud, layers.ReLU()(layers.Rescaling(-1.0)(features))])
    blocks = layers.Reshape((SPAN // BLOCK, BLOCK * MELS))(spread)
    speech_head = layers.Dense(1, name="speech")
    speech = layers.Reshape((SPAN // BLOCK,), name="by_block")(speech_head(blocks))
    model = keras.Model(features, {"labels": labels_head(height), "speech": speech})

    weights = np.zeros((MELS, len(LABELS)), np.float32)
    weights[:5, LABELS.index("sadness")] = weights[5:11, 0] = weights[11:, LABELS.index("anger")] = 2.0
    labels_head.set_weights([weights, np.array([0, -2, 0, 0], np.float32)])
    speech_head.set_weights([np.full((BLOCK * MELS, 1), 8 / (BLOCK * MELS), np.float32),
                             np.array([-8 * 2.0], np.float32)])  # fmt: skip

    frontend = VoiceFrontend(SPEC)
    clips = [make(1) for make in (noise, silence)] + [voice(label, 1) for label in VOICES]
    clips.append(np.concatenate(clips))
    spans = [span[np.newaxis] for clip in clips for span in frontend.compute(clip, RATE).features]
    for clip in clips:  # what the numbers above were chosen by
        said = model.predict(frontend.compute(clip, RATE).features[:1], verbose=0)
        print({name: np.round(value[0], 1).tolist() for name, value in said.items()})

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([span] for span in spans)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    FLATBUFFER.write_bytes(converter.convert())


if __name__ == "__main__":
    _make()
