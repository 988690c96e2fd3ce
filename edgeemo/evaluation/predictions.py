"""The answers of a recognizer to every example of a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np

from ..data.manifest import Example
from ..recognizer import Recognizer
from ..tasks import task_of
from ..types import EmotionResult
from .bootstrap import Array, Bools
from .label_sets import LabelSet
from .metrics import LabelMeasure

Progress: TypeAlias = Callable[[Sequence[Example]], Iterable[Example]]


@dataclass(frozen=True)
class Predictions:
    """The answers of a recognizer: arrays with one row an example."""

    probabilities: Array
    scores: Array
    valence: Array
    arousal: Array
    evidence: Array

    def rows(self, chosen: Bools) -> Predictions:
        """Return those of the chosen examples."""
        return Predictions(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Predictions]) -> Predictions:
        """Return all rows of several, one after the other."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    @classmethod
    def of(cls, results: Sequence[EmotionResult]) -> Predictions:
        """Gather results."""
        return cls(*(np.array([getattr(r, f.name) for r in results], np.float64) for f in fields(cls)))


def predict(recognizer: Recognizer, examples: Sequence[Example], progress: Progress = iter) -> Predictions:
    """Predict every example as the task of the bundle does: a text, a whole clip, or a face."""
    task = task_of(recognizer.card)
    return Predictions.of([task.predict(recognizer, example) for example in progress(examples)])


def label_measure(
    space: LabelSet,
    examples: Sequence[Example],
    said: Predictions,
    *,
    prefix: str = "",
    counted: Bools | None = None,
    only: Sequence[str] = (),
    over: Sequence[int] = (),
) -> LabelMeasure:
    """Return the measure of answers in one label set; see `LabelMeasure`."""
    probability = space.probability(said.probabilities, said.scores)
    return LabelMeasure(
        space.truth(examples), probability, space.active(probability),
        prefix=prefix, exclusive=space.exclusive, counted=counted, only=only, over=over,
    )  # fmt: skip
