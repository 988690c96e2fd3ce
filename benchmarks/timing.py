"""How long calls take beside each other: in turns, so that what disturbs the machine disturbs all alike.

A *batch* is a number of calls of one contestant, long enough for the clock. A *round* has one batch of each
contestant, and every second round has the other order (A B, B A, …). The time of a contestant is the median
of its batches, with their 5th and 95th percentiles. Two contestants are compared by the median of the ratios
within rounds. On a shared machine this says more than the ratio of the medians.

Times are processor time, which other programs on the machine do not stretch. The wall clock is given, too.
Contestants work in one thread, so that on an idle machine both are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter_ns, process_time_ns
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np


class Spent(NamedTuple):
    """Seconds that a batch took: of the processor, all threads of the process together, and on the wall."""

    processor: float
    wall: float


Batch: TypeAlias = Callable[[int], Spent]
"""Makes so many calls and says what they took; in this process or in another."""

BATCH_S = 0.004
MOST_CALLS = 10_000
LEAST_ROUNDS, MOST_ROUNDS = 9, 41


@dataclass(frozen=True)
class Times:
    """Microseconds a call takes: median, percentiles and least of ``rounds`` batches of ``calls`` each.

    ``wall_us`` is the median on the wall, where the others are of processor time.
    """

    us: float
    p5: float
    p95: float
    least: float
    rounds: int
    calls: int
    wall_us: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Race:
    """The times of all, and of each how many times as long it took as the first, with percentiles."""

    times: Mapping[str, Times]
    ratios: Mapping[str, tuple[float, float, float]]


def batches_of(call: Callable[[], object]) -> Batch:
    """Return the batches of a call in this process."""

    def batch(calls: int) -> Spent:
        wall, processor = perf_counter_ns(), process_time_ns()
        for _ in range(calls):
            call()
        processor = process_time_ns() - processor
        return Spent(processor / 1e9, (perf_counter_ns() - wall) / 1e9)

    return batch


def race(
    batches: Mapping[str, Batch],
    *,
    seconds: float = 2.0,
    each: int = 1,
    batch_s: float = BATCH_S,
    most_rounds: int = MOST_ROUNDS,
    by: Literal["processor", "wall"] = "processor",
) -> Race:
    """Time contestants in turns, the first being what the others are compared with.

    Args:
        batches: by name. seconds: about how long to go on: 9 to ``most_rounds`` rounds.
        each: how many things one call does (texts, for instance); times are of one.
        batch_s: the least length of a batch.
        by: what times and ratios are of; ``"wall"`` where several threads work at once.
    """
    calls, lasts = {}, {}
    for name, batch in batches.items():
        batch(1)  # what happens once: caches, lazy imports
        once = min(getattr(batch(1), by) for _ in range(3))
        calls[name] = int(np.clip(np.ceil(batch_s / max(once, 1e-8)), 1, MOST_CALLS))
        lasts[name] = batch(calls[name]).wall  # warm
    rounds = int(np.clip(seconds / max(sum(lasts.values()), 1e-6), LEAST_ROUNDS, most_rounds))
    found: dict[str, list[float]] = {name: [] for name in batches}
    walls: dict[str, list[float]] = {name: [] for name in batches}
    for i in range(rounds):
        for name in list(batches)[:: 1 if i % 2 == 0 else -1]:
            spent, per_thing = batches[name](calls[name]), 1e6 / calls[name] / each
            found[name].append(getattr(spent, by) * per_thing)
            walls[name].append(spent.wall * per_thing)
    first = np.array(found[next(iter(batches))])
    times, ratios = {}, {}
    for name, us in found.items():
        p5, median, p95 = np.percentile(us, [5, 50, 95])
        wall = float(np.median(walls[name]))
        times[name] = Times(float(median), float(p5), float(p95), min(us), rounds, calls[name], wall)
        low, middle, high = np.percentile(np.array(us) / first, [5, 50, 95])
        ratios[name] = (float(middle), float(low), float(high))
    return Race(times, ratios)


def interleaved_ratio(
    ours: Callable[[], object], theirs: Callable[[], object], each: int = 1
) -> tuple[float, float, float]:
    """Return the microseconds of processor time of both, and how many times as long theirs takes."""
    found = race({"ours": batches_of(ours), "theirs": batches_of(theirs)}, seconds=1.0, each=each)
    return found.times["ours"].us, found.times["theirs"].us, found.ratios["theirs"][0]
