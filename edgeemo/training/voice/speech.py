"""Voice activity: spans composed of speech and background with a target per block, and what a span is worth.

Targets come from the clips before anything is added. A frame is speech if the clip's power is within
`FLOOR_DB` of its own loud part; gaps inside a word are closed. So nobody has to label by hand, and noise does
not blur the targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from ...frontends import VoiceFrontend
from ...types import FloatArray
from ..batches import Batch, batch_rows
from .augment import Surroundings, activity, faded, from_db, level, through, with_noise
from .backgrounds import babble, tones
from .models import BLOCK

LEVEL_DB = (-45.0, -8.0)
"""Level of the loud part of speech, of full scale."""
NOISE_DB = (-75.0, -10.0)
"""Level of a background that is alone."""
SNR_DB = (0.0, 35.0)
SILENT, ALONE = 0.1, 0.36
"""Shares of the spans with nothing but silence, nothing but background."""
TONES, BABBLE = 0.3, 0.2
"""Shares of the backgrounds that are tones, and people far away."""
WORDS = 0.4
"""Share of the spans in which people say a word or two between pauses."""
LINE, LINES = 0.3, ("telephone", "telephone", "opus", "mp3")
"""Share of the spans that come through a line or a lossy file, and which."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SpeechBatches:
    """Spans float16 ``(n, frames, mels)`` and targets ``(n, blocks)``: 1 speech, 0 none, NaN in between.

    ``empty`` spans hold no speech at all.
    """

    spans: npt.NDArray[np.float16]
    target: FloatArray
    empty: Bools

    def __len__(self) -> int:
        return len(self.spans)

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """See `edgeemo.training.batches.BatchSource`."""
        for rows in batch_rows(len(self), size, rng):
            yield self.spans[rows].astype(np.float32), {"speech": self.target[rows]}


def compose(
    frontend: VoiceFrontend,
    voices: Sequence[FloatArray],
    around: Surroundings,
    n: int,
    seed: int,
) -> SpeechBatches:
    """Compose ``n`` spans from clips of speech and background sounds, both at the model's rate."""
    spec = frontend.spec
    rng = np.random.default_rng(seed)
    longest = (spec.span_frames - 1) * spec.hop + spec.window
    spans = np.zeros((n, *spec.output[0]), np.float16)
    target = np.full((n, spec.span_frames // BLOCK), np.nan, np.float32)
    empty = np.zeros(n, np.bool_)
    bar = keras.utils.Progbar(n, unit_name="span")
    for i in range(n):
        # a quarter are the short last spans of a clip
        frames = int(rng.integers(BLOCK, spec.span_frames + 1)) if rng.random() < 0.25 else spec.span_frames
        size = longest - (spec.span_frames - frames) * spec.hop
        x, spoken = _mixture(size, voices, around, spec.rate_hz, spec.hop, rng)
        empty[i] = not spoken.any()
        spans[i] = frontend.compute(x, spec.rate_hz).features[0].astype(np.float16)
        centre = np.arange(frames) * spec.hop + spec.window // 2
        share = spoken[centre][: frames // BLOCK * BLOCK].reshape(-1, BLOCK).mean(1)
        target[i, : len(share)] = np.where(share >= 0.5, 1, np.where(share <= 0.125, 0, np.nan))
        bar.add(1)
    return SpeechBatches(spans, target, empty)


def _mixture(
    n: int,
    voices: Sequence[FloatArray],
    around: Surroundings,
    rate_hz: int,
    hop: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, Bools]:
    """Return ``n`` samples and where somebody speaks in them."""
    x, spoken = np.zeros(n, np.float32), np.zeros(n, np.bool_)
    noise = _background(n, voices, around, rate_hz, rng)
    kind = rng.random()
    if kind < SILENT:  # digital zeros, or the hiss of a converter
        hiss = rng.normal(0, from_db(rng.uniform(-96, -70)), n) if rng.random() < 0.6 else x
        return np.asarray(hiss, np.float32), spoken
    if kind < SILENT + ALONE or not voices:
        loud = np.sqrt(np.square(noise, dtype=np.float64).mean() + 1e-12)
        return _limited(noise * (from_db(rng.uniform(*NOISE_DB)) / loud)), spoken
    at = int(rng.integers(-n // 2, n // 2))
    words = rng.random() < WORDS
    while at < n:
        voice = voices[int(rng.integers(len(voices)))]
        active = np.repeat(activity(voice, hop), hop)
        if active.any():
            first, last = np.flatnonzero(active)[[0, -1]]
            if words:
                longest = int(rng.uniform(0.3, 1.5) * rate_hz)
                first += int(rng.integers(max(1, last - first - longest)))
                last = min(last, first + longest)
            voice, active = faded(voice[first : last + 1], rate_hz), active[first : last + 1]
            start, skip = max(at, 0), max(-at, 0)
            m = min(len(voice) - skip, n - start)
            if m > 0:
                x[start : start + m] += voice[skip : skip + m] / np.sqrt(level(voice) + 1e-12)
                spoken[start : start + m] |= active[skip : skip + m]
            at += len(voice)
        at += int(rng.exponential(0.8) * rate_hz) + hop
    if rng.random() < 0.25:
        x = around.room(x, rate_hz, (0.1, 0.6), rng)
    x = x * from_db(rng.uniform(*LEVEL_DB))
    if rng.random() < 0.8:
        x = with_noise(x, noise, rng.uniform(*SNR_DB))
    if rng.random() < LINE:
        x = through(_limited(x), rate_hz, LINES[int(rng.integers(len(LINES)))])
    return _limited(x), spoken


def _background(
    n: int,
    voices: Sequence[FloatArray],
    around: Surroundings,
    rate_hz: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return ``n`` samples of tones, of people far away, or of a recorded background."""
    kind = rng.random()
    if kind < TONES:
        return tones(n, rate_hz, rng)
    if kind < TONES + BABBLE and voices:
        return babble(voices, n, rate_hz, rng)
    return around.noise(n, rng)


def _limited(x: npt.NDArray[np.floating]) -> FloatArray:
    return np.asarray(np.clip(x, -1, 1), np.float32)


def evidence_of(logits: FloatArray, n_frames: npt.NDArray[np.int32], threshold: float) -> FloatArray:
    """Return which share of each span's real blocks is speech, as `edgeemo.spans.SpanReader` does."""
    real = np.maximum(1, n_frames // BLOCK)
    counted = np.arange(logits.shape[1]) < real[:, None]
    heard = logits >= np.log(threshold / (1 - threshold))
    return np.asarray((heard & counted).sum(1) / real, np.float32)


def choose_evidence(
    logits: FloatArray, spans: SpeechBatches, clips: FloatArray, n_frames: npt.NDArray[np.int32]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the card's evidence and what was measured, from answers to spans the weights have not seen.

    The threshold is the lowest at which at most 1 % of the blocks without speech are called speech. 99 % of
    the spans without any speech stay at or below ``least``. 98 % of the spans of emotional clips reach
    ``enough``.

    Args:
        logits: ``(n, blocks)`` for the spans of ``spans``.
        clips: ``(m, blocks)`` for spans of clips, of which ``n_frames`` are real.
    """
    probability = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -30, 30)))
    without, speech = probability[spans.target == 0], probability[spans.target == 1]
    grid = np.arange(5, 100) / 100
    false = np.array([(without >= t).mean() for t in grid])
    threshold = float(grid[np.argmax(false <= 0.01)]) if (false <= 0.01).any() else float(grid[-1])
    real = np.isfinite(spans.target[spans.empty]).sum(1).astype(np.int32) * BLOCK
    nothing = evidence_of(logits[spans.empty], real, threshold)
    least = min(max(float(np.quantile(nothing, 0.99)), 1.5 / logits.shape[1]), 0.4)
    usual = float(np.quantile(evidence_of(clips, n_frames, threshold), 0.02))
    enough = min(max(usual, least + 0.05), 0.6)
    chosen = {"threshold": round(threshold, 4), "least": round(least, 4), "enough": round(enough, 4)}
    measured = {
        "noise_called_speech": round(float((without >= threshold).mean()), 4),
        "speech_found": round(float((speech >= threshold).mean()), 4),
        "blocks_without": len(without),
        "blocks_of_speech": len(speech),
        "spans_without": int(spans.empty.sum()),
        "spans_without_above_least": round(float((nothing > least).mean()), 4),
    }
    return chosen, measured
