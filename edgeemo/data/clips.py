"""Clips of a manifest, read from their files (needs soundfile: the extra ``voice`` or ``eval``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import DataError, RuntimeUnavailableError
from .manifest import Example

Samples: TypeAlias = npt.NDArray[np.float32]

RATES_HZ, MOST_CHANNELS, LARGEST = (8_000, 192_000), 32, 8.0
"""What the voice frontend takes, so that a clip it would refuse is refused with its name."""


def require() -> Any:
    """Return the module ``soundfile``.

    Raises:
        RuntimeUnavailableError: it is not installed.
    """
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise RuntimeUnavailableError(
            f"Audio files need soundfile ({error}): `pip install 'edgeemo[voice]'`."
        ) from error
    return soundfile


def read_clip(example: Example) -> tuple[Samples, int]:
    """Return the samples of an example and their rate, as `read_audio`.

    Raises:
        DataError: it has no path, or the file cannot be read as audio or used.
        RuntimeUnavailableError: soundfile is not installed.
    """
    if example.path is None:
        raise DataError("An example has no path: a voice bundle reads audio files; add the column path.")
    return read_audio(example.path)


def read_audio(path: Path) -> tuple[Samples, int]:
    """Return the samples in ±1, float32 ``(samples,)`` or ``(samples, channels)``, and the rate in Hz.

    Raises:
        DataError: there is no such file, it cannot be read as audio, its rate or number of channels is not
            what the voice frontend takes, or a sample is NaN, infinite or beyond ±8 (says which).
        RuntimeUnavailableError: soundfile is not installed.
    """
    soundfile = require()
    if not path.is_file():
        raise DataError(f"There is no clip {path}: paths are relative to the manifest.")
    try:
        pcm, rate_hz = soundfile.read(path, dtype="float32")
    except (soundfile.SoundFileError, OSError) as error:
        raise DataError(
            f"{path} cannot be read as audio ({error}): expected WAV, FLAC, Ogg or MP3."
        ) from error
    _check(path, pcm, int(rate_hz))
    return np.ascontiguousarray(pcm), int(rate_hz)


def _check(path: Path, pcm: Samples, rate_hz: int) -> None:
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise DataError(
            f"{path} has {rate_hz} Hz: expected {RATES_HZ[0]} to {RATES_HZ[1]}; resample it, or drop the row."
        )
    if pcm.ndim == 2 and pcm.shape[1] > MOST_CHANNELS:
        raise DataError(f"{path} has {pcm.shape[1]} channels: expected 1 to {MOST_CHANNELS}; mix it down.")
    wrong = ~(np.abs(pcm) <= LARGEST)  # NaN, too
    if wrong.any():
        where = np.argwhere(wrong)[0]
        raise DataError(
            f"{path}: sample {where[0]} is {pcm[tuple(where)]}: expected finite values, full scale ±1 "
            f"(up to ±{LARGEST:g}); mend the file, or drop the row."
        )
