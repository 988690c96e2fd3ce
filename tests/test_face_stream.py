"""Frames in, a steadied result for every face that is followed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_face

from edgeemo import EmotionResult, FaceRecognizer
from edgeemo._core import FaceFollower
from edgeemo.errors import InferenceError, InputError, InputTypeError, SpecError
from edgeemo.faces import Face, TrackerSpec

MS = 40
EMPTY = small_face.scene([])


def scene(*faces: tuple[str, int]) -> small_face.Pixels:
    """Faces by label and x."""
    return small_face.scene([(label, x, 60, 50) for label, x in faces])


def faces_of(results: list[EmotionResult]) -> list[tuple[int | None, str]]:
    return [(r.track_id, r.label) for r in results]


def test_a_face_is_followed_from_its_second_frame_on(small_face_recognizer: FaceRecognizer) -> None:
    stream = small_face_recognizer.stream()
    assert stream.push(scene(("happiness", 40)), 0) == []
    (result,) = stream.push(scene(("happiness", 44)), MS)
    assert (result.track_id, result.label, result.start_ms, result.end_ms) == (1, "happiness", 0, MS)
    assert result.face is not None
    assert result.face.box[0] == 44
    assert result.evidence == pytest.approx(small_face.SCORE)


def test_each_face_has_a_track_and_a_mean_of_its_own(small_face_recognizer: FaceRecognizer) -> None:
    stream = small_face_recognizer.stream()
    for i in range(10):
        results = stream.push(scene(("happiness", 20 + 2 * i), ("sadness", 200 - 2 * i)), i * MS)
    assert faces_of(results) == [(1, "happiness"), (2, "sadness")]
    alone = small_face_recognizer.predict(scene(("sadness", 182)))
    assert results[1].valence == pytest.approx(alone.valence, abs=1e-5)


def test_scores_are_steadied_over_time(small_face_recognizer: FaceRecognizer) -> None:
    """From happiness to anger: the label turns after ln 2 of the time constant; sums stay 1."""
    stream = small_face_recognizer.stream(smooth_ms=400)
    for i in range(60):
        stream.push(scene(("happiness", 100)), i * MS)
    last_ms, said = 59 * MS, {}
    for t in range(last_ms + 20, last_ms + 800, 20):
        (result,) = stream.push(scene(("anger", 100)), t)
        said[t - last_ms] = result.label
        assert result.scores.sum() == pytest.approx(1, abs=1e-5)
        assert result.probabilities.sum() == pytest.approx(1, abs=1e-5)
    turned = min(after for after, label in said.items() if label == "anger")
    assert turned == pytest.approx(400 * np.log(2), abs=25)


def test_without_smoothing_each_frame_stands_for_itself(small_face_recognizer: FaceRecognizer) -> None:
    stream = small_face_recognizer.stream(smooth_ms=0)
    for i, label in enumerate(("happiness", "anger", "sadness", "neutral")):
        results = stream.push(scene((label, 100)), i * MS)
        alone = small_face_recognizer.predict(scene((label, 100)))
        for result in results:
            assert result.label == label
            np.testing.assert_allclose(result.scores, alone.scores, atol=1e-6)


def test_faint_evidence_weighs_little(small_face_path: Path) -> None:
    box, eyes = (100.0, 60.0, 150.0, 110.0), ((115.0, 80.0), (135.0, 80.0))
    score = [0.9]
    own = SimpleNamespace(detect=lambda image, color="rgb": [Face(box, eyes, score[0])])
    with FaceRecognizer.open(small_face_path, detector=own) as recognizer:
        stream = recognizer.stream(smooth_ms=1000)
        for i in range(5):
            stream.push(scene(("happiness", 100)), i * MS)
        score[0] = 0.05
        for i in range(5, 15):
            (result,) = stream.push(scene(("anger", 100)), i * MS)
    assert result.label == "happiness"
    assert 0.05 < result.evidence < 0.9


def test_a_face_that_is_hidden_keeps_its_result_with_falling_evidence(
    small_face_recognizer: FaceRecognizer,
) -> None:
    stream = small_face_recognizer.stream()
    for i in range(5):
        results = stream.push(scene(("happiness", 100 + 5 * i)), i * MS)
    seen = results[0]
    evidence = [seen.evidence]
    for i in range(5, 12):
        (hidden,) = stream.push(EMPTY, i * MS)
        evidence.append(hidden.evidence)
    assert evidence == sorted(evidence, reverse=True)
    assert evidence[-1] < evidence[0] / 2
    np.testing.assert_allclose(hidden.scores, seen.scores, atol=1e-6)
    assert hidden.face is not None
    assert hidden.face.score == 0.0
    assert hidden.face.box[0] > 120  # where it went
    (back,) = stream.push(scene(("happiness", 155)), 12 * MS)
    assert back.track_id == 1
    assert back.face is not None
    assert back.face.score == small_face.SCORE


def test_a_track_that_ended_is_forgotten(small_face_recognizer: FaceRecognizer) -> None:
    stream = small_face_recognizer.stream(tracker=TrackerSpec(most_gap_ms=100))
    for i in range(20):
        stream.push(scene(("happiness", 100)), i * MS)
    assert stream.push(EMPTY, 20 * MS + 100) == []
    assert stream.push(scene(("anger", 100)), 1000) == []
    (result,) = stream.push(scene(("anger", 100)), 1040)
    assert (result.track_id, result.label, result.start_ms) == (2, "anger", 1000)


def test_no_face_gives_no_result(small_face_recognizer: FaceRecognizer) -> None:
    stream = small_face_recognizer.stream()
    assert [stream.push(EMPTY, i * MS) for i in range(3)] == [[], [], []]
    assert stream.flush() == []


def test_the_frame_rate_does_not_show(small_face_recognizer: FaceRecognizer) -> None:
    """At 50 and at 10 frames a second the same film says the same at the same time."""
    said = []
    for step in (20, 100):
        stream = small_face_recognizer.stream(smooth_ms=300)
        for t in range(0, 2001, step):
            results = stream.push(scene(("happiness" if t <= 1500 else "sadness", 100)), t)
        said.append(results[0].valence)
    assert said[0] == pytest.approx(said[1], abs=1e-3)


def test_a_reset_stream_is_a_fresh_one(small_face_recognizer: FaceRecognizer) -> None:
    used, fresh = small_face_recognizer.stream(), small_face_recognizer.stream()
    for i in range(5):
        used.push(scene(("anger", 20), ("sadness", 200)), 9000 + i * MS)
    used.reset()
    for i in range(5):
        frame = scene(("happiness", 50 + i))
        assert used.push(frame, i * MS) == fresh.push(frame, i * MS)


def test_streams_of_one_recognizer_do_not_meet(small_face_recognizer: FaceRecognizer) -> None:
    one, other = small_face_recognizer.stream(), small_face_recognizer.stream()
    for i in range(4):
        a = one.push(scene(("happiness", 100)), i * MS)
        b = other.push(scene(("anger", 100)), i * MS)
    assert (faces_of(a), faces_of(b)) == ([(1, "happiness")], [(1, "anger")])


@pytest.mark.parametrize(
    ("frame", "t_ms", "color", "error", "says"),
    [
        (scene(("anger", 100)), 2 * MS, "rgb", InputError, r"t_ms went back .*reset\(\)"),
        (scene(("anger", 100)), 1e3, "rgb", InputTypeError, "whole milliseconds"),
        (scene(("anger", 100)), "now", "rgb", InputTypeError, "whole milliseconds"),
        (scene(("anger", 100)), 2**60, "rgb", InputError, "t_ms must be within 2"),
        (scene(("anger", 100)).astype(np.float32), 200, "rgb", InputTypeError, "expected a uint8 array"),
        (scene(("anger", 100))[..., 0], 200, "rgb", InputError, "has the shape"),
        (scene(("anger", 100)), 200, "hsv", InputError, "color"),
    ],
)
def test_what_is_refused_changes_nothing(
    frame: Any,
    t_ms: Any,
    color: str,
    error: type[Exception],
    says: str,
    small_face_recognizer: FaceRecognizer,
) -> None:
    stream, untouched = small_face_recognizer.stream(), small_face_recognizer.stream()
    for i in range(4):
        stream.push(scene(("happiness", 100)), i * MS)
        untouched.push(scene(("happiness", 100)), i * MS)
    with pytest.raises(error, match=says):
        stream.push(frame, t_ms, color)
    frame = scene(("sadness", 102))
    assert stream.push(frame, 4 * MS) == untouched.push(frame, 4 * MS)


def test_frames_may_change_size_and_color(small_face_recognizer: FaceRecognizer) -> None:
    stream = small_face_recognizer.stream()
    stream.push(scene(("happiness", 100)), 0)
    (result,) = stream.push(scene(("happiness", 100))[:200, :300, 0], MS, "gray")
    assert (result.track_id, result.label) == (1, "happiness")


def test_a_second_frame_at_the_same_time_changes_places_only(small_face_recognizer: FaceRecognizer) -> None:
    stream = small_face_recognizer.stream(smooth_ms=1)
    stream.push(scene(("happiness", 100)), 0)
    stream.push(scene(("happiness", 100)), MS)
    (result,) = stream.push(scene(("anger", 104)), MS)
    assert result.label == "happiness"
    assert result.face is not None
    assert result.face.box[0] == 104


def test_options_out_of_range_are_refused(small_face_recognizer: FaceRecognizer) -> None:
    for smooth_ms in (-1, 60_001, float("nan")):
        with pytest.raises(SpecError, match=r"^smooth_ms must be in"):
            small_face_recognizer.stream(smooth_ms=smooth_ms)


def test_a_closed_recognizer_streams_no_more(small_face_path: Path) -> None:
    recognizer = FaceRecognizer.open(small_face_path, detector=small_face.SquareDetector())
    stream = recognizer.stream()
    recognizer.close()
    with pytest.raises(InferenceError, match="was closed"):
        stream.push(scene(("anger", 100)), 0)
    with pytest.raises(InferenceError, match="was closed"):
        recognizer.stream()


def test_a_follower_that_refuses_has_not_changed() -> None:
    """The C++ follower in a stream takes rows and gives a steadied row for each track."""
    face = Face((0, 0, 40, 40), ((10, 15), (30, 15)), 0.9)
    rows = np.full((1, 4), 0.25, np.float32)
    refused: list[tuple[Any, Any, Any, type[Exception], str]] = [
        ([face], np.array([[0, 1, np.nan, 0]], np.float32), 40, InputError, "number 2 of the row of face 0"),
        ([face, face], rows, 40, InputError, r"have the shape \(2, 4\)"),
        ([face], rows.astype(np.float64), 40, InputTypeError, r"a float32 array \(1, 4\)"),
        ([face], rows, -1, InputError, "t_ms went back"),
        ([face], rows, 0.5, InputTypeError, "an int as t_ms"),
        ([None], rows, 40, InputTypeError, "a sequence of Face"),
    ]
    follower, untouched = (FaceFollower(4, 300.0, TrackerSpec()) for _ in range(2))
    assert follower.update([face], rows, 0) == untouched.update([face], rows, 0) == []
    for faces, numbers, t_ms, error, says in refused:
        with pytest.raises(error, match=says):
            follower.update(faces, numbers, t_ms)
    (ours,), (theirs,) = (f.update([face], rows * 2, 40) for f in (follower, untouched))
    assert (ours[0].id, ours[0].hits, ours[2]) == (theirs[0].id, theirs[0].hits, theirs[2]) == (1, 2, 0.9)
    np.testing.assert_array_equal(ours[1], theirs[1])
    ((hidden, mean, evidence),) = follower.update([], rows[:0], 80)
    assert (hidden.face.score, len(follower)) == (0.0, 1)
    assert 0 < evidence < 0.9
    np.testing.assert_array_equal(mean, ours[1])
    follower.reset()
    assert len(follower) == 0
