"""95 % intervals by the bootstrap (Efron 1979, percentile), fast because every metric is a function of sums.

A `Measure` gives each example a row of contributions; a resample only weights the rows, so a thousand
resamples are one matrix product. Two systems measured with the same `Draw` are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Distribution: TypeAlias = Mapping[str, Array]

_CLUSTERS, _LEAST = ("speaker", "subject", "group"), 5
_CELLS = 8_000_000  # weights held at once: 64 MB


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % interval (widened to hold the number itself, where resampling is biased)."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return {"value": self.value, "low": self.low, "high": self.high}


class Measure(Protocol):
    """Metrics that are a function of sums over examples."""

    rows: Array
    """float64 ``(examples, k)``: what each example adds to the sums."""

    def finish(self, sums: Array) -> dict[str, Array]:
        """Turn sums ``(resamples, k)`` into metrics by name, each ``(resamples,)``; NaN where undefined."""
        ...


@dataclass(frozen=True)
class Draw:
    """How to resample: as many times as ``resamples``, whole ``clusters`` (one number an example) if given.

    Clusters are speakers or subjects: examples of one person are not independent, so persons are drawn.
    """

    n: int
    resamples: int = 1000
    seed: int = 0
    clusters: npt.NDArray[np.intp] | None = None

    def weights(self) -> Iterator[Array]:
        """Yield blocks ``(block, units)`` of how often each example (or cluster) was drawn."""
        units = self.units
        rng = np.random.default_rng(self.seed)
        block = max(1, min(self.resamples, _CELLS // max(units, 1)))
        for start in range(0, self.resamples, block):
            size = min(block, self.resamples - start)
            drawn = rng.integers(0, units, (size, units)) + np.arange(size)[:, None] * units
            yield np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units).astype(np.float64)

    @property
    def units(self) -> int:
        """How many examples, or clusters, are drawn from."""
        return self.n if self.clusters is None else int(self.clusters.max()) + 1

    def gather(self, rows: Array) -> Array:
        """Sum the rows of each cluster; without clusters, return them as they are."""
        if self.clusters is None:
            return rows
        return np.stack([np.bincount(self.clusters, column, self.units) for column in rows.T], 1)


class Ratio:
    """The sum of one quantity over the sum of another: a share, or events an hour."""

    def __init__(self, above: npt.ArrayLike, below: npt.ArrayLike) -> None:
        """Take both quantities of each example, ``(examples,)``."""
        self.rows: Array = np.stack(np.broadcast_arrays(above, below), 1).astype(np.float64)

    def finish(self, sums: Array) -> dict[str, Array]:
        """Return the metric ``ratio``; NaN where the second sum is not above 0."""
        return {"ratio": sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)}


def measure(measures: Sequence[Measure]) -> dict[str, float]:
    """Return every metric on all examples; undefined ones (NaN) are left out."""
    found: dict[str, float] = {}
    for one in measures:
        found |= {name: float(x[0]) for name, x in one.finish(one.rows.sum(0)[None]).items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def distribution(measures: Sequence[Measure], draw: Draw) -> Distribution:
    """Return every metric on every resample; the same ``draw`` always draws the same resamples."""
    rows = [draw.gather(one.rows) for one in measures]
    blocks: list[dict[str, Array]] = []
    for weights in draw.weights():
        found: dict[str, Array] = {}
        for one, gathered in zip(measures, rows, strict=True):
            found |= one.finish(weights @ gathered)
        blocks.append(found)
    return {name: np.concatenate([block[name] for block in blocks]) for name in (blocks[0] if blocks else {})}


def intervals(measures: Sequence[Measure], draw: Draw) -> dict[str, Interval]:
    """Return every defined metric with its 95 % interval."""
    spread = distribution(measures, draw)
    return {name: interval(value, spread.get(name)) for name, value in measure(measures).items()}


def rounded(metrics: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    """Return metrics as a card states them: plain numbers of four decimals."""
    return {name: {k: round(v, 4) for k, v in x.to_dict().items()} for name, x in metrics.items()}


def difference(first: Sequence[Measure], second: Sequence[Measure], draw: Draw) -> dict[str, Interval]:
    """Return ``first`` minus ``second``, metric by metric, resampled in pairs."""
    values, others = measure(first), measure(second)
    spread, other_spread = distribution(first, draw), distribution(second, draw)
    return {
        name: interval(values[name] - others[name], spread[name] - other_spread[name] if spread else None)
        for name in values
        if name in others
    }


def interval(value: float, spread: Array | None) -> Interval:
    """Return ``value`` with the 2.5th and 97.5th percentile of ``spread``; alone, if that is empty."""
    if spread is None or not np.isfinite(spread).any():
        return Interval(value, value, value)
    low, high = np.nanpercentile(spread, [2.5, 97.5])
    return Interval(value, min(float(low), value), max(float(high), value))


def few_of(examples: Sequence[Any]) -> list[tuple[str, int]]:
    """Return the columns that tell some clusters apart but too few to draw from, and how many."""
    counts = [(column, len({getattr(e, column) for e in examples} - {""})) for column in _CLUSTERS]
    return [(column, n) for column, n in counts if 1 < n < _LEAST]


def clusters_of(examples: Sequence[Any]) -> tuple[str, npt.NDArray[np.intp] | None]:
    """Return what to draw and the clusters: by speaker, else subject, else group, else single examples.

    A column counts if it tells at least five clusters apart: fewer say nothing about the spread.
    An example without a value is a cluster of its own.
    """
    for column in _CLUSTERS:
        names = [getattr(example, column) for example in examples]
        if len(set(names) - {""}) >= _LEAST:
            keys = [name or f"\0{i}" for i, name in enumerate(names)]
            return column, np.unique(keys, return_inverse=True)[1].astype(np.intp)
    return "example", None
