"""Backgrounds that are made: tones that are not voices, and the babble of people far away.

Waveforms are float32 ``(samples,)`` in about ±1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...types import FloatArray
from .augment import in_room, level, stretch

Wave = npt.NDArray[np.float64]

VOICES = (4, 9)
"""How many people talk in a babble: from, and below."""


def tones(n: int, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """Return ``n`` samples of tones: hums, dial tones, beeps, chords, melodies, sirens.

    Their pitch lies where voices have theirs, and higher. A voice differs by what moves: its pitch is never
    steady, and its partials rise and fall. So the network must not take any harmonic sound for speech.
    """
    x, at = np.zeros(n, np.float64), 0
    steady = rng.random() < 0.5
    wave, chord = int(rng.integers(4)), int(rng.integers(1, 5))
    f = np.exp(rng.uniform(np.log(50), np.log(1200), chord))
    while at < n:
        length = n if steady else int(rng.uniform(0.08, 0.8) * rate_hz)
        if not steady and rng.random() < 0.6:  # a melody moves in semitones; beeps stay
            f = f * 2 ** (rng.integers(-5, 6, chord) / 12)
            f = np.clip(f, 50, 2500)
        t = np.arange(min(length, n - at)) / rate_hz
        glide = rng.uniform(-0.5, 0.5) if rng.random() < 0.1 else 0.0
        phase = (f[:, None] * (t + 0.5 * glide * t**2) + rng.random((chord, 1))) % 1
        x[at : at + len(t)] = _wave(phase, wave).mean(0) * _envelope(len(t), rate_hz, rng)
        at += length + (0 if rng.random() < 0.5 else int(rng.uniform(0.05, 1.5) * rate_hz))
    if steady and rng.random() < 0.4:  # on and off, as ringing and busy lines
        on, off = rng.uniform(0.1, 2.0), rng.uniform(0.1, 3.0)
        x *= (np.arange(n) / rate_hz) % (on + off) < on
    return np.asarray(0.3 * x, np.float32)


def _wave(phase: Wave, kind: int) -> Wave:
    """Return sine, square, saw, or a few partials of a phase in [0, 1)."""
    if kind == 0:
        return np.asarray(np.sin(2 * np.pi * phase))
    if kind == 1:
        return np.asarray(np.sign(0.5 - phase))
    if kind == 2:
        return np.asarray(2 * phase - 1)
    partials = [np.sin(2 * np.pi * k * phase) / k for k in range(1, 7)]
    return np.asarray(np.sum(partials, axis=0))


def _envelope(n: int, rate_hz: int, rng: np.random.Generator) -> Wave:
    """Return a short rise and fall, and in half of the cases a decay as plucked strings have."""
    edge = min(n // 2, int(0.01 * rate_hz))
    shape = np.ones(n)
    shape[:edge] = np.linspace(0, 1, edge)
    shape[n - edge :] = np.linspace(1, 0, edge)
    if rng.random() < 0.5:
        shape *= 10 ** (-np.arange(n) / rate_hz * rng.uniform(0, 2))
    return shape


def babble(voices: Sequence[FloatArray], n: int, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """Return ``n`` samples of several ``voices`` that talk at once in a room."""
    x = np.zeros(n, np.float32)
    for _ in range(int(rng.integers(*VOICES))):
        voice = voices[int(rng.integers(len(voices)))]
        loud = np.sqrt(level(voice) + 1e-12)
        x += stretch(voice, n, rng) * np.float32(rng.uniform(0.4, 1) / loud)
    return in_room(0.03 * x, rate_hz, rng.uniform(0.3, 1.0), rng)
