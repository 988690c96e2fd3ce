"""Quantiles, steadiness and confidence intervals of times on a machine that does other things, too.

A measurement consists of blocks, and each block has a median. The statistics resample and compare blocks:
neighbouring calls share the state of the machine, blocks share less of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

WINDOW = 10
"""Blocks that must agree before a warm-up ends: five against the five before them."""
LEAST_SHIFT = 0.02
"""A smaller difference between halves, as a share, is never called a drift."""
GROUPS = 10
"""The number of groups of neighbouring blocks. Differences between groups show how well a tail is known.

More groups gain little (Schmeiser 1982, "Batch Size Effects in the Analysis of Simulation Output"). Large
groups outlast a disturbance of the machine.
"""
LEAST_EFFECT = 0.03
"""A smaller difference between two measurements, as a share, is never called a difference.

Within one process a median is known better. From process to process memory lies elsewhere, and the same code
differs by one or two per cent (Mytkowicz et al. 2009, "Producing Wrong Data …").
"""
_CRITICAL_U = 2  # of five against five, in Mann and Whitney's table
_RESAMPLES = 2000
_T = 2.262  # Student's, of `GROUPS` - 1 degrees of freedom, 95 % two-sided

Times = Sequence[float] | npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """The new time over the old one, with a 95 % bootstrap interval over blocks."""

    ratio: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def quantiles(ns: Sequence[int]) -> dict[str, float]:
    """Return the median, 95th and 99th percentile in µs from times in ns."""
    p50, p95, p99 = np.percentile(np.asarray(ns, np.float64), (50, 95, 99)) / 1e3
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "p99": round(float(p99), 3)}


def spread(medians: Times) -> float:
    """Return the distance between the quartiles of the blocks, as a share of their median."""
    low, middle, high = np.percentile(medians, (25, 50, 75))
    return float((high - low) / middle)


def drift(medians: Times) -> float:
    """Return by which share the second half of the blocks takes longer than the first; 0 for one block."""
    half = len(medians) // 2
    if not half:
        return 0.0
    return float(np.median(medians[-half:]) / np.median(medians[:half]) - 1)


def steady(medians: Times) -> bool:
    """Return whether the last `WINDOW` blocks are steady; False if there are fewer.

    They drift if the medians of their halves differ by more than `LEAST_SHIFT`, and nearly all blocks of
    one half lie above the other half. Mann and Whitney's U test decides (5 % two-sided). The
    test goes by ranks: on a shared machine the deviation of blocks says little.
    """
    if len(medians) < WINDOW:
        return False
    first, second = np.asarray(medians[-WINDOW:], np.float64).reshape(2, -1)
    shift = np.median(second) / np.median(first) - 1
    pairs = second[:, None] - first
    u = int((pairs > 0).sum()) + int((pairs == 0).sum()) / 2
    return bool(abs(shift) <= LEAST_SHIFT or _CRITICAL_U < u < pairs.size - _CRITICAL_U)


def interval(medians: Times) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the median of the blocks."""
    low, high = np.percentile(_resampled(medians, 0), (2.5, 97.5))
    return float(low), float(high)


def tail(blocks: Sequence[Sequence[int]], share: float) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a quantile of all calls, in the unit of the calls, for any distribution.

    This is Woodruff's interval (1952, "Confidence Intervals for Medians and Other Position Measures"). The
    error of the share of calls below the quantile is read off as order statistics. This error is that between
    groups of blocks, and at least that of independent calls, because neighbours share the machine's state.

    Args:
        share: of calls up to the quantile, between 0 and 1.

    Returns:
        The ends; None for an end beyond all calls, and for both if there are fewer than `GROUPS` blocks.
    """
    if len(blocks) < GROUPS:
        return None, None
    joined = [
        np.concatenate([blocks[i] for i in part]) for part in np.array_split(np.arange(len(blocks)), GROUPS)
    ]
    times = np.sort(np.concatenate(joined))
    n, at = len(times), np.quantile(times, share)
    sizes = np.array([len(group) for group in joined])
    below = np.array([np.count_nonzero(group <= at) for group in joined])
    between = np.sum((below - sizes * below.sum() / n) ** 2) * GROUPS / (GROUPS - 1) / n**2
    error = _T * np.sqrt(max(between, share * (1 - share) / n))
    low, high = int(np.floor(n * (share - error))), int(np.ceil(n * (share + error)))
    return float(times[low - 1]) if low >= 1 else None, float(times[high - 1]) if high <= n else None


def effect(new: Times, old: Times) -> Effect:
    """Compare two measurements by the medians of their blocks."""
    ratios = _resampled(new, 0) / _resampled(old, 1)
    low, high = np.percentile(ratios, (2.5, 97.5))
    return Effect(float(np.median(new) / np.median(old)), float(low), float(high))


def _resampled(medians: Times, seed: int) -> npt.NDArray[np.float64]:
    values = np.asarray(medians, np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(values), (_RESAMPLES, len(values)))
    return np.asarray(np.median(values[drawn], axis=1), np.float64)
