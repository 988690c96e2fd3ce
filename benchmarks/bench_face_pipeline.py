"""Times the steps around a face model: alignment, readout, tracking and smoothing; 720p frames, one thread.

Run with ``pytest benchmarks/bench_face_pipeline.py``. The model is the small face bundle of the tests (a
single layer), and the detector returns a given face. So these are the costs without the two networks; the
last three benchmarks include them.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeemo import FaceRecognizer
from edgeemo.faces import Face, FaceFollower, TrackerSpec

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import small_face

FACES = [("happiness", 100, 100, 200), ("anger", 600, 200, 300), ("sadness", 1000, 100, 160)]
FRAME = small_face.scene(FACES, 1280, 720)


def found(n: int) -> list[Face]:
    places = [(x, y, x + side, y + side) for _, x, y, side in FACES[:n]]
    return [Face(b, ((b[0] + 60, b[1] + 80), (b[2] - 60, b[1] + 84)), 0.9) for b in places]  # a little turned


@pytest.fixture
def recognizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaceRecognizer]:
    monkeypatch.setattr("edgeemo.recognizer.CROP_OVER_BOX", 1.0)  # boxes are what the small face bundle was made for
    monkeypatch.setattr("edgeemo.recognizer.CROP_DOWN", 0.0)
    with FaceRecognizer.open(
        small_face.write(tmp_path), detector=SimpleNamespace(detect=lambda *_: [])
    ) as opened:
        yield opened


def test_a_face_in_a_given_box(recognizer: FaceRecognizer, benchmark: Any) -> None:
    result = benchmark(recognizer.predict, FRAME, "rgb", [(600, 200, 900, 500)])
    assert result.label == "anger"


@pytest.mark.parametrize("faces", [1, 3])
def test_a_frame_of_a_stream(faces: int, recognizer: FaceRecognizer, benchmark: Any) -> None:
    recognizer.detector = SimpleNamespace(detect=lambda *_: found(faces))
    stream, clock = recognizer.stream(), itertools.count(0, 40)
    stream.push(FRAME, next(clock))
    results = benchmark(lambda: stream.push(FRAME, next(clock)))
    assert [r.label for r in results] == [label for label, *_ in FACES[:faces]]


def test_a_row_is_steadied(benchmark: Any) -> None:
    follower, clock = FaceFollower(18, 300.0, TrackerSpec(least_hits=1)), itertools.count(0, 40)
    row, face = np.linspace(0, 1, 18, dtype=np.float32), Face((0, 0, 40, 40), ((10, 15), (30, 15)), 0.9)
    ((_, mean, evidence),) = benchmark(lambda: follower.update([face], row[None], next(clock)))
    np.testing.assert_allclose(mean, row, atol=1e-6)
    assert evidence == pytest.approx(0.9)


# --- with the shipped models: aims are 4 ms for a frame with one face, 1.5 ms to find, 1 ms to read ---


@pytest.fixture
def shipped() -> Iterator[FaceRecognizer]:
    with FaceRecognizer.open("face") as opened:
        yield opened


def test_finding_faces_in_a_frame(shipped: FaceRecognizer, benchmark: Any) -> None:
    faces = benchmark(shipped.detector.detect, FRAME, "rgb")
    assert len(faces) < 10


def test_reading_a_given_face(shipped: FaceRecognizer, benchmark: Any) -> None:
    result = benchmark(shipped.predict, FRAME, "rgb", [(600, 200, 900, 500)])
    assert result.evidence == 1


def test_a_frame_with_one_face(shipped: FaceRecognizer, benchmark: Any) -> None:
    """Run the shipped detector and count its cost, then return the given face, since a drawing shows
    none."""
    detector = shipped.detector
    shipped.detector = SimpleNamespace(detect=lambda *raw: (detector.detect(*raw), found(1))[1])
    result = benchmark(shipped.predict, FRAME, "rgb")
    assert result.face == found(1)[0]
