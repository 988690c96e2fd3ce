"""How a detector is measured: who counts as found, what is a false box; and tables of marked faces."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_detector
import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console

from edgeemo.data.leaks import write_seen
from edgeemo.data.marked import (
    MarkedFace,
    MarkedPicture,
    box_with,
    overlap,
    read_marked,
    write_marked,
)
from edgeemo.errors import DataError, LeakError
from edgeemo.evaluation.blazeface import anchors
from edgeemo.evaluation.detection import DetectionMeasure, evaluate_detector
from edgeemo.evaluation.tables import render
from edgeemo.faces import Face

cv2 = pytest.importorskip("cv2", reason="needs edgeemo[face]")

HERE = Path("picture.png")


def square(x: float, y: float, side: float) -> tuple[float, float, float, float]:
    return x, y, x + side, y + side


def found(x: float, y: float, side: float, score: float = 0.9) -> Face:
    eyes = ((x + side / 4, y + side / 3), (x + 3 * side / 4, y + side / 3))
    return Face(square(x, y, side), eyes, score)


def marked(x: float, y: float, side: float, bare: bool = True) -> MarkedFace:
    return MarkedFace(square(x, y, side), found(x, y, side).eyes, bare)


def measured(faces: Sequence[MarkedFace], boxes: Sequence[Face], portrait: bool = False) -> dict[str, float]:
    picture = MarkedPicture(path=HERE, faces=tuple(faces), portrait=portrait)
    measure = DetectionMeasure.of([picture], [boxes])
    return {name: float(x[0]) for name, x in measure.finish(measure.rows.sum(0)[None]).items()}


# --- what counts ---


def test_recall_is_by_size() -> None:
    faces = [marked(0, 0, 30), marked(100, 0, 50), marked(200, 0, 50), marked(300, 0, 90)]
    got = measured(faces, [found(100, 0, 50), found(300, 0, 90)])
    assert (got["recall_20_40"], got["recall_40_80"], got["recall_80"]) == (0, 0.5, 1)
    assert got["recall_40"] == pytest.approx(2 / 3)
    assert np.isnan(got["eye_error"])


def test_a_face_at_a_border_of_sizes_has_one_size() -> None:
    got = measured([marked(0, 0, 40)], [found(0, 0, 40)])
    assert (got["recall_40_80"], got["recall_40"]) == (1, 1)
    assert np.isnan(got["recall_20_40"])


def test_the_box_with_the_best_score_finds_the_face() -> None:
    """The eyes of a portrait are those of that box, in whatever order the detector gives them."""
    boxes = [found(10, 0, 100, score=0.6), found(5, 0, 100, score=0.9)]
    for order in (boxes, boxes[::-1]):
        assert measured([marked(0, 0, 100)], order, portrait=True)["eye_error"] == pytest.approx(0.1)


def test_faces_below_twenty_pixels_are_nobodys() -> None:
    got = measured([marked(0, 0, 15)], [])
    assert all(np.isnan(got[f"recall_{size}"]) for size in ("20_40", "40_80", "80"))


def test_masked_faces_count_neither_way() -> None:
    masked = [marked(0, 0, 50, bare=False), marked(100, 0, 50)]
    got = measured(masked, [found(100, 0, 50)])
    assert (got["recall_40_80"], got["false_boxes"]) == (1, 0)
    got = measured(masked, [found(0, 0, 50), found(100, 0, 50)])
    assert (got["recall_40_80"], got["false_boxes"]) == (1, 0)


@pytest.mark.parametrize(
    ("shift", "hit", "false"), [(0, 1, 0), (20, 1, 0), (24, 0, 0), (34, 0, 1), (80, 0, 1)]
)
def test_between_hit_and_false_a_box_is_neither(shift: int, hit: int, false: int) -> None:
    got = measured([marked(100, 100, 50)], [found(100 + shift, 100, 50)])
    assert (got["recall_40_80"], got["false_boxes"]) == (hit, false)


def test_one_box_finds_one_face_and_a_second_box_finds_none() -> None:
    two = [marked(0, 0, 50), marked(10, 0, 50)]
    assert measured(two, [found(5, 0, 50)])["recall_40_80"] == 0.5
    assert measured(two[:1], [found(0, 0, 50), found(5, 0, 50)])["false_boxes"] == 0


def test_eyes_are_measured_on_portraits_in_distances_of_the_eyes() -> None:
    portrait = [marked(0, 0, 100)]  # eyes 50 apart
    got = measured(portrait, [found(5, 0, 100)], portrait=True)
    assert got["eye_error"] == pytest.approx(0.1)
    assert got["portraits_found"] == 1
    got = measured(portrait, [], portrait=True)
    assert got["portraits_found"] == 0
    assert np.isnan(got["eye_error"])


# --- tables ---


def test_a_table_reads_back_equal(tmp_path: Path) -> None:
    eyes = ((30.0, 40.0), (60.0, 42.0))
    pictures = [
        MarkedPicture(path=tmp_path / "a.png", faces=(MarkedFace((1, 2, 30, 40)),), group="g", split="valid"),
        MarkedPicture(path=tmp_path / "b.png", faces=(MarkedFace((1, 2, 3.5, 4), bare=False),)),
        MarkedPicture(
            path=tmp_path / "c.png", faces=(MarkedFace(box_with(eyes), eyes),), portrait=True, subject="s"
        ),
        MarkedPicture(path=tmp_path / "d.png"),
    ]
    write_marked(tmp_path / "table.csv", pictures)
    assert read_marked(tmp_path / "table.csv") == pictures
    assert str(tmp_path) not in (tmp_path / "table.csv").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("text,labels\nhello,joy\n", "marks no faces"),
        ("path,boxes\n", "marks no faces"),
        ('path,boxes\na.png,"face:1,2,3"\n', "line 2"),
        ('path,boxes\na.png,"face:9,2,3,4"\n', "inverted or empty"),
        ("path,eye0_x,eye0_y,eye1_x,eye1_y\na.png,1,2,3,\n", "line 2"),
        ("path,eye0_x,eye0_y,eye1_x,eye1_y\na.png,nan,2,3,4\n", "line 2: the eyes are at"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "wrong.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        read_marked(tmp_path / "wrong.csv")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no manifest .*none\.csv"):
        read_marked(tmp_path / "none.csv")


def test_overlap_is_what_both_have_of_what_either_has() -> None:
    assert overlap(square(0, 0, 10), square(0, 0, 10)) == 1
    assert overlap(square(0, 0, 10), square(5, 0, 10)) == pytest.approx(1 / 3)
    assert overlap(square(0, 0, 10), square(10, 0, 10)) == 0


# --- a whole evaluation ---


class Peer:
    def detect(self, image: npt.NDArray[np.uint8], color: Any = "rgb") -> list[Face]:
        return [found(0, 0, 10)]


def street(folder: Path, n: int) -> list[MarkedPicture]:
    pictures = []
    for i in range(n):
        path = folder / f"{i}.png"
        cv2.imwrite(str(path), np.full((64, 64), i, np.uint8))
        pictures.append(MarkedPicture(path=path, faces=(marked(12, 12, 40),), group=f"g{i // 2}"))
    return pictures


def test_a_report_has_intervals_a_curve_and_peers(tmp_path: Path) -> None:
    pictures = street(tmp_path, 12)
    with fake_detector.detector([found(12, 12, 40, 0.8)]) as detector:
        report = evaluate_detector(detector, pictures, peers={"other": Peer()})
    assert report.n == 12
    assert report.bootstrap["units"] == 6
    assert report.counts["faces_40_80"] == 12
    assert report.metrics["recall_40"].value == 1
    assert report.metrics["false_boxes"].value == 0
    assert report.calibration["share_faces"] == 1
    assert report.calibration["mean_score"] == pytest.approx(0.8, abs=1e-3)
    assert {point["recall_40"] for point in report.curve} == {0.0, 1.0}
    peer = report.peers["other"]
    assert peer["metrics"]["false_boxes"]["value"] == 1
    assert peer["difference"]["recall_40"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert json.loads(json.dumps(report.to_dict()))["metrics"]["recall_40"]["value"] == 1


def test_where_no_face_is_large_there_is_no_recall_of_large_ones(tmp_path: Path) -> None:
    pictures = [replace(p, faces=(marked(12, 12, 20),)) for p in street(tmp_path, 4)]
    with fake_detector.detector([found(12, 12, 20, 0.8)]) as detector:
        report = evaluate_detector(detector, pictures)
    assert {point["recall_40"] for point in report.curve} == {None}
    console = Console(width=120, file=io.StringIO())
    console.print(render(report))
    assert "–" in console.file.getvalue()  # type: ignore[attr-defined]


def test_pictures_that_were_trained_on_are_refused(tmp_path: Path) -> None:
    from edgeemo.data.faces import pixels_of

    pictures = street(tmp_path, 4)
    path = fake_detector.bundle().write(tmp_path / "fake_detector.tflite").path
    assert path is not None
    write_seen(tmp_path / "fake_detector.seen", [pixels_of(pictures[0])])
    from edgeemo import Bundle, FaceDetector
    from edgeemo.runtime import Runtime

    with FaceDetector(Bundle.open(path), Runtime(b"", backend=fake_detector.backend())) as detector:
        with pytest.raises(LeakError, match="1 of 4"):
            evaluate_detector(detector, pictures)
        assert evaluate_detector(detector, pictures, leaks="drop").n == 3


def test_pictures_without_marked_faces_cannot_be_measured(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8), np.uint8))
    with fake_detector.detector() as detector, pytest.raises(DataError, match="No face is marked"):
        evaluate_detector(detector, [MarkedPicture(path=tmp_path / "a.png")])


# --- the peer ---


def test_anchors_of_blazeface_are_those_of_its_two_models() -> None:
    short, full = anchors(128), anchors(192)
    assert (len(short), len(full)) == (896, 2304)
    np.testing.assert_array_equal(short[:3], [[4, 4], [4, 4], [12, 4]])
    np.testing.assert_array_equal(short[512:519], [[8, 8]] * 6 + [[24, 8]])
    np.testing.assert_array_equal(full[:2], [[2, 2], [6, 2]])
    with pytest.raises(DataError, match="128 or 192"):
        anchors(256)
