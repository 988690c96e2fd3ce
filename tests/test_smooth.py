"""A stream steadies the scores of a face over time: the native mean against its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo.errors import InputError, InputTypeError, SpecError
from edgeemo.faces import Face, FaceFollower, TrackerSpec

Doubles = npt.NDArray[np.float64]


def by_definition(rows: Doubles, evidence: Doubles, t_ms: Doubles, time_ms: float) -> tuple[Doubles, float]:
    """The mean after the last row, from the definition: all weights at once, nothing carried on."""
    share = -np.expm1(-np.diff(t_ms) / time_ms)
    share = np.concatenate((share[:1], share)) if len(share) else np.ones(1)  # the first as the second
    weight = share * np.exp(-(t_ms[-1] - t_ms) / time_ms)
    said = weight @ (evidence[:, None] * rows) / max(weight @ evidence, 1e-300)
    return said, float(weight @ evidence / weight.sum())


class Smoother:
    """The mean of one face that stays where it is."""

    def __init__(self, size: int, time_ms: float) -> None:
        self.follower = FaceFollower(size, time_ms, TrackerSpec(least_hits=1))

    def update(self, rows: Any, evidence: float, t_ms: int) -> tuple[npt.NDArray[np.float32], float]:
        face = Face((0, 0, 40, 40), ((10, 15), (30, 15)), evidence)
        rows = rows[None] if isinstance(rows, np.ndarray) else rows
        ((_, mean, said),) = self.follower.update([face], rows, t_ms)
        return mean, said


def row(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


@given(
    st.lists(
        st.tuples(st.floats(-1, 1, width=32), st.floats(0.05, 1), st.integers(1, 400)),
        min_size=1,
        max_size=30,
    ),
    st.floats(20, 2000),
)
@settings(max_examples=60, deadline=None)
def test_every_mean_follows_the_definition(frames: list[tuple[float, float, int]], time_ms: float) -> None:
    smoother = Smoother(2, time_ms)
    rows = np.array([[x, 1 - x] for x, _, _ in frames])
    evidence = np.array([e for _, e, _ in frames])
    times = np.cumsum([t for _, _, t in frames])
    for n in range(1, len(frames) + 1):
        x = rows[n - 1].astype(np.float32)
        mean, said = smoother.update(x, evidence[n - 1], int(times[n - 1]))
        expected, evidence_expected = by_definition(
            rows[:n], evidence[:n], times[:n].astype(np.float64), time_ms
        )
        np.testing.assert_allclose(mean, expected, atol=2e-6)
        assert said == pytest.approx(evidence_expected, abs=1e-9)


def test_sums_stay_sums() -> None:
    """Probabilities that sum to 1 do so after smoothing, after any gap."""
    smoother, rng = Smoother(8, 300.0), np.random.default_rng(0)
    t = 0
    for _ in range(200):
        t += int(rng.integers(1, 3000))
        mean, _ = smoother.update(rng.dirichlet(np.ones(8)).astype(np.float32), rng.uniform(0.1, 1), t)
        assert mean.sum() == pytest.approx(1, abs=1e-6)
        assert mean.min() >= 0


def test_a_reset_smoother_is_a_fresh_one() -> None:
    used, fresh = Smoother(1, 50.0), Smoother(1, 50.0)
    used.update(row(5), 1.0, 1000)
    used.follower.reset()
    assert len(used.follower) == 0
    for t, x in ((0, 1.0), (20, 2.0)):
        a, b = (s.update(row(x), 0.5, t) for s in (used, fresh))
        assert a[0] == b[0]
        assert a[1] == b[1]


def test_a_mean_ends_with_its_track() -> None:
    follower = FaceFollower(1, 1000.0, TrackerSpec(least_hits=1, most_gap_ms=100))
    faces = [Face((x, 0, x + 40, 40), ((x + 10, 15), (x + 30, 15)), 1.0) for x in (0, 200)]
    follower.update(faces, np.array([[1], [2]], np.float32), 0)
    assert len(follower) == 2
    ((_, mean, _),) = follower.update(faces[1:], np.array([[0]], np.float32), 101)
    assert len(follower) == 1
    assert 0 < mean[0] < 2


@pytest.mark.parametrize(("score", "counts"), [(1.5, 1.0), (-0.5, 0.0)])
def test_a_score_outside_0_to_1_is_held_to_that_range(score: float, counts: float) -> None:
    assert Smoother(1, 100.0).update(row(1), score, 0)[1] == counts


@pytest.mark.parametrize(
    ("given", "evidence", "t_ms", "error", "says"),
    [
        (row(np.nan), 1.0, 0, InputError, "number 0 of the row of face 0 is not finite"),
        (row(np.inf), 1.0, 0, InputError, "number 0 of the row of face 0 is not finite"),
        (row(0), float("nan"), 0, InputError, "evidence must be in"),
        (row(0), 1.0, -1, InputError, "t_ms went back from 0 to -1"),
        (row(0, 1), 1.0, 0, InputError, r"the shape \(1, 1\)"),
        (np.zeros((1, 1), np.float32), 1.0, 0, InputError, r"the shape \(1, 1\)"),
        (np.zeros(1), 1.0, 0, InputTypeError, "expected a float32 array"),
        ([0.0], 1.0, 0, InputTypeError, "expected a float32 array"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    given: Any, evidence: float, t_ms: int, error: type[Exception], says: str
) -> None:
    smoother = Smoother(1, 100.0)
    smoother.update(row(1), 1.0, 0)
    with pytest.raises(error, match=says):
        smoother.update(given, evidence, t_ms)
    assert smoother.update(row(1), 1.0, 0)[0] == 1
    assert len(smoother.follower) == 1


@pytest.mark.parametrize(("size", "time_ms"), [(0, 1.0), (1, -1.0), (1, 60001.0), (1, float("nan"))])
def test_a_smoother_that_cannot_be_is_refused(size: int, time_ms: float) -> None:
    with pytest.raises(SpecError):
        Smoother(size, time_ms)
