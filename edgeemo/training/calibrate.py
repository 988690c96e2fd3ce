"""From raw logits on development data to calibrated probabilities and thresholds. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..card import Calibration

Matrix = npt.NDArray[np.float64]


def platt(logits: Matrix, truth: Matrix, *, ridge: float = 1.0) -> tuple[Matrix, Matrix]:
    """Fit ``p = sigmoid(scale * logit + bias)`` per label by Newton's method (Platt 1999).

    ``ridge`` pulls a rare label toward scale 1 and bias 0, as if that many examples said so.

    Args:
        logits, truth: ``(n, labels)``; truth is 0 or 1.

    Returns:
        scale and bias, each ``(labels,)``.
    """
    scale, bias = np.ones(logits.shape[1]), np.zeros(logits.shape[1])
    for _ in range(50):
        p = _sigmoid(scale * logits + bias)
        w = p * (1 - p)
        gs = ((p - truth) * logits).sum(0) + ridge * (scale - 1)
        gb = (p - truth).sum(0) + ridge * bias
        hss = (w * logits**2).sum(0) + ridge
        hsb = (w * logits).sum(0)
        hbb = w.sum(0) + ridge
        determinant = hss * hbb - hsb**2
        ds, db = (hbb * gs - hsb * gb) / determinant, (hss * gb - hsb * gs) / determinant
        scale, bias = scale - np.clip(ds, -1, 1), bias - np.clip(db, -1, 1)
        if max(np.abs(ds).max(), np.abs(db).max()) < 1e-9:
            break
    return scale, bias


def best_threshold(probability: Matrix, truth: Matrix, *, smooth: float = 0.5) -> float:
    """Return the threshold with the highest F1, smoothed over its neighbours.

    F1 as a function of the threshold is ragged where a label is rare, and its highest tooth is luck.
    So F1 is averaged with a Gaussian of width ``smooth`` (in logits) before the maximum is taken.
    The width was chosen on GoEmotions' dev: thresholds of one half, scored on the other.

    Args:
        probability, truth: ``(n,)``.
    """
    grid = np.linspace(-6, 4, 501)
    logit = np.log(np.clip(probability, 1e-9, 1 - 1e-9) / np.clip(1 - probability, 1e-9, 1))
    order = np.argsort(-logit)
    hits = np.concatenate([[0], np.cumsum(truth[order])])
    chosen = np.searchsorted(-logit[order], -grid, side="right")  # how many lie at or above each threshold
    f1 = 2 * hits[chosen] / np.maximum(chosen + truth.sum(), 1)
    step = grid[1] - grid[0]
    kernel = np.exp(-0.5 * (np.arange(-100, 101) * step / smooth) ** 2)
    padded = np.pad(f1, 100, mode="edge")
    smoothed = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return float(_sigmoid(grid[int(smoothed.argmax())]))


def score_temperature(groups: Matrix, truth: Matrix) -> float:
    """Return the temperature at which the normalised view is most likely to name what was annotated.

    Args:
        groups: probability of each emotion, ``(n, emotions)``.
        truth: 0 or 1, ``(n, emotions)``; rows without any are left out, several share the weight.
    """
    rows = truth.sum(1) > 0
    logs, share = np.log(np.clip(groups[rows], 1e-9, 1)), truth[rows] / truth[rows].sum(1, keepdims=True)

    def loss(temperature: float) -> float:
        return float(-(share * _log_softmax(logs / temperature)).sum(1).mean())

    return _least(loss)


def group_probabilities(
    probability: Matrix, labels: Sequence[str], groups: Sequence[Sequence[str]]
) -> Matrix:
    """Return the probability of each group, ``(n, groups)``: that of any member; see `edgeemo.card.Group`."""
    index = {label: i for i, label in enumerate(labels)}
    members = [probability[:, [index[label] for label in group]] for group in groups]
    return np.stack([1 - np.prod(1 - p, axis=1) for p in members], axis=1)


def exclusive(logits: Matrix, truth: Matrix) -> Calibration:
    """Fit one temperature for labels that exclude each other (Guo et al. 2017)."""

    def loss(scale: float) -> float:
        return float(-(truth * _log_softmax(logits * scale)).sum(1).mean())

    n = logits.shape[1]
    return Calibration((_least(loss),) * n, (0.0,) * n)


def clip_scale(
    logits: npt.NDArray[np.floating],
    weight: npt.NDArray[np.floating],
    owner: npt.NDArray[np.integer],
    truth: Matrix,
    known: npt.NDArray[np.bool_],
) -> float:
    """Fit one temperature for clips read span by span; returns one over it.

    A clip's probabilities are the weighted mean over its spans of ``softmax(scale · logits)``. They are
    divided by their sum over the ``known`` labels (those of its data set).

    Args:
        logits, weight, owner: of spans ``(spans, labels)``, ``(spans,)``, and the clip of each.
        truth, known: of clips ``(clips, labels)``; rows of truth sum to 1, or to 0 without a label.
    """
    heard = np.bincount(owner, weight, len(truth)) > 0

    def loss(scale: float) -> float:
        z = logits.astype(np.float64) * scale
        p = np.exp(z - z.max(1, keepdims=True))
        p *= (weight / p.sum(1))[:, None]
        clips = np.stack([np.bincount(owner, column, len(truth)) for column in p.T], 1) * known
        clips = np.clip(clips / np.maximum(clips.sum(1, keepdims=True), 1e-12), 1e-9, 1)
        return float(-(truth * np.log(clips)).sum(1)[heard].mean())

    return round(_least(loss), 4)


def multi_label(
    logits: Matrix, truth: Matrix, labels: Sequence[str], emotions: Mapping[str, Sequence[str]]
) -> tuple[Calibration, Matrix]:
    """Fit Platt's scale and bias per label and the temperature of the normalised view.

    Returns:
        the calibration, and the calibrated probabilities ``(n, labels)``.
    """
    scale, bias = platt(logits, truth)
    probability = _sigmoid(scale * logits + bias)
    members = list(emotions.values())
    emotions_truth = group_probabilities(truth, labels, members)
    temperature = score_temperature(group_probabilities(probability, labels, members), emotions_truth)
    rounded = [tuple(float(np.float32(x)) for x in values) for values in (scale, bias)]
    return Calibration(rounded[0], rounded[1], round(temperature, 4)), probability


def _least(loss: Callable[[float], float]) -> float:
    """Return the number from 0.2 to 5 with the least loss."""
    grid = np.exp(np.linspace(np.log(0.2), np.log(5), 121))
    return float(grid[int(np.argmin([loss(x) for x in grid]))])


def _log_softmax(z: Matrix) -> Matrix:
    z = z - z.max(1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(1, keepdims=True)))


def _sigmoid(z: Matrix) -> Matrix:
    return 1 / (1 + np.exp(-np.clip(z, -60, 60)))
