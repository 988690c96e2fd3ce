"""Conversion: what verifies is written, what does not is named and nothing is left behind."""

from __future__ import annotations

import errno
import json
import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeemo import Bundle, Recognizer
from edgeemo.card import ModelCard
from edgeemo.data.manifest import Example, read_manifest, write_manifest
from edgeemo.errors import BudgetError, BundleError, ConversionError, DataError

pytest.importorskip("keras", reason="needs edgeemo[train]")

from edgeemo.converters import convert as converting
from edgeemo.converters import quantize as quantizing
from edgeemo.converters.float_reference import float_reference
from edgeemo.converters.golden import TEXTS
from edgeemo.converters.inspect import Anatomy, dissect
from edgeemo.converters.verify import Budget, Verification, verify

LOOSE = Budget(agreement=0.8, clear_agreement=0.8, drop=0.2)
"""The quality that the tiny network keeps when calibrated on its own texts (`bundle_of_trained`)."""


def test_a_converted_bundle_is_full_int8_and_says_what_it_measured(
    trained: Path, bundle_of_trained: Path
) -> None:
    card = Bundle.open(bundle_of_trained).card
    assert card.quantization["ids"]["dtype"] == "int32"
    assert {card.quantization[name]["dtype"] for name in ("labels", "affect")} == {"int8"}
    assert card.metrics["verify"]["n"] == len(read_manifest(trained / "dev.csv"))
    assert len(card.golden) == len(TEXTS)
    assert bundle_of_trained.with_suffix(".seen").is_file()


def test_the_golden_answers_come_back(bundle_of_trained: Path) -> None:
    with Recognizer.open(bundle_of_trained) as recognizer:
        for golden in recognizer.card.golden:
            scores = recognizer.predict(golden["text"]).scores
            assert scores.argmax() == np.argmax(golden["scores"])
            np.testing.assert_allclose(scores, golden["scores"], atol=0.02)


def test_verify_compares_float_and_int8_by_label(trained: Path, bundle_of_trained: Path) -> None:
    found = verify(trained / "model.keras", bundle_of_trained, trained / "dev.csv")
    card = Bundle.open(bundle_of_trained).card
    assert isinstance(found, Verification)
    assert isinstance(card, ModelCard)
    assert found.foreign_operators == ()
    reference = float_reference(trained / "model.keras", Bundle.open(bundle_of_trained))
    with Recognizer.open(bundle_of_trained) as device:
        texts = [e.text for e in read_manifest(trained / "dev.csv")]
        pairs = [(device.predict(text), reference.predict(text)) for text in texts]
    tops = [[r.probabilities.argmax() for r in pair] for pair in pairs if any(r.evidence > 0 for r in pair)]
    assert found.n == len(tops)
    assert found.agreement == pytest.approx(np.mean([a == b for a, b in tops]))
    assert set(found.per_label) == set(card.labels)
    json.dumps(found.to_dict())


def test_a_calibration_set_unlike_the_real_texts_is_refused_and_names_the_worst_layers(
    trained: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    write_manifest(bad, [Example(text=f"{a} {b}") for a in "abcdefg" for b in "qxzwv"])
    out = tmp_path / "bad.tflite"
    with pytest.raises(
        BudgetError,
        match=r"Nothing was written: the top label agrees.*Worst layers \(error in steps\): .*\d\.\d\d",
    ):
        converting.convert(trained / "model.keras", bad, out, budget=LOOSE, check=trained / "dev.csv")
    assert list(tmp_path.iterdir()) == [bad]


def test_a_missed_budget_is_told_although_the_worst_layers_are_unknown(
    trained: Path, bundle_of_trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> tuple[str, ...]:
        raise ConversionError("the debugger failed")

    flatbuffer = Bundle.open(bundle_of_trained).flatbuffer
    monkeypatch.setattr(converting, "quantize", lambda *_: flatbuffer)
    monkeypatch.setattr(converting, "worst_layers", fail)
    out, strict = tmp_path / "x.tflite", Budget(agreement=1.01)
    with pytest.raises(BudgetError, match=r"expected 101% or more.*Worst layers .*: unknown"):
        converting.convert(trained / "model.keras", trained / "calibration.csv", out, budget=strict)
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_is_float_in_part_is_refused(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The converter does that without a word, for instance where two branches want different input scales."""

    def mixed(data: bytes) -> Anatomy:
        return replace(dissect(data), tensors={"int8": 9, "float32": 2})

    monkeypatch.setattr("edgeemo.converters.inspect.dissect", mixed)
    with pytest.raises(BudgetError, match="2 tensors are float32 still"):
        converting.convert(
            trained / "model.keras", trained / "calibration.csv", tmp_path / "mixed.tflite", budget=LOOSE
        )
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told_before_anything_is_computed(
    trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="there is no folder"):
        converting.convert(trained / "model.keras", trained / "no.csv", tmp_path / "no" / "x.tflite")


def test_a_disk_that_fills_after_the_bundle_is_told_and_leaves_no_half_list(
    trained: Path, bundle_of_trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        if (tmp_path / "x.tflite").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    flatbuffer = Bundle.open(bundle_of_trained).flatbuffer
    monkeypatch.setattr(converting, "quantize", lambda *_: flatbuffer)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match=r"x\.seen beside it is not: No space left on device\. Copy"):
        converting.convert(
            trained / "model.keras", trained / "calibration.csv", tmp_path / "x.tflite", budget=LOOSE
        )
    assert [p.name for p in tmp_path.iterdir()] == ["x.tflite"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([Example(path=Path("a.wav")), Example(path=Path("b.wav"))], "does not calibrate a text model"),
        ([Example(text="the same")] * 50, "repeats the same few texts"),
        ([Example(text=" ")] * 50, "does not calibrate a text model"),
    ],
    ids=["sound files", "one text", "blank"],
)
def test_a_calibration_set_of_the_wrong_kind_is_refused(
    trained: Path, tmp_path: Path, rows: list[Example], says: str
) -> None:
    manifest = tmp_path / "wrong.csv"
    write_manifest(manifest, rows)
    with pytest.raises(DataError, match=says):
        converting.convert(trained / "model.keras", manifest, tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()


def test_a_missing_vocabulary_is_named_with_its_option(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"vocab\.txt cannot be read.*--vocab"):
        converting.convert(
            trained / "model.keras",
            trained / "calibration.csv",
            tmp_path / "o.tflite",
            vocab=tmp_path / "vocab.txt",
        )


def test_a_crash_of_the_converter_is_an_error_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -SEGV $$\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    zipfile.ZipFile(tmp_path / "model.keras", "w").close()
    with pytest.raises(ConversionError, match="killed by signal 11"):
        quantizing.quantize(tmp_path / "model.keras", np.zeros((1, 8), np.int32))


def test_a_file_that_is_no_keras_model_is_an_error_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"not a model")
    with pytest.raises(ConversionError, match=r"model\.keras is not a Keras model: expected a file that"):
        quantizing.quantize(tmp_path / "model.keras", np.zeros((1, 8), np.int32))


def test_a_model_of_other_labels_than_the_card_is_refused(
    trained: Path, bundle_of_trained: Path, tmp_path: Path
) -> None:
    import keras

    ids = keras.Input((Bundle.open(bundle_of_trained).card.spec["length"],), dtype="int32")
    pooled = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(1000, 4)(ids))
    heads = {"labels": keras.layers.Dense(3)(pooled), "affect": keras.layers.Dense(2)(pooled)}
    keras.Model(ids, heads).save(tmp_path / "other.keras")
    with pytest.raises(ConversionError, match=r"does not run as the card says.*the model's is \(1, 3\)"):
        verify(tmp_path / "other.keras", bundle_of_trained, trained / "dev.csv")


def test_a_drop_within_its_interval_passes_only_where_examples_are_few(
    trained: Path, bundle_of_trained: Path
) -> None:
    found = verify(trained / "model.keras", bundle_of_trained, trained / "dev.csv")
    assert isinstance(found, Verification)
    assert found.drop is not None
    from edgeemo.converters.verify import _problems

    from edgeemo.evaluation.bootstrap import Interval

    lossy = replace(found, drop=Interval(0.02, -0.01, 0.05), agreement=1.0, clear_agreement=1.0, n=500)
    assert _problems(lossy, Budget()) == []
    labels: dict[str, dict[str, float]] = {"joy": {"n": 60}, "grief": {"n": 50}, "pride": {"n": 0}}
    many = replace(lossy, n=2000, per_label=labels)
    assert "macro-F1 drops by 0.0200" in _problems(many, Budget())[0]
    assert _problems(replace(many, per_label=labels | {"grief": {"n": 49}}), Budget()) == []
    assert _problems(replace(many, n=500, drop=Interval(0.02, 0.01, 0.05)), Budget())
