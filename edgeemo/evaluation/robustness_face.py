"""Robustness: how a face bundle's scores fall with damaged pictures and misplaced boxes, in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.faces import view_of
from ..data.manifest import Example
from ..recognizer import Recognizer
from ..types import EmotionResult
from .bootstrap import Draw, Interval, difference, intervals
from .damage import UNITS, Damage
from .predictions import Predictions, Progress, label_measure
from .spaces import Space

SCORES = ("accuracy", "uar")


@dataclass(frozen=True)
class FaceCondition:
    """One kind and strength of damage, measured.

    Attributes:
        kind, strength: see `edgeemo.evaluation.damage`; ``unit`` is the strength's.
        changed: the share of faces it changed: of those small already, none is made smaller.
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
class Shown:
    """What a bundle said of faces in every condition, and the share of faces that the condition changed."""

    said: dict[tuple[str, float], Predictions]
    changed: dict[tuple[str, float], float]
    eye_px: float
    seed: int

    @classmethod
    def by(
        cls, recognizer: Recognizer, examples: Sequence[Example], damage: Damage, progress: Progress = iter
    ) -> Shown:
        """Predict every face anew, damaged.

        Raises:
            DataError: a picture cannot be read. RuntimeUnavailableError: OpenCV is not installed.
        """
        results: dict[tuple[str, float], list[EmotionResult]] = {}
        changed: dict[tuple[str, float], int] = {}
        eyes: list[float] = []
        reader: Any = recognizer
        for number, example in enumerate(progress(examples)):
            view = view_of(example, reader.frontend.spec)
            eyes.append(view.eye_px)
            for kind, strength, seen in damage.views(view, number):
                said = reader.predict(seen.picture, seen.color, [seen.box])
                results.setdefault((kind, strength), []).append(said)
                changed[kind, strength] = changed.get((kind, strength), 0) + (seen is not view)
        return cls(
            {key: Predictions.of(found) for key, found in results.items()},
            {key: n / len(eyes) for key, n in changed.items()},
            float(np.median(eyes)),
            damage.seed,
        )

    def measure(
        self, examples: Sequence[Example], clean: Predictions, space: Space, draw: Draw
    ) -> FaceRobustness:
        """Compare with what was said of the ``clean`` faces, in pairs; faces without a label do not count.

        A condition that changed none of the faces is left out.
        """
        labelled = np.array([bool(e.labels) for e in examples], np.bool_)
        base = [label_measure(space, examples, clean, counted=labelled, only=SCORES)]
        conditions = []
        for (kind, strength), said in self.said.items():
            if not self.changed[kind, strength]:
                continue
            there = [label_measure(space, examples, said, counted=labelled, only=SCORES)]
            conditions.append(
                FaceCondition(
                    kind,
                    strength,
                    UNITS[kind],
                    self.changed[kind, strength],
                    intervals(there, draw),
                    difference(base, there, draw),
                    float(said.evidence.mean()),
                )
            )
        return FaceRobustness(intervals(base, draw), self.eye_px, self.seed, tuple(conditions))
