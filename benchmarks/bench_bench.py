"""`edgeemo bench` beside a loop of one's own around ``predict``: within 5 %, 10 % on a busy machine.

Run with ``pytest benchmarks/bench_bench.py``. Both take turns in one process, on the same input; the medians
of the turns are compared. pytest-benchmark times the same call as a third witness.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from edgeemo import Recognizer
from edgeemo.bench import cold
from edgeemo.bench.inputs import given
from edgeemo.bench.run import Case, bench
from edgeemo.bench.timing import Effort
from edgeemo.bundle import shipped

TURNS = 7
SECONDS = 0.5
QUIET, BUSY = 0.05, 0.10


def own_loop(predict: Callable[..., object], arguments: tuple[Any, ...]) -> float:
    """What anybody would write: the median in µs."""
    for _ in range(20):
        predict(*arguments)
    times = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        begin = time.perf_counter_ns()
        predict(*arguments)
        times.append(time.perf_counter_ns() - begin)
    return statistics.median(times) / 1e3


@pytest.mark.parametrize("name", ["text", "voice", "face"])
def test_bench_sees_what_a_user_sees(
    name: str, benchmark: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name not in shipped():
        pytest.skip(f"the bundle {name} is not shipped")
    monkeypatch.setattr(cold, "STARTS", 1)
    with Recognizer.open(name) as recognizer:
        arguments = given(recognizer.card).arguments
        for _ in range(3):  # on a busy machine a median can lie
            mine, theirs = [], []
            for _ in range(TURNS):
                mine.append(own_loop(recognizer.predict, arguments))
                result = bench(Case(name), effort=Effort(SECONDS))
                theirs.append(result["total_us"]["p50"])
            loop, told = statistics.median(mine), statistics.median(theirs)
            off = told / loop - 1
            limit = BUSY if result["noisy"] else QUIET
            if abs(off) <= limit:
                break
        benchmark.extra_info.update(own_loop_us=loop, bench_us=told, off=off, noise=result["noise"])
        with capsys.disabled():
            turns = ", ".join(f"{b / a - 1:+.1%}" for a, b in zip(mine, theirs, strict=True))
            print(
                f"\n{name}: own loop {loop:.1f} µs, bench {told:.1f} µs: {off:+.2%} "
                f"(at most {limit:.0%}; turn by turn {turns})"
            )
        benchmark(recognizer.predict, *arguments)
    assert abs(off) <= limit
