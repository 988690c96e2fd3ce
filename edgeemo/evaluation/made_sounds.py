"""Sounds without a voice that are made: tones, saws, chords, the tones of telephone lines, and music."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data.sounds import Samples
from .bootstrap import Array

RATE_HZ = 16_000
SECONDS = 6
PITCHES_HZ = tuple(range(100, 451, 25))
CHORDS_HZ = ((110, 139, 165), (131, 165, 196), (196, 247, 294), (220, 262, 330), (262, 330, 392))
LINES = {  # frequencies in Hz; seconds of tone and of pause
    "dial, United States": ((350, 440), (1, 0)), "dial, Europe": ((425,), (1, 0)),
    "dial, Britain": ((350, 450), (1, 0)), "busy, United States": ((480, 620), (0.5, 0.5)),
    "busy, Europe": ((425,), (0.5, 0.5)), "ringing, United States": ((440, 480), (2, 4)),
    "ringing, Europe": ((425,), (1, 4)),
}  # fmt: skip
_LOUD = 0.3


def steady_sounds() -> dict[str, list[Samples]]:
    """Return float32 sounds ``(96,000,)`` at 16 kHz by kind: tones, saws, chords and telephone lines."""
    t = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    lines = [_sines(t, tones) * (t % (on + off) < on) for tones, (on, off) in LINES.values()]
    found = {
        "tones": [_sines(t, (hz,)) for hz in PITCHES_HZ],
        "saws": [_LOUD * 2 * ((t * hz) % 1 - 0.5) for hz in PITCHES_HZ],
        "chords": [_sines(t, chord) for chord in CHORDS_HZ],
        "telephone lines": lines,
    }
    return {kind: [x.astype(np.float32) for x in sounds] for kind, sounds in found.items()}


def music(rng: np.random.Generator, seconds: float) -> Samples:
    """Return a simple piece, float32 ``(samples,)`` at 16 kHz: plucked chords and a melody above them."""
    beat = np.arange(RATE_HZ // 2) / RATE_HZ
    found = []
    for i in range(round(seconds * 2)):
        chord = CHORDS_HZ[i // 4 % len(CHORDS_HZ)]
        notes = [chord[int(rng.integers(len(chord)))] * 2, *(chord if i % 2 == 0 else ())]
        pluck = np.minimum(1, beat / 0.005) * np.exp(-beat / 0.2)
        found.append(sum(_harmonics(beat, hz) for hz in notes) / 4 * pluck)
    return np.concatenate(found).astype(np.float32)


def _sines(t: Array, tones_hz: Sequence[float]) -> Array:
    return np.asarray(_LOUD * sum(np.sin(2 * np.pi * hz * t) for hz in tones_hz) / len(tones_hz))


def _harmonics(t: Array, hz: float) -> Array:
    return np.asarray(_LOUD * sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 7)))
