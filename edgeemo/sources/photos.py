"""Photographs and sequences of photographs. The clock counts pictures; these sources drop nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..data.kinds import kind_of_file, suffixes
from ..data.pictures import MOST_PIXELS, pillow, read_picture
from ..errors import InputError, SourceError
from ..files import CHECK, explained
from .base import Block, FrameSource

PHOTO_SUFFIXES = suffixes("picture")

read_photo = read_picture
"""Another name of `edgeemo.data.pictures.read_picture`."""


def is_photo(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a picture: by its first bytes, else by its suffix (see `edgeemo.data.kinds`).

    False if there is no such file, or the file cannot be read.
    """
    kind = kind_of_file(path)
    return kind is not None and kind.medium == "picture"


class Photo(FrameSource):
    """One photograph: yields ``(frame, 0)`` once, RGB uint8 ``(height, width, 3)``. Needs the extra ``face``.

    `edgeemo.data.pictures.read_picture` says how a picture becomes a frame. The frame may be read-only.

    Attributes:
        path: as given.
        frame: the pixels.

    Args:
        path, most_pixels: as `edgeemo.data.pictures.read_picture` takes them.

    Raises:
        SourceError, RuntimeUnavailableError: as `edgeemo.data.pictures.read_picture`.
    """

    color = "rgb"

    def __init__(self, path: str | os.PathLike[str], *, most_pixels: int = MOST_PIXELS) -> None:
        self.path = Path(path)
        self.frame = read_photo(self.path, most_pixels)
        self._given = False

    def __next__(self) -> Block:
        if self._given:
            raise StopIteration
        self._given = True
        return self.frame, 0

    def close(self) -> None:
        """End the iterator; `frame` stays."""
        self._given = True


class ImageSequence(FrameSource):
    """Pictures of a folder or a pattern as frames, in the order of their names (numbers by their value).

    The sequence reads each picture when its turn comes, as `Photo` does. Pictures may differ in size. Needs
    the extra ``face``.

    Args:
        folder_or_pattern: a folder, or a pattern such as ``"frames/*.png"``. In a folder the sequence
            takes the files whose names end as in `PHOTO_SUFFIXES`.
        fps: frames a second, above 0 and at most 1000: the time of frame i is i / fps.
        most_pixels: as for `Photo`.

    Raises:
        InputError: ``fps`` is out of range.
        SourceError: there is no such picture; while iterating, as `Photo`.
        RuntimeUnavailableError: Pillow is not installed.
    """

    color = "rgb"

    def __init__(
        self,
        folder_or_pattern: str | os.PathLike[str],
        *,
        fps: float = 25.0,
        most_pixels: int = MOST_PIXELS,
    ) -> None:
        if not 0 < fps <= 1000:
            raise InputError(f"fps is {fps!r}: expected frames a second, above 0 and at most 1000.")
        self.paths = _pictures(Path(folder_or_pattern))
        if not self.paths:
            raise SourceError(
                f"There are no pictures at {os.fspath(folder_or_pattern)}: expected a folder of pictures, "
                "or a pattern such as 'frames/*.png'."
            )
        pillow()
        self.fps, self._most_pixels, self._next = fps, most_pixels, 0

    def __next__(self) -> Block:
        if self._next >= len(self.paths):
            raise StopIteration
        frame = read_photo(self.paths[self._next], self._most_pixels)
        t_ms = int(1000 * self._next / self.fps)
        self._next += 1
        return frame, t_ms

    def close(self) -> None:
        """End the iterator."""
        self._next = len(self.paths)


def _pictures(where: Path) -> list[Path]:
    with explained(f"{where} cannot be read", SourceError, CHECK):
        if where.is_dir():
            found = [path for path in where.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES]
        else:
            found = list(where.parent.glob(where.name))
        return sorted((path for path in found if path.is_file()), key=_by_number)


def _by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.findall(r"\d+|\D+", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], path.name
