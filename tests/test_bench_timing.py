"""The loop of the benchmark, under clocks that tests move; noise and energy of machines that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, cycle, repeat
from pathlib import Path

import numpy as np
import pytest

from edgeemo.bench.energy import NONE, Meter
from edgeemo.bench.noise import noise, tail_noise
from edgeemo.bench.timing import BLOCKS, Effort, Measured, Timer
from edgeemo.machine import Condition

CALM = Condition(50.0, 1800.0, 1800.0, ("performance",), (), (), 3, None, 0.4, 2000)


class Clock:
    """Stands still until somebody works."""

    def __init__(self) -> None:
        self.now = 0
        self.cpu = 0

    def __call__(self) -> int:
        return self.now

    def work(self, ns: int, share: float = 1.0) -> None:
        self.now += ns
        self.cpu += round(ns * share)


class Product:
    """A recognizer that takes the given times, in three stages."""

    def __init__(self, clock: Clock, times: Iterator[int], share: float = 1.0) -> None:
        self.clock, self.times, self.share = clock, times, share
        self.calls = 0

    def call(self) -> None:
        self.calls += 1
        self.clock.work(next(self.times), self.share)

    def staged(self) -> dict[str, int]:
        self.clock.work(950)
        return {"frontend": 300, "invoke": 600, "post": 50, "between": 0}

    def measure(self, effort: Effort) -> Measured:
        return self.timer().measure(effort)

    def timer(self, tick: Callable[[float], None] = lambda _: None) -> Timer:
        return Timer(self.call, self.staged, clock=self.clock, cpu_clock=lambda: self.clock.cpu, tick=tick)


@pytest.mark.parametrize("rounds", [1, 7, 40, 57, 100, 443])
def test_rounds_are_exactly_so_many_whole_calls(rounds: int) -> None:
    found = Product(Clock(), repeat(1000)).measure(Effort(rounds=rounds))
    assert len(found.whole) == rounds
    assert len(found.blocks) == min(BLOCKS, max(1, rounds // 10))
    assert min(map(len, found.blocks)) >= min(10, rounds)
    assert found.whole == [1000] * rounds


def test_the_first_call_after_others_does_not_count() -> None:
    """It finds the caches full of what the stages' clocks left there."""
    clock = Clock()

    class Cold(Product):
        cold = True

        def call(self) -> None:
            self.calls += 1
            self.clock.work(5000 if self.cold else 1000)
            self.cold = False

        def staged(self) -> dict[str, int]:
            self.cold = True
            return super().staged()

    found = Cold(clock, repeat(0)).measure(Effort(rounds=100))
    assert found.whole == [1000] * 100
    assert found.wall == found.cpu == 100_000


def test_seconds_are_kept() -> None:
    clock = Clock()
    found = Product(clock, repeat(10_000)).measure(Effort(seconds=1.0))
    assert found.warm
    spent = (clock.now - found.warm_up_ns) / 1e9
    assert 0.75 < spent < 1.25
    assert len(found.whole) == pytest.approx(0.8e9 / 10_000, rel=0.01)


def test_a_slow_call_is_measured_for_longer_than_asked_but_not_for_ever() -> None:
    product = Product(Clock(), repeat(1_000_000_000))
    found = product.measure(Effort(seconds=1.0))
    assert 10 <= len(found.whole) <= 12
    assert found.warm_up_ns <= 8e9, "its ten calls cannot be quoted, however long the warm-up was"
    assert reasons(found) == "only 10 calls (at least 30); it was not steady when the warm-up ended"


def test_the_warm_up_goes_on_until_it_is_steady_and_does_not_count() -> None:
    slow = [3000 - 10 * i for i in range(200)]
    found = Product(Clock(), chain(slow, repeat(1000))).measure(Effort(rounds=400))
    assert found.warm
    assert 200 <= found.warm_up_calls < 400
    assert set(found.whole) == {1000}


def test_what_never_becomes_steady_says_so() -> None:
    found = Product(Clock(), (1000 + 30 * i for i in range(10_000))).measure(Effort(rounds=40))
    assert not found.warm
    assert found.warm_up_calls == 3 * 40


def test_stages_are_timed_in_calls_of_their_own() -> None:
    product = Product(Clock(), repeat(1000))
    found = product.measure(Effort(rounds=400))
    uncounted = found.warm_up_calls // 10 + len(found.blocks)  # one before each block
    assert product.calls == 3 + found.warm_up_calls + 400 + uncounted
    assert set(found.stages) == {"between", "frontend", "invoke", "post"}
    assert found.stages["invoke"] == [600] * 80
    assert found.staged > 80


def test_cpu_time_is_that_of_whole_calls_alone() -> None:
    found = Product(Clock(), repeat(1000), share=1.7).measure(Effort(rounds=100))
    assert (found.cpu, found.wall) == (170_000, 100_000)


def test_progress_is_told_between_blocks() -> None:
    progress: list[float] = []
    Product(Clock(), repeat(1000)).timer(progress.append).measure(Effort(rounds=80))
    assert progress[0] == 0.0
    assert progress[-1] == 1.0
    assert progress == sorted(progress)


@pytest.mark.parametrize(
    ("seconds", "effort"),
    [
        (100, Effort(seconds=0.05)),
        (0.01, Effort(seconds=600)),
        (0.01, Effort(rounds=40_000)),
        (100, Effort(rounds=400)),
    ],
)
def test_a_sign_of_life_is_given_at_least_each_three_calls_or_seconds(seconds: float, effort: Effort) -> None:
    """The parent process waits for five minutes at most, however slow a call, and however long a block."""
    clock, gaps = Clock(), [0]

    def tick(_: float) -> None:
        gaps.append(clock.now)

    product = Product(clock, repeat(round(1e9 * seconds)))
    product.timer(tick).measure(effort)
    assert max(np.diff([*gaps, clock.now])) <= 3e9 * max(1, seconds)


def test_a_block_that_is_cut_is_measured_whole() -> None:
    found = Product(Clock(), repeat(300_000_000)).measure(Effort(rounds=400))
    assert [len(block) for block in found.blocks] == [10] * BLOCKS
    assert found.wall == found.cpu == 400 * 300_000_000
    assert len(found.stages["invoke"]) == BLOCKS * round(10 * 0.25)


def test_progress_within_a_long_block_is_told() -> None:
    progress: list[float] = []
    Product(Clock(), repeat(300_000_000)).timer(progress.append).measure(Effort(rounds=100))
    assert {0.03, 0.06, 0.09, 0.1} <= {round(share, 4) for share in progress}
    assert progress == sorted(progress)


# --- noise --------------------------------------------------------------------------------------------------


def measured(times: Iterator[int], **changes: object) -> Measured:
    blocks = [[next(times) for _ in range(5)] for _ in range(40)]
    wall = sum(map(sum, blocks))
    return replace(Measured(blocks, wall=wall, cpu=wall, warm=True), **changes)  # type: ignore[arg-type]


def reasons(found: Measured, before: Condition = CALM, after: Condition = CALM, *, alone: bool = True) -> str:
    return "; ".join(noise(found, before, after, cores=2, alone=alone))


def test_a_quiet_measurement_may_be_quoted() -> None:
    assert not reasons(measured(cycle([1000, 1004, 998, 1010, 990])))


def test_rare_spikes_do_not_make_it_noisy() -> None:
    assert not reasons(measured(cycle([*[1000] * 49, 90_000])))


def test_each_kind_of_noise_is_named() -> None:
    steps = chain(repeat(1000, 100), repeat(1200, 100))
    assert "it drifted: the second half took +20.0% (at most ±5%)" in reasons(measured(steps))
    back = chain(repeat(1250, 100), repeat(1000, 100))
    assert "it drifted: the second half took -20.0% (at most ±5%)" in reasons(measured(back))
    two = cycle([*[1000] * 5, *[1300] * 5])
    assert "the middle half of the blocks lies" in reasons(measured(two))
    assert "not steady" in reasons(measured(repeat(1000), warm=False))
    few = Measured([[1000]] * 5, wall=5000, cpu=5000, warm=True)
    assert reasons(few) == "only 5 calls (at least 30)"
    few = Measured([[1000] * 10] * 9, wall=90_000, cpu=90_000, warm=True)
    assert reasons(few) == "only 9 blocks of calls (at least 10)"


def test_a_call_that_waited_for_a_core_is_noisy_unless_it_works_elsewhere() -> None:
    found = measured(repeat(1000), cpu=140_000)
    assert reasons(found) == "it had a core only 70.0% of the time (at least 95%): something else runs"
    assert not reasons(found, alone=False)


def test_what_just_misses_a_limit_does_not_look_as_if_it_met_it() -> None:
    assert "only 94.9% of the time (at least 95%)" in reasons(measured(repeat(1000), cpu=189_800))


def test_the_medians_interval_is_around_the_median() -> None:
    """With an even number of blocks the median lies between the middle two, not on the upper one."""
    two = measured(chain(repeat(1000, 100), repeat(1080, 100)))
    assert "the median is known to" not in reasons(two)


def test_what_the_machine_says_counts() -> None:
    quiet = measured(repeat(1000))
    assert reasons(quiet, replace(CALM, load=3.5)) == "the load was 3.5 on 2 cores"
    assert "under-voltage while" in reasons(quiet, after=replace(CALM, throttled=("under-voltage",)))
    assert "heat slowed cores down" in reasons(quiet, after=replace(CALM, throttle_events=4))
    assert "fell from 1800 to 600 MHz" in reasons(quiet, after=replace(CALM, clock_mhz=600.0))
    assert not reasons(quiet, replace(CALM, clock_mhz=600.0)), "a clock that rises is the governor's work"


def test_a_tail_that_is_too_noisy_to_quote_says_why() -> None:
    total = {"p50": 50.0, "p95": 100.0, "p99": 200.0}
    assert not tail_noise(total, {"p95": (96.0, 104.0), "p99": (191.0, 209.0)}, 5000)
    assert tail_noise(total, {"p95": (96.0, 112.0), "p99": (180.0, None)}, 100) == {
        "p95": "it is known to -4.0% … +12.0% only (at most ±5%)",
        "p99": "it cannot be known from 100 calls",
    }


# --- energy -------------------------------------------------------------------------------------------------


def draw(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


RAPL = "sys/class/powercap/intel-rapl:0"


def test_energy_is_what_the_packages_counted(tmp_path: Path) -> None:
    files = {f"{RAPL}/energy_uj": "1000\n", f"{RAPL}/name": "package-0\n"}
    core = {"sys/class/powercap/intel-rapl:0:0/energy_uj": "7\n"}  # a part of the package: not counted twice
    meter = Meter(draw(tmp_path, {**files, **core}))
    meter.start()
    draw(tmp_path, {f"{RAPL}/energy_uj": "51000\n", "sys/class/powercap/intel-rapl:0:0/energy_uj": "90000\n"})
    meter.stop(10)
    assert meter.to_dict() == {"mj_per_call": 5.0, "why": "RAPL: package-0; of all that ran, not of us alone"}


def test_each_package_counts_once_and_what_holds_it_does_not(tmp_path: Path) -> None:
    """A laptop: one package read by two ways, its memory, and the whole board."""
    domains = {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "dram",
        "intel-rapl:1": "psys",
        "intel-rapl-mmio:0": "package-0",
        "intel-rapl-mmio:0:0": "dram",
    }
    folder = "sys/class/powercap"
    draw(tmp_path, {f"{folder}/{at}/name": f"{name}\n" for at, name in domains.items()})
    draw(tmp_path, {f"{folder}/{at}/energy_uj": "1000\n" for at in domains})
    meter = Meter(tmp_path)
    meter.start()
    draw(tmp_path, {f"{folder}/{at}/energy_uj": "51000\n" for at in domains})
    meter.stop(10)
    assert meter.to_dict() == {"mj_per_call": 5.0, "why": "RAPL: package-0; of all that ran, not of us alone"}


def test_two_packages_add_up(tmp_path: Path) -> None:
    for i in (0, 1):
        at = f"sys/class/powercap/intel-rapl:{i}"
        draw(tmp_path, {f"{at}/name": f"package-{i}", f"{at}/energy_uj": "0"})
    meter = Meter(tmp_path)
    meter.start()
    draw(tmp_path, {f"sys/class/powercap/intel-rapl:{i}/energy_uj": "5000" for i in (0, 1)})
    meter.stop(1)
    assert meter.to_dict()["mj_per_call"] == 10.0
    assert "RAPL: package-0, package-1;" in meter.to_dict()["why"]


def test_a_counter_that_goes_round_is_followed(tmp_path: Path) -> None:
    files = {"name": "package-0", "energy_uj": "9000", "max_energy_range_uj": "10000"}
    meter = Meter(draw(tmp_path, {f"{RAPL}/{name}": text for name, text in files.items()}))
    meter.start()
    draw(tmp_path, {f"{RAPL}/energy_uj": "1000"})
    meter.stop(1)
    assert meter.to_dict()["mj_per_call"] == 2.0


def test_a_power_meter_stands_in(tmp_path: Path) -> None:
    rail = {"in1_label": "VDD_IN", "in1_input": "5000", "curr1_input": "1000"}
    meter = Meter(draw(tmp_path, {f"sys/class/hwmon/hwmon0/{name}": text for name, text in rail.items()}))
    meter.start()
    meter.stop(1)
    assert meter.to_dict()["mj_per_call"] > 0
    assert "power meter" in meter.to_dict()["why"]


def test_without_a_counter_the_reason_is_told(tmp_path: Path) -> None:
    meter = Meter(tmp_path)
    meter.start()
    meter.stop(5)
    assert meter.to_dict() == {"mj_per_call": None, "why": NONE}


def test_a_counter_that_only_root_may_read_is_named(tmp_path: Path) -> None:
    (tmp_path / RAPL / "energy_uj").mkdir(parents=True)  # cannot be read, even by root
    draw(tmp_path, {f"{RAPL}/name": "package-0"})
    found = Meter(tmp_path).to_dict()
    assert found["mj_per_call"] is None
    assert "run it as root" in found["why"]
