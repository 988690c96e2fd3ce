"""Mend the headers of sound files that state a wrong length.

A recorder that loses power leaves a length of 0 in the header, and a program that writes to a pipe leaves
the largest number. libsndfile believes a length that is too small and drops the rest of the sound.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, NamedTuple, TypeAlias

from . import mp3
from .pieces import spliced


class HeaderWarning(UserWarning):
    """The header of a sound file states a wrong length; edgeemo reads what the file holds."""


class Length(NamedTuple):
    """The length that a header states, and the length of the file: None if only decoding shows that."""

    stated: int
    held: int | None
    unit: str


Mended: TypeAlias = tuple[BinaryIO, Length | None]

_UNKNOWN = 0xFFFFFFFF  # what programs write that do not know the length yet
_CHUNKS = {  # magic: (header of a chunk: name and size, where the first chunk begins, the chunk of samples)
    b"RIFF": ("<4sI", 12, b"data"),
    b"RIFX": (">4sI", 12, b"data"),
    b"RF64": ("<4sI", 12, b"data"),
    b"FORM": (">4sI", 12, b"SSND"),
    b"caff": (">4sq", 8, b"data"),
}
_TAGS = (b"LIST", b"ID3", b"id3 ", b"TAG", b"APETAGEX", b"bext", b"iXML", b"_PMX")  # may follow the samples


def mended(file: BinaryIO) -> Mended:
    """Return the file with a header that states what the file holds, and the length if the header is wrong.

    The function knows the headers of WAV (RIFF, RIFX, RF64), AIFF, CAF, AU and MP3. The header of a FLAC file
    gets no length at all, so that libsndfile reads to the end. All other files come back as they are.

    Args:
        file: a file open for reading bytes; it must stay open as long as the result is in use.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(26)
    if head[:4] in _CHUNKS and (head[:4] != b"FORM" or head[8:11] == b"AIF"):
        return _chunked(file, *_CHUNKS[head[:4]], end)
    if head[:4] == b".snd" and len(head) == 26:  # AU: where the samples begin, their size
        start, stated = struct.unpack(">II", head[4:12])
        return _patched(file, end, 8, ">I", _UNKNOWN), _wrong(stated, end - start, _UNKNOWN)
    if head[:4] == b"fLaC" and len(head) == 26:  # the last 36 of these bits count the samples; 0: unknown
        stated = int.from_bytes(head[21:], "big") & 0xFFFFFFFFF
        bare = spliced(file, [head[:21], bytes([head[21] & 0xF0, 0, 0, 0, 0]), range(26, end)])
        return bare, Length(stated, None, "samples") if stated else None
    if head[:3] == b"ID3" or head[:1] == b"\xff":
        return _mp3(file, end)
    return spliced(file, [range(end)]), None


def _mp3(file: BinaryIO, end: int) -> Mended:
    frames = mp3.count(file, end)
    if frames is not None and frames.stated is None and frames.varies:
        return spliced(file, [mp3.xing_frame(frames.header, frames.held), range(frames.start, end)]), None
    if frames is None or frames.stated is None or abs(frames.stated - frames.held) <= 1:
        return spliced(file, [range(end)]), None  # some programs count the header, too
    right = max(frames.stated, frames.held)  # libsndfile finds the end by itself
    return _patched(file, end, frames.place, ">I", right), Length(frames.stated, frames.held, "frames")


def _chunked(file: BinaryIO, layout: str, at: int, samples: bytes, end: int) -> Mended:
    width, pad = struct.calcsize(layout), 2 if layout[-1] == "I" else 1
    name, size, ds64 = b"", 0, 0
    while name != samples:
        file.seek(at)
        header = file.read(width)
        if len(header) < width:
            return spliced(file, [range(end)]), None  # without samples: libsndfile says so
        at += width
        name, size = struct.unpack(layout, header)
        if name == b"ds64":  # of RF64: states the size of the samples, where their own header does not
            ds64 = at + 8
        if name != samples:
            at = at + size + size % pad if size >= 0 else end
    place, number, unknown = at - width + 4, layout[0] + layout[-1], _UNKNOWN if pad == 2 else -1
    if ds64 and size == _UNKNOWN:
        file.seek(ds64)
        place, number, unknown = ds64, "<Q", 2**64 - 1
        size = int.from_bytes(file.read(8), "little")
    held = end - at
    if size == held or (0 <= size < held and _ends(file, at + size + size % pad, layout, bool(size), end)):
        return spliced(file, [range(end)]), None
    if layout[-1] == "I" and size > 0 and _agrees(file, layout, at + size, end):
        return spliced(file, [range(end)]), None
    most = held if number[1] != "I" else min(held, _UNKNOWN)
    return _patched(file, end, place, number, most), _wrong(size, held, unknown)


def _ends(file: BinaryIO, at: int, layout: str, some: bool, end: int) -> bool:
    """Return whether the samples end here: nothing, a chunk, a tag or padding zeros follow."""
    file.seek(at)
    head = file.read(struct.calcsize(layout))
    if len(head) < struct.calcsize(layout) or head.startswith(_TAGS):
        return True
    name, size = struct.unpack(layout, head)
    if all(32 <= c < 127 for c in name) and 0 <= size <= end - at - len(head):
        return True
    file.seek(at)
    return some and not any(any(block) for block in iter(lambda: file.read(65536), b""))


def _agrees(file: BinaryIO, layout: str, samples_end: int, end: int) -> bool:
    """Return whether the header's size of the file agrees with that of the samples, and few bytes follow."""
    file.seek(4)
    (whole,) = struct.unpack(layout[0] + "I", file.read(4))
    return whole + 8 - samples_end in (0, 1) and 0 <= end - samples_end <= max(4096, end // 100)


def _wrong(stated: int, held: int, unknown: int) -> Length | None:
    return None if stated in (held, unknown) else Length(stated, held, "bytes")


def _patched(file: BinaryIO, end: int, place: int, number: str, value: int) -> BinaryIO:
    right = struct.pack(number, value)
    return spliced(file, [range(place), right, range(place + len(right), end)])
