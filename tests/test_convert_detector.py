"""Conversion of a detector: int8 in and out, verified by what both find, opened as any bundle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeemo import Bundle, FaceDetector
from edgeemo.card import DetectorCard
from edgeemo.data.faces import read_face
from edgeemo.data.manifest import Example, write_manifest
from edgeemo.data.marked import overlap, read_marked
from edgeemo.errors import BudgetError, ConversionError, DataError

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("cv2", reason="needs edgeemo[train]")

from edgeemo.converters.convert import convert
from edgeemo.converters.golden import MOUTHS, scene
from edgeemo.converters.inspect import dissect
from edgeemo.converters.verify import verify
from edgeemo.converters.verify_detector import DetectorBudget, DetectorVerification

from edgeemo.cli import main


def test_a_detectors_bundle_is_full_int8(bundle_of_trained_detector: Path) -> None:
    bundle = Bundle.open(bundle_of_trained_detector)
    anatomy = dissect(bundle.flatbuffer)
    assert [(t.name, t.shape, t.dtype) for t in anatomy.inputs] == [("pixels", (1, 96, 96, 1), "int8")]
    assert {t.name: (t.shape, t.dtype) for t in anatomy.outputs} == {
        "logits": ((1, 180), "int8"), "boxes": ((1, 180, 4), "int8"), "eyes": ((1, 180, 4), "int8"),
    }  # fmt: skip
    assert anatomy.foreign == ()
    assert "float32" not in anatomy.tensors
    card = bundle.card
    assert isinstance(card, DetectorCard)
    assert card.metrics["verify"]["n_faces"] > 5
    assert {"low", "high"} <= set(card.metrics["int8"]["recall_40"])
    assert bundle_of_trained_detector.with_suffix(".seen").is_file()


def test_it_finds_the_faces_it_never_saw(bundle_of_trained_detector: Path, trained_detector: Path) -> None:
    pictures = [p for p in read_marked(trained_detector / "dev.csv") if not p.portrait]
    with FaceDetector.open(bundle_of_trained_detector) as detector:
        found = [detector.detect(*read_face(p)) for p in pictures]
    faces = [(f, boxes) for p, boxes in zip(pictures, found, strict=True) for f in p.faces]
    hits = sum(any(overlap(face.box, box.box) >= 0.4 for box in boxes) for face, boxes in faces)
    assert hits >= len(faces) / 2


def test_the_golden_drawings_come_back(bundle_of_trained_detector: Path) -> None:
    with FaceDetector.open(bundle_of_trained_detector) as detector:
        assert [golden["drawing"] for golden in detector.card.golden] == list(MOUTHS)
        for golden in detector.card.golden:
            picture = scene(golden["drawing"])
            faces = detector.detect(picture, "gray")
            assert len(faces) == len(golden["faces"])
            for face, wanted in zip(faces, golden["faces"], strict=True):
                np.testing.assert_allclose(face.box, wanted["box"], atol=0.1)
                assert face.score == pytest.approx(wanted["score"], abs=0.001)


def test_verify_compares_what_both_find(bundle_of_trained_detector: Path, trained_detector: Path) -> None:
    found = verify(trained_detector / "model.keras", bundle_of_trained_detector, trained_detector / "dev.csv")
    assert isinstance(found, DetectorVerification)
    assert found.agreement > 0.6
    assert found.box_overlap > 0.6
    assert found.float_recall is not None
    assert json.loads(json.dumps(found.to_dict()))["n"] == found.n


def test_a_missed_budget_writes_nothing(trained_detector: Path, tmp_path: Path) -> None:
    strict = DetectorBudget(agreement=1.01)
    with pytest.raises(BudgetError, match="faces found agree"):
        convert(
            trained_detector / "model.keras",
            trained_detector / "calibration.csv",
            tmp_path / "no.tflite",
            budget=strict,
        )
    assert not list(tmp_path.iterdir())


def test_a_keras_model_of_another_shape_is_refused(
    bundle_of_trained_detector: Path, trained_detector: Path, tmp_path: Path
) -> None:
    import keras

    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    with pytest.raises(ConversionError):
        verify(tmp_path / "other.keras", bundle_of_trained_detector, trained_detector / "dev.csv")


def test_pictures_without_marks_verify_and_texts_do_not(trained_detector: Path, tmp_path: Path) -> None:
    pictures = read_marked(trained_detector / "dev.csv")
    write_manifest(tmp_path / "plain.csv", [Example(path=p.path) for p in pictures])
    assert [p.path for p in read_marked(tmp_path / "plain.csv", required=False)] == [p.path for p in pictures]
    write_manifest(tmp_path / "texts.csv", [Example(text="so happy")])
    with pytest.raises(DataError, match="no path"):
        [read_face(p) for p in read_marked(tmp_path / "texts.csv", required=False)]


def test_evaluate_prints_a_report(
    bundle_of_trained_detector: Path, trained_detector: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, bundle = str(trained_detector / "dev.csv"), str(bundle_of_trained_detector)
    assert main(["evaluate", bundle, table, "--bootstrap", "50"]) == 0
    page = capsys.readouterr().out
    assert "recall_40" in page
    assert "By threshold" in page
    assert main(["evaluate", bundle, table, "--bootstrap", "50", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["bootstrap"]["resamples"] == 50
    assert report["leaks"]["n"] == 0
    assert main(["evaluate", bundle, str(trained_detector / "calibration.csv")]) == 3  # it learned from these


def test_the_bundle_is_the_same_bytes_each_time(bundle_of_trained_detector: Path) -> None:
    bundle = Bundle.open(bundle_of_trained_detector)
    assert bundle.to_bytes() == bundle_of_trained_detector.read_bytes()
    assert replace(bundle, path=None).to_bytes() == bundle.to_bytes()
