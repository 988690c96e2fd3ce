"""Photographs and sequences of them, read by Pillow. Their clock counts pictures; nothing is dropped."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..data.pictures import MOST_PIXELS, Pixels, pillow, read_picture
from ..errors import InputError, SourceError
from .base import Block, FrameSource

PHOTO_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm",
    ".pbm", ".pnm", ".avif", ".jp2",
)  # fmt: skip


def is_photo(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is a picture: by its suffix (`PHOTO_SUFFIXES`), else by its first bytes.

    The first bytes of JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF files are known. False if there is no such
    file, or it cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_file():
            return False
        if path.suffix.lower() in PHOTO_SUFFIXES:
            return True
        with path.open("rb") as file:
            head = file.read(12)
    except (OSError, ValueError):  # a name too long or with a NUL: a text
        return False
    if head[:3] == b"\xff\xd8\xff" or head[:8] == b"\x89PNG\r\n\x1a\n" or head[:4] in (b"II*\0", b"MM\0*"):
        return True
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    bmp = head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"
    return bmp or head[:6] in (b"GIF87a", b"GIF89a") or head[4:12] == b"ftypavif"


class Photo(FrameSource):
    """One photograph: yields ``(frame, 0)`` once, RGB uint8 ``(height, width, 3)``. Wants the extra ``face``.

    A picture that its EXIF data say was turned is turned upright. Gray, palette and CMYK become RGB, 16 bits
    their upper 8; alpha is left out, whatever lies beneath it; of an animation the first frame is read. The
    frame may be read-only.

    Args:
        path: what Pillow reads: JPEG, PNG, WebP, TIFF, BMP, GIF …
        most_pixels: a larger picture is refused before it is decoded (a small file can hold an enormous one).
            Pillow refuses more than 178,956,970 in any case.

    Raises:
        SourceError: there is no such file, it may not be read, is cut off, damaged, too large, or no picture.
        RuntimeUnavailableError: Pillow is not installed.
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

    Each is read as `Photo` does when its turn comes; they may differ in size. Wants the extra ``face``.

    Args:
        folder_or_pattern: a folder (its files that end as in `PHOTO_SUFFIXES`), or a pattern such as
            ``"frames/*.png"``.
        fps: frames a second, above 0 and at most 1000: frame i is taken at i / fps.

    Raises:
        InputError: ``fps`` is out of range.
        SourceError: there is no such picture; while it is read, as `Photo`.
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


def read_photo(path: Path, most_pixels: int = MOST_PIXELS) -> Pixels:
    """Return the pixels of a picture: another name of `edgeemo.data.pictures.read_picture`."""
    return read_picture(path, most_pixels)


def _pictures(where: Path) -> list[Path]:
    try:
        if where.is_dir():
            found = [path for path in where.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES]
        else:
            found = list(where.parent.glob(where.name))
        return sorted((path for path in found if path.is_file()), key=_by_number)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{where} cannot be read: {reason}. Check the path and its rights.") from error


def _by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.findall(r"\d+|\D+", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], path.name
