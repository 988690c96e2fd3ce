"""Count the frames of an MP3 file, and read the count in its Xing header (layer III of ISO 11172-3, 13818-3).

The Xing header is the first frame of many files and states how many frames follow. If the number is too
small, a decoder stops early. Without such a header, libsndfile guesses the length from the bit
rate of the first frame, and guesses wrong if the bit rate varies.
"""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

_KBIT_S = {  # by the index in the header; MPEG 1, else MPEG 2 and 2.5
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_HZ = (44_100, 48_000, 32_000, 0)
_SAME = 0xFFFE0C00  # bits of a frame's header that are the same in all frames of a file: version, layer, rate
_BIT_RATE = 0xF000
_LONGEST_SEARCH = 65_536  # bytes in which the first frame must begin


class Frames(NamedTuple):
    """The frames of an MP3 file.

    Attributes:
        header: the first four bytes of the first frame.
        start: the offset of the first frame.
        held: how many frames of sound the file holds, without the Xing header.
        varies: whether their bit rates differ.
        stated: how many the Xing header states; None without such a header.
        place: the offset of that number, four bytes, the highest first.
    """

    header: int
    start: int
    held: int
    varies: bool
    stated: int | None
    place: int


def count(file: BinaryIO, end: int) -> Frames | None:
    """Count the frames of an MP3 file of ``end`` bytes.

    None if no frame begins near the start, or Fraunhofer's VBRI header states the length.
    """
    file.seek(0)
    tag = file.read(10)
    at = start = 0
    if tag[:3] == b"ID3" and len(tag) == 10:  # ID3v2: seven bits of each byte are the size
        at = 10 + sum((byte & 127) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
    first, held, varies, search = 0, 0, False, at + _LONGEST_SEARCH
    while at + 4 <= end and (first or at < search):
        file.seek(at)
        header = int.from_bytes(file.read(4), "big")
        size = _size(header) if not first or (header ^ first) & _SAME == 0 else 0
        if size and at + size <= end:
            held, varies = held + 1, varies or bool(first and (header ^ first) & _BIT_RATE)
            if not first:
                first, start = header, at
        at += size or 1
    if not first:
        return None
    place = 4 + _side_info(first)
    file.seek(start)
    xing = file.read(place + 12)
    if xing[36:40] == b"VBRI":
        return None
    stated = None
    if xing[place:].startswith((b"Xing", b"Info")) and xing[place + 7] & 1:
        stated, held = int.from_bytes(xing[place + 8 :], "big"), held - 1
    return Frames(first, start, held, varies, stated, start + place + 8)


def xing_frame(header: int, frames: int) -> bytes:
    """Return a silent frame whose Xing header states ``frames``, for a file of frames with this header."""
    header = header & ~_BIT_RATE & ~0x200 | 0x15000  # rate 5 has room for the Xing header; no padding, no CRC
    begin = header.to_bytes(4, "big") + bytes(_side_info(header))
    return (begin + b"Xing\0\0\0\1" + frames.to_bytes(4, "big")).ljust(_size(header), b"\0")


def _size(header: int) -> int:
    """Return the bytes of the frame that this header begins, 0 if these four bytes begin no frame."""
    version, layer = header >> 19 & 3, header >> 17 & 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5; 1: layer III
    if header >> 21 != 0x7FF or version == 1 or layer != 1:
        return 0
    kbit_s = _KBIT_S[version == 3][header >> 12 & 15]
    rate_hz = _HZ[header >> 10 & 3] >> {3: 0, 2: 1, 0: 2}[version]
    if not kbit_s or not rate_hz:
        return 0
    return (144_000 if version == 3 else 72_000) * kbit_s // rate_hz + (header >> 9 & 1)


def _side_info(header: int) -> int:
    """Return how many bytes of side information follow the header of a frame."""
    mono = header >> 6 & 3 == 3
    return (17 if mono else 32) if header >> 19 & 1 else (9 if mono else 17)
