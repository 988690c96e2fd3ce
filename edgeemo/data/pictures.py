"""The one reader of picture files. It needs Pillow: the extra ``face``."""

from __future__ import annotations

import os
import warnings
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import RuntimeUnavailableError, SourceError
from ..files import open_regular

Pixels: TypeAlias = npt.NDArray[np.uint8]

MOST_PIXELS = 128_000_000
"""The reader refuses a picture with more pixels, unless told otherwise. Decoding that many takes 1.2 GB."""


def read_picture(path: str | os.PathLike[str], most_pixels: int = MOST_PIXELS) -> Pixels:
    """Return the pixels of a picture file: RGB, uint8 ``(height, width, 3)``, upright, perhaps read-only.

    The reader turns the picture as EXIF tag 274 says. Gray, palette and CMYK become RGB. Of 16 bits the
    upper 8 stay. Alpha is left out, whatever lies beneath. Of an animation the first frame counts.

    Args:
        path: a file that Pillow reads: JPEG, PNG, WebP, TIFF, BMP, GIF …
        most_pixels: the reader refuses a larger picture before decoding, because a small file can hold an
            enormous picture. Pillow refuses more than 178,956,970 pixels in any case.

    Raises:
        SourceError: the file is absent, forbidden, cut off, damaged, too large or no picture.
        RuntimeUnavailableError: Pillow is not installed.
    """
    image_module, ops = pillow()
    try:
        with open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures: the limit below is ours
            image = _opened(image_module, file, path)
            _check_size(image, path, most_pixels)
            ops.exif_transpose(image, in_place=True)  # decodes
            return _rgb(image, path)
    except SourceError:
        raise
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) is not None or "null" in str(error):
            reason = getattr(error, "strerror", None) or error
            raise SourceError(f"{path} cannot be read: {reason}. Check the path and its rights.") from error
        raise _damaged(path, error) from error
    except Exception as error:  # a decoder can raise anything: SyntaxError, struct.error, …
        raise _damaged(path, error) from error


def pillow() -> tuple[Any, Any]:
    """Return the modules ``PIL.Image`` and ``PIL.ImageOps``.

    Raises:
        RuntimeUnavailableError: Pillow is not installed; the message says how to install it.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise RuntimeUnavailableError(
            "Photographs need Pillow: install it with `pip install 'edgeemo[face]'`."
        ) from error
    return Image, ImageOps


def _opened(image_module: Any, file: Any, path: str | os.PathLike[str]) -> Any:
    try:
        return image_module.open(file)
    except image_module.UnidentifiedImageError as error:
        raise SourceError(
            f"{path} is no picture that Pillow reads, or damaged. Convert it to JPEG or PNG."
        ) from error
    except image_module.DecompressionBombError as error:
        raise SourceError(f"{path}: {error} Make it smaller.") from error


def _check_size(image: Any, path: str | os.PathLike[str], most_pixels: int) -> None:
    width, height = image.size
    if width * height > most_pixels:
        raise SourceError(
            f"{path} says it has {width} × {height} pixels, more than {most_pixels:,}. "
            "Make it smaller, or give most_pixels."
        )
    if not width or not height:
        raise SourceError(f"{path} has {width} × {height} pixels: nothing to see. Fetch it again.")


def _rgb(image: Any, path: str | os.PathLike[str]) -> Pixels:
    """Return the pixels of any mode; of 16 bits a channel the upper 8."""
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
            raise SourceError(
                f"{path} has pixels of {values.dtype}, whose white is unknown. Save it with 8 or 16 bits."
            )
        gray = (values.astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(gray[..., np.newaxis], 3, axis=2)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _damaged(path: str | os.PathLike[str], error: Exception) -> SourceError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return SourceError(f"{path} is cut off or damaged ({reason}). Fetch it again.")
