"""No skew: training, calibration, verification and `predict` read one and the same tensor, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeemo import Bundle, Recognizer, Runtime
from edgeemo.data.manifest import write_manifest
from edgeemo.recognizer import VoiceRecognizer

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("soundfile", reason="needs edgeemo[train]")

from edgeemo.converters import convert as converting
from edgeemo.converters import quantize as quantizing
from edgeemo.converters.float_reference import KerasBackend
from edgeemo.converters.verify import Budget


def recording(bundle: Path, model: Path) -> tuple[Any, list[np.ndarray]]:
    """Return a recognizer whose network is the float model, and a list that gets the network's inputs."""
    served: list[np.ndarray] = []

    class Recording(KerasBackend):
        def invoke(self, *inputs: np.ndarray) -> list[np.ndarray]:
            served.append(inputs[0].copy())
            return super().invoke(*inputs)

    return Recognizer(Bundle.open(bundle), Runtime(b"", backend=Recording(model))), served


def test_training_calibration_and_predict_see_the_same_ids(
    trained: Path, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeemo.training.recipe import read_recipe
    from edgeemo.training.text.batches import load_texts

    texts_of = load_texts(read_recipe(trained / "recipe.toml"), tiny_data, trained)
    texts = texts_of.texts
    learned = texts_of.targets(texts_of.fit, texts_of.frontend, texts_of.heads(False)).ids

    calibrated: list[np.ndarray] = []

    def spy(model: Path, ids: np.ndarray) -> bytes:
        calibrated.append(ids)
        return quantizing.quantize(model, ids)

    monkeypatch.setattr(converting, "quantize", spy)
    manifest = tmp_path / "calibration.csv"
    write_manifest(manifest, [e for examples in texts_of.fit.values() for e in examples])
    generous = Budget(agreement=0, clear_agreement=0, drop=1)
    converting.convert(trained / "model.keras", manifest, tmp_path / "tiny.tflite", budget=generous)

    recognizer, served = recording(tmp_path / "tiny.tflite", trained / "model.keras")
    for text in texts:
        recognizer.predict(text)

    assert learned.dtype == calibrated[0].dtype == served[0].dtype == np.int32
    assert learned.tobytes() == calibrated[0].tobytes() == np.concatenate(served).tobytes()


def test_training_calibration_and_predict_see_the_same_spans(
    trained_voice: Path, tiny_voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeemo.data.clips import read_clip
    from edgeemo.training.recipe import read_recipe
    from edgeemo.training.voice.trainer import VoiceTrainer

    trainer = VoiceTrainer.load(read_recipe(trained_voice / "recipe.toml"), tiny_voices, trained_voice)
    learned = np.asarray(trainer.features.clean)

    calibrated: list[np.ndarray] = []

    def spy(model: Path, inputs: np.ndarray) -> bytes:
        calibrated.append(inputs)
        return quantizing.quantize(model, inputs)

    monkeypatch.setattr(converting, "quantize", spy)
    manifest = tmp_path / "calibration.csv"
    write_manifest(manifest, trainer.examples)
    generous = Budget(agreement=0, clear_agreement=0, drop=1)
    converting.convert(
        trained_voice / "model.keras", manifest, tmp_path / "tiny.tflite", budget=generous, check=manifest
    )

    recognizer, served = recording(tmp_path / "tiny.tflite", trained_voice / "model.keras")
    for example in trainer.examples:
        pcm, rate_hz = read_clip(example)
        recognizer.predict(pcm, rate_hz=rate_hz)

    assert learned.dtype == calibrated[0].dtype == served[0].dtype == np.float32
    assert len(learned) > len(trainer.examples), "clips should have several spans"
    assert learned.tobytes() == calibrated[0].tobytes() == np.concatenate(served).tobytes()


def test_the_card_carries_the_spec_and_vocabulary_the_weights_were_trained_with(
    trained: Path, bundle_of_trained: Path
) -> None:
    bundle = Bundle.open(bundle_of_trained)
    assert bundle.assets["vocab.txt"] == (trained / "vocab.txt").read_bytes()
    assert Recognizer.open(bundle_of_trained).frontend.spec.digest == bundle.card.spec_digest


def test_evidence_is_counted_alike_when_it_is_chosen_and_when_it_is_used(
    bundle_of_trained_voice: Path, tiny_voices: Path
) -> None:
    from edgeemo.data.catalog import load
    from edgeemo.data.clips import read_clip
    from edgeemo.training.voice.speech import evidence_of

    recognizer = VoiceRecognizer.open(bundle_of_trained_voice)
    threshold = recognizer.card.evidence["threshold"]
    for example in load("ravdess", tiny_voices, "train")[::7]:
        pcm, rate_hz = read_clip(example)
        spans = recognizer.frontend.compute(pcm, rate_hz)
        logits = np.concatenate([recognizer.runtime.run(s[np.newaxis])["speech"] for s in spans.features])
        expected = [result.evidence for result in recognizer.timeline(pcm, rate_hz)]
        np.testing.assert_allclose(
            evidence_of(logits, np.asarray(spans.n_frames), threshold), expected, atol=1e-6
        )
