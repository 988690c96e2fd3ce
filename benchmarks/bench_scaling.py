"""Checks how cost grows with the input: in a straight line, and flat beyond the input that a model reads.

Run with ``pytest benchmarks/bench_scaling.py``; `benchmarks.parts.scaling` says what is measured and how
straight is straight. The table shows threads, but this file asserts nothing about them. A busy machine has
no core for a second thread. `bench_engine.py` asserts that two engines in two threads do nearly twice as
much.
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
