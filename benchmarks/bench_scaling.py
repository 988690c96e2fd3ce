"""What more costs: straight lines where they should be straight, flat beyond what a model reads.

Run with ``pytest benchmarks/bench_scaling.py``; `benchmarks.parts.scaling` says what is measured and how
straight is straight.
"""

from __future__ import annotations

import pytest

from benchmarks.parts.row import quiet
from benchmarks.parts.scaling import CURVES


@pytest.mark.parametrize("what", CURVES)
def test_cost_grows_as_it_should(what: str) -> None:
    with quiet():
        curves = list(CURVES[what]())
    for curve in curves:
        print(f"{curve.name}: {curve.verdict}")
    assert all(curve.as_it_should for curve in curves), [(c.name, c.verdict, c.us) for c in curves]
