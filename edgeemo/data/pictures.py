"""The one reader of picture files. It needs Pillow: the extra ``face``."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import RuntimeUnavailableError, SourceError
from ..files import CHECK, explained, open_regular
from . import kinds
from .metadata import orientation_of, stripped

Pixels: TypeAlias = npt.NDArray[np.uint8]

MOST_PIXELS = 128_000_000
"""The reader's default limit. Decoding a picture of that size takes 1.2 GB."""
_TURNS: dict[int, Callable[[Pixels], Pixels]] = {  # EXIF tag 274: how the stored picture becomes upright
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}
_DEEP = re.compile(";16[BLN]|65535")  # in the arguments of Pillow's decoders: 16 bits a channel


def read_picture(path: str | os.PathLike[str], most_pixels: int = MOST_PIXELS) -> Pixels:
    """Return the pixels of a picture file: RGB, uint8 ``(height, width, 3)``, upright, perhaps read-only.

    The reader turns the picture as EXIF tag 274 says; no other metadata counts. Gray, palette and CMYK become
    RGB. The reader keeps the upper 8 of 16 bits and the first frame of an animation, and drops alpha.

    Args:
        path: a file that Pillow reads: JPEG, PNG, WebP, TIFF, BMP, GIF …
        most_pixels: the reader refuses a larger picture before decoding, because a small file can hold an
            enormous picture. Pillow refuses more than 178,956,970 pixels in any case.

    Raises:
        SourceError: the file is absent, forbidden, cut off, damaged, too large or not a picture. The value of
            white is unknown: in floats, in 32 bits, or if the upper two of 16 bits are unused.
        RuntimeUnavailableError: Pillow is not installed.
    """
    image_module = pillow()
    with explained(f"{path} cannot be read", SourceError, CHECK):
        file = open_regular(path)
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large pictures: the limit below is ours
        try:
            bare = stripped(file, file.seek(0, os.SEEK_END))
            with image_module.open(bare.file) as image:
                _check_size(image, path, most_pixels)
                deep = any(_DEEP.search(str(tile[3])) for tile in image.tile)
                image.load()
                found = _rgb(image, path, deep)
                turn = _TURNS.get(bare.orientation or _orientation(image))
                return found if turn is None else np.ascontiguousarray(turn(found))
        except SourceError:
            raise
        except image_module.UnidentifiedImageError as error:
            file.seek(0)
            raise SourceError(_unknown(path, file.read(kinds.HEAD))) from error
        except image_module.DecompressionBombError as error:
            raise SourceError(f"{path}: {error} Make the picture smaller.") from error
        except Exception as error:  # a decoder can raise anything: OSError, SyntaxError, struct.error, …
            raise SourceError(f"{path} {_failure(error)}") from error


def pillow() -> Any:
    """Return the module ``PIL.Image``.

    Raises:
        RuntimeUnavailableError: Pillow is not installed; the message says how to install it.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise RuntimeUnavailableError(
            "Photographs need Pillow: install it with `pip install 'edgeemo[face]'`."
        ) from error
    return Image


def _check_size(image: Any, path: str | os.PathLike[str], most_pixels: int) -> None:
    width, height = image.size
    if width * height > most_pixels:
        raise SourceError(
            f"{path} says it has {width} × {height} pixels, more than {most_pixels:,}. "
            "Make it smaller, or give most_pixels."
        )
    if not width or not height:
        raise SourceError(f"{path} has {width} × {height} pixels: nothing to see. Fetch it again.")


def _orientation(image: Any) -> int:
    """Return tag 274 of a decoded image whose metadata Pillow has read."""
    if image.format == "TIFF":  # Pillow turns TIFF while it decodes, and then drops the tag
        return int(image.getexif().get(274, 0))
    return orientation_of(image.info.get("exif", b""))


def _rgb(image: Any, path: str | os.PathLike[str], deep: bool) -> Pixels:
    """Return the pixels of any mode as RGB; ``deep`` pixels of colour had 16 bits a channel."""
    if image.mode == "F" or image.mode.startswith("I"):
        return np.repeat(_gray(image, path)[..., np.newaxis], 3, axis=2)
    found: Pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    if deep:
        _check_white(path, int(found.max()) << 8)
    return found


def _gray(image: Any, path: str | os.PathLike[str]) -> Pixels:
    """Return the upper 8 bits of an image of floats or integers, if their white is known."""
    values = np.asarray(image)
    tags = image.tag_v2 if image.format == "TIFF" else {}
    sixteen = image.mode != "I" or image.format in ("PNG", "PPM")  # older Pillows open these as I
    bits = int(tags[258][0]) if 258 in tags else 16 if sixteen else 0
    unsigned = values.dtype.kind != "f" and tags.get(339, (1,))[0] == 1
    if bits not in (12, 16) or not unsigned or values.min() < 0 or values.max() >= 1 << bits:
        raise SourceError(
            f"{path} has pixels of {values.dtype}, whose white is unknown. Save it with 8 or 16 bits."
        )
    if bits == 16:
        _check_white(path, int(values.max()))
    if tags.get(262) == 0:  # white is 0; Pillow leaves that so with more than 8 bits
        values = (1 << bits) - 1 - values.astype(np.int32)
    return (values >> (bits - 8)).astype(np.uint8)


def _check_white(path: str | os.PathLike[str], brightest: int) -> None:
    """Refuse 16 bits if only 14 or fewer are in use: white may be 1023, 4095, 16383 or 65535."""
    if 0 < brightest < 1 << 14:
        raise SourceError(
            f"{path} has 16 bits, but no pixel is brighter than {brightest} of 65535, so white is unknown. "
            "A camera may have written 10, 12 or 14 bits. Save the picture with 8 bits."
        )


def _failure(error: Exception) -> str:
    """Return why the decoder failed, and a remedy."""
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    said = reason.lower()
    if isinstance(error, MemoryError):
        return "needs more memory than there is. Make the picture smaller."
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be read: {error.strerror}. Check the disk."
    if any(words in said for words in ("truncated", "not enough image data", "end of file", "too short")):
        return f"is cut off ({reason}). Fetch it again."
    if isinstance(error, NotImplementedError) or any(
        w in said for w in ("support", "not available", "conversion")
    ):
        return f"is a picture that Pillow does not decode ({reason}). Convert it to JPEG or PNG."
    return f"is damaged ({reason}). Fetch it again."


def _unknown(path: str | os.PathLike[str], head: bytes) -> str:
    """Return the kind of a file that Pillow does not open, and a remedy."""
    kind = kinds.kind_of(head, path)
    if not head:
        return f"{path} is empty. Fetch it again."
    if kind is not None and not kind.read:
        return kinds.refusal(path, kind, "Pillow")
    if kind is not None and kind is kinds.kind_of(head, ""):
        return f"{path} is {kind.name} that is damaged, or that this Pillow does not read. Convert it to PNG."
    return f"{path} is not a picture that Pillow reads, or is damaged. Convert it to JPEG or PNG."
