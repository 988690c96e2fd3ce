"""What can be said of times on a machine that does other things too: quantiles, steadiness, effects.

A measurement is cut into blocks, and each block has a median. Blocks are what is resampled and compared:
calls beside each other share the machine's mood, blocks less so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

WINDOW = 10
"""Blocks that must agree before a warm-up is over: five against the five before them."""
LEAST_SHIFT = 0.02
"""A difference between halves that is never called a drift, as a share."""
GROUPS = 10
"""Of neighbouring blocks, whose differences tell how well a tail is known: more gain little (Schmeiser 1982,
"Batch Size Effects in the Analysis of Simulation Output"), and larger ones outlast a mood of the machine."""
LEAST_EFFECT = 0.03
"""A difference between two measurements that is never called one, as a share.

Within one process a median is known better than that; from process to process memory lies elsewhere, and
the same code differs by one or two per cent (Mytkowicz et al. 2009, "Producing Wrong Data …").
"""
_CRITICAL_U = 2  # of five against five, in Mann and Whitney's table
_RESAMPLES = 2000
_T = 2.262  # Student's, of `GROUPS` - 1 degrees of freedom, 95 % two-sided

Times = Sequence[float] | npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """How many times as long the new takes as the old, with a 95 % bootstrap interval over blocks."""

    ratio: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def quantiles(ns: Sequence[int]) -> dict[str, float]:
    """Return the median, 95th and 99th percentile in µs of times in ns."""
    p50, p95, p99 = np.percentile(np.asarray(ns, np.float64), (50, 95, 99)) / 1e3
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "p99": round(float(p99), 3)}


def spread(medians: Times) -> float:
    """Return how far apart the middle half of the blocks lies, as a share of their median."""
    low, middle, high = np.percentile(medians, (25, 50, 75))
    return float((high - low) / middle)


def drift(medians: Times) -> float:
    """Return by which share the second half of the blocks takes longer than the first; 0 of one block."""
    half = len(medians) // 2
    if not half:
        return 0.0
    return float(np.median(medians[-half:]) / np.median(medians[:half]) - 1)


def steady(medians: Times) -> bool:
    """Tell whether the last `WINDOW` blocks stay where they are: False of fewer.

    They do not if the medians of their halves differ by more than `LEAST_SHIFT` and nearly all blocks of one
    half lie above those of the other: Mann and Whitney's U beyond its critical value, 5 % two-sided. Ranks,
    because blocks on a shared machine are of two or three kinds, and their deviation says little.
    """
    if len(medians) < WINDOW:
        return False
    first, second = np.asarray(medians[-WINDOW:], np.float64).reshape(2, -1)
    shift = np.median(second) / np.median(first) - 1
    pairs = second[:, None] - first
    u = int((pairs > 0).sum()) + int((pairs == 0).sum()) / 2
    return bool(abs(shift) <= LEAST_SHIFT or _CRITICAL_U < u < pairs.size - _CRITICAL_U)


def interval(medians: Times) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the blocks' median."""
    low, high = np.percentile(_resampled(medians, 0), (2.5, 97.5))
    return float(low), float(high)


def tail(blocks: Sequence[Sequence[int]], share: float) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a quantile of all calls, in their unit, without a word on how they scatter.

    Woodruff's interval (1952, "Confidence Intervals for Medians and Other Position Measures"): how well the
    share of calls up to the quantile is known, read off as order statistics. Neighbours share the machine's
    mood, so that this share's error is that between groups of blocks, and at least that of independent calls.

    Args:
        share: of calls up to the quantile, between 0 and 1.

    Returns:
        Its ends; None for one beyond all calls, and for both of fewer than `GROUPS` blocks.
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
    """Compare two measurements by their blocks' medians."""
    ratios = _resampled(new, 0) / _resampled(old, 1)
    low, high = np.percentile(ratios, (2.5, 97.5))
    return Effect(float(np.median(new) / np.median(old)), float(low), float(high))


def _resampled(medians: Times, seed: int) -> npt.NDArray[np.float64]:
    values = np.asarray(medians, np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(values), (_RESAMPLES, len(values)))
    return np.asarray(np.median(values[drawn], axis=1), np.float64)
