"""Clips at the rate of a model: what augmentation and composition start from."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from ...data.clips import read_audio
from ...evaluation.sounds import mono
from ...types import FloatArray


def read_mono(path: Path, rate_hz: int) -> FloatArray:
    """Return a file's samples ``(samples,)`` at ``rate_hz``, channels averaged.

    Raises:
        DataError: it is missing or cannot be read as audio.
    """
    pcm, rate = read_audio(path)
    return resample(mono(pcm), Fraction(rate_hz, rate))


def resample(x: FloatArray, ratio: Fraction) -> FloatArray:
    """Return ``x`` with ``ratio`` times as many samples (polyphase, Kaiser window)."""
    if ratio == 1 or not len(x):
        return x
    return np.asarray(resample_poly(x, ratio.numerator, ratio.denominator), np.float32)
