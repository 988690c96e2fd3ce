"""The detector: a picture in, faces in its pixels out; its card; and what it refuses."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import fake_detector
import numpy as np
import pytest
import small_text

from edgeemo import Bundle, FaceDetector, ModelCard, Recognizer
from edgeemo.card import Card, DetectorCard
from edgeemo.cli import main
from edgeemo.errors import (
    BundleCorruptError,
    BundleMismatchError,
    InferenceError,
    InputError,
    InputTypeError,
    LicenseError,
    SpecError,
)
from edgeemo.faces import Face
from edgeemo.runtime import Runtime

FACE = Face((20, 24, 36, 44), ((24, 30), (32, 31)), 0.9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return fake_detector.bundle().write(tmp_path / "fake_detector.tflite").path or tmp_path


# --- what it finds ---


@pytest.mark.parametrize(("width", "height"), [(64, 64), (640, 360), (90, 200), (1, 1), (20_000, 10)])
def test_faces_come_in_pixels_of_the_picture(width: int, height: int) -> None:
    scale = max(width, height) / 64
    left, top = (64 - width / scale) / 2, (64 - height / scale) / 2  # bars of the letterbox
    with fake_detector.detector([FACE]) as detector:
        (face,) = detector.detect(np.zeros((height, width, 3), np.uint8))
    x0, y0, x1, y1 = FACE.box
    wanted = [(x0 - left) * scale, (y0 - top) * scale, (x1 - left) * scale, (y1 - top) * scale]
    np.testing.assert_allclose(face.box, wanted, rtol=1e-4, atol=1e-3 * scale)
    eyes = (np.array(FACE.eyes) - (left, top)) * scale
    np.testing.assert_allclose(face.eyes, eyes, rtol=1e-4, atol=1e-3 * scale)
    assert face.score == pytest.approx(0.9, abs=1e-3)


def test_no_face_is_an_empty_list_and_forty_are_forty() -> None:
    with fake_detector.detector() as detector:
        assert detector.detect(np.zeros((48, 64), np.uint8), "gray") == []
    many = [
        Face(
            (8 * i + 1, 8 * j + 1, 8 * i + 7, 8 * j + 7),
            ((8 * i + 3, 8 * j + 3), (8 * i + 5, 8 * j + 3)),
            0.9,
        )
        for i in range(8)
        for j in range(5)
    ]
    with fake_detector.detector(many) as detector:
        assert len(detector.detect(np.zeros((64, 64), np.uint8), "gray")) == 40


def test_the_model_reads_a_letterbox_with_black_bars() -> None:
    seen: list[Any] = []
    with fake_detector.detector(seen=seen) as detector:
        detector.detect(np.full((32, 64, 3), 255, np.uint8))
    (tensor,) = seen
    assert tensor.shape == (1, 64, 64, 1)
    assert (tensor[0, 16:48] == 1).all()
    assert (tensor[0, :16] == 0).all()
    assert (tensor[0, 48:] == 0).all()


@pytest.mark.parametrize(
    ("color", "shape"),
    [
        ("rgb", (48, 64, 3)), ("bgr", (48, 64, 3)), ("rgba", (48, 64, 4)), ("gray", (48, 64)),
        ("gray", (48, 64, 1)), ("yuyv", (48, 64, 2)), ("nv12", (72, 64)),
    ],
)  # fmt: skip
def test_any_colour_of_one_picture_gives_the_same_places(color: str, shape: tuple[int, ...]) -> None:
    with fake_detector.detector([FACE]) as detector:
        (face,) = detector.detect(np.full(shape, 128, np.uint8), color)
    np.testing.assert_allclose(face.box, (20, 16, 36, 36), atol=1e-3)


def test_a_mirrored_view_is_read_as_it_is() -> None:
    seen: list[Any] = []
    picture = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    with fake_detector.detector(seen=seen) as detector:
        detector.detect(picture[:, ::-1], "gray")
        detector.detect(np.ascontiguousarray(picture[:, ::-1]), "gray")
    np.testing.assert_array_equal(*seen)


def test_threads_may_share_one() -> None:
    found: list[list[Face]] = []
    picture = np.zeros((64, 64), np.uint8)
    with fake_detector.detector([FACE]) as detector:
        threads = [
            threading.Thread(target=lambda: found.append(detector.detect(picture, "gray"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 8
    assert all(faces == found[0] for faces in found)


# --- what it refuses ---


@pytest.mark.parametrize(
    ("image", "color", "error"),
    [
        (np.zeros((0, 64, 3), np.uint8), "rgb", InputError),
        (np.zeros((64, 0, 3), np.uint8), "rgb", InputError),
        (np.zeros((64, 64, 3), np.float32), "rgb", InputTypeError),
        (np.zeros((64, 64, 3), np.uint16), "rgb", InputTypeError),
        (np.zeros((64, 64), np.uint8), "rgb", InputError),
        (np.zeros(64, np.uint8), "gray", InputError),
        (np.zeros((64, 64, 3), np.uint8), "hsv", InputError),
        (np.zeros((64, 63, 2), np.uint8), "yuyv", InputError),
        (np.zeros((8, 40_000), np.uint8), "gray", InputError),
        ("face.jpg", "rgb", InputTypeError),
        (None, "rgb", InputTypeError),
    ],
)
def test_what_is_no_picture_is_refused_by_name(image: Any, color: str, error: type[Exception]) -> None:
    with fake_detector.detector() as detector, pytest.raises(error):
        detector.detect(image, color)


def test_a_closed_detector_says_so() -> None:
    detector = fake_detector.detector()
    detector.close()
    with pytest.raises(InferenceError, match="open it again"):
        detector.detect(np.zeros((8, 8), np.uint8), "gray")


def test_a_detector_is_no_recognizer_and_the_other_way_round(path: Path, small_text_path: Path) -> None:
    with pytest.raises(BundleMismatchError, match=r"finds faces.* edgeemo\.FaceDetector\.open"):
        Recognizer(Bundle.open(path), Runtime(b"", backend=fake_detector.backend()))
    with pytest.raises(BundleMismatchError, match=r"finds no faces.* edgeemo\.Recognizer\.open"):
        FaceDetector.open(small_text_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"detector": {**fake_detector.DETECTOR.to_dict(), "width": 128}}, "grids lie over 128 x 64"),
        ({"spec_digest": "0" * 16}, "has digest"),
        ({"outputs": {"logits": "eyes", "boxes": "boxes", "eyes": "logits"}}, "need an output"),
        ({"outputs": {"logits": "x", "boxes": "boxes", "eyes": "eyes"}}, "the model has no output x"),
    ],
)
def test_a_card_that_does_not_fit_its_model_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BundleMismatchError, match=says):
        FaceDetector(fake_detector.bundle(**changes), Runtime(b"", backend=fake_detector.backend()))


def test_a_model_of_another_size_and_a_spec_that_cannot_be_are_refused() -> None:
    with pytest.raises(BundleMismatchError, match="its frontend makes"):
        FaceDetector(
            fake_detector.bundle(), Runtime(b"", backend=fake_detector.backend(pixels=(1, 32, 32, 1)))
        )
    strange = {**fake_detector.DETECTOR.to_dict(), "overlap": 2.0}
    with pytest.raises(SpecError, match="overlap"):
        FaceDetector(fake_detector.bundle(detector=strange), Runtime(b"", backend=fake_detector.backend()))


def test_commercial_use_can_be_required(tmp_path: Path) -> None:
    path = fake_detector.bundle(commercial="unclear").write(tmp_path / "unclear.tflite").path
    assert path is not None
    with pytest.raises(LicenseError, match="not cleared"):
        FaceDetector.open(path, require_commercial=True, backend=fake_detector.backend())


# --- its card ---


def test_the_card_goes_round_and_knows_what_it_is(path: Path) -> None:
    card = fake_detector.card(golden=({"drawing": "smile", "faces": []},))
    text = card.to_json()
    assert DetectorCard.from_json(text) == card
    assert Card.from_json(text) == card
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert isinstance(Card.from_json(small_text.card().to_json()), ModelCard)
    assert isinstance(Bundle.open(path).card, DetectorCard)


@pytest.mark.parametrize(
    "changes",
    [
        {"detector": {}}, {"detector": "yes"}, {"outputs": {"labels": "labels"}}, {"modality": "voice"},
        {"modality": "smell"}, {"commercial": "maybe"}, {"name": 3}, {"labels": ["joy"]}, {"data": [{}]},
    ],
)  # fmt: skip
def test_a_wrong_card_is_refused(changes: dict[str, Any]) -> None:
    raw = json.loads(fake_detector.card().to_json()) | changes
    with pytest.raises(BundleCorruptError, match="again"):
        Card.from_json(json.dumps(raw))


def test_a_recognizers_card_is_none_of_a_detector() -> None:
    with pytest.raises(BundleCorruptError, match="another kind"):
        DetectorCard.from_json(small_text.card().to_json())
    with pytest.raises(BundleCorruptError, match="another kind"):
        ModelCard.from_json(fake_detector.card().to_json())


def test_inspect_shows_what_it_finds(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("edgeemo.converters.inspect")
    assert main(["inspect", str(path)]) == 0
    page = capsys.readouterr().out
    assert "faces and their eyes" in page
    assert "64 × 64 pixels" in page
    assert "Labels" not in page
    assert main(["inspect", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["card"]["detector"]["width"] == 64


def test_options_of_recognizers_are_not_for_detectors(path: Path, tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("path,boxes\na.png,\n")
    assert main(["evaluate", str(path), str(tmp_path / "some.csv"), "--labels", "fine"]) == 2
