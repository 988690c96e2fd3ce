"""The values the data path speaks in: the emotions, and what one prediction says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _core

if TYPE_CHECKING:
    from ._core import Face

FloatArray: TypeAlias = npt.NDArray[np.float32]
Modality: TypeAlias = Literal["text", "voice", "face"]

MODALITIES: tuple[Modality, ...] = ("text", "voice", "face")

EMOTIONS: tuple[str, ...] = (
    "neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "contempt",
)  # fmt: skip
"""The order of every score vector. Ekman's six, neutral, and contempt."""

RESULT_SCHEMA: int = _core.RESULT_SCHEMA
"""The form of a result. The number goes up when the meaning of a field changes."""


@dataclass(frozen=True, eq=False)
class EmotionResult:
    """The emotion one input expresses. A value: nothing in it changes.

    Attributes:
        modality: ``"text"``, ``"voice"`` or ``"face"``.
        scores: float32 ``(8,)`` over `EMOTIONS`, each in [0, 1], summing to 1.
        labels: the model's own labels.
        probabilities: float32, one calibrated probability per label.
        thresholds: float32, the probability from which each label counts as active; without meaning where
            labels are ``exclusive``.
        valence: unpleasant −1 … pleasant +1.
        arousal: calm −1 … excited +1.
        evidence: 0 … 1, how much of the input the model understood: the share of words (text) or of the
            span that is speech (voice), the probability that there is a face (face). Near 0 (for voices:
            below ``card.evidence["least"]``; for faces: where there is none) neutral is 1 and valence and
            arousal are 0.
        truncated: the input was longer than the model reads, and only its beginning was read.
        start_ms, end_ms: the span (or the clip, or the track so far) this speaks of, on the caller's clock;
            0 for texts and photographs.
        exclusive: of the labels exactly one holds.
        face: where the face is; None without one. ``face.box`` is ``(x0, y0, x1, y1)`` in pixels of the
            picture.
        track_id: in a stream of faces the number of the face's track, from 1; else None.
        model, version: name and version of the card of the model that spoke.
        source: the stream's name, as the caller gave it; None without one.
        schema: the form of this result, `RESULT_SCHEMA` of the release that made it.
    """

    modality: Modality
    scores: FloatArray
    labels: tuple[str, ...]
    probabilities: FloatArray
    thresholds: FloatArray
    valence: float
    arousal: float
    evidence: float
    truncated: bool = False
    start_ms: int = 0
    end_ms: int = 0
    exclusive: bool = False
    face: Face | None = None
    track_id: int | None = None
    model: str = ""
    version: str = ""
    source: str | None = None
    schema: int = RESULT_SCHEMA

    @cached_property
    def fine(self) -> Mapping[str, float]:
        """The model's own labels and their calibrated probabilities, independent unless ``exclusive``."""
        return MappingProxyType(dict(zip(self.labels, self.probabilities.tolist(), strict=True)))

    @property
    def active(self) -> tuple[str, ...]:
        """The labels at or above their thresholds, in the order of `labels`.

        Of exclusive labels the likeliest alone (the first on a tie), as evaluation counts; none where all
        are 0: no evidence, and the model has no label for neutral.
        """
        if self.exclusive:
            return (self.labels[int(self.probabilities.argmax())],) if self.probabilities.any() else ()
        above = self.probabilities >= self.thresholds
        return tuple(label for label, hit in zip(self.labels, above.tolist(), strict=True) if hit)

    @property
    def label(self) -> str:
        """The emotion with the highest score (the first in `EMOTIONS` order on a tie)."""
        return EMOTIONS[int(self.scores.argmax())]

    @property
    def confidence(self) -> float:
        """The score of `label`, in [1/8, 1]."""
        return float(self.scores.max())

    def top(self, k: int = 3) -> list[tuple[str, float]]:
        """Return the ``k`` emotions with the highest scores, highest first (``k`` from 0 to 8)."""
        order = np.argsort(-self.scores, kind="stable")[: max(k, 0)]
        return [(EMOTIONS[i], float(self.scores[i])) for i in order]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values; ``scores`` as a mapping from emotion to score.

        ``model``, ``version``, ``schema`` and ``source`` are always there. ``face`` (box, eyes, score) and
        ``track_id`` are there only where there is a face.
        """
        fields = {
            "schema": self.schema,
            "model": self.model,
            "version": self.version,
            "source": self.source,
            "modality": self.modality,
            "label": self.label,
            "confidence": self.confidence,
            "scores": dict(zip(EMOTIONS, self.scores.tolist(), strict=True)),
            "fine": dict(self.fine),
            "active": list(self.active),
            "valence": self.valence,
            "arousal": self.arousal,
            "evidence": self.evidence,
            "truncated": self.truncated,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
        }
        if self.face is not None:
            eyes = [list(eye) for eye in self.face.eyes]
            fields["face"] = {"box": list(self.face.box), "eyes": eyes, "score": self.face.score}
            fields["track_id"] = self.track_id
        return fields

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EmotionResult):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.modality, self.scores.tobytes(), self.probabilities.tobytes()))

    def __getstate__(self) -> dict[str, Any]:
        # `fine` is made again when asked
        return {name: value for name, value in self.__dict__.items() if name != "fine"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name in ("scores", "probabilities", "thresholds"):  # a copy of an array can be written to
            state[name].flags.writeable = False
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return (
            f"EmotionResult({self.modality}: {self.label} {self.confidence:.2f}, "
            f"valence {self.valence:+.2f}, arousal {self.arousal:+.2f}, evidence {self.evidence:.2f})"
        )
