"""What is read of a face is steadied over time: the native smoother against its slow reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo._core import Smoother
from edgeemo.errors import InputError, InputTypeError, SpecError

Doubles = npt.NDArray[np.float64]


def reference(rows: Doubles, evidence: Doubles, t_ms: Doubles, time_ms: float) -> tuple[Doubles, float]:
    """The mean after the last row, from the definition: all weights at once, nothing carried on."""
    share = -np.expm1(-np.diff(t_ms) / time_ms)
    share = np.concatenate((share[:1], share)) if len(share) else np.ones(1)  # the first as the second
    weight = share * np.exp(-(t_ms[-1] - t_ms) / time_ms)
    said = weight @ (evidence[:, None] * rows) / max(weight @ evidence, 1e-300)
    return said, float(weight @ evidence / weight.sum())


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
def test_every_mean_is_that_of_the_twin(frames: list[tuple[float, float, int]], time_ms: float) -> None:
    smoother = Smoother(2, time_ms)
    rows = np.array([[x, 1 - x] for x, _, _ in frames])
    evidence = np.array([e for _, e, _ in frames])
    times = np.cumsum([t for _, _, t in frames])
    for n in range(1, len(frames) + 1):
        x = rows[n - 1].astype(np.float32)
        mean, said = smoother.update(1, x, evidence[n - 1], int(times[n - 1]))
        expected, evidence_expected = reference(rows[:n], evidence[:n], times[:n].astype(np.float64), time_ms)
        np.testing.assert_allclose(mean, expected, atol=2e-6)
        assert said == pytest.approx(evidence_expected, abs=1e-9)


def test_sums_stay_sums() -> None:
    """Probabilities that sum to 1 do so after smoothing, after any gap."""
    smoother, rng = Smoother(8, 300.0), np.random.default_rng(0)
    t = 0
    for _ in range(200):
        t += int(rng.integers(1, 3000))
        mean, _ = smoother.update(1, rng.dirichlet(np.ones(8)).astype(np.float32), rng.uniform(0.1, 1), t)
        assert mean.sum() == pytest.approx(1, abs=1e-6)
        assert mean.min() >= 0


def test_a_reset_smoother_is_a_fresh_one() -> None:
    used, fresh = Smoother(1, 50.0), Smoother(1, 50.0)
    used.update(1, row(5), 1.0, 1000)
    used.reset()
    assert len(used) == 0
    for t, x in ((0, 1.0), (20, 2.0)):
        a, b = (s.update(1, row(x), 0.5, t) for s in (used, fresh))
        assert a[0] == b[0]
        assert a[1] == b[1]


def test_only_the_tracks_to_keep_are_remembered() -> None:
    smoother = Smoother(1, 1000.0)
    for key in (1, 2, 3):
        smoother.update(key, row(key), 1.0, 0)
    smoother.keep([2, 9])
    assert len(smoother) == 1
    assert smoother.update(1, row(7), 1.0, 1)[0] == 7
    assert smoother.update(2, row(0), 1.0, 1)[0] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("given", "evidence", "t_ms", "error", "says"),
    [
        (row(np.nan), 1.0, 0, InputError, "number 0 of the row is not finite"),
        (row(np.inf), 1.0, 0, InputError, "number 0 of the row is not finite"),
        (row(0), 1.5, 0, InputError, "evidence must be in"),
        (row(0), float("nan"), 0, InputError, "evidence must be in"),
        (row(0), 1.0, -1, InputError, "t_ms went back from 0 to -1"),
        (row(0, 1), 1.0, 0, InputError, r"the shape \(1,\)"),
        (np.zeros((1, 1), np.float32), 1.0, 0, InputError, r"the shape \(1,\)"),
        (np.zeros(1), 1.0, 0, InputTypeError, "expected a float32 array"),
        ([0.0], 1.0, 0, InputTypeError, "expected a float32 array"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    given: Any, evidence: float, t_ms: int, error: type[Exception], says: str
) -> None:
    smoother = Smoother(1, 100.0)
    smoother.update(1, row(1), 1.0, 0)
    with pytest.raises(error, match=says):
        smoother.update(1, given, evidence, t_ms)
    assert smoother.update(1, row(1), 1.0, 0)[0] == 1
    assert len(smoother) == 1


@pytest.mark.parametrize(("size", "time_ms"), [(0, 1.0), (1, -1.0), (1, 60001.0), (1, float("nan"))])
def test_a_smoother_that_cannot_be_is_refused(size: int, time_ms: float) -> None:
    with pytest.raises(SpecError):
        Smoother(size, time_ms)
