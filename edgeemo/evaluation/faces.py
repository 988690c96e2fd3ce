"""Faces of a manifest, read from their files (needs OpenCV: the extra ``face``).

A path may name a part of a picture by a media fragment (W3C, Media Fragments URI 1.0):
``sheet.webp#xywh=0,48,48,48`` is 48 × 48 pixels whose top left one is (0, 48). So a sheet of faces needs no
file a face.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import DataError, RuntimeUnavailableError
from ..manifest import Example

Pixels: TypeAlias = npt.NDArray[np.uint8]
Color: TypeAlias = Literal["bgr", "gray"]
_PART = re.compile(r"(.+)#xywh=(\d+),(\d+),(\d+),(\d+)")


def require() -> Any:
    """Return the module ``cv2``.

    Raises:
        RuntimeUnavailableError: it is not installed.
    """
    try:
        import cv2
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise RuntimeUnavailableError(
            f"Picture files need OpenCV ({error}): `pip install 'edgeemo[face]'`."
        ) from error
    return cv2


def part_of(path: Path, x: int, y: int, width: int, height: int) -> Path:
    """Return the path of a part of a picture."""
    return path.with_name(f"{path.name}#xywh={x},{y},{width},{height}")


def read_face(example: Example) -> tuple[Pixels, Color]:
    """Return the picture of an example and the order of its bytes, as `FaceFrontend.compute` takes them.

    A picture turned by its EXIF data is turned back.

    Raises:
        DataError: it has no path, or the file cannot be read as a picture.
        RuntimeUnavailableError: OpenCV is not installed.
    """
    if example.path is None:
        raise DataError("An example has no path: a face bundle reads pictures; add the column path.")
    part = _PART.fullmatch(str(example.path))
    if part is None:
        return _picture(example.path)
    whole, color = _picture(Path(part[1]))
    x, y, width, height = map(int, part.groups()[1:])
    found = whole[y : y + height, x : x + width]
    if found.shape[:2] != (height, width) or not found.size:
        raise DataError(
            f"{example.path} is no part of a picture of {whole.shape[1]} × {whole.shape[0]} pixels."
        )
    return found, color


def box_of(picture: Pixels) -> tuple[float, float, float, float]:
    """Return the box of a picture that is a face crop: the whole of it."""
    height, width = picture.shape[:2]
    return 0.0, 0.0, float(width), float(height)


def pixels_of(example: Example) -> str:
    """Return what leaks of faces are found by: only pictures equal to the pixel have the same."""
    picture, _ = read_face(example)
    return f"{picture.shape} {sha256(picture.tobytes()).hexdigest()}"


@lru_cache(maxsize=4)  # the faces of a sheet mostly come one after the other
def _picture(path: Path) -> tuple[Pixels, Color]:
    cv2 = require()
    if not path.is_file():
        raise DataError(f"There is no picture {path}: paths are relative to the manifest.")
    found = cv2.imread(str(path), cv2.IMREAD_ANYCOLOR)
    if found is None:
        raise DataError(f"{path} cannot be read as a picture: expected PNG, JPEG or WebP.")
    if found.ndim == 3 and (found == found[..., :1]).all():  # gray in a format that knows only colour
        found = np.ascontiguousarray(found[..., 0])
    found.flags.writeable = False
    return found, "gray" if found.ndim == 2 else "bgr"
