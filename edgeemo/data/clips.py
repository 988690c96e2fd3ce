"""The clips of a manifest, read from their files (needs soundfile: the extra ``voice`` or ``eval``)."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError, InputError
from .manifest import Example
from .sounds import Samples, read_sound

RATES_HZ, MOST_CHANNELS = (8_000, 192_000), 32
"""The limits of the voice frontend, checked here so that the error can name the clip."""


def read_clip(example: Example) -> tuple[Samples, int]:
    """Return the samples of an example and their rate, as `read_audio`.

    Raises:
        DataError: the example has no path.
        DataError, SourceError, RuntimeUnavailableError: as `read_audio`.
    """
    if example.path is None:
        raise DataError("An example has no path. A voice bundle reads audio files: add the column path.")
    return read_audio(example.path)


def read_audio(path: Path) -> tuple[Samples, int]:
    """Return the samples in ±1, float32 ``(samples,)`` or ``(samples, channels)``, and the rate in Hz.

    Raises:
        DataError: there is no such file. The voice frontend refuses its rate, its number of channels or a
            sample (NaN, infinite or beyond ±8).
        SourceError: the file cannot be read as sound.
        RuntimeUnavailableError: soundfile is not installed.
    """
    if not path.is_file():
        raise DataError(f"There is no clip {path}: paths are relative to the manifest.")
    try:
        pcm, rate_hz = read_sound(path)
    except InputError as error:
        raise DataError(f"{error} Or drop the row.") from error
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise DataError(
            f"{path} has {rate_hz} Hz: expected {RATES_HZ[0]} to {RATES_HZ[1]}; resample it, or drop the row."
        )
    if pcm.ndim == 2 and pcm.shape[1] > MOST_CHANNELS:
        raise DataError(f"{path} has {pcm.shape[1]} channels: expected 1 to {MOST_CHANNELS}; mix it down.")
    return pcm, rate_hz
