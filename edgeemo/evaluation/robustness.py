"""Robustness: how scores fall in noise and through codecs, or with corrupted pictures and misplaced boxes.

Every condition is compared in pairs with the clean clips or faces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ..data.clips import read_clip
from ..data.faces import view_of
from ..data.manifest import Example
from ..data.sounds import Samples
from ..moved import renamed
from ..recognizer import Recognizer
from ..types import EmotionResult
from . import sounds
from .bootstrap import Draw, Interval, difference, intervals
from .corruptions import UNITS, Corruptions
from .label_sets import LabelSet
from .metrics import LabelMeasure
from .predictions import Predictions, Progress, label_measure

SNRS_DB = (20, 15, 10, 5, 0)
FACE_METRICS = ("accuracy", "uar")
TELEPHONE = "phone"
"""300 to 3,400 Hz, 8 kHz, μ-law."""

Conditions: TypeAlias = Callable[[Samples, int, int], Sequence[tuple[str, Samples, int, int]]]
"""From samples ``(n,)``, rate and number of a clip to its versions: name, samples, rate, encoded bytes."""


@dataclass(frozen=True)
class Condition:
    """One condition, measured.

    Attributes:
        kind: ``"noise"`` or ``"codec"``; ``snr_db`` is given for noise, ``kbit_s`` for codecs.
        uar: unweighted average recall. drop: that of the clean clips minus this, resampled in pairs.
        evidence: the mean over the clips.
    """

    name: str
    kind: str
    uar: Interval
    drop: Interval
    evidence: float
    snr_db: int | None = None
    kbit_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        own = {"snr_db": self.snr_db} if self.kind == "noise" else {"kbit_s": self.kbit_s}
        intervals = {"uar": self.uar.to_dict(), "drop": self.drop.to_dict()}
        return {"name": self.name, "kind": self.kind, **own, **intervals, "evidence": self.evidence}


@dataclass(frozen=True)
class Robustness:
    """The clean score and each condition's; ``noise`` says what was mixed in."""

    clean: Interval
    noise: str
    conditions: tuple[Condition, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {**asdict(self), "conditions": [condition.to_dict() for condition in self.conditions]}


@dataclass(frozen=True)
class ClipAnswers:
    """The answers to clips in every condition, by its name; ``kbit_s`` of the codecs."""

    said: dict[str, Predictions]
    kbit_s: dict[str, float]

    @classmethod
    def collect(
        cls,
        recognizer: Recognizer,
        examples: Sequence[Example],
        conditions: Conditions,
        progress: Progress = iter,
    ) -> ClipAnswers:
        """Predict every clip again under each condition, for example `noise_and_codecs`.

        Raises:
            DataError, SourceError: a clip or the noise cannot be read.
        """
        results: dict[str, list[EmotionResult]] = {}
        bits: dict[str, float] = {}
        seconds = 0.0
        reader: Any = recognizer
        for number, example in enumerate(progress(examples)):
            pcm, rate_hz = read_clip(example)
            pcm = sounds.mono(pcm)
            seconds += len(pcm) / rate_hz
            for name, heard, heard_hz, size in conditions(pcm, rate_hz, number):
                results.setdefault(name, []).append(reader.predict(heard, rate_hz=heard_hz))
                bits[name] = bits.get(name, 0.0) + 8 * size
        kbit_s = {name: sum_ / max(seconds, 1e-9) / 1000 for name, sum_ in bits.items() if sum_}
        return cls({name: Predictions.of(found) for name, found in results.items()}, kbit_s)

    def measure(
        self, examples: Sequence[Example], clean: Predictions, space: LabelSet, draw: Draw, noise: str
    ) -> Robustness:
        """Compare with the answers to the ``clean`` clips, in pairs; clips without a label do not count."""
        base, rows = in_pairs(examples, clean, self.said, space, draw, ("uar",))
        conditions = []
        for name, (scores, drops, evidence) in rows.items():
            snr_db = next((db for db in SNRS_DB if name == f"SNR {db} dB"), None)
            kind = "codec" if snr_db is None else "noise"
            kbit_s = self.kbit_s.get(name)
            conditions.append(Condition(name, kind, scores["uar"], drops["uar"], evidence, snr_db, kbit_s))
        return Robustness(base["uar"], noise, tuple(conditions))


Scores: TypeAlias = dict[str, Interval]
_Key = TypeVar("_Key")


def in_pairs(
    examples: Sequence[Example], clean: Predictions, said: Mapping[_Key, Predictions], space: LabelSet,
    draw: Draw, metrics: Sequence[str],
) -> tuple[Scores, dict[_Key, tuple[Scores, Scores, float]]]:  # fmt: skip
    """Return the clean scores, and of each condition its scores, the drops from clean, and mean evidence.

    The drops are resampled in pairs. Examples without a label do not count.
    """
    labelled = np.array([bool(e.labels) for e in examples], np.bool_)

    def measured(predictions: Predictions) -> list[LabelMeasure]:
        return [label_measure(space, examples, predictions, counted=labelled, only=metrics)]

    base, rows = measured(clean), {}
    for key, predictions in said.items():
        there = measured(predictions)
        evidence = float(predictions.evidence.mean())
        rows[key] = intervals(there, draw), difference(base, there, draw), evidence
    return intervals(base, draw), rows


def noise_and_codecs(noise: sounds.Noise) -> Conditions:
    """Return the conditions of `Robustness`: noise at `SNRS_DB`, each codec, and a telephone line.

    A clip gets the same piece of noise at every ratio. The ratio compares the voice's power (frames within
    30 dB of the loudest) with the noise's.
    """

    def heard(pcm: Samples, rate_hz: int, number: int) -> Sequence[tuple[str, Samples, int, int]]:
        piece = noise.piece(number, len(pcm), rate_hz)
        noisy = [(f"SNR {db} dB", sounds.mix(pcm, piece, rate_hz, db), rate_hz, 0) for db in SNRS_DB]
        coded = [(name, *sounds.through_codec(pcm, rate_hz, name)) for name in sounds.CODECS]
        return [*noisy, *coded, (TELEPHONE, *sounds.through_telephone(pcm, rate_hz))]

    return heard


# --- faces ---


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
        facts = asdict(self)
        scores, drops = facts.pop("scores"), facts.pop("drops")
        evidence = facts.pop("evidence")
        return {"name": self.name, **facts, **scores, "drop": drops, "evidence": evidence}


@dataclass(frozen=True)
class FaceRobustness:
    """The clean scores and each condition's; ``eye_px`` is the median distance between the eyes."""

    clean: dict[str, Interval]
    eye_px: float
    seed: int
    conditions: tuple[FaceCondition, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {**asdict(self), "conditions": [condition.to_dict() for condition in self.conditions]}


@dataclass(frozen=True)
class FaceAnswers:
    """The answers to faces in every condition, and the share of faces that the condition changed."""

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
        self, examples: Sequence[Example], clean: Predictions, space: LabelSet, draw: Draw
    ) -> FaceRobustness:
        """Compare with the answers to the ``clean`` faces, in pairs; faces without a label do not count.

        A condition that changed no face is left out.
        """
        kept = {key: said for key, said in self.said.items() if self.changed[key]}
        base, rows = in_pairs(examples, clean, kept, space, draw, FACE_METRICS)
        conditions = tuple(
            FaceCondition(kind, strength, UNITS[kind], self.changed[kind, strength], *row)
            for (kind, strength), row in rows.items()
        )
        return FaceRobustness(base, self.eye_px, self.seed, conditions)


__getattr__ = renamed(__name__, {"Heard": "ClipAnswers", "Shown": "FaceAnswers"})
