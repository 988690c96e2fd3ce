"""The file decides how long a sound is: edgeemo ignores a wrong length in a header and reports it."""

from __future__ import annotations

import io
import os
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
import soundfile as sf

from edgeemo.data.lengths import HeaderWarning
from edgeemo.data.pieces import spliced
from edgeemo.data.sounds import SoundFile, read_sound
from edgeemo.errors import InputError, SourceError

RATE, N = 16_000, 40_000
CLIP = (8000 * np.sin(np.arange(N) ** 1.3 / 90)).astype(np.int16) | 1  # no sample is 0


def written(kind: str, endian: str | None = None, **how: Any) -> bytearray:
    file = io.BytesIO()
    sf.write(file, CLIP, RATE, format=kind, endian=endian, **how)
    return bytearray(file.getvalue())


def after(data: bytearray, name: bytes, more: int = 0) -> int:
    return data.index(name) + len(name) + more


WAV, RIFX, RF64 = written("WAV"), written("WAV", "BIG"), written("RF64")
AIFF, CAF, AU, FLAC = written("AIFF"), written("CAF"), written("AU"), written("FLAC")
STATED: list[tuple[str, bytearray, int, str, tuple[int, ...]]] = [
    ("wav", WAV, after(WAV, b"data"), "<I", (0, 100, 10_001, 2**31 - 1)),
    ("wav extensible", d := written("WAVEX"), after(d, b"data"), "<I", (0, 100, 10**6)),
    ("wav of 24 bits", d := written("WAV", subtype="PCM_24"), after(d, b"data"), "<I", (0, 100, 10**6)),
    ("rifx", RIFX, after(RIFX, b"data"), ">I", (0, 100, 10**6)),
    ("rf64", RF64, after(RF64, b"ds64", 12), "<Q", (0, 100, 10**6, 2**63)),
    ("aiff", AIFF, after(AIFF, b"SSND"), ">I", (8, 1000, 10**6)),
    ("caf", CAF, after(CAF, b"data"), ">q", (0, 1000, 10**6, 2**62)),
    ("au", AU, 8, ">I", (0, 1000, 10**6)),
    ("flac", FLAC, 22, ">I", (1000, 10**6)),
]


@pytest.mark.parametrize(
    ("data", "place", "number", "stated"),
    [pytest.param(*row, value, id=f"{name}-{value}") for name, *row, values in STATED for value in values],
)
def test_a_wrong_length_is_told_and_the_file_is_read_to_its_end(
    data: bytearray, place: int, number: str, stated: int, tmp_path: Path
) -> None:
    wrong = bytearray(data)
    struct.pack_into(number, wrong, place, stated)
    (tmp_path / "clip").write_bytes(wrong)
    with pytest.warns(HeaderWarning, match=f"the header states {stated:,} .* reads to the end of the file"):
        found, rate_hz = read_sound(tmp_path / "clip")
    assert rate_hz == RATE
    np.testing.assert_array_equal(found, (CLIP / 32768).astype(np.float32))


UNKNOWN = {
    "wav": (WAV, after(WAV, b"data"), b"\xff" * 4),
    "caf": (CAF, after(CAF, b"data"), b"\xff" * 8),
    "au": (AU, 8, b"\xff" * 4),
    "flac": (FLAC, 22, bytes(4)),
}


@pytest.mark.parametrize(("data", "place", "unknown"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_header_that_states_no_length_is_not_wrong(
    data: bytearray, place: int, unknown: bytes, tmp_path: Path
) -> None:
    data = data[:place] + unknown + data[place + len(unknown) :]
    (tmp_path / "clip").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_sound(tmp_path / "clip")[0]) == N


def listed(text: bytes) -> bytes:
    return b"LIST" + struct.pack("<I", len(text)) + text


@pytest.mark.parametrize(
    "tail",
    [listed(b"INFO"), listed(b"INFO") + b"id3 \4\0\0\0abcd", b"TAG" + b" " * 125, bytes(3000), b"\n"],
    ids=["chunk", "chunks", "tag", "zeros", "a byte"],
)  # fmt: skip
def test_what_follows_the_samples_is_no_sound(tail: bytes, tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(bytes(WAV) + tail)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_sound(tmp_path / "clip.wav")[0]) == N


@pytest.mark.parametrize("data", [WAV, AIFF], ids=["wav", "aiff"])
def test_two_sizes_that_agree_are_believed_before_a_few_bytes_of_junk(
    data: bytearray, tmp_path: Path
) -> None:
    junk = bytes(range(200, 230))
    (tmp_path / "clip").write_bytes(bytes(data) + junk)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_sound(tmp_path / "clip")[0], (CLIP / 32768).astype(np.float32))
    (tmp_path / "clip").write_bytes(bytes(data) + junk * 500)
    with pytest.warns(HeaderWarning):
        assert len(read_sound(tmp_path / "clip")[0]) == N + 7500


def test_chunks_may_come_in_any_order_and_an_empty_file_is_empty(tmp_path: Path) -> None:
    place = WAV.index(b"data")
    (tmp_path / "odd.wav").write_bytes(WAV[:place] + listed(b"odd") + b"\0" + WAV[place:])
    (tmp_path / "empty.wav").write_bytes(WAV[:place] + b"data" + bytes(4) + listed(b"INFO"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_sound(tmp_path / "odd.wav")[0]) == N
        assert read_sound(tmp_path / "empty.wav")[0].shape == (0,)


def mp3(**how: Any) -> bytearray:
    try:
        return written("MP3", **how)
    except sf.LibsndfileError:
        pytest.skip("this libsndfile writes no mp3")


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("tag", [b"", b"ID3\4\0\0\0\0\1\2" + b"\xff" * 130], ids=["bare", "tagged"])
@pytest.mark.parametrize("stated", [0, 3, 1000])
def test_the_frames_of_an_mp3_are_counted(mode: str, tag: bytes, stated: int, tmp_path: Path) -> None:
    data = mp3(bitrate_mode=mode)
    (tmp_path / "right.mp3").write_bytes(tag + data)
    name = b"Xing" if b"Xing" in data else b"Info"
    struct.pack_into(">I", data, after(data, name, 4), stated)
    (tmp_path / "wrong.mp3").write_bytes(tag + data)
    right, _ = read_sound(tmp_path / "right.mp3")
    with pytest.warns(HeaderWarning, match=f"the header states {stated:,} frames of sound"):
        found, _ = read_sound(tmp_path / "wrong.mp3")
    np.testing.assert_array_equal(found[: len(right)], right)
    assert len(right) == N


def test_an_mp3_of_varying_rates_without_a_header_is_read_whole(tmp_path: Path) -> None:
    data = mp3(bitrate_mode="VARIABLE")
    (tmp_path / "a.mp3").write_bytes(data[data.index(data[:2], 2) :])  # without the first frame, Xing's
    found, _ = read_sound(tmp_path / "a.mp3")
    assert N <= len(found) < N + 2 * 1152


@pytest.mark.parametrize("kind", ["MP3", "OGG", "FLAC", "WAV"])
def test_blocks_of_any_length_are_the_whole(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(mp3() if kind == "MP3" else written(kind))
    whole, _ = read_sound(tmp_path / "a")
    with SoundFile(tmp_path / "a") as file:
        blocks = list(iter(lambda: file.read(777).tobytes(), b""))
    assert b"".join(blocks) == whole.tobytes()


def test_samples_beyond_full_scale_are_named(tmp_path: Path) -> None:
    samples = np.zeros(100, np.float32)
    samples[70] = np.nan
    sf.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(InputError, match=r"a\.wav: sample 70 is nan"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize("name", [b"lat\xe9.wav", "Lärm 声.wav".encode()])
def test_a_name_need_not_be_utf_8(name: bytes, tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118
    with open(path, "wb") as file:
        file.write(WAV)
    assert len(read_sound(os.fsdecode(path))[0]) == N
    with pytest.raises(SourceError, match="No such file"):
        read_sound(os.fsdecode(path + b"x"))


def test_pieces_of_a_file_are_a_file() -> None:
    file = spliced(io.BytesIO(b"0123456789"), [range(2), b"ab", b"", range(8, 10)])
    assert file.read() == b"01ab89"
    assert [(file.seek(*at), file.read(2)) for at in ((1, 0), (-2, 2), (9, 0))] == [
        (1, b"1a"),
        (4, b"89"),
        (9, b""),
    ]
