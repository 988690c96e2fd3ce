"""Audio from files and pipes. Their clock counts samples; nothing is dropped: who reads slowly waits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from ..data.sounds import SoundFile, one_channel_flat
from ..errors import InputError, SourceError
from .base import AudioSource, Block

SUFFIXES = (
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd",
    ".caf", ".w64", ".rf64",
)  # fmt: skip
_BLOCK_S = 0.5
_PIPE_BLOCK_S = 0.05  # a pipe may be live


def is_audio(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is audio: by its suffix (`SUFFIXES`), else by its first bytes.

    The first bytes of wav, flac, ogg, mp3, aiff, au, caf, w64 and rf64 files are known. False if there is no
    such file, or it cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_file():
            return False
        if path.suffix.lower() in SUFFIXES:
            return True
        with path.open("rb") as file:
            head = file.read(12)
    except (OSError, ValueError):  # a name too long or with a NUL: a text
        return False
    if head[:4] in (b"RIFF", b"RF64", b"FORM"):
        return head[8:12] in (b"WAVE", b"AIFF", b"AIFC")
    mp3 = head[:3] == b"ID3" or head[:2] in (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")
    return mp3 or head[:4] in (b"fLaC", b"OggS", b".snd", b"caff", b"riff")


class AudioFile(AudioSource):
    """Any file libsndfile reads (wav, flac, ogg, opus, mp3, …), half a second at a time, as float32.

    Wants the extra ``voice``. A file that is cut off is read as far as it goes.

    Raises:
        SourceError: there is no such file, it may not be read, or it is damaged or no audio; the last also
            while it is read.
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
    """A binary file that gives what is there: ``sys.stdin.buffer``, ``open(…, "rb")``, ``io.BytesIO``."""

    def read1(self, size: int = ..., /) -> bytes: ...


class RawAudio(AudioSource):
    """Samples without a header, from standard input for instance.

    Blocks are at most 50 ms and come as soon as there is a whole sample. A last sample cut in half is left
    out. The pipe itself is the buffer: if the consumer is slow, who writes into it waits.

    Args:
        file: a binary file with ``read1``, as ``sys.stdin.buffer``. It is not closed.
        format: ``"s16le"`` (int16) or ``"f32le"`` (float32, full scale ±1), little endian, interleaved.
        rate_hz, channels: as the writer means them.

    Raises:
        InputError: an unknown format, or ``rate_hz`` or ``channels`` below 1.
        SourceError: while it is read, the system's error.
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
