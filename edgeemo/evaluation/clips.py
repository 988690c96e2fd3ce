"""Clips of a manifest, read from their files (needs soundfile: the extra ``voice`` or ``eval``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import DataError, RuntimeUnavailableError
from ..manifest import Example

Samples: TypeAlias = npt.NDArray[np.float32]


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
        DataError: it has no path, or the file cannot be read as audio.
        RuntimeUnavailableError: soundfile is not installed.
    """
    if example.path is None:
        raise DataError("An example has no path: a voice bundle reads audio files; add the column path.")
    return read_audio(example.path)


def read_audio(path: Path) -> tuple[Samples, int]:
    """Return the samples in ±1, float32 ``(samples,)`` or ``(samples, channels)``, and the rate in Hz.

    Raises:
        DataError: there is no such file, or it cannot be read as audio.
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
    return np.ascontiguousarray(pcm), int(rate_hz)
