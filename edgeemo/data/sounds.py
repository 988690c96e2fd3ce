"""The one reader of sound files. It needs soundfile: the extra ``voice``."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import InputError, RuntimeUnavailableError, SourceError
from ..files import CHECK, explained, open_regular
from . import kinds, lengths

if TYPE_CHECKING:
    from typing_extensions import Self

Samples: TypeAlias = npt.NDArray[np.float32]

LARGEST = 8.0
"""The largest magnitude of a sample that a voice frontend takes; full scale is 1."""
_AT_ONCE_S = 60


class SoundFile:
    """An open sound file of any kind that libsndfile reads (wav, flac, ogg, opus, mp3, …); a context manager.

    If the header states a wrong length, the reader warns with a `HeaderWarning` and reads to the end of the
    file. A file that is cut off ends with its last sample.

    Attributes:
        path: as given.
        rate_hz, channels: rate and channels of the samples.

    Raises:
        SourceError: the file is absent, forbidden, damaged, or not a sound that libsndfile reads.
        RuntimeUnavailableError: soundfile is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        sf = soundfile()
        self._refusal = sf.SoundFileError
        with explained(f"{path} cannot be read", SourceError, CHECK):
            self._bytes = open_regular(path)
        try:
            mended, length = lengths.mended(self._bytes)
            mended.seek(0)
            self._decoder: Any = sf.SoundFile(mended)
            self._decoder.seekable = lambda: False  # soundfile seeks after each read, which harms MP3 and Ogg
        except (self._refusal, OSError, TypeError) as error:  # TypeError: raw samples
            raise SourceError(self._refused(_reason(error))) from error
        self.rate_hz, self.channels = int(self._decoder.samplerate), int(self._decoder.channels)
        self._frames, self._stated = 0, length
        if length is not None and length.held is not None:
            self._warn(length.held)

    def read(self, frames: int) -> Samples:
        """Return the next samples in ±1, float32 ``(at most frames, channels)``; none at the end.

        Raises:
            SourceError: the file is damaged from here on.
        """
        try:
            found: Samples = self._decoder.read(frames, dtype="float32", always_2d=True)
        except (self._refusal, OSError) as error:
            raise SourceError(
                f"{self.path} is damaged after {self._frames / self.rate_hz:.1f} s ({_reason(error)}). "
                "Fetch it again."
            ) from error
        self._frames += len(found)
        if not len(found) and self._stated is not None and self._stated.stated != self._frames:
            self._warn(self._frames)
        return found

    def _refused(self, reason: str) -> str:
        """Close the file; return its kind and a remedy."""
        with self._bytes as file:
            file.seek(0)
            kind = kinds.kind_of(file.read(kinds.HEAD), self.path)
        if kind is not None and (not kind.read or kind.medium == "video"):
            return kinds.refusal(self.path, kind, "libsndfile")
        return (
            f"{self.path} is not audio that libsndfile reads, or is damaged ({reason}). "
            "Convert it to wav or flac."
        )

    def _warn(self, held: int) -> None:
        """Warn once of a header that states another length."""
        stated, self._stated = self._stated, None
        if stated is not None:
            warnings.warn(
                f"{self.path}: the header states {stated.stated:,} {stated.unit} of sound, the file holds "
                f"{held:,}. edgeemo reads to the end of the file.",
                lengths.HeaderWarning,
                stacklevel=4,
            )

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._bytes.closed

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()
        self._bytes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_sound(path: str | os.PathLike[str]) -> tuple[Samples, int]:
    """Return all samples of a file in ±1, float32 ``(samples[, channels])``, and the rate in Hz.

    Raises:
        SourceError, RuntimeUnavailableError: as `SoundFile`.
        InputError: as `check_samples`.
    """
    with SoundFile(path) as file:
        blocks = [np.zeros((0, file.channels), np.float32)]
        while len(block := file.read(_AT_ONCE_S * file.rate_hz)):
            blocks.append(block)
    found = np.concatenate(blocks)
    check_samples(path, found)
    return one_channel_flat(found), file.rate_hz


def one_channel_flat(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return ``(samples, 1)`` as ``(samples,)``, more channels as they are; contiguous."""
    return np.ascontiguousarray(samples[:, 0] if samples.shape[1] == 1 else samples)


def check_samples(path: str | os.PathLike[str], samples: Samples, before: int = 0) -> None:
    """Raise `InputError` if a sample is NaN, infinite or beyond ±8; ``before`` samples came earlier."""
    wrong = ~(np.abs(samples) <= LARGEST)  # NaN, too
    if wrong.any():
        where = np.argwhere(wrong)[0]
        raise InputError(
            f"{path}: sample {before + where[0]} is {samples[tuple(where)]}: expected finite values, full "
            f"scale ±1 (up to ±{LARGEST:g}); mend the file."
        )


def soundfile() -> Any:
    """Return the module ``soundfile``.

    Raises:
        RuntimeUnavailableError: soundfile or libsndfile is not installed; the message says how to install it.
    """
    try:
        import soundfile
    except ImportError as error:
        raise RuntimeUnavailableError(
            "Audio files need soundfile: install it with `pip install 'edgeemo[voice]'`."
        ) from error
    except OSError as error:
        raise RuntimeUnavailableError(
            f"Audio files need libsndfile ({error}): `apt-get install libsndfile1`."
        ) from error
    return soundfile


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).rstrip(".")
