"""What a recognizer says of every example of a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from ..data.clips import read_clip
from ..data.faces import view_of
from ..data.leaks import text_of
from ..data.manifest import Example
from ..recognizer import Recognizer
from ..types import EmotionResult
from .bootstrap import Array, Bools
from .metrics import LabelMeasure
from .spaces import Space

Progress: TypeAlias = Callable[[Sequence[Example]], Iterable[Example]]


@dataclass(frozen=True)
class Predictions:
    """What a recognizer said of each example: arrays with one row an example."""

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
    """Predict every example: texts, whole clips, or faces (see `edgeemo.data.faces.view_of`)."""
    reader: Any = recognizer
    if recognizer.card.modality == "text":
        return Predictions.of([reader.predict(text_of(example)) for example in progress(examples)])
    if recognizer.card.modality == "face":
        views = (view_of(example, reader.frontend.spec) for example in progress(examples))
        return Predictions.of([reader.predict(v.picture, v.color, [v.box]) for v in views])
    results = []
    for example in progress(examples):
        pcm, rate_hz = read_clip(example)
        results.append(reader.predict(pcm, rate_hz=rate_hz))
    return Predictions.of(results)


def label_measure(
    space: Space,
    examples: Sequence[Example],
    said: Predictions,
    *,
    prefix: str = "",
    counted: Bools | None = None,
    only: Sequence[str] = (),
    over: Sequence[int] = (),
) -> LabelMeasure:
    """Return the measure of what was said in one label space; see `LabelMeasure`."""
    probability = space.probability(said.probabilities, said.scores)
    return LabelMeasure(
        space.truth(examples), probability, space.active(probability),
        prefix=prefix, exclusive=space.exclusive, counted=counted, only=only, over=over,
    )  # fmt: skip
