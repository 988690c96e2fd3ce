"""The tracker follows each face from frame to frame."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

from edgeemo.errors import InputError, InputTypeError, SpecError
from edgeemo.faces import Face, FaceFollower, Track, TrackerSpec

MS = 40  # from frame to frame


def face(x: float, y: float = 100.0, side: float = 40.0) -> Face:
    """Its middle at (x, y)."""
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return Face(box, ((x - side / 5, y - side / 6), (x + side / 5, y - side / 6)), 0.9)


class Tracks:
    """The confirmed tracks of one camera, by default from the first frame of a face on."""

    def __init__(self, **fields: Any) -> None:
        self._follower = FaceFollower(1, 0.0, TrackerSpec(**{"least_hits": 1, **fields}))

    def update(self, faces: Any, t_ms: Any) -> list[Track]:
        n = len(faces) if isinstance(faces, list) else 1
        followed = self._follower.update(faces, np.zeros((n, 1), np.float32), t_ms)
        return [track for track, _, _ in followed]

    def reset(self) -> None:
        self._follower.reset()


def tracker(**fields: Any) -> Tracks:
    return Tracks(**fields)


def found(tracks: list[Track], t_ms: int) -> dict[float, int]:
    """Which id stands where (by the middle's x) in the frame of that time."""
    return {round((t.face.box[0] + t.face.box[2]) / 2, 6): t.id for t in tracks if t.seen_ms == t_ms}


def ids_over(frames: list[list[Face]], **fields: Any) -> list[list[int]]:
    """Return, for each frame, the ids in the order of its faces."""
    followed, ids = tracker(**fields), []
    for i, faces in enumerate(frames):
        tracks = followed.update(faces, i * MS)
        by_face = {t.face: t.id for t in tracks if t.seen_ms == i * MS}
        ids.append([by_face[f] for f in faces])
    return ids


# --- identities ---


def test_a_face_that_stays_keeps_its_id() -> None:
    assert ids_over([[face(100)]] * 5) == [[1]] * 5


def test_a_moving_face_keeps_its_id() -> None:
    assert ids_over([[face(100 + 15 * i, 100 + 5 * i)] for i in range(20)]) == [[1]] * 20


def test_a_face_that_comes_nearer_keeps_its_id() -> None:
    assert ids_over([[face(100, side=20 * 1.1**i)] for i in range(20)]) == [[1]] * 20


def test_a_face_of_another_size_is_another() -> None:
    assert ids_over([[face(100, side=40)], [face(100, side=81)]]) == [[1], [2]]


def test_a_face_elsewhere_is_another() -> None:
    assert ids_over([[face(100)], [face(100), face(300)], [face(300), face(100)]]) == [[1], [1, 2], [2, 1]]


def test_faces_that_cross_keep_their_ids() -> None:
    """One above the other by a third of a face, in opposite directions."""
    frames = [[face(100 + 10 * i, 100), face(300 - 10 * i, 113)] for i in range(21)]
    assert ids_over(frames) == [[1, 2]] * 21


def test_faces_that_cross_hidden_from_each_other_keep_their_ids() -> None:
    """While they overlap, the detector sees one: the front one. The other is expected behind it."""
    frames = []
    for i in range(31):
        front, behind = face(100 + 10 * i), face(400 - 10 * i)
        hidden = abs((100 + 10 * i) - (400 - 10 * i)) < 30
        frames.append([front] if hidden else [front, behind])
    ids = ids_over(frames)
    assert all(frame[0] == 1 for frame in ids)
    assert ids[-1] == [1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_forty_faces_in_any_order_keep_their_ids(seed: int) -> None:
    rng = np.random.default_rng(seed)
    home = [(100.0 + 90 * (i % 8), 100.0 + 90 * (i // 8)) for i in range(40)]
    speed = rng.uniform(-2, 2, (40, 2))
    followed = tracker()
    known: dict[int, int] = {}
    for frame in range(12):
        order = rng.permutation(40)
        jitter = rng.normal(0, 1, (40, 2))
        places = [(home[i] + speed[i] * frame + jitter[i]) for i in range(40)]
        faces = {i: face(*places[i]) for i in order}
        ids = {t.face: t.id for t in followed.update(list(faces.values()), frame * MS)}
        for i in range(40):
            assert known.setdefault(i, ids[faces[i]]) == ids[faces[i]]
    assert sorted(known.values()) == list(range(1, 41))


def test_the_order_of_faces_does_not_matter_after_birth() -> None:
    rng = np.random.default_rng(7)
    first = [face(100 + 60 * i) for i in range(6)]
    straight, shuffled = tracker(), tracker()
    straight.update(first, 0)
    shuffled.update(first, 0)
    for frame in range(1, 10):
        faces = [face(100 + 60 * i + rng.normal(0, 3), 100 + rng.normal(0, 3)) for i in range(6)]
        a = straight.update(faces, frame * MS)
        b = shuffled.update([faces[i] for i in rng.permutation(6)], frame * MS)
        assert found(a, frame * MS) == found(b, frame * MS)


# --- births, gaps and deaths ---


def test_a_track_is_confirmed_when_it_was_seen_often_enough() -> None:
    followed = tracker(least_hits=3)
    frames = [followed.update([face(100)], i * MS) for i in range(4)]
    assert [len(tracks) for tracks in frames] == [0, 0, 1, 1]
    seen = [track for tracks in frames for track in tracks]
    assert [(t.confirmed, t.hits) for t in seen] == [(True, 3), (True, 4)]
    assert (seen[-1].first_ms, seen[-1].seen_ms) == (0, 3 * MS)


def test_a_false_alarm_ends_with_the_next_frame() -> None:
    followed = tracker(least_hits=2)
    assert followed.update([face(100)], 0) == []
    assert followed.update([], MS) == []
    assert followed.update([face(100)], 2 * MS) == []
    assert [t.id for t in followed.update([face(100)], 3 * MS)] == [2]


def test_a_gap_keeps_the_id_and_says_where_the_face_is_expected() -> None:
    followed = tracker(agility=1.0)
    for i in range(3):
        followed.update([face(100 + 20 * i)], i * MS)
    (lost,) = followed.update([], 5 * MS)
    assert (lost.id, lost.seen_ms, lost.hits) == (1, 2 * MS, 3)
    assert lost.face.box == pytest.approx(face(200).box)
    assert lost.face.eyes[0] == pytest.approx(face(200).eyes[0])
    assert found(followed.update([face(220)], 6 * MS), 6 * MS) == {220.0: 1}


@pytest.mark.parametrize(("gap", "same"), [(600, True), (601, False)])
def test_a_track_ends_when_frames_miss_it_for_too_long(gap: int, same: bool) -> None:
    followed = tracker(most_gap_ms=600)
    for t_ms in (0, MS):
        followed.update([face(100)], t_ms)
    followed.update([], 2 * MS)
    tracks = followed.update([face(100)], MS + gap)
    assert [t.id for t in tracks] == ([1] if same else [2])


@pytest.mark.parametrize(("every_ms", "same"), [(700, True), (5000, True), (5001, False)])
def test_a_camera_may_be_slow(every_ms: int, same: bool) -> None:
    followed = tracker(most_gap_ms=600)
    ids = [[t.id for t in followed.update([face(100)], i * every_ms)] for i in range(4)]
    assert ids == ([[1]] * 4 if same else [[1], [2], [3], [4]])


def test_of_a_slow_camera_one_frame_that_misses_a_face_ends_its_track() -> None:
    followed = tracker(most_gap_ms=600)
    for i in range(3):
        followed.update([face(100)], i * 1000)
    assert followed.update([], 3000) == []


def test_empty_frames_are_frames() -> None:
    followed = tracker(most_gap_ms=100)
    assert followed.update([], 0) == []
    for t_ms in (10, 20):
        followed.update([face(100)], t_ms)
    assert [len(followed.update([], t_ms)) for t_ms in (60, 120, 121)] == [1, 1, 0]


def test_a_camera_that_drops_frames_loses_nobody() -> None:
    """Speeds are by time, not by frame."""
    followed, t_ms, places = tracker(), 0, []
    for gap in (40, 40, 120, 40, 200, 80, 40):
        places.append(found(followed.update([face(100 + t_ms * 0.4)], t_ms), t_ms))
        t_ms += gap
    assert {i for place in places for i in place.values()} == {1}


def test_two_frames_may_have_one_time() -> None:
    followed = tracker()
    followed.update([face(100)], 0)
    assert [t.id for t in followed.update([face(110)], 0)] == [1]
    assert [t.id for t in followed.update([face(112)], MS)] == [1]


def test_reset_gives_a_fresh_tracker() -> None:
    frames = [[face(100 + 5 * i), face(300)] for i in range(4)]
    followed = tracker()
    first = [repr(followed.update(faces, 1000 + i * MS)) for i, faces in enumerate(frames)]
    followed.reset()
    assert [repr(followed.update(faces, 1000 + i * MS)) for i, faces in enumerate(frames)] == first
    followed.reset()
    assert followed.update([face(1)], 0)[0].id == 1


# --- what may come ---


def test_time_does_not_go_back() -> None:
    followed = tracker()
    followed.update([face(100)], 1000)
    with pytest.raises(InputError, match="t_ms went back from 1000 to 999; pass frames in the order"):
        followed.update([face(100)], 999)
    assert [t.id for t in followed.update([face(100)], 1000 + MS)] == [1]
    for t_ms in (2**52 + 1, 2**80, -(2**80)):
        with pytest.raises(InputError, match=rf"t_ms must be within 2\^52 ms of 0, got {t_ms};"):
            tracker().update([], t_ms)


@pytest.mark.parametrize("box", [(0, 0, np.nan, 9), (0, 0, np.inf, 9), (9, 0, 0, 9), (5, 5, 5, 9)])
def test_a_bad_box_is_named_and_changes_nothing(box: Any) -> None:
    followed = tracker()
    followed.update([face(100)], 0)
    bad = Face(box, ((1, 1), (2, 2)))
    with pytest.raises(InputError, match="the box of face 1 has NaN or no area"):
        followed.update([face(300), bad], MS)
    assert [t.id for t in followed.update([face(100)], MS)] == [1]


@pytest.mark.parametrize("t_ms", [0.0, "0", None, True])
def test_times_are_integers(t_ms: Any) -> None:
    with pytest.raises(InputTypeError, match="expected an int as t_ms, got"):
        tracker().update([], t_ms)
    assert tracker().update([], np.int64(3)) == []


@pytest.mark.parametrize("faces", [None, 3, [None], [(0, 0, 1, 1)]])
def test_what_is_no_face_is_refused(faces: Any) -> None:
    with pytest.raises(InputTypeError, match="expected a sequence of Face, got"):
        tracker().update(faces, 0)


# --- specs ---

OTHER: dict[str, Any] = {
    "least_overlap": 0.3,
    "most_distance": 0.5,
    "most_growth": 1.5,
    "agility": 0.4,
    "most_gap_ms": 500,
    "least_hits": 1,
}


def test_a_spec_is_a_value() -> None:
    spec = TrackerSpec(agility=0.25)
    assert spec == TrackerSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert spec == pickle.loads(pickle.dumps(spec))
    assert spec != TrackerSpec()
    assert set(OTHER) == set(spec.to_dict())
    assert len({TrackerSpec(**{k: v}).digest for k, v in OTHER.items()} | {spec.digest}) == len(OTHER) + 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"least_overlap": -0.1}, "least_overlap must be in"),
        ({"most_distance": 11}, r"most_distance must be in \[0, 10\], got 11"),
        ({"most_growth": 0.9}, "most_growth must be in"),
        ({"agility": float("nan")}, "agility must be in"),
        ({"most_gap_ms": -1}, "most_gap_ms must be in"),
        ({"most_gap_ms": 1.5}, "most_gap_ms must be an int, got float 1.5"),
        ({"least_hits": 0}, "least_hits must be in"),
        ({"max_age": 3}, "unknown key 'max_age' in a TrackerSpec; the keys are agility"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        TrackerSpec(**fields)
