"""Metadata and odd depths do not spoil a picture: tag 274 turns it, no other tag or chunk matters."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("PIL", reason="needs edgeemo[face]")
from PIL import Image

from edgeemo.data.pictures import read_picture
from edgeemo.errors import SourceError

Y, X = np.mgrid[:24, :40]
PICTURE = np.stack([40 + 4 * X, 30 + 5 * Y, 200 - 2 * X - Y], 2).astype(np.uint8)


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def exif(*tags: tuple[int, int, int, bytes], order: str = "<", turn: int = 6) -> bytes:
    """EXIF data with tag 274 and these: number, type, count, value or place."""
    turned = (274, 3, 1, struct.pack(order + "HH", turn, 0))
    rows = b"".join(struct.pack(order + "HHI", *row[:3]) + row[3] for row in sorted((*tags, turned)))
    head = struct.pack(order + "2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(tags) + 1)
    return head + rows + bytes(4)


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "JPEG", quality=95)
    return file.getvalue()[:2] + b"".join(segments) + file.getvalue()[2:]


def png(*chunks: bytes, behind: bytes = b"") -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG")
    whole = file.getvalue()
    return whole[:33] + b"".join(chunks) + whole[33:-12] + behind + whole[-12:]


def tiff(*tags: tuple[int, int, int, bytes]) -> bytes:
    """An uncompressed TIFF of the gray of the picture, with tags put in."""
    gray = np.ascontiguousarray(PICTURE[..., 0])
    own = {256: 40, 257: 24, 258: 8, 259: 1, 262: 1, 273: 8, 274: 6, 277: 1, 278: 24, 279: gray.size}
    rows = [(tag, 4, 1, struct.pack("<I", value)) for tag, value in own.items()]
    table = b"".join(struct.pack("<HHI", *row[:3]) + row[3] for row in sorted([*rows, *tags]))
    place = struct.pack("<2sHI", b"II", 42, 8 + gray.size)
    return place + gray.tobytes() + struct.pack("<H", len(rows) + len(tags)) + table + bytes(4)


BROKEN = [
    (tag, kind, count, value)
    for tag in (270, 271, 282, 296, 306, 700, 33723, 34665, 34853)
    for kind in (1, 2, 3, 5, 7, 12, 255)
    for count, value in ((0, bytes(4)), (1, b"abcd"), (9, b"\xff" * 4), (2**32 - 1, bytes(4)))
]


@pytest.mark.parametrize("wrap", ["jpg", "png", "tiff"])
def test_a_broken_tag_neither_refuses_a_picture_nor_hides_how_it_is_turned(wrap: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{wrap}"
    path.write_bytes({"jpg": jpeg(), "png": png(), "tiff": tiff()}[wrap])
    stored = read_picture(path) if wrap != "tiff" else np.rot90(read_picture(path))
    for i, tag in enumerate(BROKEN):
        data = exif(tag, order="<>"[i % 2])
        path.write_bytes(
            jpeg(segment(0xE1, b"Exif\0\0" + data)) if wrap == "jpg"
            else png(chunk(b"eXIf", data)) if wrap == "png" else tiff(tag)
        )  # fmt: skip
        np.testing.assert_array_equal(read_picture(path), np.rot90(stored, -1), err_msg=str(tag))


@pytest.mark.parametrize(
    "data",
    [b"", b"Exif\0\0", exif()[:12], b"Exif\0\0II*\0" + b"\xff" * 4, exif(turn=9), exif(turn=0), b"\xff" * 40],
    ids=["empty", "name", "cut", "nowhere", "9", "0", "noise"],
)  # fmt: skip
def test_broken_exif_data_turn_nothing(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(chunk(b"eXIf", data)))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), PICTURE)
    (tmp_path / "a.jpg").write_bytes(jpeg(segment(0xE1, data)))
    assert read_picture(tmp_path / "a.jpg").shape == PICTURE.shape


def test_imagemagicks_profile_turns_a_picture_and_xmp_does_not(tmp_path: Path) -> None:
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    profile = b"\nexif\n" + b"%8d\n" % len(exif()) + exif().hex().encode() + b"\n"
    for one in (
        chunk(b"tEXt", b"Raw profile type exif\0" + profile),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)),
    ):
        (tmp_path / "a.png").write_bytes(png(one))
        np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), np.rot90(PICTURE, -1))
    (tmp_path / "a.png").write_bytes(png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), PICTURE)
    (tmp_path / "a.jpg").write_bytes(jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)))
    assert read_picture(tmp_path / "a.jpg").shape == PICTURE.shape


ANCILLARY = [
    (name, data)
    for name in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"tRNS", b"acTL", b"fcTL", b"prVt")
    for data in (b"", b"\xff" * 5, b"Name\0\0" + zlib.compress(bytes(3_000_000)), b"Name\0" + b"x" * 2**21)
]  # fmt: skip


def test_no_ancillary_chunk_decides_whether_a_png_is_read(tmp_path: Path) -> None:
    for name, data in ANCILLARY:
        right = chunk(name, data)
        for one in (png(right), png(right[:-4] + bytes(4)), png(behind=right)):
            (tmp_path / "a.png").write_bytes(one)
            np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), PICTURE, err_msg=str(name))


@pytest.mark.parametrize("marker", [*range(0xE0, 0xF0), 0xFE])
def test_no_segment_of_an_application_decides_whether_a_jpeg_is_read(marker: int, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    expected = read_picture(tmp_path / "a.jpg")
    for data in (
        b"",
        b"JFIF",
        b"Adobe",
        b"MPF\0II*\0",
        b"ICC_PROFILE\0\1",
        b"Photoshop 3.0\x008BIM\4",
        b"\xff" * 9,
    ):
        (tmp_path / "a.jpg").write_bytes(jpeg(segment(marker, data)))
        np.testing.assert_array_equal(read_picture(tmp_path / "a.jpg"), expected)


# --- depth ---


def depth(bits: int, values: npt.NDArray[Any], samples: int = 1, **tags: int) -> bytes:
    """An uncompressed TIFF of these samples, in their own order."""
    height, width = values.shape[:2]
    packed = values.tobytes()
    if bits == 12:
        pairs = values.astype(np.uint32).reshape(-1, 2) @ np.array([4096, 1], np.uint32)
        packed = b"".join(int(pair).to_bytes(3, "big") for pair in pairs)
    own = {256: width, 257: height, 258: bits, 259: 1, 262: tags.get("photometric", 1), 273: 8, 277: samples}
    own |= {278: height, 279: len(packed), 339: tags.get("format", 1)}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in own.items())
    head = struct.pack("<2sHI", b"II", 42, 8 + len(packed))
    return head + packed + struct.pack("<H", len(own)) + table + bytes(4)


RAMP = np.repeat((np.arange(256) * 257).astype(np.uint16)[None], 4, 0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (depth(16, RAMP), RAMP >> 8),
        (depth(16, RAMP, photometric=0), 255 - (RAMP >> 8)),
        (depth(12, RAMP >> 4), RAMP >> 8),
        (depth(16, RAMP * 0), RAMP * 0),
    ],
    ids=["16", "16, white is 0", "12, packed", "16, black"],
)
def test_depths_whose_white_is_known_are_read(
    data: bytes, expected: npt.NDArray[Any], tmp_path: Path
) -> None:
    (tmp_path / "a.tiff").write_bytes(data)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tiff")[..., 1], expected)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (depth(32, (RAMP >> 8).astype(np.int32), format=2), "whose white is unknown"),
        (depth(32, RAMP.astype(np.uint32)), "whose white is unknown"),
        (depth(16, (RAMP >> 1).astype(np.int16), format=2), "whose white is unknown"),
        (depth(32, RAMP.astype(np.float32), format=3), "whose white is unknown"),
        (depth(16, RAMP >> 4), "no pixel is brighter than 4095 of 65535"),
        (depth(16, RAMP >> 2), "no pixel is brighter than 16383 of 65535"),
    ],
    ids=["int32", "uint32", "int16", "float32", "12 in 16", "14 in 16"],
)
def test_depths_whose_white_is_unknown_are_refused(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.tiff").write_bytes(data)
    with pytest.raises(SourceError, match=f"{says}.*Save (it|the picture) with 8"):
        read_picture(tmp_path / "a.tiff")


@pytest.mark.parametrize("suffix", ["png", "tiff", "ppm"])
def test_twelve_bits_in_sixteen_of_colour_are_refused(suffix: str, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs edgeemo[face]")
    for shift, fits in ((0, True), (4, False)):
        cv2.imwrite(str(tmp_path / f"a.{suffix}"), np.repeat(RAMP[..., None], 3, 2) >> shift)
        with nullcontext() if fits else pytest.raises(SourceError, match="no pixel is brighter than"):
            assert read_picture(tmp_path / f"a.{suffix}").max() == 255
