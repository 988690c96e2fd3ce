"""Audio from files and pipes. The clock counts samples; these sources drop nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from ..data.kinds import kind_of_file, suffixes
from ..data.sounds import SoundFile, one_channel_flat
from ..errors import InputError, SourceError
from .base import AudioSource, Block

SUFFIXES = suffixes("sound")
_BLOCK_S = 0.5
_PIPE_BLOCK_S = 0.05  # a pipe may be live


def is_audio(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is sound: by its first bytes, else by its suffix (see `edgeemo.data.kinds`).

    False if there is no such file, or the file cannot be read.
    """
    kind = kind_of_file(path)
    return kind is not None and kind.medium == "sound"


class AudioFile(AudioSource):
    """Any file that libsndfile reads (wav, flac, ogg, opus, mp3, …), half a second at a time, as float32.

    Needs the extra ``voice``. `AudioFile` reads a file that is cut off as far as the samples go. If the
    header states a wrong length, `AudioFile` warns with a `HeaderWarning` and reads to the end of the file.

    Raises:
        SourceError: the file is absent, forbidden, damaged or not sound; also while iterating.
        RuntimeUnavailableError: soundfile is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file = SoundFile(path)
        self.rate_hz, self.channels = self._file.rate_hz, self._file.channels
        self._frames = 0

    def __next__(self) -> Block:
        if self._file.closed:
            raise StopIteration
        found = self._file.read(int(self.rate_hz * _BLOCK_S) or 1)
        if not len(found):
            self.close()
            raise StopIteration
        t_ms = 1000 * self._frames // self.rate_hz
        self._frames += len(found)
        return one_channel_flat(found), t_ms

    def close(self) -> None:
        """Close the file; the iterator then ends."""
        self._file.close()


class _Readable(Protocol):
    """A binary file whose ``read1`` returns what is there: ``sys.stdin.buffer``, ``io.BytesIO`` …"""

    def read1(self, size: int = ..., /) -> bytes: ...


class RawAudio(AudioSource):
    """Samples without a header, for instance from standard input.

    A block holds at most 50 ms and comes as soon as there is a whole sample. `RawAudio` leaves out a last
    sample that is cut in half. The pipe itself is the buffer: the writer waits for a slow reader.

    Args:
        file: a binary file with ``read1``, such as ``sys.stdin.buffer``; it stays open.
        format: ``"s16le"`` (int16) or ``"f32le"`` (float32, full scale ±1), little endian, interleaved.
        rate_hz, channels: what the writer writes.

    Raises:
        InputError: an unknown format, or ``rate_hz`` or ``channels`` below 1.
        SourceError: while iterating, the pipe breaks.
    """

    FORMATS: ClassVar[dict[str, np.dtype[Any]]] = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}

    def __init__(self, file: _Readable, format: str = "s16le", *, rate_hz: int, channels: int = 1) -> None:
        if format not in self.FORMATS:
            raise InputError(f"Raw audio of format {format!r}: expected {' or '.join(self.FORMATS)}.")
        if rate_hz < 1 or channels < 1:
            raise InputError(f"rate_hz {rate_hz} and channels {channels} must be at least 1.")
        self._file, self._dtype = file, self.FORMATS[format]
        self.rate_hz, self.channels = rate_hz, channels
        self._rest, self._frames, self._closed = b"", 0, False

    def __next__(self) -> Block:
        size = self._dtype.itemsize * self.channels
        at_once = size * max(1, int(self.rate_hz * _PIPE_BLOCK_S))
        data = self._rest
        while len(data) < size:
            try:
                more = b"" if self._closed else self._file.read1(at_once)
            except OSError as error:
                raise SourceError(f"Raw audio cannot be read: {error.strerror}. Check the pipe.") from error
            if not more:
                raise StopIteration
            data += more
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        samples = np.frombuffer(data[:whole], self._dtype).astype(self._dtype.newbyteorder("="))
        t_ms = 1000 * self._frames // self.rate_hz
        samples = samples.reshape(-1, self.channels)
        self._frames += len(samples)
        return one_channel_flat(samples), t_ms

    def close(self) -> None:
        """End the iterator; the file stays open."""
        self._closed = True
