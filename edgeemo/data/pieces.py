"""A file made of pieces of another file."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, BinaryIO

_FARTHEST = 2**62


def spliced(file: BinaryIO, pieces: Sequence[bytes | range]) -> BinaryIO:
    """Return a read-only file that consists of the pieces, one after the other; nothing is copied.

    Args:
        file: an open file; it must stay open, and nobody else may move in it.
        pieces: bytes stand for themselves, ``range(start, stop)`` for these offsets of the file.
    """
    return io.BufferedReader(_Pieces(file, [piece for piece in pieces if len(piece)]))


class _Pieces(io.RawIOBase):
    def __init__(self, file: BinaryIO, pieces: Sequence[bytes | range]) -> None:
        self._file, self._pieces, self._at = file, pieces, 0
        self._starts = list(accumulate(map(len, pieces), initial=0))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + (0, self._at, self._starts[-1])[whence]
        self._at = min(max(0, at), _FARTHEST)  # damaged files lead decoders anywhere
        return self._at

    def readinto(self, buffer: Any) -> int:
        i = bisect_right(self._starts, self._at) - 1
        if i >= len(self._pieces):
            return 0
        piece, view = self._pieces[i][self._at - self._starts[i] :], memoryview(buffer)
        n = min(len(piece), len(view))
        if isinstance(piece, bytes):
            view[:n] = piece[:n]
        else:
            self._file.seek(piece.start)
            n = self._file.readinto(view[:n])  # type: ignore[attr-defined]
        self._at += n
        return n
