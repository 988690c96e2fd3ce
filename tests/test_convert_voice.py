"""Conversion of a voice model: int8 in and out, both branches in one file, verified on whole clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeemo import Bundle, Recognizer
from edgeemo.card import ModelCard
from edgeemo.data.manifest import Example, read_manifest, write_manifest
from edgeemo.errors import ConversionError, DataError

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("soundfile", reason="needs edgeemo[train]")

import keras
from edgeemo.converters import convert as converting
from edgeemo.converters.float_reference import float_reference
from edgeemo.converters.golden import SIGNALS, signal
from edgeemo.converters.inspect import dissect
from edgeemo.converters.verify import Budget, Verification, verify

from edgeemo.data.clips import read_clip


def test_a_voice_bundle_is_full_int8_with_labels_and_speech(bundle_of_trained_voice: Path) -> None:
    bundle = Bundle.open(bundle_of_trained_voice)
    assert bundle.assets == {}
    anatomy = dissect(bundle.flatbuffer)
    assert [(t.name, t.shape, t.dtype) for t in anatomy.inputs] == [("features", (1, 32, 16), "int8")]
    assert [(t.name, t.shape, t.dtype) for t in anatomy.outputs] == [
        ("embedding", (1, 16), "int8"),
        ("labels", (1, 5), "int8"),
        ("speech", (1, 4), "int8"),
    ]
    assert anatomy.foreign == ()
    assert bundle.card.quantization["features"]["dtype"] == "int8"
    assert bundle_of_trained_voice.with_suffix(".seen").is_file()


def test_a_score_on_voices_it_was_trained_on_is_not_put_on_the_card(
    trained_voice: Path, bundle_of_trained_voice: Path
) -> None:
    metrics = Bundle.open(bundle_of_trained_voice).card.metrics
    assert "int8" not in metrics
    reference = float_reference(trained_voice / "model.keras", Bundle.open(bundle_of_trained_voice))
    with Recognizer.open(bundle_of_trained_voice) as device:
        clips = [read_clip(e) for e in read_manifest(trained_voice / "dev.csv")]
        pairs = [[r.predict(pcm, rate_hz=rate) for r in (device, reference)] for pcm, rate in clips]
    heard = [(a, b) for a, b in pairs if a.evidence > 0 or b.evidence > 0]
    same = np.mean([a.probabilities.argmax() == b.probabilities.argmax() for a, b in heard])
    apart = max(abs(a.evidence - b.evidence) for a, b in heard)
    assert metrics["verify"]["n"] == len(heard)
    assert metrics["verify"]["agreement"] == pytest.approx(same, abs=1e-4)
    assert metrics["verify"]["evidence_difference"] == pytest.approx(apart, abs=1e-4)


def test_the_golden_answers_come_back(bundle_of_trained_voice: Path) -> None:
    with Recognizer.open(bundle_of_trained_voice) as recognizer:
        assert [golden["signal"] for golden in recognizer.card.golden] == list(SIGNALS)
        for golden in recognizer.card.golden:
            result = recognizer.predict(signal(golden["signal"]), rate_hz=golden["rate_hz"])
            np.testing.assert_allclose(result.scores, golden["scores"], atol=0.02)


def test_golden_signals_are_whole_numbers_of_a_sensible_level() -> None:
    for name in SIGNALS:
        pcm = signal(name)
        assert pcm.dtype == np.int16
        assert pcm.shape == (48_000,)
        assert (np.abs(pcm.astype(int)).max() > 500) == (name != "silence")


def test_float_and_int8_stand_in_the_same_recognizer(
    trained_voice: Path, bundle_of_trained_voice: Path, tiny_voices: Path
) -> None:
    found = verify(trained_voice / "model.keras", bundle_of_trained_voice, trained_voice / "dev.csv")
    card = Bundle.open(bundle_of_trained_voice).card
    assert isinstance(found, Verification)
    assert isinstance(card, ModelCard)
    assert found.evidence_difference is not None
    assert set(found.per_label) == set(card.labels)
    exact = float_reference(trained_voice / "model.keras", Bundle.open(bundle_of_trained_voice))
    example = read_manifest(trained_voice / "dev.csv")[0]
    spans = exact.frontend.compute(*read_clip(example)).features
    model = keras.models.load_model(trained_voice / "model.keras", compile=False)
    answers = np.concatenate([exact.runtime.run(span[np.newaxis])["labels"] for span in spans])
    np.testing.assert_allclose(answers, model.predict(spans, verbose=0)["labels"], atol=1e-4)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([Example(text="not a sound")] * 30, "does not calibrate a voice model"),
        ([Example(path=Path("same.wav"))] * 30, "repeats the same few clips"),
        ([Example(path=Path(f"{i}.wav")) for i in range(30)], "There is no clip"),
    ],
    ids=["texts", "one clip", "missing"],
)
def test_a_calibration_set_of_the_wrong_kind_is_refused(
    trained_voice: Path, tmp_path: Path, rows: list[Example], says: str
) -> None:
    manifest = tmp_path / "wrong.csv"
    write_manifest(manifest, rows)
    with pytest.raises(DataError, match=says):
        converting.convert(trained_voice / "model.keras", manifest, tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()


def test_a_model_of_another_shape_than_the_card_is_refused(
    bundle_of_trained_voice: Path, trained_voice: Path, tmp_path: Path
) -> None:
    features = keras.Input((32, 16), name="features")
    flat = keras.layers.Flatten()(features)
    sizes = {"labels": 7, "embedding": 16, "speech": 4}
    heads = {name: keras.layers.Dense(n)(flat) for name, n in sizes.items()}
    keras.Model(features, heads).save(tmp_path / "other.keras")
    with pytest.raises(ConversionError, match=r"does not run as the card says.*\(1, 7\)"):
        verify(tmp_path / "other.keras", bundle_of_trained_voice, trained_voice / "dev.csv")


def test_bursts_and_an_embedding_are_kept(trained_voice: Path, tmp_path: Path) -> None:
    model = keras.models.load_model(trained_voice / "model.keras", compile=False)
    flat = keras.layers.Flatten()(model.input)
    heads = {"bursts": keras.layers.Dense(3)(flat), "embedding": keras.layers.Dense(6)(flat)}
    keras.Model(model.input, {**model.output, **heads}).save(tmp_path / "model.keras")
    draft = ModelCard.from_json((trained_voice / "card.json").read_bytes())
    bursts = {
        "labels": ["none", "laugh", "sob"],
        "scale": 1.0,
        "emotions": {"happiness": ["laugh"], "sadness": ["sob"]},
        "affect": {"laugh": [0.8, 0.6], "sob": [-0.7, 0.2]},
    }
    outputs = {**draft.outputs, **{name: name for name in heads}}
    card = tmp_path / "card.json"
    card.write_text(replace(draft, bursts=bursts, outputs=outputs).to_json(), "utf-8")
    out, loose = tmp_path / "out.tflite", Budget(agreement=0.5, clear_agreement=0.5, drop=0.5)
    calibration, dev = trained_voice / "calibration.csv", trained_voice / "dev.csv"
    converting.convert(tmp_path / "model.keras", calibration, out, card=card, check=dev, budget=loose)
    anatomy = dissect(Bundle.open(out).flatbuffer)
    assert [(t.name, t.shape, t.dtype) for t in anatomy.outputs if t.name in heads] == [
        ("bursts", (1, 3), "int8"),
        ("embedding", (1, 6), "int8"),
    ]
    assert Bundle.open(out).card.outputs == outputs
    assert verify(tmp_path / "model.keras", out, dev).n > 0
    exact = float_reference(tmp_path / "model.keras", Bundle.open(out))
    with Recognizer.open(out) as device:
        said, expected = (r.predict(signal("low hum"), rate_hz=16_000) for r in (device, exact))
    assert said.bursts == pytest.approx(expected.bursts, abs=0.1)
    golden = next(g for g in Bundle.open(out).card.golden if g["signal"] == "low hum")
    assert golden["bursts"] == pytest.approx(said.bursts, abs=1e-4)
