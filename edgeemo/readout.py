"""From a model's outputs to numbers a result is made of; what the card says of calibration stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

from . import _core
from .card import ModelCard
from .errors import InferenceError
from .types import EMOTIONS, FloatArray


class Reading(NamedTuple):
    """What the model said: one probability a label, one score an emotion, valence and arousal in [−1, 1]."""

    probabilities: FloatArray
    scores: FloatArray
    valence: float
    arousal: float


class Readout:
    """Calibrates what a model puts out, as its card says.

    Attributes:
        thresholds: float32, one a label.
        exclusive: of the labels exactly one holds.
        neutral: what is said where there is no evidence: neutral 1, valence and arousal 0.
    """

    def __init__(self, card: ModelCard) -> None:
        self._name, self._outputs = card.name, card.outputs
        self._map = score_map(card)
        self._affect = (
            None if card.affect is None else np.array([card.affect[x] for x in card.labels], np.float32)
        )
        self.exclusive = not card.multi_label
        self.thresholds = _frozen([card.thresholds[label] for label in card.labels])
        calm = card.emotions.get("neutral", ())
        if self.exclusive:  # one of them takes all
            calm = ("neutral",) if "neutral" in calm else calm[:1]
        self.neutral = Reading(
            _frozen([1.0 if label in calm else 0.0 for label in card.labels]),
            _frozen([1.0 if emotion == "neutral" else 0.0 for emotion in EMOTIONS]),
            0.0,
            0.0,
        )

    def __call__(self, outputs: Mapping[str, FloatArray]) -> Reading:
        """Read one run of the model: float32 arrays by output name.

        Raises:
            InferenceError: NaN.
        """
        try:
            probabilities, scores = self._map(outputs[self._outputs["labels"]])
        except ValueError as error:
            raise InferenceError(f"{self._name}: {error}") from error
        if self._affect is None:
            valence, arousal = outputs[self._outputs["affect"]][0].tolist()
            if isnan(valence) or isnan(arousal):
                raise InferenceError(f"{self._name}: valence or arousal is NaN. Convert it again.")
        else:
            valence, arousal = (probabilities @ self._affect).tolist()
        return Reading(
            read_only(probabilities),
            read_only(scores),
            min(max(valence, -1.0), 1.0),
            min(max(arousal, -1.0), 1.0),
        )


def row_of(reading: Reading) -> FloatArray:
    """Return what means are taken of, one float32 row: probabilities, scores, valence, arousal."""
    return np.concatenate(
        (reading.probabilities, reading.scores, np.array([reading.valence, reading.arousal], np.float32))
    )


def score_map(card: ModelCard) -> _core.ScoreMap:
    """Return the native map from a model's logits to (probabilities, scores over `EMOTIONS`)."""
    index = {label: i for i, label in enumerate(card.labels)}
    return _core.ScoreMap(
        multi_label=card.multi_label,
        scale=list(card.calibration.scale),
        bias=list(card.calibration.bias),
        groups=[[index[label] for label in card.emotions.get(emotion, ())] for emotion in EMOTIONS],
        temperature=card.calibration.temperature,
    )


def read_only(array: FloatArray) -> FloatArray:
    """Make an array of our own unchangeable."""
    array.flags.writeable = False
    return array


def _frozen(values: Sequence[float]) -> FloatArray:
    return read_only(np.array(values, np.float32))
