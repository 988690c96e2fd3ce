"""Robustness: how a voice bundle's UAR falls with noise and through codecs, in pairs with the clean clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.clips import Samples, read_clip
from ..data.manifest import Example
from ..recognizer import Recognizer
from ..types import EmotionResult
from . import sounds
from .bootstrap import Draw, Interval, difference, intervals
from .predictions import Predictions, Progress, label_measure
from .spaces import Space

SNRS_DB = (20, 15, 10, 5, 0)
TELEPHONE = "phone"
"""300 to 3,400 Hz, 8 kHz, μ-law."""


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
        return {
            "clean": self.clean.to_dict(),
            "noise": self.noise,
            "conditions": [condition.to_dict() for condition in self.conditions],
        }


@dataclass(frozen=True)
class Heard:
    """What a bundle said of clips in every condition, by its name; ``kbit_s`` of the codecs."""

    said: dict[str, Predictions]
    kbit_s: dict[str, float]

    @classmethod
    def by(
        cls,
        recognizer: Recognizer,
        examples: Sequence[Example],
        noise: sounds.Noise,
        progress: Progress = iter,
    ) -> Heard:
        """Predict every clip anew in noise and through codecs.

        A clip gets the same piece of noise at every ratio. The ratio is that of the voice's power (frames
        within 30 dB of the loudest) to the noise's.

        Raises:
            DataError: a clip or the noise cannot be read.
        """
        results: dict[str, list[EmotionResult]] = {}
        bits: dict[str, float] = {}
        seconds = 0.0
        reader: Any = recognizer
        for number, example in enumerate(progress(examples)):
            pcm, rate_hz = read_clip(example)
            pcm = sounds.mono(pcm)
            seconds += len(pcm) / rate_hz
            for name, heard, heard_hz, size in _conditions(pcm, rate_hz, noise, number):
                results.setdefault(name, []).append(reader.predict(heard, rate_hz=heard_hz))
                bits[name] = bits.get(name, 0.0) + 8 * size
        kbit_s = {name: sum_ / max(seconds, 1e-9) / 1000 for name, sum_ in bits.items() if sum_}
        return cls({name: Predictions.of(found) for name, found in results.items()}, kbit_s)

    def measure(
        self, examples: Sequence[Example], clean: Predictions, space: Space, draw: Draw, noise: str
    ) -> Robustness:
        """Compare with what was said of the ``clean`` clips, in pairs; clips without a label do not count."""
        labelled = np.array([bool(e.labels) for e in examples], np.bool_)
        base = [label_measure(space, examples, clean, counted=labelled, only=("uar",))]
        conditions = []
        for name, said in self.said.items():
            there = [label_measure(space, examples, said, counted=labelled, only=("uar",))]
            snr_db = _snr(name)
            conditions.append(
                Condition(
                    name,
                    "codec" if snr_db is None else "noise",
                    intervals(there, draw)["uar"],
                    difference(base, there, draw)["uar"],
                    float(said.evidence.mean()),
                    snr_db,
                    self.kbit_s.get(name),
                )
            )
        return Robustness(intervals(base, draw)["uar"], noise, tuple(conditions))


def _conditions(
    pcm: Samples, rate_hz: int, noise: sounds.Noise, number: int
) -> Sequence[tuple[str, Samples, int, int]]:
    """Return name, samples, rate and bytes of a clip in every condition."""
    piece = noise.piece(number, len(pcm), rate_hz)
    noisy = [(f"SNR {db} dB", sounds.mix(pcm, piece, rate_hz, db), rate_hz, 0) for db in SNRS_DB]
    coded = [(name, *sounds.through_codec(pcm, rate_hz, name)) for name in sounds.CODECS]
    return [*noisy, *coded, (TELEPHONE, *sounds.through_telephone(pcm, rate_hz))]


def _snr(name: str) -> int | None:
    return next((db for db in SNRS_DB if name == f"SNR {db} dB"), None)
