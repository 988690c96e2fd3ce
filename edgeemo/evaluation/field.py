"""The field protocol: how a voice bundle holds on lines, in rooms and noise, on calm speech, live, on tones.

`field` works on any open recognizer, so that a cross-validation can measure the bundle of each fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..card import ModelCard
from ..data import catalog
from ..data.clips import read_audio
from ..data.folds import spread_sample
from ..data.manifest import Example
from ..data.sounds import Samples
from ..errors import DataError
from . import sounds
from .calm import CALM, calm_rows, name_of, of_each_set
from .field_report import FieldReport, FieldRow, Rows
from .label_sets import FINE, LabelSet, label_sets_of
from .live_voice import false_utterances, words_live
from .made_sounds import RATE_HZ, steady_sounds
from .predictions import Progress
from .robustness import ClipAnswers, Conditions, in_pairs

AMBIENCE_DB, HISS_DB = (20, 10, 5, 0), 10
RATES_HZ = (8_000, 22_050, 44_100, 48_000)
SPEECH_FROM, HALL_S, FAR_DB, FAR_SNR_DB = 1 / 3, 1.0, -20.0, 15
"""The evidence that counts as speech, the least reverberation time of a hall, level and noise of a far
speaker."""
_VOICES = ("Baby_cry", "Person_sneeze")
_FAINT_DB = -50.0


@dataclass(frozen=True)
class FieldSounds:
    """The sounds that the protocol plays.

    Attributes:
        ambience: noise to mix in.
        rooms: impulse responses, each with its rate in Hz.
        noises: recordings without speech; ``group`` is ``set/recording``.
    """

    ambience: sounds.Noise
    rooms: Sequence[tuple[Samples, int]]
    noises: Sequence[Example]

    @classmethod
    def read(cls, data: Path, seed: int = 0) -> FieldSounds:
        """Read ``ambience``, ``rir`` and ``background/esc10`` (without human voices) of a data folder.

        Raises:
            DataError, SourceError: a set is missing or damaged.
        """
        recordings = [e for name in ("ambience", "esc10") for e in catalog.load(name, data, "train")]
        noises = [e for e in recordings if not (e.path and e.path.parent.name.endswith(_VOICES))]
        rooms = [read_audio(e.path) for e in catalog.load("rir", data, "train") if e.path]
        noise = sounds.Noise(data / "ambience", seed)
        return cls(noise, [(sounds.mono(pcm), rate_hz) for pcm, rate_hz in rooms], noises)


def field(
    recognizer: Any,
    emotional: Sequence[Example],
    calm: Sequence[Example],
    played: FieldSounds,
    *,
    clips: int = 240,
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress = iter,
) -> FieldReport:
    """Measure an open voice recognizer in the field.

    Args:
        emotional: clips with labels; those with no label that the card knows are left out. Calm counts as
            neutral if the card does not know calm.
        calm: clips of calm speech; only those labelled neutral, calm or none count. The part of
            ``speaker`` before ``/`` names their set. An ``age`` of at most 15 makes a child.
        played: noise and rooms.
        clips: the most clips of ``emotional``, of each set of ``calm``, and of each set of noises. The same
            clips are always drawn, of all labels in turn.
        resamples: bootstrap resamples; 0 for none.
        seed: of the noises, rooms and places in time.
        progress: wraps the clips while the function reads them, for a progress bar.

    Raises:
        DataError: the card knows no label of ``emotional``, or a clip cannot be read.
        SourceError, RuntimeUnavailableError: a clip cannot be read.
    """
    space, known = shared(recognizer.card, emotional)
    chosen = spread_sample(known, clips, lambda e: e.labels, name_of)
    loud = [e for e in chosen if not CALM.issuperset(e.labels)]
    quiet = [e for e in calm if e.labels and CALM.issuperset(e.labels)]
    how: dict[str, Any] = {"resamples": resamples, "progress": progress}
    strange = len(emotional) - len(known)
    notes = (f"{strange:,} clips have no label that the card knows.",) if strange else ()
    rows = [
        *_clips(recognizer, chosen, space.narrowed(known), field_conditions(played, seed), **how),
        *calm_rows(recognizer, of_each_set(quiet, clips), **how),
        *words_live(recognizer, loud, space, played.ambience, seed=seed, **how),
        *false_utterances(recognizer, of_each_set(played.noises, clips), seed=seed, **how),
        *_steady(recognizer, resamples, seed),
    ]
    return FieldReport(tuple(rows), clips, seed, notes)


def shared(card: ModelCard, examples: Sequence[Example]) -> tuple[LabelSet, list[Example]]:
    """Return the model's own labels, and the examples with a label among them.

    Raises:
        DataError: there is no such example.
    """
    space = label_sets_of(card)[FINE]
    words = {"calm": "neutral"} if "calm" not in card.labels else {}
    named = [replace(e, labels=tuple(words.get(x, x) for x in e.labels)) for e in examples]
    known = [e for e in named if any(label in space.columns for label in e.labels)]
    if not known:
        found = ", ".join(sorted({x for e in examples for x in e.labels})) or "none"
        raise DataError(
            f"{card.name} knows {', '.join(card.labels)}, the clips are labelled {found}: "
            "give clips with a label that it knows."
        )
    return space, known


def field_conditions(played: FieldSounds, seed: int) -> Conditions:
    """Return the conditions of the protocol; the first one, ``clean``, is the clip as it is."""
    kinds: dict[str, list[tuple[Samples, int]]] = {"small room": [], "hall": []}
    for impulse, rate_hz in played.rooms:
        hall = sounds.reverberation_s(impulse, rate_hz) >= HALL_S
        kinds["hall" if hall else "small room"].append((impulse, rate_hz))

    hiss = sounds.Noise(seed=seed)

    def heard(pcm: Samples, rate_hz: int, number: int) -> list[tuple[str, Samples, int, int]]:
        rng = np.random.default_rng([seed, number])
        piece = played.ambience.piece(number, len(pcm), rate_hz)
        found = {"clean": pcm}
        hissing = sounds.mix(pcm, hiss.piece(number, len(pcm), rate_hz), rate_hz, HISS_DB)
        found[f"{HISS_DB} dB of white or pink noise"] = hissing
        found |= {f"{db} dB of ambience": sounds.mix(pcm, piece, rate_hz, db) for db in AMBIENCE_DB}
        for kind, rooms in kinds.items():
            if rooms:
                impulse, own_hz = rooms[int(rng.integers(len(rooms)))]
                wet = sounds.in_room(pcm, rate_hz, sounds.resample(impulse, own_hz, rate_hz))
                far = sounds.mix(wet * np.float32(10 ** (FAR_DB / 20)), piece, rate_hz, FAR_SNR_DB)
                found |= {kind: wet} | ({"far speaker": far} if kind == "small room" else {})
        found["stereo"] = np.stack([pcm, pcm], 1)
        found["stereo, one side silent"] = np.stack([pcm, np.zeros_like(pcm)], 1)
        rates = [(f"{hz / 1000:g} kHz", sounds.resample(pcm, rate_hz, hz), hz, 0) for hz in RATES_HZ]
        line = ("telephone line", *sounds.through_telephone(pcm, rate_hz))
        return [*((name, x, rate_hz, 0) for name, x in found.items()), *rates, line]

    return heard


def _clips(
    recognizer: Any, examples: Sequence[Example], space: LabelSet, conditions: Conditions,
    *, resamples: int, progress: Progress,
) -> list[FieldRow]:  # fmt: skip
    """Measure the clips as they are and under each condition, in pairs."""
    said = ClipAnswers.collect(recognizer, examples, conditions, progress).said
    clean = said.pop("clean")
    n = len(examples)
    base, rows = in_pairs(examples, clean, said, space, Rows("clips", examples, resamples).draw, ("uar",))
    found = [FieldRow("clips", "clean", "UAR", n, base["uar"])]
    for name, (scores, drops, _) in rows.items():
        found.append(FieldRow("clips", name, "UAR", n, scores["uar"], drops["uar"]))
    return found


def _steady(recognizer: Any, resamples: int, seed: int) -> list[FieldRow]:
    """Return the share of steady sounds that count as speech, clean and in a hiss of −50 dB."""
    found = []
    for kind, own in steady_sounds().items():
        hiss = np.random.default_rng(seed).normal(0, 10 ** (_FAINT_DB / 20), own[0].shape).astype(np.float32)
        for where, noise in (("clean", np.float32(0)), (f"{_FAINT_DB:g} dB of noise", hiss)):
            said = [recognizer.predict(np.clip(x + noise, -1, 1), rate_hz=RATE_HZ).evidence for x in own]
            rows = Rows("sounds", [Example() for _ in own], resamples)
            found += rows.ratio(f"{kind} taken for speech, {where}", np.array(said) >= SPEECH_FROM)
    return found
