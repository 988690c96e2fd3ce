"""Hide the metadata of a picture file from the decoder, and find which way up the picture is.

Broken metadata must not keep a decoder from the pixels. So the decoder sees a JPEG, PNG or TIFF file without
metadata. Only the orientation counts: tag 274 of EXIF (TIFF 6.0).
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, NamedTuple

from .pieces import spliced

_ORIENTATION = 274
_LARGEST_TEXT = 1 << 20  # bytes of a text chunk that may hold an orientation
_PIXEL_TAGS = {  # of TIFF: size, samples, compression, colours and places; other tags describe the picture
    *range(254, 260), *range(262, 267), 273, _ORIENTATION, *range(277, 280), 284, *range(290, 294), 317, 320,
    *range(322, 326), 332, 334, 338, 339, 347, *range(512, 522), *range(529, 533),
}  # fmt: skip


class Stripped(NamedTuple):
    """A picture file without metadata, and its orientation: tag 274, 1 to 8, or 0 if unknown."""

    file: BinaryIO
    orientation: int


def stripped(file: BinaryIO, end: int) -> Stripped:
    """Return a picture file without metadata; other and damaged files come back as they are.

    Args:
        file: a file of ``end`` bytes, open for reading; it must stay open as long as the result is in use.
    """
    file.seek(0)
    magic = file.read(8)
    if magic[:2] == b"\xff\xd8":
        return _jpeg(file, end)
    if magic == b"\x89PNG\r\n\x1a\n":
        return _png(file, end)
    if magic[:4] in (b"II*\0", b"MM\0*"):
        return Stripped(_tiff(file, end, magic), 0)
    return Stripped(spliced(file, [range(end)]), 0)


def orientation_of(exif: bytes) -> int:
    """Return the orientation that EXIF data state, 1 to 8; 0 if they state none."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2], ">")
    try:
        (place,) = struct.unpack_from(order + "4xI", exif)
        (count,) = struct.unpack_from(order + "H", exif, place)
        for i in range(count):
            at = place + 2 + 12 * i
            tag, kind = struct.unpack_from(order + "HH", exif, at)
            number = {1: "B", 3: "H", 4: "I"}.get(kind)  # a byte, a short or a long
            if tag == _ORIENTATION and number:
                (value,) = struct.unpack_from(order + number, exif, at + 8)
                return int(value) if 1 <= value <= 8 else 0
    except struct.error:  # cut off
        pass
    return 0


def _jpeg(file: BinaryIO, end: int) -> Stripped:
    """Remove comments and APPn segments, except JFIF and Adobe, which give the colours."""
    pieces: list[bytes | range] = [range(2)]
    exif = b""
    at = 2
    while at + 4 <= end:
        file.seek(at)
        mark, marker, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or marker == 0xDA or length < 2:  # the first scan, or damage
            break
        if marker == 0xFF:  # a byte that fills up
            at += 1
            continue
        begin = file.read(min(length - 2, 65_533))
        if marker == 0xE1 and begin.startswith(b"Exif\0\0"):
            exif = exif or begin
        keep = (marker == 0xE0 and begin.startswith(b"JFIF\0") and length >= 16) or (
            marker == 0xEE and begin.startswith(b"Adobe") and length >= 14
        )
        if keep or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            pieces.append(range(at, at + 2 + length))
        at += 2 + length
    return Stripped(spliced(file, [*pieces, range(min(at, end), end)]), orientation_of(exif))


def _png(file: BinaryIO, end: int) -> Stripped:
    """Keep the critical chunks: those whose names begin with a capital letter."""
    pieces: list[bytes | range] = [range(8)]
    exif = b""
    at = 8
    while at + 12 <= end:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if at + 12 + length > end or not name.isalpha():
            break
        if name[:1].isupper():
            pieces.append(range(at, at + 12 + length))
        elif name == b"eXIf":
            exif = file.read(min(length, _LARGEST_TEXT))
        elif name in (b"tEXt", b"zTXt") and length <= _LARGEST_TEXT:
            keyword, _, text = file.read(length).partition(b"\0")
            if keyword == b"Raw profile type exif":  # how ImageMagick once kept EXIF data: in hexadecimal
                exif = exif or _profile(text if name == b"tEXt" else _inflated(text[1:]))
        at += 12 + length
    return Stripped(spliced(file, [*pieces, range(at, end)]), orientation_of(exif))


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _LARGEST_TEXT)
    except zlib.error:
        return b""


def _profile(text: bytes) -> bytes:
    """Return the bytes of a raw profile, which follow three lines of text."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode())
    except ValueError:
        return b""


def _tiff(file: BinaryIO, end: int, magic: bytes) -> BinaryIO:
    """Keep only the first directory, and in it the tags of `_PIXEL_TAGS`."""
    order = "<" if magic[:2] == b"II" else ">"
    (place,) = struct.unpack(order + "I", magic[4:])
    file.seek(place)
    count = int.from_bytes(file.read(2), "little" if order == "<" else "big")
    entries = file.read(12 * count)
    if len(entries) < 12 * count or place < 8:
        return spliced(file, [range(end)])
    tags = struct.unpack(order + "H10x" * count, entries)
    kept = [entries[12 * i : 12 * i + 12] for i, tag in enumerate(tags) if tag in _PIXEL_TAGS]
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept) + bytes(4)
    size = 2 + 12 * count + 4
    return spliced(file, [range(place), directory.ljust(size, b"\0"), range(place + size, end)])
