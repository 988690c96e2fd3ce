"""What more costs: straight lines where they should be straight, flat beyond what a model reads.

Run with ``pytest benchmarks/bench_scaling.py``; `benchmarks.parts.scaling` says what is measured and how
straight is straight. Threads are only shown in the table, and nothing of them is asserted here: how much they
help is the machine's, and on a busy one there is no core for the second. That two engines in two threads do
nearly twice as much asserts `bench_engine.py`.
"""

from __future__ import annotations

import pytest

from benchmarks.parts.row import quiet
from benchmarks.parts.scaling import CURVES

SHOWN = "threads"


@pytest.mark.parametrize("what", [what for what in CURVES if what != SHOWN])
def test_cost_grows_as_it_should(what: str) -> None:
    with quiet():
        curves = list(CURVES[what]())
    for curve in curves:
        print(f"{curve.name}: {curve.verdict}")
    assert all(curve.shape != "shown" for curve in curves)
    assert all(curve.as_it_should for curve in curves), [(c.name, c.verdict, c.us) for c in curves]
