"""Corruptions of a voice: noise at a given signal-to-noise ratio, rooms, codecs, a telephone line."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..data.clips import read_audio
from ..data.sounds import Samples, soundfile
from ..errors import DataError, SourceError

SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3")
CODECS = {  # libsndfile's container, codec, and compression level 0 … 1: low but usual bit rates
    "Opus": ("OGG", "OPUS", 0.95),
    "Vorbis": ("OGG", "VORBIS", 0.9),
    "MP3": ("MP3", "MPEG_LAYER_III", 0.8),
}
_OPUS_HZ = (8000, 12000, 16000, 24000, 48000)
_FRAME_S, _ACTIVE_DB = 0.02, 30.0
_KEPT = 16  # recordings of noise
TELEPHONE_HZ, BAND_HZ = 8000, (300.0, 3400.0)


def mono(pcm: Samples) -> Samples:
    """Return the mean of the channels."""
    return pcm if pcm.ndim == 1 else np.asarray(pcm.mean(1), np.float32)


def resample(
    pcm: Samples, rate_hz: int, wanted_hz: int, band_hz: tuple[float, float] | None = None
) -> Samples:
    """Return a whole clip ``(samples,)`` at another rate, and only within ``band_hz``: its spectrum, cut."""
    if not len(pcm) or (rate_hz == wanted_hz and band_hz is None):
        return pcm
    n = max(round(len(pcm) * wanted_hz / rate_hz), 1)
    spectrum = np.fft.rfft(pcm)
    if band_hz is not None:
        hz = np.arange(len(spectrum)) * rate_hz / len(pcm)
        spectrum = np.where((hz >= band_hz[0]) & (hz <= band_hz[1]), spectrum, 0)
    return np.asarray(np.fft.irfft(spectrum[: n // 2 + 1], n) * (n / len(pcm)), np.float32)


def active_power(pcm: Samples, rate_hz: int) -> float:
    """Return the mean power of the 20 ms frames within 30 dB of the loudest: of the voice, not its pauses."""
    size = max(round(_FRAME_S * rate_hz), 1)
    whole = pcm[: max(len(pcm) // size * size, 1)].astype(np.float64)
    power = (whole.reshape(-1, min(size, len(whole))) ** 2).mean(1) if len(whole) else np.zeros(1)
    return float(power[power >= power.max() * 10 ** (-_ACTIVE_DB / 10)].mean())


def mix(pcm: Samples, noise: Samples, rate_hz: int, snr_db: float) -> Samples:
    """Return the clip with noise of the same length, ``snr_db`` below the power of the voice.

    Without voice or noise the clip stays as it is. A sum beyond ±1 is turned down as a whole, so that no
    sample is clipped.
    """
    loud = float((noise.astype(np.float64) ** 2).mean()) if len(noise) else 0.0
    gain = 0.0 if loud <= 0 else (active_power(pcm, rate_hz) / loud * 10 ** (-snr_db / 10)) ** 0.5
    mixed = np.asarray(pcm + np.float32(gain) * noise, np.float32)
    return mixed / np.float32(max(1.0, float(np.abs(mixed).max(initial=0))))


def in_room(pcm: Samples, rate_hz: int, impulse: Samples) -> Samples:
    """Return a clip as it sounds in a room: the direct sound stays in its place, the power of the voice too.

    Args:
        impulse: the response of the room at ``rate_hz``; its largest sample is the direct sound.
    """
    late = impulse[int(np.abs(impulse).argmax()) :] if len(impulse) else np.ones(1, np.float32)
    size = 1 << (len(pcm) + len(late)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(pcm, size) * np.fft.rfft(late, size), size)[: len(pcm)].astype(np.float32)
    gain = (active_power(pcm, rate_hz) / max(active_power(wet, rate_hz), 1e-20)) ** 0.5
    return np.asarray(wet * np.float32(gain))


def reverberation_s(impulse: Samples, rate_hz: int) -> float:
    """Return the reverberation time: how long the energy of a room takes to fall by 60 dB.

    It is three times the fall from −5 to −25 dB of the energy that is still to come (Schroeder 1965).
    """
    energy = np.cumsum(impulse[::-1].astype(np.float64) ** 2)[::-1]
    fall = 10 * np.log10(np.maximum(energy, 1e-20) / max(float(energy.max(initial=0.0)), 1e-20))
    return float(3 * ((fall >= -25) & (fall < -5)).sum() / rate_hz)


class Noise:
    """Pieces of noise to mix in: from recordings in a folder (and below), or white and pink noise.

    The same ``seed``, folder and clip number always give the same piece. It skips recordings that are silent
    or cannot be read; `name` says how many.

    Raises:
        DataError: the folder holds no audio.
    """

    def __init__(self, folder: Path | None = None, seed: int = 0) -> None:
        found = [] if folder is None else sorted(p for p in folder.rglob("*") if p.suffix.lower() in SOUNDS)
        if folder is not None and not found:
            raise DataError(f"{folder} holds no audio ({', '.join(SOUNDS)}): name a folder of noise.")
        self.files: Sequence[Path] = found
        self.seed = seed
        self._useless: set[Path] = set()
        self._recording = lru_cache(_KEPT)(self._read)

    @property
    def name(self) -> str:
        """A name for the noise, with the number of skipped recordings so far."""
        useless = f" ({len(self._useless):,} silent or unreadable)" if self._useless else ""
        return f"{len(self.files):,} recordings{useless}" if self.files else "white and pink noise"

    def piece(self, number: int, samples: int, rate_hz: int) -> Samples:
        """Return the noise ``(samples,)`` for clip ``number``; a short recording is repeated."""
        rng = np.random.default_rng([self.seed, number])
        if not self.files:
            return _coloured(rng, samples, pink=bool(number % 2))
        for path in rng.permutation(np.array(self.files, object)).tolist()[:20]:
            pcm = self._recording(path, rate_hz)
            if len(pcm):
                start = int(rng.integers(0, max(len(pcm) - samples, 0) + 1))
                return np.resize(pcm[start:], samples)
        raise DataError("Twenty recordings are all silent or cannot be read: name a folder of noise.")

    def _read(self, path: Path, rate_hz: int) -> Samples:
        """Return a recording; no samples if it is silent or cannot be read."""
        try:
            pcm, own_hz = read_audio(path)
        except (DataError, SourceError):
            pcm, own_hz = np.zeros(0, np.float32), rate_hz
        if not pcm.any():
            self._useless.add(path)
            return np.zeros(0, np.float32)
        return resample(mono(pcm), own_hz, rate_hz)


def through_codec(pcm: Samples, rate_hz: int, codec: str) -> tuple[Samples, int, int]:
    """Return a clip encoded and decoded again, its rate then, and the bytes between.

    Opus knows only some rates: others are resampled to 16 kHz first.

    Raises:
        RuntimeUnavailableError: soundfile is not installed.
        DataError: this build of libsndfile lacks the codec.
    """
    container, subtype, level = CODECS[codec]
    if subtype == "OPUS" and rate_hz not in _OPUS_HZ:
        pcm, rate_hz = resample(pcm, rate_hz, 16000), 16000
    return recoded(pcm, rate_hz, container, subtype, level)


def recoded(
    pcm: Samples, rate_hz: int, container: str, subtype: str, level: float
) -> tuple[Samples, int, int]:
    """Return samples encoded and decoded again by libsndfile, their rate then, and the bytes between.

    Raises:
        RuntimeUnavailableError: soundfile is not installed.
        DataError: this build of libsndfile lacks the codec.
    """
    library, file = soundfile(), io.BytesIO()
    try:
        library.write(file, pcm, rate_hz, format=container, subtype=subtype, compression_level=level)
        size = file.tell()
        file.seek(0)
        decoded, rate_hz = library.read(file, dtype="float32")
    except (library.SoundFileError, ValueError) as error:
        raise DataError(
            f"{subtype} failed at {rate_hz} Hz ({error}): upgrade soundfile to 0.13 or newer."
        ) from error
    return np.ascontiguousarray(decoded), int(rate_hz), size


def through_telephone(pcm: Samples, rate_hz: int) -> tuple[Samples, int, int]:
    """Return a clip as a telephone gives it: 300 to 3,400 Hz, 8 kHz, μ-law; also the rate and the bytes."""
    narrow = mu_law(resample(pcm, rate_hz, TELEPHONE_HZ, BAND_HZ))
    return narrow, TELEPHONE_HZ, len(narrow)


def mu_law(pcm: Samples) -> Samples:
    """Return samples through 8-bit μ-law and back (ITU-T G.711, μ = 255); clipped to ±1."""
    clipped = np.clip(pcm, -1, 1).astype(np.float64)
    steps = np.round(np.sign(clipped) * np.log1p(255 * np.abs(clipped)) / np.log1p(255) * 127) / 127
    return np.asarray(np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(255)) / 255, np.float32)


def _coloured(rng: np.random.Generator, samples: int, *, pink: bool) -> Samples:
    """Return white noise, or pink: its power falls with 1/f."""
    white = rng.standard_normal(samples)
    if not pink or samples < 2:
        return white.astype(np.float32)
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return np.asarray(np.fft.irfft(spectrum, samples), np.float32)
