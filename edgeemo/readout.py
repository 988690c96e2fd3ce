"""From a model's outputs to numbers a result is made of; what the card says of calibration stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        self._own_affect = card.affect is None
        self.exclusive = not card.multi_label
        self.thresholds = _frozen([card.thresholds[label] for label in card.labels])
        self.native = _readout_of(card)
        self._n = len(card.labels)
        self.neutral = self.reading(self.native.neutral())

    def __call__(self, outputs: Mapping[str, FloatArray]) -> Reading:
        """Read one run of the model: float32 arrays by output name.

        Raises:
            InferenceError: NaN.
        """
        return self.reading(self.row(outputs))

    def row(self, outputs: Mapping[str, FloatArray]) -> FloatArray:
        """Read one run of the model as one float32 row: probabilities, scores, valence, arousal.

        Raises:
            InferenceError: NaN.
        """
        affect = outputs[self._outputs["affect"]] if self._own_affect else None
        try:
            return self.native.read(outputs[self._outputs["labels"]], affect)
        except (InferenceError, ValueError) as error:
            raise InferenceError(f"{self._name}: {error}") from error

    def speech_share(self, outputs: Mapping[str, FloatArray], real: int) -> float:
        """Return the share of the first ``real`` blocks that are speech, 0 … 1.

        Raises:
            InferenceError: NaN.
        """
        try:
            return self.native.speech_share(outputs[self._outputs["speech"]], real)
        except InferenceError as error:
            raise InferenceError(f"{self._name}: {error}") from error

    def reading(self, row: FloatArray) -> Reading:
        """Name the parts of a row, which is unchangeable from then on."""
        read_only(row)
        valence, arousal = row[-2:].tolist()
        return Reading(row[: self._n], row[self._n : -2], valence, arousal)


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


def _readout_of(card: ModelCard) -> _core.Readout:
    index = {label: i for i, label in enumerate(card.labels)}
    calm = card.emotions.get("neutral", ())
    if not card.multi_label:  # one of them takes all
        calm = ("neutral",) if "neutral" in calm else calm[:1]
    evidence = card.evidence
    return _core.Readout(
        multi_label=card.multi_label,
        scale=list(card.calibration.scale),
        bias=list(card.calibration.bias),
        groups=[[index[label] for label in card.emotions.get(emotion, ())] for emotion in EMOTIONS],
        temperature=card.calibration.temperature,
        affect=[] if card.affect is None else [card.affect[label] for label in card.labels],
        neutral=[index[label] for label in calm],
        evidence=(evidence["threshold"], evidence["least"], evidence["enough"]) if evidence else None,
    )


def read_only(array: FloatArray) -> FloatArray:
    """Make an array of our own unchangeable."""
    array.flags.writeable = False
    return array


def _frozen(values: Sequence[float]) -> FloatArray:
    return read_only(np.array(values, np.float32))
