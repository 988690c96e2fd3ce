"""`edgeemo bench` beside a loop of one's own around ``predict``: within 5 %, 10 % on a busy machine.

Run with ``pytest benchmarks/bench_bench.py``. The loop is a script of its own, as a user would write it.
Both take turns on the same input, and the test compares their medians. The same holds where ``--rounds``
asks for few calls. pytest-benchmark times the same call in the process of the tests, whose heap is another.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeemo import Recognizer
from edgeemo.bench import run
from edgeemo.bench.inputs import input_of
from edgeemo.bench.run import Setup, bench
from edgeemo.bench.timing import Effort
from edgeemo.bundle import shipped

TURNS, TRIES = 7, 3
EFFORTS = {"half a second": Effort(0.5), "100 rounds": Effort(rounds=100)}
QUIET, BUSY = 0.05, 0.10

SCRIPT = """
import statistics, sys, time
import numpy as np
import edgeemo

recognizer = edgeemo.Recognizer.open(sys.argv[1])
arguments = [np.load(a) if a.endswith(".npy") else int(a) if a.isdigit() else a for a in sys.argv[2:]]
for _ in range(50):
    recognizer.predict(*arguments)
times = []
end = time.perf_counter() + 0.5
while time.perf_counter() < end:
    begin = time.perf_counter()
    recognizer.predict(*arguments)
    times.append(time.perf_counter() - begin)
print(statistics.median(times) * 1e6)
"""


def own_loop(name: str, arguments: tuple[Any, ...], folder: Path) -> float:
    """The median in µs that a user's script prints."""
    words = [str(value) for value in arguments]
    for i, value in enumerate(arguments):
        if isinstance(value, np.ndarray):
            words[i] = str(folder / f"{i}.npy")
            np.save(words[i], value)
    script = [sys.executable, "-W", "ignore", "-c", SCRIPT, name, *words]
    return float(subprocess.run(script, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("name", ["text", "voice", "face"])
def test_bench_sees_what_a_user_sees(
    name: str, effort: str, benchmark: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if name not in shipped():
        pytest.skip(f"the bundle {name} is not shipped")
    monkeypatch.setattr(run, "STARTS", 1)
    with Recognizer.open(name) as recognizer:
        arguments = input_of(recognizer.card).arguments
        for _ in range(TRIES):  # on a busy machine a median can lie
            mine, theirs = [], []
            for _ in range(TURNS):
                mine.append(own_loop(name, arguments, tmp_path))
                result = bench(Setup(name), effort=EFFORTS[effort])
                theirs.append(result["total_us"]["p50"])
            loop, seen = statistics.median(mine), statistics.median(theirs)
            off = seen / loop - 1
            limit = BUSY if result["noisy"] else QUIET
            if abs(off) <= limit:
                break
        benchmark.extra_info.update(own_loop_us=loop, bench_us=seen, off=off, noise=result["noise"])
        with capsys.disabled():
            turns = ", ".join(f"{b / a - 1:+.1%}" for a, b in zip(mine, theirs, strict=True))
            print(
                f"\n{name}, {effort}: own loop {loop:.1f} µs, bench {seen:.1f} µs: {off:+.2%} "
                f"(at most {limit:.0%}; turn by turn {turns})"
            )
        benchmark(recognizer.predict, *arguments)
    assert abs(off) <= limit
