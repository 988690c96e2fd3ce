"""A slow, clear reference of the voice frontend, in double precision."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from edgeemo.frontends import VoiceSpec

Floats = NDArray[np.float64]

CROSSINGS, BETA, CUTOFF = 48, 10.06, 0.9333


def mono(pcm: NDArray[np.int16] | NDArray[np.float32]) -> Floats:
    x = pcm.astype(np.float64) / (32768 if pcm.dtype == np.int16 else 1)
    return x if x.ndim == 1 else np.asarray(x.mean(axis=1))


def resample(x: Floats, from_hz: int, to_hz: int) -> Floats:
    """Output k is the windowed sinc around input time k * from_hz / to_hz, its weights summing to 1."""
    if from_hz == to_hz:
        return x
    n = -(-len(x) * to_hz // from_hz)
    ratio = min(1.0, to_hz / from_hz)
    reach = CROSSINGS / ratio
    around = np.arange(-int(reach) - 1, int(reach) + 2)
    step = gcd(from_hz, to_hz)
    up, down = to_hz // step, from_hz // step
    padded = np.pad(x, len(around))
    out = np.empty(n)
    for k in range(n):
        base, phase = divmod(k * down, up)
        away = around - phase / up
        window = np.i0(BETA * np.sqrt(np.maximum(0, 1 - (away / reach) ** 2))) * (np.abs(away) < reach)
        weights = np.sinc(away * ratio * CUTOFF) * window
        out[k] = padded[len(around) + base + around] @ weights / weights.sum()
    return out


def shape(spec: VoiceSpec) -> Floats:
    i, n = np.arange(spec.window), spec.window
    if spec.window_shape == "hann":
        return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * i / n))
    if spec.window_shape == "povey":
        return np.asarray((0.5 - 0.5 * np.cos(2 * np.pi * i / (n - 1))) ** 0.85)
    return np.asarray(0.54 - 0.46 * np.cos(2 * np.pi * i / (n - 1)))


def hz_to_mel(hz: Floats, scale: str) -> Floats:
    if scale != "slaney":
        return np.asarray(1127 * np.log1p(hz / 700))
    above = 15 + 27 * np.log(np.maximum(hz, 1) / 1000) / np.log(6.4)
    return np.where(hz < 1000, hz * 3 / 200, above)


def mel_to_hz(mel: Floats, scale: str) -> Floats:
    if scale != "slaney":
        return np.asarray(700 * np.expm1(mel / 1127))
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def single(x: Floats) -> Floats:
    return x.astype(np.float32).astype(np.float64)


def kaldi_mel(hz: Floats) -> Floats:
    """As kaldi computes it, in single precision."""
    return single(1127 * single(np.log(single(1 + single(hz / 700)))))


def kaldi_bank(spec: VoiceSpec, bins: Floats) -> Floats:
    low, high = kaldi_mel(np.array([spec.low_hz, spec.high_hz]))
    step = single(single(high - low) / (spec.mels + 1))
    return triangles(single(low + single(step * np.arange(spec.mels + 2))), kaldi_mel(bins))


def triangles(corners: Floats, at: Floats) -> Floats:
    left, top, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return np.asarray(np.maximum(0, np.minimum((at - left) / (top - left), (right - at) / (right - top))))


def filter_bank(spec: VoiceSpec) -> Floats:
    """(mels, fft / 2 + 1)"""
    edges = hz_to_mel(np.array([spec.low_hz, spec.high_hz]), spec.mel_scale)
    mel = np.linspace(edges[0], edges[1], spec.mels + 2)
    hz = mel_to_hz(mel, spec.mel_scale)
    bins = np.arange(spec.fft // 2 + 1) * spec.rate_hz / spec.fft
    bank = kaldi_bank(spec, bins) if spec.mel_scale == "kaldi" else triangles(hz, bins)
    return bank * (2 / (hz[2:] - hz[:-2]))[:, None] if spec.mel_norm == "area" else bank


def power(x: Floats, spec: VoiceSpec) -> Floats:
    """Mel power of samples at the rate of the model: (n, mels)."""
    n = 0 if len(x) < spec.window else 1 + (len(x) - spec.window) // spec.hop
    bank, window = filter_bank(spec), shape(spec)
    rows = np.zeros((n, spec.mels))
    for k in range(n):
        frame = x[k * spec.hop : k * spec.hop + spec.window] * spec.sample_scale
        if spec.remove_dc:
            frame = frame - frame.mean()
        frame = frame - spec.preemphasis * np.concatenate([frame[:1], frame[:-1]])
        rows[k] = bank @ np.abs(np.fft.rfft(frame * window, spec.fft)) ** 2
    return rows


def pcen(rows: Floats, spec: VoiceSpec) -> Floats:
    t = spec.pcen_time_s * spec.rate_hz / spec.hop
    b = (np.sqrt(1 + 4 * t * t) - 1) / (2 * t * t)
    smooth, out = np.ones(spec.mels), np.empty_like(rows)
    for k, row in enumerate(rows):
        smooth = (1 - b) * smooth + b * row
        level = row / (spec.pcen_eps + smooth) ** spec.pcen_gain
        out[k] = spec.pcen_bias**spec.pcen_power * np.expm1(
            spec.pcen_power * np.log1p(level / spec.pcen_bias)
        )
    return out


def frames(pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int, spec: VoiceSpec) -> Floats:
    rows = power(resample(mono(pcm), rate_hz, spec.rate_hz), spec)
    return pcen(rows, spec) if spec.compression == "pcen" else np.log(np.maximum(rows, spec.floor))


@dataclass
class Spans:
    features: Floats
    start_frames: list[int]
    n_frames: list[int]


def normalized(rows: Floats, spec: VoiceSpec) -> Floats:
    if spec.range_db and spec.compression == "log":
        rows = np.maximum(rows, rows.max() - spec.range_db * np.log(10) / 10)
    if spec.normalization == "none":
        return rows * spec.gain
    rows = rows - (rows.mean() if spec.normalization == "level" else rows.mean(axis=0))
    if spec.normalization == "mean_std":
        rows = rows / max(float(np.sqrt((rows**2).mean())), 1e-5)
    return np.asarray(rows * spec.gain)


def spans(rows: Floats, spec: VoiceSpec) -> Spans:
    """Whole spans at 0, hop_frames, …; then one of the last frames, if some are in none."""
    n, size = len(rows), spec.span_frames
    starts = list(range(0, n - size + 1, spec.hop_frames))
    if n and (not starts or starts[-1] + size < n):
        starts.append(max(0, n - size))
    features = np.zeros((len(starts), size, spec.mels))
    counts = [min(size, n - start) for start in starts]
    for feature, start, count in zip(features, starts, counts, strict=True):
        feature[:count] = normalized(rows[start : start + count], spec)
    return Spans(features, starts, counts)
