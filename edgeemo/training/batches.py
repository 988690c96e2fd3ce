"""Batches of examples and targets: `BatchSource`, the order of rows, mixup, padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from ..types import FloatArray

Batch: TypeAlias = tuple[npt.NDArray[Any], dict[str, FloatArray]]
"""The network's input ``(batch, …)``, and per head its target; NaN means "not annotated"."""


class BatchSource(Protocol):
    """Examples and targets, cut into batches."""

    def __len__(self) -> int:
        """Return how many examples one epoch has."""
        ...

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """Yield one epoch in batches of ``size`` (the last may be smaller), shuffled if there is ``rng``."""
        ...


def batch_rows(n: int, size: int, rng: np.random.Generator | None) -> list[npt.NDArray[np.int64]]:
    """Return the rows 0 … n−1 cut into batches of ``size``, shuffled if there is ``rng``."""
    order = np.arange(n) if rng is None else rng.permutation(n)
    return np.split(order, range(size, n, size))


def mix_up(
    x: FloatArray, target: FloatArray, other: npt.NDArray[np.int64], alpha: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Mix each row with the row ``other`` names, by a weight from Beta(``alpha``, ``alpha``).

    See Zhang et al. 2018, "mixup: Beyond empirical risk minimization" (arXiv:1710.09412).
    """
    share = rng.beta(alpha, alpha, len(x)).astype(np.float32)
    wide = share.reshape(-1, *[1] * (x.ndim - 1))
    return wide * x + (1 - wide) * x[other], share[:, None] * target + (1 - share)[:, None] * target[other]


def trim_padding(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Cut ids ``(n, length)`` to the longest text among them, rounded up to a multiple of 8; 0 is padding."""
    longest = int((ids != 0).sum(1).max())
    return np.ascontiguousarray(ids[:, : max(8, -(-longest // 8) * 8)])
