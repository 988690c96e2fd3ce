"""Photographs of every kind become RGB, upright; what is cut off, a bomb or no picture is refused by name."""

from __future__ import annotations

import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("PIL", reason="needs edgeemo[face]")
from PIL import Image

from edgeemo.errors import InputError, RuntimeUnavailableError, SourceError
from edgeemo.sources import ImageSequence, Photo, is_photo

Pixels = npt.NDArray[np.uint8]


def picture(width: int = 40, height: int = 24) -> Pixels:
    """Smooth, all channels different, no symmetry."""
    y, x = np.mgrid[:height, :width]
    return np.stack([40 + 4 * x, 30 + 5 * y, 200 - 2 * x - y], 2).astype(np.uint8)


PICTURE = picture()


def saved(path: Path, pixels: Any, mode: str | None = None, **how: Any) -> Path:
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **how)
    return path


# --- what is read ---


@pytest.mark.parametrize(
    ("suffix", "off"), [("png", 0), ("bmp", 0), ("tiff", 0), ("webp", 12), ("jpg", 12), ("ppm", 0)]
)
def test_formats(suffix: str, off: int, tmp_path: Path) -> None:
    with Photo(saved(tmp_path / f"a.{suffix}", PICTURE)) as photo:
        ((frame, t_ms),) = list(photo)
    assert (photo.color, t_ms, photo.drops) == ("rgb", 0, 0)
    assert (frame.dtype.name, frame.shape) == ("uint8", (24, 40, 3))
    assert np.abs(frame.astype(int) - PICTURE).max() <= off


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("L", "png"), ("1", "png"), ("P", "png"), ("P", "gif"), ("RGBA", "png"), ("LA", "png"), ("CMYK", "jpg"),
     ("CMYK", "tiff"), ("L", "jpg")],
)  # fmt: skip
def test_modes(mode: str, suffix: str, tmp_path: Path) -> None:
    image = Image.fromarray(PICTURE).convert(mode)
    image.save(tmp_path / f"a.{suffix}", quality=95)
    frame = Photo(tmp_path / f"a.{suffix}").frame
    assert (frame.dtype.name, frame.shape) == ("uint8", (24, 40, 3))
    expected = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(frame - expected).mean() < 3


def test_alpha_is_left_out(tmp_path: Path) -> None:
    clear = np.dstack([PICTURE, np.zeros(PICTURE.shape[:2], np.uint8)])
    np.testing.assert_array_equal(Photo(saved(tmp_path / "a.png", clear)).frame, PICTURE)


def test_of_sixteen_bits_the_upper_eight_are_kept(tmp_path: Path) -> None:
    gray = (PICTURE[..., 0].astype(np.uint16) << 8) + 77
    frame = Photo(saved(tmp_path / "a.png", gray)).frame
    np.testing.assert_array_equal(frame, np.repeat(PICTURE[..., :1], 3, axis=2))


def test_sixteen_bits_of_colour(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs edgeemo[face]")
    cv2.imwrite(str(tmp_path / "a.png"), (PICTURE[..., ::-1].astype(np.uint16) << 8) + 77)
    np.testing.assert_array_equal(Photo(tmp_path / "a.png").frame, PICTURE)


def test_floats_have_no_white(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="whose white is unknown"):
        Photo(saved(tmp_path / "a.tiff", PICTURE[..., 0].astype(np.float32) / 255))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_picture_upright(orientation: int, tmp_path: Path) -> None:
    """As a viewer shows it: stored[i] with the tag must come out as the picture."""
    stored = {
        1: PICTURE, 2: PICTURE[:, ::-1], 3: PICTURE[::-1, ::-1], 4: PICTURE[::-1],
        5: PICTURE.swapaxes(0, 1), 6: np.rot90(PICTURE), 7: PICTURE[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(PICTURE, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.png", np.ascontiguousarray(stored), exif=exif.tobytes())
    np.testing.assert_array_equal(Photo(path).frame, PICTURE)


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((8, 8, 3), v, np.uint8)) for v in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert int(Photo(tmp_path / "a.gif").frame.max()) < 50


# --- what is refused ---


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "needs more memory than there is. Make the picture smaller"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (OSError("image file is truncated (3 bytes not processed)"), "is cut off .*Fetch it again"),
        (NotImplementedError("compression 7"), "is a picture that Pillow does not decode .*Convert it"),
        (
            ValueError("conversion from LAB to RGB not supported"),
            "is a picture that Pillow does not decode .*Convert it",
        ),
        (SyntaxError("broken PNG file"), "is damaged .*Fetch it again"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_of_the_decoder_is_told_as_what_it_is(
    error: Exception, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    path = saved(tmp_path / "a.png", PICTURE)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(SourceError, match=rf"a\.png {says}"):
        Photo(path)


def test_a_picture_of_a_kind_that_pillow_does_not_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"  # by another name: the content counts
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(range(256)))
    with pytest.raises(SourceError, match=r"is a HEIC picture, .* `magick photo\.jpg photo\.png`"):
        Photo(path)


def test_a_jpeg_that_is_cut_off(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", picture(60, 48))
    whole = path.read_bytes()
    for part in (0.99, 0.7, 0.5):
        path.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(SourceError, match=r"a\.jpg is (cut off|damaged|no picture)"):
            Photo(path)


@pytest.mark.parametrize("suffix", ["png", "webp", "gif", "tiff", "bmp"])
def test_other_files_that_are_cut_off_or_empty(suffix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / f"a.{suffix}", picture(60, 48))
    whole = path.read_bytes()
    for n in (0, 1, 20, len(whole) // 2):
        path.write_bytes(whole[:n])
        with pytest.raises(SourceError, match=r"(is cut off|is damaged|is empty)"):
            Photo(path)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_files_are_named_errors_or_pictures(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    suffix = ("jpg", "png", "webp", "gif", "tiff", "bmp")[seed % 6]
    data = bytearray(saved(tmp_path / f"a.{suffix}", picture(60, 48)).read_bytes())
    for at in rng.integers(4, len(data), 12):
        data[at] = rng.integers(256)
    (tmp_path / f"a.{suffix}").write_bytes(bytes(data))
    with suppress(SourceError):  # and nothing else
        frame = Photo(tmp_path / f"a.{suffix}").frame
        assert frame.dtype == np.uint8
        assert frame.shape[2] == 3


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it has side × side pixels."""
    head = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    rest = chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rest


@pytest.mark.parametrize("side", [12_000, 20_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bomb(side))
    with pytest.raises(SourceError, match="pixels"):
        Photo(tmp_path / "a.png")


def test_the_limit_is_the_callers(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", PICTURE)
    assert Photo(path, most_pixels=40 * 24).frame.shape == (24, 40, 3)
    with pytest.raises(SourceError, match="says it has 40 × 24 pixels, more than 959"):
        Photo(path, most_pixels=40 * 24 - 1)


@pytest.mark.parametrize(
    ("name", "says"),
    [("none.jpg", "No such file"), ("", "Is a directory"), ("a\0b.jpg", "null"), ("x" * 300, "too long")],
)
def test_a_file_that_cannot_be_opened(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"cannot be read: .*{says}.*Check the path and its rights"):
        Photo(f"{tmp_path}/{name}")


def test_a_text_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("so happy")
    with pytest.raises(SourceError, match="is not a picture that Pillow reads, or is damaged"):
        Photo(tmp_path / "a.jpg")


def test_without_pillow_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.png", PICTURE)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for make in (Photo, ImageSequence):
        with pytest.raises(RuntimeUnavailableError, match=r"pip install 'edgeemo\[face\]'"):
            make(path)


# --- photograph or not ---


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tiff"])
def test_a_photograph_is_known_by_suffix_or_first_bytes(suffix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / f"a.{suffix.upper()}", PICTURE)
    assert is_photo(path)
    path.rename(tmp_path / "a photo")
    assert is_photo(tmp_path / "a photo")


@pytest.mark.parametrize("text", ["BM is no abbreviation", "GIF is a format", "RIFF", "", "II, the second"])
def test_a_text_is_not_taken_for_a_photograph(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text)
    assert not is_photo(tmp_path / "a.txt")
    assert not is_photo("I saw this in a.jpg")
    assert not is_photo("a\0b")


# --- sequences ---


def numbers(source: ImageSequence) -> list[tuple[int, int]]:
    return [(int(frame[0, 0, 0]), t_ms) for frame, t_ms in source]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in (1, 2, 10, 9):
        saved(tmp_path / f"frame{n}.png", np.full((4, 4 + n, 3), n, np.uint8))
    (tmp_path / "notes.txt").write_text("none of them")
    return tmp_path


def test_a_folder_is_read_in_the_order_of_its_numbers(folder: Path) -> None:
    with ImageSequence(folder, fps=10) as source:
        assert numbers(source) == [(1, 0), (2, 100), (9, 200), (10, 300)]
        assert source.drops == 0


def test_a_pattern_chooses(folder: Path) -> None:
    assert numbers(ImageSequence(folder / "frame1*.png")) == [(1, 0), (10, 40)]


def test_times_do_not_drift(folder: Path) -> None:
    source = ImageSequence(folder, fps=30)
    assert [t for _, t in source] == [0, 33, 66, 100]


def test_a_broken_picture_in_between_is_named_and_a_closed_sequence_ends(folder: Path) -> None:
    (folder / "frame2.png").write_bytes(b"broken")
    source = ImageSequence(folder)
    next(source)
    with pytest.raises(SourceError, match=r"frame2\.png"):
        next(source)
    source.close()
    assert list(source) == []


@pytest.mark.parametrize("where", ["nowhere", "*.jpg", "a\0b"])
def test_no_pictures_is_a_named_error(where: str, folder: Path) -> None:
    with pytest.raises(SourceError):
        ImageSequence(f"{folder}/{where}")


@pytest.mark.parametrize("fps", [0, -1, 1001, float("nan")])
def test_a_rate_out_of_range_is_refused(fps: float, folder: Path) -> None:
    with pytest.raises(InputError, match="fps"):
        ImageSequence(folder, fps=fps)
