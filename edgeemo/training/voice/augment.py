"""Augmentation of clips: copies in other rooms, backgrounds and lines; masks over their features.

Waveforms are float32 ``(samples,)`` in about ±1. All random draws come from the given generator, so the same
seed gives the same copies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_closing, binary_opening
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from ...data.clips import read_audio
from ...errors import SpecError
from ...evaluation.sounds import BAND_HZ, TELEPHONE_HZ, mono, mu_law, recoded
from ...types import FloatArray
from ..recipe import known_keys

Range = tuple[float, float]


@dataclass(frozen=True)
class Augment:
    """The strengths of the augmentation: the section ``[augment]`` of a voice recipe.

    Once, before training, each clip gets ``copies``. A copy has another ``speed`` (range of factors) and
    ``gain_db``. With probability ``cut`` a copy is a piece of ``cut_s`` seconds with up to ``quiet_s`` of
    silence on both sides, as streams read utterances. Else up to ``shift_s`` seconds are cut off or put
    before it. With probability ``room`` it gets a room: one that was recorded, or one of ``room_s`` seconds
    reverberation. With probability ``codec`` it gets one of ``codecs``. With probability ``noise`` it gets a
    background at ``snr_db``: a share ``hiss`` is made (`coloured`), the rest recorded.

    Every epoch draws again how far to stretch or squeeze the mels, by up to ``warp`` of their number. A
    longer or shorter vocal tract has this effect (VTLP, Jaitly and Hinton 2013). SpecAugment (Park et
    al. 2019, arXiv:1904.08779) sets ``masks`` stretches of up to ``mask_frames`` frames to 0, and as many of
    up to ``mask_mels`` bins. Mixup (Zhang et al. 2018, arXiv:1710.09412) mixes two clips of the same set by a
    weight from Beta(``mixup``, ``mixup``).
    """

    copies: int = 4
    speed: Range = (0.9, 1.1)
    room: float = 0.3
    room_s: Range = (0.1, 0.6)
    noise: float = 0.6
    snr_db: Range = (5.0, 30.0)
    hiss: float = 0.0
    codec: float = 0.3
    codecs: tuple[str, ...] = ("opus", "vorbis", "mp3", "mulaw", "telephone")
    gain_db: Range = (-15.0, 6.0)
    shift_s: float = 0.3
    cut: float = 0.0
    cut_s: Range = (0.4, 3.0)
    quiet_s: float = 0.6
    warp: float = 0.0
    masks: int = 2
    mask_frames: int = 30
    mask_mels: int = 8
    mixup: float = 0.0

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Augment:
        """Read the section of a recipe.

        Raises:
            SpecError: an unknown key, codec or range.
        """
        known_keys(section, sorted(f.name for f in fields(cls)), "[augment]")
        unknown = sorted(set(section.get("codecs", ())) - set(CODECS))
        if unknown:
            raise SpecError(f"[augment]: unknown codec {', '.join(unknown)}; expected {', '.join(CODECS)}.")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in section.items()}
        found = cls(**values)
        for name in ("speed", "room_s", "snr_db", "gain_db", "cut_s"):
            bounds = getattr(found, name)
            if len(bounds) != 2 or bounds[0] > bounds[1]:
                raise SpecError(f"[augment]: {name} is {bounds}; expected [lowest, highest].")
        return found

    def of_waveforms(self) -> dict[str, Any]:
        """Return the fields that the copies on disk depend on."""
        late = ("warp", "masks", "mask_frames", "mask_mels", "mixup")
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in late}


def read_mono(path: Path, rate_hz: int) -> FloatArray:
    """Return a file's samples ``(samples,)`` at ``rate_hz``, channels averaged.

    Raises:
        DataError, SourceError: as `edgeemo.data.clips.read_audio`.
    """
    pcm, rate = read_audio(path)
    return resample(mono(pcm), Fraction(rate_hz, rate))


def resample(x: FloatArray, ratio: Fraction) -> FloatArray:
    """Return ``x`` with ``ratio`` times as many samples (polyphase, Kaiser window)."""
    if ratio == 1 or not len(x):
        return x
    return np.asarray(resample_poly(x, ratio.numerator, ratio.denominator), np.float32)


@dataclass(frozen=True)
class Surroundings:
    """The backgrounds and rooms of copies.

    Attributes:
        noises: kinds of recorded backgrounds, each a list of sounds; every kind is as likely.
        rooms: impulse responses of rooms that begin with the direct sound.
    """

    noises: Sequence[Sequence[FloatArray]] = ()
    rooms: Sequence[FloatArray] = ()

    def noise(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Return ``n`` samples of a recorded background; silence where there is none."""
        kinds = [kind for kind in self.noises if len(kind)]
        if not kinds:
            return np.zeros(n, np.float32)
        kind = kinds[int(rng.integers(len(kinds)))]
        return stretch(kind[int(rng.integers(len(kind)))], n, rng)

    def room(self, x: FloatArray, rate_hz: int, seconds: Range, rng: np.random.Generator) -> FloatArray:
        """Return ``x`` in a recorded room, or in half of the cases in one of ``seconds`` reverberation."""
        if self.rooms and rng.random() < 0.5:
            return in_recorded_room(x, self.rooms[int(rng.integers(len(self.rooms)))], rng)
        return in_room(x, rate_hz, rng.uniform(*seconds), rng)


def augmented(
    x: FloatArray, rate_hz: int, around: Surroundings, augment: Augment, rng: np.random.Generator
) -> FloatArray:
    """Return one augmented copy of a clip; see `Augment`."""
    x = resample(x, Fraction(1 / rng.uniform(*augment.speed)).limit_denominator(50))
    if rng.random() < augment.cut:
        x = cut_out(x, rate_hz, augment, rng)
    else:
        x = shifted(x, int(rng.uniform(-augment.shift_s, augment.shift_s) * rate_hz))
    if rng.random() < augment.room:
        x = around.room(x, rate_hz, augment.room_s, rng)
    if rng.random() < augment.noise:
        made = augment.hiss and rng.random() < augment.hiss
        x = with_noise(
            x, coloured(len(x), rng) if made else around.noise(len(x), rng), rng.uniform(*augment.snr_db)
        )
    if augment.codecs and rng.random() < augment.codec:
        x = through(x, rate_hz, augment.codecs[int(rng.integers(len(augment.codecs)))])
    return np.asarray(np.clip(x * from_db(rng.uniform(*augment.gain_db)), -1, 1), np.float32)


def cut_out(x: FloatArray, rate_hz: int, augment: Augment, rng: np.random.Generator) -> FloatArray:
    """Return a piece of the speech in ``x`` between two silences; see `Augment`."""
    hop = rate_hz // 100
    active = np.flatnonzero(activity(x, hop))
    if not len(active):
        return x
    first, last = int(active[0]) * hop, (int(active[-1]) + 1) * hop
    shortest, longest = np.log(augment.cut_s)
    n = min(int(rate_hz * np.exp(rng.uniform(shortest, longest))), last - first)
    at = first + int(rng.integers(last - first - n + 1))
    piece = faded(x[at : at + n], rate_hz)
    before, after = (int(rate_hz * rng.uniform(0, augment.quiet_s)) for _ in range(2))
    return np.pad(piece, (before, after))


def faded(x: FloatArray, rate_hz: int) -> FloatArray:
    """Return a copy that rises and falls in 5 ms, so that a cut does not click."""
    edge = min(len(x) // 4, rate_hz // 200)
    shape = np.ones(len(x), np.float32)
    shape[:edge] = np.linspace(0, 1, edge)
    shape[len(x) - edge :] = np.linspace(1, 0, edge)
    return x * shape


def from_db(db: float) -> float:
    """Return the amplitude of a level: 0 dB is 1."""
    return float(10 ** (db / 20))


def shifted(x: FloatArray, n: int) -> FloatArray:
    """Return ``x`` begun ``n`` samples later in silence, or (n < 0) with as many cut off, half at most."""
    return np.concatenate([np.zeros(n, np.float32), x]) if n > 0 else x[min(-n, len(x) // 2) :]


def level(x: FloatArray, window: int = 400) -> float:
    """Return the mean power of the loud part: windows within 30 dB of the loudest."""
    n = len(x) // window
    power = np.square(x[: n * window], dtype=np.float64).reshape(n, window).mean(1) if n else np.square(x)
    return float(power[power >= 1e-3 * power.max()].mean()) if power.size else 0.0


FLOOR_DB = 30.0


def activity(x: FloatArray, hop: int) -> npt.NDArray[np.bool_]:
    """Return which stretches of ``hop`` samples (10 to 16 ms) of a clip are speech.

    A stretch is speech if its power is within `FLOOR_DB` of the clip's own loud part. Gaps inside a word are
    closed.
    """
    n = len(x) // hop
    power = np.square(x[: n * hop], dtype=np.float64).reshape(n, hop).mean(1)
    if not n or power.max() < 1e-9:
        return np.zeros(n, np.bool_)
    loud = power > np.percentile(power[power > 1e-9], 95) * 10 ** (-FLOOR_DB / 10)
    # 150 ms of a stop consonant are part of the word; a click of 30 ms is none
    closed = binary_closing(np.pad(loud, 15), np.ones(15))[15:-15]
    return np.asarray(binary_opening(closed, np.ones(4)))


def with_noise(x: FloatArray, noise: FloatArray, snr_db: float) -> FloatArray:
    """Return ``x`` plus ``noise`` (as long), so that the loud parts stand ``snr_db`` above its mean power."""
    power = float(np.square(noise, dtype=np.float64).mean()) if len(noise) else 0.0
    if power < 1e-12 or level(x) < 1e-12:
        return x
    return np.asarray(x + noise * np.sqrt(level(x) / power / 10 ** (snr_db / 10)), np.float32)


def stretch(noise: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Return ``n`` samples of a background from a random place on, repeated where it is shorter."""
    start = int(rng.integers(max(len(noise), 1)))
    return np.take(noise, np.arange(start, start + n), mode="wrap") if len(noise) else np.zeros(n, np.float32)


def coloured(n: int, rng: np.random.Generator) -> FloatArray:
    """Return ``n`` samples of noise whose power falls with the frequency's power 0 (white) to 2 (brown)."""
    spectrum = np.fft.rfft(rng.normal(0, 1, max(n, 2)))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1) ** (-rng.uniform(0, 2) / 2)
    return np.asarray(np.fft.irfft(spectrum, max(n, 2))[:n], np.float32)


def in_room(x: FloatArray, rate_hz: int, seconds: float, rng: np.random.Generator) -> FloatArray:
    """Return ``x`` in a room: the direct sound, then noise that falls by 60 dB in ``seconds``.

    Polack's model of late reverberation (1988): white noise under an exponential; the direct sound stands
    0 to 12 dB above it.
    """
    n = max(int(seconds * rate_hz), 2)
    tail = rng.normal(0, 1, n) * 10 ** (-3 * np.arange(n) / n)
    tail[: int(0.002 * rate_hz)] = 0
    tail *= from_db(-rng.uniform(0, 12)) / np.sqrt(np.square(tail).sum() + 1e-12)
    tail[0] = 1.0
    return np.asarray(fftconvolve(x, tail)[: len(x)], np.float32)


def in_recorded_room(x: FloatArray, response: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return ``x`` in a room by its impulse ``response``, as loud; the reverberation varies by 8 dB."""
    response = response.copy()
    response[1:] *= from_db(-rng.uniform(0, 8))
    heard = fftconvolve(x, response)[: len(x)]
    return np.asarray(heard * np.sqrt(level(x) / max(level(heard), 1e-12)), np.float32)


def direct_sound(response: FloatArray, rate_hz: int) -> FloatArray:
    """Return an impulse response from its loudest sample on, at most 1.2 s, with 1 there."""
    at = int(np.abs(response).argmax()) if len(response) else 0
    piece = response[at : at + int(1.2 * rate_hz)]
    return np.asarray(piece / piece[0], np.float32) if len(piece) and piece[0] else np.ones(1, np.float32)


def through(x: FloatArray, rate_hz: int, codec: str) -> FloatArray:
    """Return ``x`` as a line or a lossy file gives it back: one of `CODECS`, as long as before."""
    if codec == "mulaw":
        return mu_law(x)
    if codec == "telephone":
        band = (BAND_HZ[0], min(BAND_HZ[1], rate_hz / 2 - 1))
        heard = sosfilt(butter(4, band, "bandpass", fs=rate_hz, output="sos"), x)
        narrow = mu_law(resample(np.asarray(heard, np.float32), Fraction(TELEPHONE_HZ, rate_hz)))
        return _as_long(resample(narrow, Fraction(rate_hz, TELEPHONE_HZ)), len(x))
    loudest = max(float(np.abs(x).max(initial=0)), 1.0)  # an encoder clips beyond ±1
    back, _, _ = recoded(x / np.float32(loudest), rate_hz, *_FILES[codec])
    return _as_long(back * np.float32(loudest), len(x))


_FILES = {  # codec: (container, subtype, compression 0 … 1)
    "opus": ("OGG", "OPUS", 0.9),
    "vorbis": ("OGG", "VORBIS", 0.9),
    "mp3": ("MP3", "MPEG_LAYER_III", 0.8),
}
CODECS = (*_FILES, "mulaw", "telephone")


def _as_long(x: FloatArray, n: int) -> FloatArray:
    return np.pad(x, (0, max(0, n - len(x))))[:n]


def warped(spans: FloatArray, augment: Augment, rng: np.random.Generator) -> None:
    """Stretch or squeeze the bins of ``spans`` (batch, frames, mels) from the lowest on, in place."""
    bins = np.arange(spans.shape[2])
    for span, factor in zip(spans, rng.uniform(1 - augment.warp, 1 + augment.warp, len(spans)), strict=True):
        place = np.minimum(bins * factor, bins[-1])
        low = np.minimum(place.astype(np.intp), bins[-1] - 1)
        share = (place - low).astype(np.float32)
        span[:] = span[:, low] * (1 - share) + span[:, low + 1] * share


def masked(spans: FloatArray, augment: Augment, rng: np.random.Generator) -> None:
    """Set stretches of frames and of bins of ``spans`` (batch, frames, mels) to 0, in place."""
    n, frames, mels = spans.shape
    for _ in range(augment.masks):
        for size, longest, axis in ((frames, augment.mask_frames, 1), (mels, augment.mask_mels, 2)):
            width = rng.integers(0, longest + 1, n)
            start = rng.integers(0, np.maximum(size - width, 0) + 1)
            where = np.arange(size)
            hit = (where >= start[:, None]) & (where < (start + width)[:, None])
            spans[hit[:, :, None].repeat(mels, 2) if axis == 1 else hit[:, None].repeat(frames, 1)] = 0


def partners(kinds: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return for each row another (or the same) of its kind, each chosen once."""
    found = np.arange(len(kinds))
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        found[rows] = rng.permutation(rows)
    return found
