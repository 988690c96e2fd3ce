"""No skew: training, calibration, verification and `predict` read one and the same tensor, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeemo import Bundle, Recognizer
from edgeemo.manifest import write_manifest

pytest.importorskip("keras", reason="needs edgeemo[train]")

from edgeemo.converters import convert as converting
from edgeemo.converters import quantize as quantizing
from edgeemo.converters.verify import Budget


def test_training_calibration_and_predict_see_the_same_ids(
    trained: Path, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeemo.training.material import gather
    from edgeemo.training.recipe import read_recipe

    material = gather(read_recipe(trained / "recipe.toml"), tiny_data, trained)
    texts = material.texts
    learned = material.targets(material.fit, material.frontend, material.heads(False)).ids

    calibrated: list[np.ndarray] = []

    def spy(model: Path, ids: np.ndarray) -> bytes:
        calibrated.append(ids)
        return quantizing.quantize(model, ids)

    monkeypatch.setattr(converting, "quantize", spy)
    manifest = tmp_path / "calibration.csv"
    write_manifest(manifest, [e for examples in material.fit.values() for e in examples])
    generous = Budget(agreement=0, clear_agreement=0, drop=1)
    converting.convert(trained / "model.keras", manifest, tmp_path / "tiny.tflite", budget=generous)

    recognizer = Recognizer.open(tmp_path / "tiny.tflite")
    served: list[np.ndarray] = []
    run = recognizer.runtime.run

    def keep(ids: np.ndarray) -> object:
        served.append(ids.copy())
        return run(ids)

    monkeypatch.setattr(recognizer.runtime, "run", keep)
    for text in texts:
        recognizer.predict(text)

    assert learned.dtype == calibrated[0].dtype == served[0].dtype == np.int32
    assert learned.tobytes() == calibrated[0].tobytes() == np.concatenate(served).tobytes()


def test_the_card_carries_the_spec_and_vocabulary_the_weights_were_trained_with(
    trained: Path, bundle_of_trained: Path
) -> None:
    bundle = Bundle.open(bundle_of_trained)
    assert bundle.assets["vocab.txt"] == (trained / "vocab.txt").read_bytes()
    assert Recognizer.open(bundle_of_trained).frontend.spec.digest == bundle.card.spec_digest
