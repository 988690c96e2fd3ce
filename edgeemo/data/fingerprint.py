"""Fingerprints of clips. They find the same recording again, but not another take of the same sentence.

The method follows Haitsma and Kalker (2002, "A highly robust audio fingerprinting system"). It takes the
energies of 17 bands between 200 and 3,800 Hz, which a telephone line keeps. For each pair of neighbours it
keeps the sign of how their difference in decibels changes over 32 ms. Gain and a codec's colour cancel out;
a band 40 dB below the loudest counts as silence and gives 0. A code is 48 steps of 32 ms around the clip's
centre of energy, so that added or trimmed silence does not move it. A clip in question is compared at all
its shifts.

The likeness of two codes is their cosine; from `SAME` on they are one recording. Nobody can hear anything
from a code: it is 768 times −1, 0 or +1.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Signs: TypeAlias = npt.NDArray[np.int8]
Unit: TypeAlias = npt.NDArray[np.float32]

SAME = 0.6
BANDS, STEPS = 16, 48
CELLS = BANDS * STEPS
BYTES = CELLS // 4
"""The size of a packed code: two bits a cell."""

_HOP_S, _WINDOW_S, _HOPS_A_STEP = 0.008, 0.064, 4
_LOW_HZ, _HIGH_HZ, _SILENCE_DB, _DEAD_DB = 200.0, 3800.0, 40.0, 0.5
_REACH_S = 0.8  # shifts tried, to either side
_NEAR = 0.35
_LEAST = 150  # a code of fewer cells is compared as if it had so many: little sound is little proof


def code(pcm: npt.NDArray[np.float32], rate_hz: int) -> Signs:
    """Return the code int8 ``(CELLS,)`` of a clip, float32 ``(samples,)`` or ``(samples, channels)``."""
    found, centre = _signs(pcm, rate_hz)
    return np.asarray(_cut(found, np.array([centre]))[0])


def shifted(pcm: npt.NDArray[np.float32], rate_hz: int) -> Signs:
    """Return the codes ``(shifts, CELLS)`` of a clip as if its centre of energy lay elsewhere."""
    found, centre = _signs(pcm, rate_hz)
    reach = round(_REACH_S / _HOP_S)
    return _cut(found, np.arange(max(0, centre - reach), min(len(found), centre + reach + 1)))


def unit(codes: Signs) -> Unit:
    """Return codes with length 1 (nearly silent ones shorter), so that a product of two is their cosine."""
    values = codes.astype(np.float32)
    length = np.sqrt(np.maximum(np.abs(values).sum(1, keepdims=True), _LEAST))
    return np.asarray(values / length, np.float32)


def likeness(queries: Signs, known: Unit) -> Unit:
    """Return for each of the ``known`` codes how like one clip (``queries``, its shifts) is, at best.

    The function tries every third shift first, and all shifts of those that come near. At 8 ms from the best
    shift a copy keeps two thirds of its likeness.
    """
    if not len(known) or not len(queries):
        return np.zeros(len(known), np.float32)
    shifts = unit(queries)
    found = np.asarray((shifts[::3] @ known.T).max(0))
    near = found >= _NEAR
    if near.any():
        found[near] = (shifts @ known[near].T).max(0)
    return found


def pack(codes: Signs) -> npt.NDArray[np.uint8]:
    """Return codes as ``(n, BYTES)``: for each cell a bit whether it is not 0, then one whether it is +1."""
    return np.concatenate([np.packbits(codes != 0, axis=1), np.packbits(codes > 0, axis=1)], 1)


def unpack(packed: npt.NDArray[np.uint8]) -> Signs:
    """Return the codes that `pack` packed."""
    bits = np.unpackbits(packed, axis=1).astype(np.int8)
    some, positive = bits[:, :CELLS], bits[:, CELLS:]
    return np.asarray(some * (2 * positive - 1), np.int8)


def _signs(pcm: npt.NDArray[np.float32], rate_hz: int) -> tuple[Signs, int]:
    """Return int8 ``(frames, BANDS)`` and the frame at the centre of energy."""
    power = _bands(pcm if pcm.ndim == 1 else pcm.mean(1), rate_hz)
    n = len(power)
    loudest = float(power.max(initial=0.0))
    db = 10 * np.log10(np.maximum(power, loudest * 10 ** (-_SILENCE_DB / 10) + 1e-20))
    slope = np.diff(db, axis=1)
    before, after = _HOPS_A_STEP // 2, _HOPS_A_STEP - _HOPS_A_STEP // 2
    padded = np.pad(slope, ((before, after), (0, 0)), mode="edge")
    change = padded[_HOPS_A_STEP:] - padded[:-_HOPS_A_STEP]
    energy = power.sum(1)
    energy = np.maximum(energy - 1e-3 * energy.max(initial=0.0), 0)  # a long quiet noise has no weight
    centre = round(float(energy @ np.arange(n)) / max(float(energy.sum()), 1e-30))
    return (np.sign(change) * (np.abs(change) > _DEAD_DB)).astype(np.int8), centre


def _bands(samples: npt.NDArray[np.float32], rate_hz: int) -> npt.NDArray[np.float64]:
    """Return the energy ``(frames, BANDS + 1)`` of each mel band, at any rate."""
    window = round(_WINDOW_S * rate_hz)
    starts = np.round(np.arange(0, max(len(samples), 1), _HOP_S * rate_hz)).astype(np.intp)
    padded = np.pad(samples, (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[starts]
    spectrum = np.fft.rfft(frames * np.hanning(window).astype(np.float32), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.ceil(edges * window / rate_hz).astype(np.intp)
    sums = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1, dtype=np.float64)], 1)
    return np.asarray(np.diff(sums[:, bins], axis=1))


def _cut(found: Signs, centres: npt.NDArray[np.intp]) -> Signs:
    """Return the codes around each of ``centres``; beyond the clip there is silence."""
    half = STEPS * _HOPS_A_STEP // 2
    padded = np.pad(found, ((half, half), (0, 0)))
    where = centres[:, None] + np.arange(STEPS) * _HOPS_A_STEP
    return np.asarray(padded[where].reshape(len(centres), CELLS))
