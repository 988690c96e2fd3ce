"""Time blocks of whole calls, as a user's loop would, and calls by stage in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter_ns, process_time_ns

import numpy as np

from .block_statistics import WINDOW, steady
from .energy import Meter

BLOCKS = 40
LEAST_OF_BLOCK = 10
"""The calls of a block if the number of calls is given: the median of fewer says little."""
WARM_UP = 3
"""The warm-up ends at the latest after this many times the measurement."""
_LATE = 2  # after this many times the seconds a measurement ends with `WINDOW` blocks
_WHOLE = 0.8  # the share of a block for whole calls; the rest is for stages
_SILENCE_NS = 1e9  # the longest burst of more than one call

Call = Callable[[], object]
Tell = Callable[[float], None]


@dataclass(frozen=True)
class Effort:
    """How long to measure: ``seconds``, or exactly ``rounds`` whole calls."""

    seconds: float = 2.0
    rounds: int | None = None

    def blocks(self) -> int:
        """Return the largest number of blocks; few ``rounds`` make fewer blocks."""
        return BLOCKS if self.rounds is None else min(BLOCKS, max(1, self.rounds // LEAST_OF_BLOCK))

    def calls(self, block: int, call_ns: float) -> int:
        """Return the number of whole calls in a block, by its number and the ns of one call."""
        if self.rounds is None:
            return max(1, int(_WHOLE * self.seconds * 1e9 / BLOCKS / max(call_ns, 1.0)))
        return self.rounds // self.blocks() + (block < self.rounds % self.blocks())


@dataclass
class Measured:
    """A measurement, in ns.

    Args:
        blocks: times of whole calls. stages: times by stage, one number a staged call.
        staged: the number of staged calls, with those of the warm-up.
        cpu: CPU time of all threads in the blocks. wall: time on the clock in the blocks.
        warm_up_calls, warm_up_ns: before the blocks. warm: whether the warm-up became steady.
    """

    blocks: list[list[int]] = field(default_factory=list)
    stages: dict[str, list[int]] = field(default_factory=dict)
    staged: int = 0
    cpu: int = 0
    wall: int = 0
    warm_up_calls: int = 0
    warm_up_ns: int = 0
    warm: bool = False

    @property
    def whole(self) -> list[int]:
        """The times of all whole calls."""
        return [ns for block in self.blocks for ns in block]

    @property
    def medians(self) -> list[float]:
        """The median of each block."""
        return [float(np.median(block)) for block in self.blocks]


class Timer:
    """Times one call.

    Args:
        call: the product's call. staged: makes the same call, and returns the ns of each stage.
        clock, cpu_clock: in ns. meter: counts energy.
        tick: receives the share of the measurement that is done, 0 while it warms up. The timer calls it
            between bursts; a burst of several calls lasts at most a second.
    """

    def __init__(
        self,
        call: Call,
        staged: Callable[[], dict[str, int]],
        *,
        clock: Callable[[], int] = perf_counter_ns,
        cpu_clock: Callable[[], int] = process_time_ns,
        meter: Meter | None = None,
        tick: Tell = lambda _: None,
    ) -> None:
        self._call, self._staged = call, staged
        self._clock, self._cpu_clock, self._meter, self._tick = clock, cpu_clock, meter, tick

    def measure(self, effort: Effort) -> Measured:
        """Warm up until the times are steady, or `WARM_UP` is over; then measure."""
        found = Measured()
        call_ns, blocks = self._warm_up(found, effort), effort.blocks()
        began = self._clock()
        for i in range(blocks):
            tell = partial(self._tell, i, blocks)
            self._block(found, effort.calls(i, call_ns), call_ns, tell, self._meter)
            call_ns = float(np.median(found.blocks[-1]))
            tell(1.0)
            late = self._clock() - began > _LATE * effort.seconds * 1e9
            if effort.rounds is None and late and len(found.blocks) >= WINDOW:
                break
        return found

    def _warm_up(self, found: Measured, effort: Effort) -> float:
        """Measure blocks that do not count; return the ns of a call at the end."""
        began, trial, medians = self._clock(), Measured(), list[float]()
        call_ns = 0.0
        for _ in range(3):
            call_ns = float(timed(self._call, 1, self._clock)[0])
            self._tick(0.0)
        while not found.warm and not self._is_over(began, len(medians), effort):
            self._block(trial, effort.calls(0, call_ns), call_ns, lambda _: self._tick(0.0))
            call_ns = float(np.median(trial.blocks[-1]))
            medians.append(call_ns)
            found.warm = steady(medians)
        found.warm_up_calls, found.staged = len(trial.whole), trial.staged
        found.warm_up_ns = self._clock() - began
        return call_ns

    def _is_over(self, began: int, blocks: int, effort: Effort) -> bool:
        if effort.rounds is not None:
            return blocks >= max(WINDOW, WARM_UP * effort.blocks())
        return self._clock() - began > WARM_UP * effort.seconds * 1e9

    def _block(
        self, found: Measured, count: int, call_ns: float, tell: Tell, meter: Meter | None = None
    ) -> None:
        self._call()  # does not count: staged calls ran before, and left their data in the caches
        times: list[int] = []
        for size in self._bursts(count, call_ns, tell):
            if meter is not None:
                meter.start()
            cpu, wall = self._cpu_clock(), self._clock()
            times += timed(self._call, size, self._clock)
            found.cpu += self._cpu_clock() - cpu
            found.wall += self._clock() - wall
            if meter is not None:
                meter.stop(size)
        found.blocks.append(times)
        count = max(1, round(count * (1 - _WHOLE) / _WHOLE))
        for size in self._bursts(count, call_ns, lambda _: tell(1.0)):
            for _ in range(size):
                for stage, ns in self._staged().items():
                    found.stages.setdefault(stage, []).append(ns)
        found.staged += count

    @staticmethod
    def _bursts(count: int, call_ns: float, tell: Tell) -> Iterator[int]:
        """Cut ``count`` calls into bursts; after each, tell the share that is done."""
        most = max(1, int(_SILENCE_NS / max(call_ns, 1.0)))
        for done in range(0, count, most):
            size = min(most, count - done)
            yield size
            tell((done + size) / count)

    def _tell(self, block: int, blocks: int, share: float) -> None:
        self._tick((block + share) / blocks)


def timed(call: Call, count: int, clock: Callable[[], int] = perf_counter_ns) -> list[int]:
    """Return the ns of each of ``count`` calls."""
    times = []
    for _ in range(count):
        begin = clock()
        call()
        times.append(clock() - begin)
    return times
