"""The loop: blocks of whole calls, timed as a user would, and of calls with clocks between the stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter_ns, process_time_ns

import numpy as np

from .energy import Meter
from .laps import Laps
from .robust import WINDOW, steady

BLOCKS = 40
LEAST_OF_BLOCK = 10
"""Calls of a block, where their number is given: the median of fewer says little."""
WARM_UP = 3
"""The warm-up ends at the latest after so many times the measurement."""
_LATE = 2  # times the seconds, and no more blocks than `WINDOW` are measured
_WHOLE = 0.8  # of a block; what is left is for stages
_SILENCE_NS = 1e9  # what a burst takes at most, if it has more than one call

Tell = Callable[[float], None]

Call = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How long to measure: ``seconds``, or exactly ``rounds`` whole calls."""

    seconds: float = 2.0
    rounds: int | None = None

    def blocks(self) -> int:
        """Return how many blocks there are at most: of ``rounds`` fewer, where they are few."""
        return BLOCKS if self.rounds is None else min(BLOCKS, max(1, self.rounds // LEAST_OF_BLOCK))

    def calls(self, block: int, call_ns: float) -> int:
        """Return how many whole calls a block has, by its number, where one call takes ``call_ns``."""
        if self.rounds is None:
            return max(1, int(_WHOLE * self.seconds * 1e9 / BLOCKS / max(call_ns, 1.0)))
        return self.rounds // self.blocks() + (block < self.rounds % self.blocks())


@dataclass
class Measured:
    """What was measured, in ns.

    Attributes:
        blocks: times of whole calls. stages: of calls with clocks, by stage, one number a call.
        lapped: calls with clocks, those of the warm-up included.
        cpu: CPU time of all threads in the blocks. wall: time on the wall in them.
        warm_up_calls, warm_up_ns: before. warm: whether it became steady.
    """

    blocks: list[list[int]] = field(default_factory=list)
    stages: dict[str, list[int]] = field(default_factory=dict)
    lapped: int = 0
    cpu: int = 0
    wall: int = 0
    warm_up_calls: int = 0
    warm_up_ns: int = 0
    warm: bool = False

    @property
    def whole(self) -> list[int]:
        """Times of all whole calls."""
        return [ns for block in self.blocks for ns in block]

    @property
    def medians(self) -> list[float]:
        """The median of each block."""
        return [float(np.median(block)) for block in self.blocks]


class Timer:
    """Takes the times of one call.

    Args:
        call: the product's. tapped: the same with ``laps`` in it.
        clock, cpu_clock: in ns.
        tick: called between bursts, of a second at most where they have several calls, with the share that
            is done; 0 while it warms up.
    """

    def __init__(
        self,
        call: Call,
        tapped: Call,
        laps: Laps,
        *,
        clock: Callable[[], int] = perf_counter_ns,
        cpu_clock: Callable[[], int] = process_time_ns,
        meter: Meter | None = None,
        tick: Tell = lambda _: None,
    ) -> None:
        self._call, self._tapped, self._laps = call, tapped, laps
        self._clock, self._cpu_clock, self._meter, self._tick = clock, cpu_clock, meter, tick

    def measure(self, effort: Effort) -> Measured:
        """Warm up until it is steady (or `WARM_UP` is over), then measure."""
        found = Measured()
        call_ns = self._warm_up(found, effort)
        began = self._clock()
        for i in range(effort.blocks()):
            self._block(found, effort.calls(i, call_ns), call_ns, partial(self._tell, i, effort.blocks()))
            call_ns = float(np.median(found.blocks[-1]))
            self._tick((i + 1) / effort.blocks())
            late = self._clock() - began > _LATE * effort.seconds * 1e9
            if effort.rounds is None and late and len(found.blocks) >= WINDOW:
                break
        return found

    def burst(self, count: int) -> list[int]:
        """Time ``count`` whole calls one after the other, as a user's own loop would."""
        return timed(self._call, count, self._clock)

    def _warm_up(self, found: Measured, effort: Effort) -> float:
        """Run blocks that do not count; return the ns a call takes at their end."""
        began = self._clock()
        call_ns = 0.0
        for _ in range(3):
            call_ns = float(self.burst(1)[-1])
            self._waiting(0.0)
        medians: list[float] = []
        while not found.warm and not self._given_up(began, len(medians), effort):
            self._call()  # does not count: see `_block`
            bursts = self._bursts(effort.calls(0, call_ns), call_ns, self._waiting)
            times = [ns for size in bursts for ns in self.burst(size)]
            self._lapped(found, len(times), {}, call_ns, self._waiting)
            call_ns = float(np.median(times))
            medians.append(call_ns)
            found.warm_up_calls += len(times)
            found.warm = steady(medians)
        found.warm_up_ns = self._clock() - began
        return call_ns

    def _given_up(self, began: int, blocks: int, effort: Effort) -> bool:
        if effort.rounds is not None:
            return blocks >= max(WINDOW, WARM_UP * effort.blocks())
        return self._clock() - began > WARM_UP * effort.seconds * 1e9

    def _block(self, found: Measured, count: int, call_ns: float, tell: Tell) -> None:
        self._call()  # does not count: what ran just before was the other, and left its own in the caches
        times: list[int] = []
        for size in self._bursts(count, call_ns, tell):
            if self._meter is not None:
                self._meter.start()
            cpu, wall = self._cpu_clock(), self._clock()
            times += self.burst(size)
            found.cpu += self._cpu_clock() - cpu
            found.wall += self._clock() - wall
            if self._meter is not None:
                self._meter.stop(size)
        found.blocks.append(times)
        self._lapped(found, count, found.stages, call_ns, lambda share: tell(1.0))

    def _lapped(
        self, found: Measured, count: int, stages: dict[str, list[int]], call_ns: float, tell: Tell
    ) -> None:
        count = max(1, round(count * (1 - _WHOLE) / _WHOLE))
        for size in self._bursts(count, call_ns, tell):
            for _ in range(size):
                for stage, ns in self._laps.lap(self._tapped).items():
                    stages.setdefault(stage, []).append(ns)
        found.lapped += count

    def _bursts(self, count: int, call_ns: float, tell: Tell) -> Iterator[int]:
        """Cut ``count`` calls into bursts, and tell the share of them that is done after each."""
        most = max(1, int(_SILENCE_NS / max(call_ns, 1.0)))
        for done in range(0, count, most):
            size = min(most, count - done)
            yield size
            tell((done + size) / count)

    def _tell(self, block: int, blocks: int, share: float) -> None:
        self._tick((block + share) / blocks)

    def _waiting(self, _: float) -> None:
        self._tick(0.0)


def timed(call: Call, count: int, clock: Callable[[], int] = perf_counter_ns) -> list[int]:
    """Return the ns of each of ``count`` calls."""
    times = []
    for _ in range(count):
        begin = clock()
        call()
        times.append(clock() - begin)
    return times
