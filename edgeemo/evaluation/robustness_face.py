"""Robustness: how a face bundle's scores fall with corrupted pictures and misplaced boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.faces import view_of
from ..data.manifest import Example
from ..recognizer import Recognizer
from ..types import EmotionResult
from .bootstrap import Draw, Interval
from .corruptions import UNITS, Corruptions
from .label_spaces import LabelSpace
from .predictions import Predictions, Progress
from .robustness import in_pairs

SCORES = ("accuracy", "uar")


@dataclass(frozen=True)
class FaceCondition:
    """One kind and strength of corruption, measured.

    Attributes:
        kind, strength: see `edgeemo.evaluation.corruptions`; ``unit`` is the strength's.
        changed: the share of faces it changed. A face that is small already is not made smaller.
        scores: accuracy and UAR. drops: those of the clean faces minus these, resampled in pairs.
        evidence: the mean over the faces.
    """

    kind: str
    strength: float
    unit: str
    changed: float
    scores: dict[str, Interval]
    drops: dict[str, Interval]
    evidence: float

    @property
    def name(self) -> str:
        """Kind, strength and unit."""
        return f"{self.kind} {self.strength:g} {self.unit}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "strength": self.strength,
            "unit": self.unit,
            "changed": self.changed,
            **{name: x.to_dict() for name, x in self.scores.items()},
            "drop": {name: x.to_dict() for name, x in self.drops.items()},
            "evidence": self.evidence,
        }


@dataclass(frozen=True)
class FaceRobustness:
    """The clean scores and each condition's; ``eye_px`` is the median distance between the eyes."""

    clean: dict[str, Interval]
    eye_px: float
    seed: int
    conditions: tuple[FaceCondition, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {
            "clean": {name: x.to_dict() for name, x in self.clean.items()},
            "eye_px": self.eye_px,
            "seed": self.seed,
            "conditions": [condition.to_dict() for condition in self.conditions],
        }


@dataclass(frozen=True)
class FaceAnswers:
    """What a bundle said of faces in every condition, and the share of faces that the condition changed."""

    said: dict[tuple[str, float], Predictions]
    changed: dict[tuple[str, float], float]
    eye_px: float
    seed: int

    @classmethod
    def collect(
        cls,
        recognizer: Recognizer,
        examples: Sequence[Example],
        corruptions: Corruptions,
        progress: Progress = iter,
    ) -> FaceAnswers:
        """Predict every face again, corrupted.

        Raises:
            DataError, SourceError: a picture cannot be read. RuntimeUnavailableError: a library is missing.
        """
        results: dict[tuple[str, float], list[EmotionResult]] = {}
        changed: dict[tuple[str, float], int] = {}
        eyes: list[float] = []
        reader: Any = recognizer
        for number, example in enumerate(progress(examples)):
            view = view_of(example, reader.frontend.spec)
            eyes.append(view.eye_px)
            for kind, strength, seen in corruptions.views(view, number):
                said = reader.predict(seen.picture, seen.color, [seen.box])
                results.setdefault((kind, strength), []).append(said)
                changed[kind, strength] = changed.get((kind, strength), 0) + (seen is not view)
        return cls(
            {key: Predictions.of(found) for key, found in results.items()},
            {key: n / len(eyes) for key, n in changed.items()},
            float(np.median(eyes)),
            corruptions.seed,
        )

    def measure(
        self, examples: Sequence[Example], clean: Predictions, space: LabelSpace, draw: Draw
    ) -> FaceRobustness:
        """Compare with what was said of the ``clean`` faces, in pairs; faces without a label do not count.

        A condition that changed no face is left out.
        """
        kept = {key: said for key, said in self.said.items() if self.changed[key]}
        base, rows = in_pairs(examples, clean, kept, space, draw, SCORES)
        conditions = tuple(
            FaceCondition(kind, strength, UNITS[kind], self.changed[kind, strength], *row)
            for (kind, strength), row in rows.items()
        )
        return FaceRobustness(base, self.eye_px, self.seed, conditions)
