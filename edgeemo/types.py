"""The emotions, and the result of one prediction."""

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
    """The emotion that one input expresses; an immutable value.

    Attributes:
        modality: ``"text"``, ``"voice"`` or ``"face"``.
        scores: float32 ``(8,)`` over `EMOTIONS`, each in [0, 1], summing to 1.
        labels: the model's own labels.
        probabilities: float32, one calibrated probability per label.
        thresholds: float32, the least probability of each active label; no meaning if ``exclusive``.
        valence: unpleasant −1 … pleasant +1.
        arousal: calm −1 … excited +1.
        evidence: 0 … 1, how much of the input the model could use. Texts: the share of words made of
            known pieces. Voices: the share of blocks taken for speech. Faces: the probability of a face.
            Evidence does not check the language. Near 0 (voices: below ``card.evidence["least"]``;
            faces: without a face) neutral is 1, valence and arousal are 0.
        truncated: whether the model read only the beginning, because the input was too long.
        start_ms, end_ms: the span, the clip or the track so far, on the caller's clock; 0 for texts and
            photographs.
        exclusive: whether exactly one of the labels holds.
        face: the place of the face, or None. ``face.box`` is ``(x0, y0, x1, y1)`` in pixels.
        track_id: the number of the face's track in a stream, from 1; else None.
        kind: of voices: ``"clip"`` (a whole clip), ``"span"``, ``"utterance"`` or ``"partial"`` (an utterance
            that still lasts); else None.
        burst_labels: the labels of bursts; empty where the bundle hears none.
        burst_probabilities: float32, one probability per burst label, summing to 1; None without bursts.
        burst_scores: float32 ``(8,)`` over `EMOTIONS`: what the bursts express by the card, summing to 1. The
            burst label ``"none"`` (speech or noise) counts as neutral. None without bursts.
        burst_valence, burst_arousal: −1 … +1, what the bursts express by the card; None without bursts.
        model, version: name and version of the model's card.
        source: the stream's name, as the caller gave it, or None.
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
    kind: str | None = None
    burst_labels: tuple[str, ...] = ()
    burst_probabilities: FloatArray | None = None
    burst_scores: FloatArray | None = None
    burst_valence: float | None = None
    burst_arousal: float | None = None
    model: str = ""
    version: str = ""
    source: str | None = None
    schema: int = RESULT_SCHEMA

    @cached_property
    def fine(self) -> Mapping[str, float]:
        """The model's own labels and their calibrated probabilities, independent unless ``exclusive``."""
        return MappingProxyType(dict(zip(self.labels, self.probabilities.tolist(), strict=True)))

    @cached_property
    def bursts(self) -> Mapping[str, float] | None:
        """The burst labels and their probabilities, which sum to 1; None where the bundle hears no bursts.

        Bursts are sounds without words, such as a laugh or a scream. A span has the model's own answer. An
        utterance or a clip has the mean over its spans, weighted by their length alone. The share of speech
        does not weigh here, because a laugh need not be speech to the speech detector. Bursts never change
        ``label``, ``scores``, ``valence`` and ``arousal``; ``burst_scores`` says what they express.
        """
        if self.burst_probabilities is None:
            return None
        found = zip(self.burst_labels, self.burst_probabilities.tolist(), strict=True)
        return MappingProxyType(dict(found))

    @property
    def active(self) -> tuple[str, ...]:
        """The labels at or above their thresholds, in the order of `labels`.

        If labels are exclusive, only the likeliest is active (the first on a tie). No label is active if
        all are 0: there is no evidence, and the model has no label for neutral.
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

        ``model``, ``version``, ``schema`` and ``source`` are always there. ``kind`` is there only for voices,
        ``face`` (box, eyes, score) and ``track_id`` only where there is a face. ``bursts``, ``burst_scores``,
        ``burst_valence`` and ``burst_arousal`` are there only where the bundle hears bursts.
        """
        who = ("schema", "model", "version", "source", "modality", "label", "confidence")
        rest = ("valence", "arousal", "evidence", "truncated", "start_ms", "end_ms")
        fields = {
            **{name: getattr(self, name) for name in who},
            "scores": dict(zip(EMOTIONS, self.scores.tolist(), strict=True)),
            "fine": dict(self.fine),
            "active": list(self.active),
            **{name: getattr(self, name) for name in rest},
        }
        if self.kind is not None:
            fields["kind"] = self.kind
        if self.bursts is not None and self.burst_scores is not None:
            fields["bursts"] = dict(self.bursts)
            fields["burst_scores"] = dict(zip(EMOTIONS, self.burst_scores.tolist(), strict=True))
            fields |= {name: getattr(self, name) for name in ("burst_valence", "burst_arousal")}
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
        made_again = ("fine", "bursts")  # when asked
        return {name: value for name, value in self.__dict__.items() if name not in made_again}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():  # a copy of an array can be written to
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return (
            f"EmotionResult({self.modality}: {self.label} {self.confidence:.2f}, "
            f"valence {self.valence:+.2f}, arousal {self.arousal:+.2f}, evidence {self.evidence:.2f})"
        )
