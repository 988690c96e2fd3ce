"""Voice activity: spans composed of speech and background with a target per block, and what a span is worth.

Targets come from the clips before anything is added. A frame is speech if the clip's power is within
`FLOOR_DB` of its own loud part; gaps inside a word are closed. So nobody has to label by hand, and noise does
not blur the targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_closing, binary_opening

from ...frontends import VoiceFrontend
from ...types import FloatArray
from ..batches import Batch, batch_rows
from .augment import from_db, in_room, level, stretch, through, with_noise
from .models import BLOCK

FLOOR_DB = 30.0
LEVEL_DB = (-45.0, -8.0)
"""Level of the loud part of speech, of full scale."""
NOISE_DB = (-75.0, -10.0)
"""Level of a background that is alone."""
SNR_DB = (0.0, 35.0)
SILENT, ALONE = 0.12, 0.33
"""Shares of the spans with nothing but silence, nothing but background."""
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


def activity(x: FloatArray, hop: int) -> Bools:
    """Return which stretches of ``hop`` samples of a clip are speech."""
    n = len(x) // hop
    power = np.square(x[: n * hop], dtype=np.float64).reshape(n, hop).mean(1)
    if not n or power.max() < 1e-9:
        return np.zeros(n, np.bool_)
    loud = power > np.percentile(power[power > 1e-9], 95) * 10 ** (-FLOOR_DB / 10)
    # 150 ms of a stop consonant are part of the word; a click of 30 ms is none
    closed = binary_closing(np.pad(loud, 15), np.ones(15))[15:-15]
    return np.asarray(binary_opening(closed, np.ones(4)))


def compose(
    frontend: VoiceFrontend,
    voices: Sequence[FloatArray],
    noises: Sequence[FloatArray],
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
    for i in range(n):
        # a quarter are the short last spans of a clip
        frames = int(rng.integers(BLOCK, spec.span_frames + 1)) if rng.random() < 0.25 else spec.span_frames
        size = longest - (spec.span_frames - frames) * spec.hop
        x, spoken = _mixture(size, voices, noises, spec.rate_hz, spec.hop, rng)
        empty[i] = not spoken.any()
        spans[i] = frontend.compute(x, spec.rate_hz).features[0].astype(np.float16)
        centre = np.arange(frames) * spec.hop + spec.window // 2
        share = spoken[centre][: frames // BLOCK * BLOCK].reshape(-1, BLOCK).mean(1)
        target[i, : len(share)] = np.where(share >= 0.5, 1, np.where(share <= 0.125, 0, np.nan))
    return SpeechBatches(spans, target, empty)


def _mixture(
    n: int,
    voices: Sequence[FloatArray],
    noises: Sequence[FloatArray],
    rate_hz: int,
    hop: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, Bools]:
    """Return ``n`` samples and where somebody speaks in them."""
    x, spoken = np.zeros(n, np.float32), np.zeros(n, np.bool_)
    noise = stretch(noises[int(rng.integers(len(noises)))], n, rng) if noises else x
    kind = rng.random()
    if kind < SILENT:  # digital zeros, or the hiss of a converter
        hiss = rng.normal(0, from_db(rng.uniform(-96, -70)), n) if rng.random() < 0.6 else x
        return np.asarray(hiss, np.float32), spoken
    if kind < SILENT + ALONE or not voices:
        loud = np.sqrt(np.square(noise, dtype=np.float64).mean() + 1e-12)
        return _limited(noise * (from_db(rng.uniform(*NOISE_DB)) / loud)), spoken
    at = int(rng.integers(-n // 2, n // 2))
    while at < n:
        voice = voices[int(rng.integers(len(voices)))]
        active = np.repeat(activity(voice, hop), hop)
        if active.any():
            first, last = np.flatnonzero(active)[[0, -1]]
            voice, active = voice[first : last + 1], active[first : last + 1]
            start, skip = max(at, 0), max(-at, 0)
            m = min(len(voice) - skip, n - start)
            if m > 0:
                x[start : start + m] += voice[skip : skip + m] / np.sqrt(level(voice) + 1e-12)
                spoken[start : start + m] |= active[skip : skip + m]
            at += len(voice)
        at += int(rng.exponential(0.8) * rate_hz) + hop
    if rng.random() < 0.2:
        x = in_room(x, rate_hz, rng.uniform(0.1, 0.5), rng)
    x = x * from_db(rng.uniform(*LEVEL_DB))
    if rng.random() < 0.8:
        x = with_noise(x, noise, rng.uniform(*SNR_DB))
    if rng.random() < LINE:
        x = through(_limited(x), rate_hz, LINES[int(rng.integers(len(LINES)))])
    return _limited(x), spoken


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
