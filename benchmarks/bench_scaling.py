"""What more costs: straight lines where they should be straight, flat beyond what a model reads.

Run with ``pytest benchmarks/bench_scaling.py``; `benchmarks.parts.scaling` says what is measured and how
straight is straight. A busy machine may bend a line: a curve is measured up to three times.
"""

from __future__ import annotations

import pytest

from benchmarks.parts.row import quiet
from benchmarks.parts.scaling import CURVES

TRIES = 3


@pytest.mark.parametrize("what", CURVES)
def test_cost_grows_as_it_should(what: str) -> None:
    for _ in range(TRIES):
        with quiet():
            curves = list(CURVES[what]())
        bent = [curve for curve in curves if not curve.as_it_should]
        if not bent:
            break
    for curve in curves:
        print(f"{curve.name}: {curve.verdict}")
    assert not bent, [(curve.name, curve.verdict, curve.us) for curve in bent]
