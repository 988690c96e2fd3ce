"""Conversion of a face model: int8 in and out, nothing in between but int8, verified on faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edgeemo import Bundle, FaceRecognizer, Recognizer
from edgeemo.data.manifest import Example, read_manifest, write_manifest
from edgeemo.errors import DataError, LeakError

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("cv2", reason="needs edgeemo[train]")

from edgeemo.converters.convert import calibration_inputs
from edgeemo.converters.golden import MOUTHS, drawing
from edgeemo.converters.inspect import dissect
from edgeemo.converters.verify import Verification, verify

from edgeemo.data import catalog
from edgeemo.data.faces import read_face
from edgeemo.evaluation import evaluate


def test_a_face_bundle_is_full_int8(bundle_of_trained_face: Path) -> None:
    bundle = Bundle.open(bundle_of_trained_face)
    anatomy = dissect(bundle.flatbuffer)
    assert [(t.name, t.shape, t.dtype) for t in anatomy.inputs] == [("pixels", (1, 24, 24, 1), "int8")]
    assert [(t.name, t.shape, t.dtype) for t in anatomy.outputs] == [("labels", (1, 8), "int8")]
    assert anatomy.foreign == ()
    assert not {"QUANTIZE", "DEQUANTIZE"} & set(anatomy.operators)
    assert "float32" not in anatomy.tensors
    assert bundle.card.metrics["int8"]["n"] > 100
    assert bundle_of_trained_face.with_suffix(".seen").is_file()


def whole(picture: npt.NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Return the box of a picture that is a face crop."""
    height, width = picture.shape[:2]
    return 0.0, 0.0, float(width), float(height)


def test_the_golden_answers_come_back(bundle_of_trained_face: Path) -> None:
    with Recognizer.open(bundle_of_trained_face) as recognizer:
        assert isinstance(recognizer, FaceRecognizer)
        assert [golden["drawing"] for golden in recognizer.card.golden] == list(MOUTHS)
        for golden in recognizer.card.golden:
            picture = drawing(golden["drawing"])
            result = recognizer.predict(picture, "gray", [whole(picture)])
            np.testing.assert_allclose(result.scores, golden["scores"], atol=0.02)
            assert result.evidence == 1


def test_the_drawings_differ_by_their_mouths() -> None:
    pictures = [drawing(name) for name in MOUTHS]
    assert len({picture.tobytes() for picture in pictures}) == len(MOUTHS)
    assert all((picture[:50] == pictures[0][:50]).all() for picture in pictures)


def test_a_box_reads_the_face_in_it(bundle_of_trained_face: Path, trained_face: Path) -> None:
    face, _ = read_face(read_manifest(trained_face / "dev.csv")[0])
    street = np.full((200, 300), 90, np.uint8)
    street[40:88, 100:148] = face
    with Recognizer.open(bundle_of_trained_face) as recognizer:
        there = recognizer.predict(street, "gray", [(100, 40, 148, 88)])
        alone = recognizer.predict(face, "gray", [whole(face)])
    np.testing.assert_array_equal(there.scores, alone.scores)
    assert (there.valence, there.arousal, there.evidence) == (alone.valence, alone.arousal, 1.0)


def test_verify_and_evaluate_read_the_manifests_of_training(
    bundle_of_trained_face: Path, trained_face: Path
) -> None:
    found = verify(trained_face / "model.keras", bundle_of_trained_face, trained_face / "dev.csv")
    assert isinstance(found, Verification)
    assert found.float_f1 is not None
    assert found.agreement > 0.5
    with Recognizer.open(bundle_of_trained_face) as recognizer:
        valid = read_manifest(trained_face / "dev.csv")
        assert evaluate(recognizer, valid).leaks.n == 0
        learnt = read_manifest(trained_face / "calibration.csv")[:8]
        with pytest.raises(LeakError, match=r"8 of 8 test faces .* first 'sheet_00"):
            evaluate(recognizer, learnt)


def test_faces_of_seven_labels_are_measured_among_seven(
    bundle_of_trained_face: Path, trained_face: Path
) -> None:
    seven = [e for e in read_manifest(trained_face / "dev.csv") if e.labels != ("contempt",)]
    with Recognizer.open(bundle_of_trained_face) as recognizer:
        report = evaluate(recognizer, seven)
    assert "7 of the model's 8 labels" in report.notes[0]
    assert "contempt" not in report.levels[0].labels


def test_texts_are_no_calibration_set_for_a_face_model(bundle_of_trained_face: Path, tmp_path: Path) -> None:
    card = Bundle.open(bundle_of_trained_face).card
    write_manifest(tmp_path / "texts.csv", [Example(text="so happy")])
    with pytest.raises(DataError, match="Give a manifest of faces"):
        calibration_inputs(card, None, tmp_path / "texts.csv")


def test_a_set_with_a_valid_part_of_its_own_keeps_it(tiny_faces: Path) -> None:
    assert {e.split for e in catalog.load("ferplus", tiny_faces, "valid")} == {"valid"}
    with pytest.raises(DataError, match="no split 'dev'"):
        catalog.load("ferplus", tiny_faces, "dev")
