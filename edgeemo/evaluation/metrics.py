"""The metrics, each with its definition. All are functions of sums over examples (see `bootstrap`).

Several labels may hold at once, in the truth and among the active ones; exclusive labels are the case of one.

=====================  ==================================================================================
accuracy               share of examples whose top label is among the gold labels
exact_match            share of examples whose active labels are exactly the gold labels (multi-label)
macro_precision …_f1   the mean over labels of precision, recall, F1 = 2 tp / (active + gold)
micro_precision …_f1   the same of the counts added over labels (Manning et al. 2008, ch. 13.6)
uar                    unweighted average recall (Schuller et al. 2009): the mean recall over labels
ece                    expected calibration error (Guo et al. 2017) of the top label: 15 equal bins of its
                       probability, the mean over examples of |share correct − mean probability|
ece_pooled             the same over every label's probability, all pooled (multi-label)
valence_r, arousal_r   Pearson's correlation
=====================  ==================================================================================

A mean over labels is taken over those that occur in the truth: a recall without examples has no value.
Precision without a single active example is 0, as scikit-learn's ``zero_division=0``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bootstrap import Array, Bools

BINS = 15


def area_under_roc(positive: Array, negative: Array) -> float:
    """Return how often a positive lies above a negative, ties half: the area under the ROC curve, in [0, 1].

    Args:
        positive, negative: the scores of either kind, ``(n,)`` and ``(m,)``.
    """
    below = np.sort(negative)
    above = np.searchsorted(below, positive, "left") + np.searchsorted(below, positive, "right")
    return float(above.mean() / 2 / len(negative))


class LabelMeasure:
    """Metrics of labels: gold ``truth``, ``probability`` and ``active``, each ``(examples, labels)``.

    Examples without a gold label count for the label metrics as negatives, but have no top-label truth.
    Rows outside ``counted`` are left out altogether.
    Means over labels are of the columns ``over``, by default of all.
    """

    def __init__(
        self,
        truth: Bools,
        probability: Array,
        active: Bools,
        *,
        prefix: str = "",
        exclusive: bool = False,
        counted: Bools | None = None,
        only: Sequence[str] = (),
        over: Sequence[int] = (),
    ) -> None:
        self.prefix, self.exclusive, self.only = prefix, exclusive, frozenset(only)
        self.over = list(over) or list(range(truth.shape[1]))
        self.size = truth.shape[1]
        top = probability.argmax(1)[:, None]
        correct = np.take_along_axis(truth, top, 1)[:, 0]
        known: Bools = np.asarray(truth.any(1))
        exact = (truth == active).all(1)
        one = np.stack([correct & known, known, exact & known], 1)
        binned = _binned(np.take_along_axis(probability, top, 1), np.take_along_axis(truth, top, 1), known)
        parts = [truth & active, active, truth, one, binned]
        if not exclusive:
            parts.append(_binned(probability, truth, np.ones(len(truth), np.bool_)))
        self.rows: Array = np.concatenate([np.asarray(part, np.float64) for part in parts], 1)
        if counted is not None:
            self.rows = self.rows * counted[:, None]

    def finish(self, sums: Array) -> dict[str, Array]:
        """See `bootstrap.Measure`."""
        k = self.size
        hit, active, gold = sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k : 3 * k]
        correct, known, exact = sums[:, 3 * k : 3 * k + 3].T
        calibration = sums[:, 3 * k + 3 :].reshape(len(sums), -1, 3, BINS)
        found = {"accuracy": _ratio(correct, known)}
        if not self.exclusive:
            found["exact_match"] = _ratio(exact, known)
        precision, recall, f1 = per_label(hit, active, gold)
        for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
            found[f"macro_{name}"] = _mean(values[:, self.over])
        totals = (x.sum(1, keepdims=True) for x in (hit, active, gold))
        for name, values in zip(("precision", "recall", "f1"), per_label(*totals), strict=True):
            found[f"micro_{name}"] = values[:, 0]
        found["uar"] = found["macro_recall"]
        found["ece"] = _ece(calibration[:, 0])
        if not self.exclusive:
            found["ece_pooled"] = _ece(calibration[:, 1])
        return {self.prefix + name: x for name, x in found.items() if not self.only or name in self.only}

    def reliability(self) -> dict[str, list[float]]:
        """Return the top label's calibration by bin: count, mean probability, share correct."""
        count, confidence, correct = self.rows[:, 3 * self.size + 3 :].sum(0).reshape(-1, 3, BINS)[0]
        return {
            "count": count.tolist(),
            "confidence": np.nan_to_num(_ratio(confidence, count)).tolist(),
            "correct": np.nan_to_num(_ratio(correct, count)).tolist(),
        }


class AffectMeasure:
    """Pearson's r between ``gold`` (NaN where unknown) and ``predicted``, as ``name``."""

    def __init__(self, name: str, gold: Array, predicted: Array) -> None:
        self.name = name
        known = np.isfinite(gold)
        x, y = np.where(known, gold, 0.0), np.where(known, predicted, 0.0)
        if known.any():  # centred sums lose no digits
            x, y = (np.where(known, v - v[known].mean(), 0.0) for v in (x, y))
        self.rows: Array = np.stack([known.astype(np.float64), x, y, x * x, y * y, x * y], 1)

    def finish(self, sums: Array) -> dict[str, Array]:
        """See `bootstrap.Measure`."""
        n, x, y, xx, yy, xy = sums.T
        spread = (n * xx - x * x) * (n * yy - y * y)
        return {self.name: _ratio(n * xy - x * y, np.sqrt(np.where(spread > 1e-12, spread, np.nan)))}


def per_label(hit: Array, active: Array, gold: Array) -> tuple[Array, Array, Array]:
    """Return precision, recall and F1 from counts; NaN where a label does not occur in the truth."""
    some = np.where(gold > 0, gold, np.nan)
    return np.where(gold > 0, hit / np.maximum(active, 1), np.nan), hit / some, 2 * hit / (active + some)


def confusion(truth: Bools, probability: Array) -> list[list[int]]:
    """Count gold label (row) against top label (column), every example with a gold label once.

    With several gold labels the row is the top label if it is among them, else the first.
    """
    known = truth.any(1)
    truth, top = truth[known], probability[known].argmax(1)
    gold = np.where(np.take_along_axis(truth, top[:, None], 1)[:, 0], top, truth.argmax(1))
    size = truth.shape[1]
    counted = np.bincount(gold * size + top, minlength=size * size).reshape(size, size)
    return [[int(cell) for cell in row] for row in counted]


def _binned(probability: Array, right: Bools, known: Bools) -> Array:
    """Return for each example and bin how many probabilities fell in, their sum, and how many were right."""
    n = len(probability)
    bins = np.clip(np.ceil(probability * BINS).astype(np.intp) - 1, 0, BINS - 1)
    cells = np.zeros((3, n * BINS))
    where = (np.arange(n)[:, None] * BINS + bins).ravel()
    weight = np.broadcast_to(known[:, None], probability.shape)
    for i, value in enumerate((weight, weight * probability, weight & right)):
        cells[i] = np.bincount(where, value.ravel().astype(np.float64), n * BINS)
    return cells.reshape(3, n, BINS).transpose(1, 0, 2).reshape(n, 3 * BINS)


def _ece(cells: Array) -> Array:
    count, probability, right = cells[:, 0], cells[:, 1], cells[:, 2]
    return _ratio(np.abs(right - probability).sum(1), count.sum(1))


def _ratio(above: Array, below: Array) -> Array:
    return np.asarray(above / np.where(below > 0, below, np.nan))


def _mean(values: Array) -> Array:
    some = np.isfinite(values)
    return _ratio(np.where(some, values, 0.0).sum(1), some.sum(1).astype(np.float64))
