"""A voice bundle live: words between silences, and utterances where nobody speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data.clips import read_clip
from ..data.manifest import Example
from ..data.sounds import Samples
from ..errors import SourceError
from ..types import EmotionResult
from . import sounds
from .bootstrap import Array, Interval
from .field_report import FieldRow, Rows
from .label_sets import LabelSet
from .made_sounds import RATE_HZ, music
from .predictions import Predictions, Progress

ROOM_S, SPOKEN_S, AT_S = 8, 1.0, (3.5, 3.6)
"""A word of at most a second begins at a random time ``AT_S`` in a room of eight seconds."""
CHUNK_MS, QUIET_DB, ONSET_MS = 20, -65.0, 150
"""The chunks of a stream, the level of a quiet room (full scale is 0), and how far an onset may be off."""
LONGEST_S, PIECES, PIECE_S = 60, 8, 20
_FRAME, _FADE = 160, 80


@dataclass(frozen=True)
class Scene:
    """A room with one word in it: samples at 16 kHz, and where the word begins and ends, in ms."""

    pcm: Samples
    start_ms: float
    end_ms: float

    @classmethod
    def of(cls, spoken: Samples, noise: Samples | None, snr_db: float, rng: np.random.Generator) -> Scene:
        """Put a word into a quiet room, with ``noise`` of eight seconds ``snr_db`` below it if given."""
        room = rng.normal(0, 10 ** (QUIET_DB / 20), ROOM_S * RATE_HZ).astype(np.float32)
        at = round(rng.uniform(*AT_S) * RATE_HZ)
        end = at + len(spoken)
        room[at:end] += spoken
        if noise is not None:
            loud = float((noise.astype(np.float64) ** 2).mean()) or 1.0
            gain = (sounds.active_power(spoken, RATE_HZ) / loud * 10 ** (-snr_db / 10)) ** 0.5
            room += np.float32(gain) * noise
        room /= max(1.0, float(np.abs(room).max()))
        return cls(room, at * 1000 / RATE_HZ, end * 1000 / RATE_HZ)


@dataclass(frozen=True)
class Heard:
    """A word as the stream heard it: the longest utterance that overlaps it, and two times in ms.

    ``onset_ms`` is how far the first utterance begins from the word, ``late_ms`` how long after the word the
    last result came.
    """

    result: EmotionResult
    onset_ms: float
    late_ms: float


def spoken_part(pcm: Samples) -> Samples:
    """Return the middle second between the first and the last loud frame of a clip at 16 kHz, faded."""
    whole = pcm[: len(pcm) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    power = (whole**2).mean(1)
    loud = np.flatnonzero(power > np.percentile(power, 95) * 1e-3) if len(power) else power
    if not len(loud):
        return pcm[: round(SPOKEN_S * RATE_HZ)]
    first, last = int(loud[0]) * _FRAME, int(loud[-1] + 1) * _FRAME
    start = first + max(0, last - first - round(SPOKEN_S * RATE_HZ)) // 2
    found = pcm[start : min(last, start + round(SPOKEN_S * RATE_HZ))].copy()
    fade = np.linspace(0, 1, min(_FADE, len(found) // 4), dtype=np.float32)
    found[: len(fade)] *= fade
    found[len(found) - len(fade) :] *= fade[::-1]
    return found


def utterances(recognizer: Any, pcm: Samples) -> list[tuple[float, EmotionResult]]:
    """Return the utterances of a sound at 16 kHz that comes in chunks, each with the time when it came."""
    stream = recognizer.stream(RATE_HZ, results=("utterance",))
    size = RATE_HZ * CHUNK_MS // 1000
    found = []
    for i in range(0, len(pcm), size):
        now = (i + size) * 1000 / RATE_HZ
        found += [(now, result) for result in stream.push(pcm[i : i + size], i * 1000 // RATE_HZ)]
    return found + [(len(pcm) * 1000 / RATE_HZ, result) for result in stream.flush()]


def hear(recognizer: Any, scene: Scene) -> Heard | None:
    """Return what a stream makes of the word in a scene, or None if it does not hear the word."""
    hits = [
        (now, said)
        for now, said in utterances(recognizer, scene.pcm)
        if said.start_ms < scene.end_ms and said.end_ms > scene.start_ms
    ]
    if not hits:
        return None
    longest = max((said for _, said in hits), key=lambda said: said.end_ms - said.start_ms)
    return Heard(longest, hits[0][1].start_ms - scene.start_ms, hits[-1][0] - scene.end_ms)


def words_live(
    recognizer: Any,
    examples: Sequence[Example],
    space: LabelSet,
    ambience: sounds.Noise,
    *,
    resamples: int,
    seed: int,
    progress: Progress = iter,
) -> list[FieldRow]:
    """Measure words in a quiet room and in ambience at 10 dB: found, onset, time after the end, label.

    A label counts among all labels of ``space``: a stream may say any of them.
    """
    rows = Rows("live", examples, resamples)
    whole: list[EmotionResult] = []
    heard: dict[str, list[Heard | None]] = {"quiet room": [], "10 dB of ambience": []}
    for number, example in enumerate(progress(examples)):
        clip, rate_hz = read_clip(example)
        pcm = sounds.resample(sounds.mono(clip), rate_hz, RATE_HZ)
        whole.append(recognizer.predict(pcm, rate_hz=RATE_HZ))
        word, noise = spoken_part(pcm), ambience.piece(number, ROOM_S * RATE_HZ, RATE_HZ)
        for room, piece in zip(heard, (None, noise), strict=True):
            rng = np.random.default_rng([seed, number])
            heard[room].append(hear(recognizer, Scene.of(word, piece, 10, rng)))
    right = _right(space, examples, whole)
    found = []
    for room, all_ in heard.items():
        hits = [x for x in all_ if x is not None]
        live = np.zeros(len(examples))
        there = np.array([x is not None for x in all_], np.bool_)
        own = [e for e, x in zip(examples, all_, strict=True) if x is not None]
        live[there] = _right(space, own, [x.result for x in hits])
        near = np.array([abs(x.onset_ms) <= ONSET_MS for x in hits], np.bool_)
        found += rows.ratio(f"found, {room}", there)
        found += replace(rows, examples=own).ratio(f"onset within {ONSET_MS} ms, {room}", near)
        for name, share in (("median", 50), ("95 %", 95)):
            late = [float(np.percentile([x.late_ms for x in hits], share))] if hits else []
            what = f"result after the end, {name}, {room}"
            found += [FieldRow("live", what, "ms", len(hits), Interval(ms, ms, ms)) for ms in late]
        found += rows.ratio(f"label right, {room}", live, right, "of whole")
    return found


def false_utterances(
    recognizer: Any, recordings: Sequence[Example], *, resamples: int, seed: int, progress: Progress = iter
) -> list[FieldRow]:
    """Count the utterances in recordings without speech (at most a minute of each) and in made music.

    The function leaves out recordings that cannot be read.
    """
    counts: dict[str, list[tuple[int, float]]] = {}
    for example in progress(recordings):
        try:
            clip, rate_hz = read_clip(example)
        except SourceError:
            continue
        pcm = sounds.mono(clip)[: LONGEST_S * rate_hz]
        kind = example.group.partition("/")[0]
        counts.setdefault(kind, []).append(_count(recognizer, sounds.resample(pcm, rate_hz, RATE_HZ)))
    for i in range(PIECES):
        piece = music(np.random.default_rng([seed, i]), PIECE_S)
        counts.setdefault("made music", []).append(_count(recognizer, piece))
    all_ = [x for own in counts.values() for x in own]
    found = []
    for kind, own in {"all": all_, **counts}.items():
        rows = Rows("live", [Example() for _ in own], resamples)
        heard, minutes = np.array(own).T
        found += rows.ratio(f"false utterances, {kind}", heard, minutes / 10, "in ten minutes")
    return found


def _count(recognizer: Any, pcm: Samples) -> tuple[int, float]:
    return len(utterances(recognizer, pcm)), len(pcm) / RATE_HZ / 60


def _right(space: LabelSet, examples: Sequence[Example], said: Sequence[EmotionResult]) -> Array:
    """Return which answers are right, float64 ``(n,)``."""
    if not said:
        return np.zeros(0)
    answers = Predictions.of(said)
    active = space.active(space.probability(answers.probabilities, answers.scores))
    return np.asarray((space.truth(examples) & active).any(1), np.float64)
