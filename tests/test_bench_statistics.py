"""The statistics describe known times: steady ones, drifting ones, two kinds of them, and spikes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edgeemo.bench.block_statistics import WINDOW, drift, effect, interval, quantiles, spread, steady, tail

RNG = np.random.default_rng(3)
BEGIN = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    """Give each test the same random numbers, whichever tests run before it."""
    RNG.bit_generator.state = BEGIN


def scattered(n: int, around: float = 100.0, by: float = 0.01) -> list[float]:
    return [around * (1 + by * float(x)) for x in RNG.standard_normal(n)]


def test_quantiles_are_those_of_numpy_in_microseconds() -> None:
    assert quantiles(list(range(1000, 102_000, 1000))) == {"p50": 51.0, "p95": 96.0, "p99": 100.0}
    assert quantiles([7_000]) == {"p50": 7.0, "p95": 7.0, "p99": 7.0}


def test_what_stays_where_it_is_is_steady() -> None:
    assert steady([100.0] * WINDOW)
    assert sum(steady(scattered(WINDOW)) for _ in range(200)) > 180


def test_fewer_blocks_than_a_window_are_never_steady() -> None:
    assert not steady([100.0] * (WINDOW - 1))


@pytest.mark.parametrize("share", [0.01, -0.01, 0.05])
def test_what_drifts_is_not_steady(share: float) -> None:
    assert not steady([100 * (1 + share * i) for i in range(WINDOW)])


def test_a_warm_up_that_ends_is_steady_only_afterwards() -> None:
    series = [300.0, 250, 200, 150, 120, 110, 105, 102, 101, 100] + [100.0] * 10
    first = next(n for n in range(len(series) + 1) if steady(series[:n]))
    assert WINDOW < first <= WINDOW + 8
    assert np.median(series[first - WINDOW : first]) < 105


def test_two_kinds_in_turns_are_steady_but_far_apart() -> None:
    series = [100.0, 130.0] * 10
    assert steady(series)
    assert steady(series[1:])
    assert spread(series) > 0.2


def test_a_step_is_a_drift() -> None:
    series = [100.0] * 10 + [120.0] * 10
    assert drift(series) == pytest.approx(0.2)
    assert not steady(series[5:15])


def test_spikes_change_neither_steadiness_nor_spread() -> None:
    series = scattered(40, by=0.002)
    for i in (3, 14, 33):
        series[i] = 5000.0
    assert spread(series) < 0.01
    assert abs(drift(series)) < 0.01
    assert steady([*series[:4], *series[:6]])


def test_one_block_has_no_drift_and_no_spread() -> None:
    assert (drift([5.0]), spread([5.0]), interval([5.0])) == (0.0, 0.0, (5.0, 5.0))


def test_the_interval_holds_the_true_median_nineteen_times_of_twenty() -> None:
    held = 0
    for _ in range(200):
        low, high = interval(scattered(40))
        held += low <= 100 <= high
    assert held >= 180


def test_an_effect_is_a_ratio_with_its_interval() -> None:
    found = effect(scattered(40, 120.0), scattered(40, 100.0))
    assert found.low < 1.2 < found.high
    assert found.ratio == pytest.approx(1.2, abs=0.01)
    assert found.high - found.low < 0.03
    assert set(found.to_dict()) == {"ratio", "low", "high"}


def test_of_equals_the_interval_holds_one() -> None:
    held = 0
    for _ in range(100):
        found = effect(scattered(40), scattered(40))
        held += found.low <= 1 <= found.high
    assert held >= 88


# --- tails --------------------------------------------------------------------------------------------------


def blocks_of(times: npt.NDArray[np.float64], count: int = 40) -> list[list[int]]:
    return [[round(1000 * float(t)) for t in block] for block in times.reshape(count, -1)]


@pytest.mark.parametrize("mood", [0.0, 0.05])
@pytest.mark.parametrize("share", [0.95, 0.99])
def test_the_interval_of_a_tail_holds_it_nineteen_times_of_twenty(share: float, mood: float) -> None:
    """This holds for independent calls and for calls that share a mood of four blocks at a time."""

    def drawn(count: int) -> npt.NDArray[np.float64]:
        moods = np.repeat(RNG.normal(1, mood, count // 100), 100) if mood else np.ones(count)
        return 100.0 * moods * RNG.gamma(9.0, 1 / 9, count)

    truth = 1000 * float(np.quantile(drawn(2_000_000), share))
    held = 0
    for _ in range(200):
        low, high = tail(blocks_of(drawn(4000)), share)
        held += low is not None and low <= truth and (high is None or truth <= high)
    assert held >= 180


def test_moods_of_the_machine_make_a_tail_less_known() -> None:
    calm = 100.0 + RNG.normal(0, 1, 4000)
    moody = calm + np.repeat(RNG.normal(0, 3, 10), 400)
    (low, high), (lowest, highest) = (tail(blocks_of(times), 0.95) for times in (calm, moody))
    assert low is not None
    assert high is not None
    assert lowest is not None
    assert highest is None or highest - lowest > 3 * (high - low)


@pytest.mark.parametrize(
    ("calls", "p95", "p99"), [(90, False, False), (100, True, False), (1000, True, True)]
)
def test_of_few_calls_a_tail_has_no_upper_end(calls: int, p95: bool, p99: bool) -> None:
    times = blocks_of(100.0 + RNG.permutation(calls) / calls, calls // 10)
    assert [tail(times, share)[1] is not None for share in (0.95, 0.99)] == [p95, p99]
