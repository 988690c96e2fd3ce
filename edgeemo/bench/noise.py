"""Decide whether a measurement is too noisy to quote, and say why."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from ..machine import Condition
from .block_statistics import WINDOW, drift, interval, spread
from .timing import Measured

LEAST_CALLS = 30
MOST_SPREAD = 0.05
"""The largest distance of quartiles, half of the median's interval, and drift, as shares of the median."""
LEAST_CORE = 0.95
"""A single-threaded call must have had a core for this share of the time."""
_SLOWER_CLOCK = 0.95
_OWN_LOAD = 0.5  # what this process itself ran in the minute before


def noise(found: Measured, before: Condition, after: Condition, *, cores: int, alone: bool) -> list[str]:
    """Return why a measurement is too noisy to quote; empty if it is not.

    Args:
        found: the measurement. before, after: the condition of the machine. cores: that we may use.
        alone: the call works in one thread on the CPU, so CPU time should equal the time on the clock.
    """
    reasons = []
    medians = found.medians
    if len(found.whole) < LEAST_CALLS:
        reasons.append(f"only {len(found.whole)} calls (at least {LEAST_CALLS})")
    elif len(medians) < WINDOW:
        reasons.append(f"only {len(medians)} blocks of calls (at least {WINDOW})")
    if not found.warm:
        reasons.append("it was not steady when the warm-up ended")
    apart, moved = spread(medians), drift(medians)
    if apart > MOST_SPREAD:
        reasons.append(f"the middle half of the blocks lies {apart:.1%} apart (at most {MOST_SPREAD:.0%})")
    low, high = (bound / statistics.median(medians) - 1 for bound in interval(medians))
    if max(-low, high) > MOST_SPREAD:
        reasons.append(f"the median is known to {low:+.1%} … {high:+.1%} only (at most ±{MOST_SPREAD:.0%})")
    if abs(moved) > MOST_SPREAD:
        reasons.append(f"it drifted: the second half took {moved:+.1%} (at most ±{MOST_SPREAD:.0%})")
    if alone and found.wall and (share := found.cpu / found.wall) < LEAST_CORE:
        only = f"{share:.1%} of the time (at least {LEAST_CORE:.0%})"
        reasons.append(f"it had a core only {only}: something else runs")
    return reasons + _of_machine(before, after, cores)


def tail_noise(
    total: Mapping[str, float], tails: Mapping[str, Sequence[float | None]], calls: int
) -> dict[str, str]:
    """Return why the 95th or 99th percentile is too noisy to quote, by its name; without those that are not.

    Args:
        total: quantiles by name. tails: their intervals (`block_statistics.tail`), in the same unit.
        calls: how many there were.
    """
    reasons = {}
    for name, (low, high) in tails.items():
        if low is None or high is None:
            reasons[name] = f"it cannot be known from {calls:,} call{'s' * (calls != 1)}"
            continue
        below, above = (end / total[name] - 1 for end in (low, high))
        if max(-below, above) > MOST_SPREAD:
            reasons[name] = f"it is known to {below:+.1%} … {above:+.1%} only (at most ±{MOST_SPREAD:.0%})"
    return reasons


def _of_machine(before: Condition, after: Condition, cores: int) -> list[str]:
    """Return the reasons that lie in the condition of the machine."""
    reasons = []
    if before.load is not None and before.load > cores + _OWN_LOAD:
        reasons.append(f"the load was {before.load:g} on {cores} core{'s' * (cores != 1)}")
    throttled = dict.fromkeys((*before.throttled, *after.throttled))
    reasons += [f"{wrong} while it was measured" for wrong in throttled]
    if (after.throttle_events or 0) > (before.throttle_events or 0):
        reasons.append("heat slowed cores down")
    now, then = after.clock_mhz, before.clock_mhz
    if now is not None and then is not None and now < _SLOWER_CLOCK * then:
        reasons.append(f"the clock fell from {then:.0f} to {now:.0f} MHz")
    return reasons
