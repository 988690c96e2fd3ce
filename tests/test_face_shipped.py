"""The shipped face bundles, on pictures made here: nobody, drawings, many, parts; and what they may weigh."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from edgeemo import Bundle, EmotionResult, FaceRecognizer, Recognizer
from edgeemo.bundle import shipped

pytestmark = [
    pytest.mark.skipif(
        not {"face", "face-detector"} <= set(shipped()), reason="the face bundles are not in this checkout"
    ),
    pytest.mark.filterwarnings("ignore::edgeemo.LicenseWarning"),
]
Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def reader() -> Iterator[FaceRecognizer]:
    opened = Recognizer.open("face")
    assert isinstance(opened, FaceRecognizer)
    with opened:
        yield opened


def drawing(size: int, mouth: int = 1) -> Pixels:
    """Draw a face: a bright disc with dark eyes and a mouth that curves up (1) or down (-1)."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    picture = np.full((size, size), 90, np.uint8)
    picture[(x / 0.75) ** 2 + (y / 0.95) ** 2 < 1] = 210
    for side in (-0.3, 0.3):
        picture[(x - side) ** 2 / 0.02 + (y + 0.25) ** 2 / 0.008 < 1] = 30
    curve = 0.45 - mouth * 0.6 * x**2
    picture[(np.abs(y - curve) < 0.06) & (np.abs(x) < 0.4)] = 60
    return picture


def sane(result: EmotionResult) -> bool:
    whole = np.isclose(result.scores.sum(), 1, atol=1e-5) and 0 <= result.evidence <= 1
    return bool(whole and np.isfinite([result.valence, result.arousal]).all())


@pytest.mark.parametrize("value", [0, 128, 255])
def test_where_nobody_is_there_is_no_evidence(value: int, reader: FaceRecognizer) -> None:
    empty = np.full((480, 640, 3), value, np.uint8)
    result = reader.predict(empty)
    assert (result.label, result.evidence, result.valence, result.arousal) == ("neutral", 0.0, 0.0, 0.0)
    assert result.face is None
    assert reader.predict_all(empty) == []


@pytest.mark.parametrize("mouth", [1, -1])
def test_a_drawing_is_no_face_or_one_that_lies_where_it_was_drawn(mouth: int, reader: FaceRecognizer) -> None:
    picture = np.full((400, 500), 90, np.uint8)
    picture[100:300, 150:350] = drawing(200, mouth)
    for result in reader.predict_all(picture, "gray"):
        assert sane(result)
        assert result.face is not None
        x0, y0, x1, y1 = result.face.box
        assert 150 < (x0 + x1) / 2 < 350
        assert 100 < (y0 + y1) / 2 < 300


def test_forty_faces_are_at_most_forty_results(reader: FaceRecognizer) -> None:
    crowd = np.tile(np.pad(drawing(100), 10, constant_values=90), (5, 8))
    results = reader.predict_all(crowd, "gray")
    assert len(results) <= 40
    assert all(map(sane, results))


def test_half_a_face_is_read_or_not_found(reader: FaceRecognizer) -> None:
    for half in (drawing(240)[:, :120], drawing(240)[:120], drawing(240)[:, 120:]):
        assert all(map(sane, reader.predict_all(np.ascontiguousarray(half), "gray")))


def test_the_same_face_is_found_in_gray_and_in_colour(reader: FaceRecognizer) -> None:
    gray = np.pad(drawing(200), 60, constant_values=90)
    colour = np.repeat(gray[..., None], 3, 2)
    boxes = [
        [r.face.box for r in reader.predict_all(p, c) if r.face] for p, c in ((gray, "gray"), (colour, "bgr"))
    ]
    assert len(boxes[0]) == len(boxes[1])
    for a, b in zip(*boxes, strict=True):
        np.testing.assert_allclose(a, b, atol=1.0)


@pytest.mark.parametrize(
    ("name", "most_kb"), [("face", 1000), ("face-detector", 400), ("voice", 210), ("voice-research", 150)]
)
def test_bundles_stay_as_small_as_they_were_promised(name: str, most_kb: int) -> None:
    if name not in shipped():
        pytest.skip(f"{name} is not in this checkout")
    path = Bundle.open(name).path
    assert path is not None
    assert path.stat().st_size <= 1000 * most_kb
