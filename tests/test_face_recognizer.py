"""A picture in, an `EmotionResult` a face out; whatever the picture is like."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_face

from edgeemo import EmotionResult, FaceDetector, FaceRecognizer, Recognizer
from edgeemo.errors import EdgeemoError, InferenceError, InputError, InputTypeError
from edgeemo.faces import Face

pytestmark = pytest.mark.usefixtures("boxes_are_crops")

HAPPY, SAD, ANGRY = ("happiness", 20, 30, 40), ("sadness", 100, 20, 60), ("anger", 200, 100, 100)
GROUP = small_face.scene([HAPPY, SAD, ANGRY])


def labels(results: list[EmotionResult]) -> dict[tuple[int, ...], str]:
    """Return the label at each place: (x, y) of the box's corner to label."""
    return {tuple(int(v) for v in r.face.box[:2]): r.label for r in results if r.face is not None}


# --- what is said ---


def test_every_face_is_found_and_read(small_face_recognizer: FaceRecognizer) -> None:
    results = small_face_recognizer.predict_all(GROUP)
    assert labels(results) == {(20, 30): "happiness", (100, 20): "sadness", (200, 100): "anger"}
    for result in results:
        assert (result.modality, result.evidence, result.track_id) == ("face", small_face.SCORE, None)
        assert result.scores.sum() == pytest.approx(1)
        assert result.face is not None
        assert result.face.score == small_face.SCORE


def test_predict_reads_the_face_in_front(small_face_recognizer: FaceRecognizer) -> None:
    """The largest; and it says what predict_all says of it."""
    results = small_face_recognizer.predict_all(GROUP)
    front = small_face_recognizer.predict(GROUP)
    assert front.label == "anger"
    assert front == small_face_recognizer.in_front(results)
    assert front in results


def test_no_face_is_evidence_0_and_not_none(small_face_recognizer: FaceRecognizer) -> None:
    nobody = small_face_recognizer.predict(small_face.scene([]))
    assert (nobody.label, nobody.confidence, nobody.evidence) == ("neutral", 1.0, 0.0)
    assert (nobody.valence, nobody.arousal, nobody.face) == (0.0, 0.0, None)
    assert small_face_recognizer.predict_all(small_face.scene([])) == []
    assert small_face_recognizer.in_front([]) == nobody
    assert small_face_recognizer.predict(GROUP, boxes=[]) == nobody
    assert small_face_recognizer.predict_all(GROUP, boxes=[]) == []


def test_valence_and_arousal_are_those_of_the_label(small_face_recognizer: FaceRecognizer) -> None:
    result = small_face_recognizer.predict(small_face.scene([ANGRY]))
    valence, arousal = small_face.AFFECT["anger"]
    assert result.valence == pytest.approx(valence, abs=0.05)
    assert result.arousal == pytest.approx(arousal, abs=0.05)


# --- boxes of the caller's own ---


def test_boxes_skip_the_detector(small_face_recognizer: FaceRecognizer) -> None:
    results = small_face_recognizer.predict_all(GROUP, boxes=[(200, 100, 300, 200), (20, 30, 60, 70)])
    assert [r.label for r in results] == ["anger", "happiness"]
    assert [r.evidence for r in results] == [1.0, 1.0]
    assert (
        small_face_recognizer.predict(GROUP, boxes=[(20, 30, 60, 70), (200, 100, 300, 200)]).label == "anger"
    )
    assert small_face_recognizer.detector.looks == 0  # type: ignore[attr-defined]


def test_a_picture_that_is_a_face_is_given_with_its_whole_frame(
    small_face_recognizer: FaceRecognizer,
) -> None:
    assert (
        small_face_recognizer.predict(small_face.face("sadness", 48), "gray", [(0, 0, 48, 48)]).label
        == "sadness"
    )


def test_eyes_of_a_given_box_are_where_an_upright_face_has_them(
    small_face_recognizer: FaceRecognizer,
) -> None:
    face = small_face_recognizer.predict(GROUP, boxes=[(20, 30, 60, 70)]).face
    assert face is not None
    spec = small_face.SPEC
    y, half = 30 + 40 * spec.eye_y, 20 * spec.eye_distance
    np.testing.assert_allclose(face.eyes, [[40 - half, y], [40 + half, y]])
    assert face.box == (20, 30, 60, 70)


def test_given_boxes_are_read_as_they_are_and_found_boxes_are_fitted(
    small_face_recognizer: FaceRecognizer, small_face_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [(20, 30, 60, 70), (203, 98, 311, 207)]
    wanted = small_face_recognizer.predict_all(GROUP, boxes=given)
    monkeypatch.undo()  # found boxes are fitted as shipped models want them
    detector = small_face.SquareDetector()
    with FaceRecognizer.open(small_face_path, detector=detector) as recognizer:
        assert recognizer.predict_all(GROUP, boxes=given) == wanted
        face = recognizer.predict(GROUP)
        assert face.face is not None
        assert face.scores.tolist() != recognizer.predict(GROUP, boxes=[face.face.box]).scores.tolist()


def test_boxes_never_open_a_detector(small_face_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> FaceDetector:
        raise AssertionError("a detector was opened")

    monkeypatch.setattr(FaceDetector, "open", refuse)
    with FaceRecognizer.open(small_face_path) as recognizer:
        assert recognizer.predict(GROUP, boxes=[(20, 30, 60, 70)]).label == "happiness"
        with pytest.raises(AssertionError, match="was opened"):
            recognizer.predict(GROUP)


@pytest.mark.parametrize(
    ("boxes", "error", "says"),
    [
        ([(400, 10, 440, 50)], InputError, "outside"),
        ([(20, 30, 60, 70), (60, 30, 20, 70)], InputError, r"boxes\[1\]: "),
        ([(20, 30, 20.5, 70)], InputError, r"boxes\[0\]: "),
        ([(20, 30, float("nan"), 70)], InputError, r"boxes\[0\]: .*not finite"),
        ([(1, 2, 3)], InputTypeError, r"boxes\[0\]: expected a box of four numbers"),
        ((20, 30, 60, 70), InputTypeError, r"boxes\[0\]: expected a box of four numbers"),
        ("face", InputTypeError, r"expected \[\(x0, y0, x1, y1\), …\]"),
        (5, InputTypeError, r"expected \[\(x0, y0, x1, y1\), …\]"),
    ],
)
def test_a_bad_box_is_named(
    boxes: Any, error: type[Exception], says: str, small_face_recognizer: FaceRecognizer
) -> None:
    with pytest.raises(error, match=says):
        small_face_recognizer.predict_all(GROUP, boxes=boxes)


def test_boxes_may_be_an_array_and_reach_beyond_the_picture(small_face_recognizer: FaceRecognizer) -> None:
    half = small_face.scene([("happiness", -20, 30, 40)])
    assert small_face_recognizer.predict(half, boxes=np.array([[-20, 30, 20, 70]])).label == "happiness"


# --- the detector ---


def test_a_detector_of_ones_own(small_face_path: Path) -> None:
    face = Face((100, 20, 160, 80), ((115, 45), (145, 45)), 0.25)
    own = SimpleNamespace(detect=lambda image, color="rgb": [face])
    with FaceRecognizer.open(small_face_path, detector=own) as recognizer:
        result = recognizer.predict(GROUP)
        assert (result.label, result.evidence, result.face) == ("sadness", 0.25, face)
    recognizer = FaceRecognizer.open(small_face_path)
    recognizer.detector = own
    assert recognizer.predict(GROUP).face == face
    with pytest.raises(InputTypeError, match="Expected a detector with a method detect, got object"):
        recognizer.detector = object()  # type: ignore[assignment]


def test_a_detector_that_gives_no_faces_of_ours_is_named(small_face_path: Path) -> None:
    own = SimpleNamespace(detect=lambda image, color="rgb": [(100, 20, 160, 80)])
    with FaceRecognizer.open(small_face_path, detector=own) as recognizer:
        for look in (
            recognizer.predict,
            recognizer.predict_all,
            lambda frame: recognizer.stream().push(frame, 0),
        ):
            with pytest.raises(InputTypeError, match=r"SimpleNamespace gave \(100, 20, 160, 80\): expected"):
                look(GROUP)


def test_what_finds_no_faces_has_no_detector(small_text_path: Path) -> None:
    with pytest.raises(InputError, match="small-text reads text: leave the detector out"):
        Recognizer.open(small_text_path, detector=small_face.SquareDetector())


@pytest.mark.parametrize("delegate", ["auto", "cpu"])
def test_its_own_detector_is_opened_once_when_needed_and_closed_with_it(
    delegate: str, small_face_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[Any] = []

    class FakeDetector(small_face.SquareDetector):
        def close(self) -> None:
            did.append("closed")

    def opened(**how: Any) -> FakeDetector:
        did.append(how)
        return FakeDetector()

    monkeypatch.setattr(FaceDetector, "open", opened)
    asked: dict[str, Any] = {"threads": 2, "delegate": delegate, "require_commercial": True}
    with FaceRecognizer.open(small_face_path, **asked) as recognizer:
        assert did == []
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(recognizer.predict, [GROUP] * 8))
        assert {result.label for result in said} == {"anger"}
        assert did == [{**asked, "backend": "auto"}]
    assert did[1:] == ["closed"]
    with pytest.raises(InferenceError):
        recognizer.predict(GROUP)
    assert did[1:] == ["closed"]


def test_faces_of_no_use_are_left_out(small_face_path: Path) -> None:
    """Thinner than a pixel, more than half outside, or NaN: a detector may say so, nobody can read it."""
    eyes, nan = ((1.0, 1.0), (2.0, 1.0)), float("nan")
    boxes = [(5, 5, 5.5, 50), (-60, 20, 40, 80), (310, 200, 390, 280), (nan, 20, 160, 80), (0, 0, np.inf, 9)]
    faces = [Face(box, eyes, 0.5) for box in [*boxes, (100, 20, 160, 80)]]
    faces += [Face((20, 30, 60, 70), eyes, score) for score in (0.0, nan)]
    own = SimpleNamespace(detect=lambda image, color="rgb": faces)
    with FaceRecognizer.open(small_face_path, detector=own) as recognizer:
        assert list(labels(recognizer.predict_all(GROUP))) == [(100, 20)]


@pytest.mark.parametrize("eyes", [((130, 45), (130, 45)), ((145, 45), (115, 45)), ((130.2, 30), (130, 60))])
def test_eyes_that_say_nothing_leave_the_face_upright(eyes: Any, small_face_path: Path) -> None:
    own = SimpleNamespace(detect=lambda image, color="rgb": [Face((100, 20, 160, 80), eyes, 0.5)])
    with FaceRecognizer.open(small_face_path, detector=own) as recognizer:
        assert recognizer.predict(GROUP).label == "sadness"


def test_a_face_is_turned_as_its_eyes_are(small_face_path: Path) -> None:
    """Lying on its side, sadness (light above) looks like anger (light at the left), unless turned back."""
    lying = np.rot90(small_face.face("sadness", 60))  # its top is at the left
    picture = np.full((240, 320), 20, np.uint8)
    picture[20:80, 100:160] = lying
    nearly = np.deg2rad(-88)  # eyes stay in picture order
    c, s = 9 * np.cos(nearly), 9 * np.sin(nearly)
    face = Face((100, 20, 160, 80), ((124 - c, 50 - s), (124 + c, 50 + s)), 0.5)
    own = SimpleNamespace(detect=lambda image, color="rgb": [face])
    with FaceRecognizer.open(small_face_path, detector=own) as recognizer:
        assert recognizer.predict(picture, "gray").label == "sadness"
        assert recognizer.predict(picture, "gray", [face.box]).label == "anger"


@pytest.mark.parametrize("turn", [0.0, 0.4, -0.7])
def test_a_detected_box_is_fitted_by_the_two_constants(
    turn: float, small_face_recognizer: FaceRecognizer
) -> None:
    c, s = 12 * np.cos(turn), 12 * np.sin(turn)
    eyes = ((130 - c, 45 - s), (130 + c, 45 + s))
    before = small_face_recognizer.frontend.align((100, 20, 160, 80), eyes)
    after = small_face_recognizer.frontend.fitted(Face((100, 20, 160, 80), eyes), 1.5, 0.1)
    assert after.scale == pytest.approx(1.5 * before.scale)
    assert after.to_picture(8, 8) == pytest.approx(before.to_picture(8, 8 + 16 * 1.5 * 0.1))
    assert np.arctan2(after.b, after.a) == pytest.approx(turn)


# --- pictures of every kind ---


@pytest.mark.parametrize(
    ("image", "color"),
    [
        (GROUP[..., ::-1], "bgr"),
        (np.dstack([GROUP, np.zeros(GROUP.shape[:2], np.uint8)]), "rgba"),
        (GROUP[..., 0], "gray"),
        (GROUP[..., :1], "gray"),
        (np.dstack([GROUP[..., 0], np.full(GROUP.shape[:2], 128, np.uint8)]), "yuyv"),
        (np.concatenate([GROUP[..., 0], np.full((120, 320), 128, np.uint8)]), "nv12"),
        (np.flipud(np.flipud(GROUP).copy()), "rgb"),
        (np.asfortranarray(GROUP), "rgb"),
    ],
    ids=[
        "bgr",
        "rgba, transparent",
        "gray",
        "gray of one channel",
        "yuyv",
        "nv12",
        "negative strides",
        "Fortran",
    ],
)
def test_the_same_faces_in_every_form(image: Any, color: str, small_face_recognizer: FaceRecognizer) -> None:
    assert labels(small_face_recognizer.predict_all(image, color)) == labels(
        small_face_recognizer.predict_all(GROUP)
    )


@pytest.mark.parametrize("boxes", [None, [(0, 0, 1, 1)]])
@pytest.mark.parametrize(
    ("image", "color", "error"),
    [
        (np.zeros((0, 0, 3), np.uint8), "rgb", InputError),
        (np.zeros((0, 5, 3), np.uint8), "rgb", InputError),
        (np.zeros((40, 40, 3), np.float32), "rgb", InputTypeError),
        (np.zeros((40, 40, 3)), "rgb", InputTypeError),
        (np.zeros((40, 40, 3), np.uint16), "rgb", InputTypeError),
        (np.zeros((40, 40, 3), bool), "rgb", InputTypeError),
        (np.zeros((40, 40, 4), np.uint8), "rgb", InputError),
        (np.zeros((40, 40), np.uint8), "rgb", InputError),
        (np.zeros((40, 40, 3), np.uint8), "hsv", InputError),
        ([[0]], "gray", InputTypeError),
        ("photo.jpg", "rgb", InputTypeError),
        (None, "rgb", InputTypeError),
    ],
)
def test_what_is_no_picture_is_refused_at_both_doors(
    image: Any, color: str, error: type[Exception], boxes: Any, small_face_recognizer: FaceRecognizer
) -> None:
    with pytest.raises(error):
        small_face_recognizer.predict(image, color, boxes)
    with pytest.raises(error):
        small_face_recognizer.stream().push(image, 0, color)


@pytest.mark.parametrize("box", [None, [(0, 0, 1, 1)]])
def test_a_picture_of_one_pixel(box: Any, small_face_recognizer: FaceRecognizer) -> None:
    dark = np.zeros((1, 1, 3), np.uint8)
    assert small_face_recognizer.predict(dark, boxes=box).evidence == (0.0 if box is None else 1.0)


def test_a_picture_of_twenty_thousand_by_twenty_thousand(small_face_path: Path) -> None:
    """A view without memory of its own; it is read where the face is, and not copied."""
    huge = np.broadcast_to(np.uint8(140), (20_000, 20_000, 3))
    face = Face((15_000, 15_000, 15_400, 15_400), ((15_120, 15_160), (15_280, 15_160)), 0.5)
    own = SimpleNamespace(detect=lambda image, color="rgb": [face])
    with FaceRecognizer.open(small_face_path, detector=own) as recognizer:
        assert recognizer.predict(huge).label == "neutral"
        assert recognizer.predict(huge, boxes=[(0, 0, 20_000, 20_000)]).label == "neutral"


def test_forty_faces(small_face_recognizer: FaceRecognizer) -> None:
    said = ["happiness", "sadness", "anger", "neutral"]
    places = [(said[i % 4], 10 + 60 * (i % 8), 10 + 60 * (i // 8), 40) for i in range(40)]
    found = labels(small_face_recognizer.predict_all(small_face.scene(places, 500, 320)))
    assert found == {(x, y): label for label, x, y, _ in places}


def test_half_a_face_at_the_edge_is_read_as_what_is_there(small_face_recognizer: FaceRecognizer) -> None:
    result = small_face_recognizer.predict(small_face.scene([("sadness", 290, 100, 60)]))
    assert result.label == "sadness"
    assert result.face is not None
    assert result.face.box == (290, 100, 320, 160)


def test_every_refusal_is_one_of_ours_with_a_remedy(small_face_recognizer: FaceRecognizer) -> None:
    with pytest.raises(EdgeemoError, match=r"\(image \* 255\)\.round\(\)\.astype\('uint8'\)"):
        small_face_recognizer.predict(GROUP / 255)  # type: ignore[arg-type]
