"""The faces of a manifest, read from their files (needs Pillow: the extra ``face``).

A path may name a part of a picture by a media fragment (W3C, Media Fragments URI 1.0). The part
``sheet.webp#xywh=0,48,48,48`` has 48 × 48 pixels, the top left one at (0, 48). So a file can hold many faces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from math import ceil, floor, hypot
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from ..errors import DataError, RuntimeUnavailableError
from ..frontends import FaceSpec
from .manifest import Example
from .pictures import Pixels, read_picture

Color: TypeAlias = Literal["bgr", "gray"]
Box: TypeAlias = tuple[float, float, float, float]
_PART = re.compile(r"(.+)#xywh=(\d+),(\d+),(\d+),(\d+)")


def opencv() -> Any:
    """Return the module ``cv2``.

    Raises:
        RuntimeUnavailableError: OpenCV is not installed; the message says how to install it.
    """
    try:
        import cv2
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise RuntimeUnavailableError(
            f"This needs OpenCV ({error}): install it with `pip install 'edgeemo[face]'`."
        ) from error
    return cv2


def part_of(path: Path, x: int, y: int, width: int, height: int) -> Path:
    """Return the path of a part of a picture."""
    return path.with_name(f"{path.name}#xywh={x},{y},{width},{height}")


def read_face(example: Example) -> tuple[Pixels, Color]:
    """Return the picture of an example and the order of its bytes, as `FaceFrontend.compute` takes them.

    The picture stands upright, whatever its EXIF data say.

    Raises:
        DataError: the example has no path, there is no such file, or the picture has no such part.
        SourceError, RuntimeUnavailableError: as `read_picture`.
    """
    if example.path is None:
        raise DataError("An example has no path. A face bundle reads pictures: add the column path.")
    part = _PART.fullmatch(str(example.path))
    if part is None:
        return _picture(example.path)
    whole, color = _picture(Path(part[1]))
    x, y, width, height = map(int, part.groups()[1:])
    found = whole[y : y + height, x : x + width]
    if found.shape[:2] != (height, width) or not found.size:
        raise DataError(
            f"{example.path} is not a part of a picture of {whole.shape[1]} × {whole.shape[0]} pixels."
        )
    return found, color


def gray_of(example: Example) -> Pixels:
    """Return the picture of an example in gray (BT.601, rounded), as a copy of its own.

    Raises:
        DataError, SourceError: as `read_face`.
    """
    picture, color = read_face(example)
    if color == "gray":
        return picture.copy()
    return np.asarray(np.rint(picture @ (0.114, 0.587, 0.299)), np.uint8)


@dataclass(frozen=True)
class View:
    """A picture and the face in it: the face's ``box`` and the distance of its eyes, both in pixels."""

    picture: Pixels
    color: Color
    box: Box
    eye_px: float


def view_of(example: Example, spec: FaceSpec) -> View:
    """Return the face of an example as a model of this spec reads it.

    Without ``eyes`` the picture is a face crop: the box is the whole picture, and the spec gives the distance
    of the eyes. With ``eyes`` the box is upright and puts the eyes where the spec wants them; the function
    does not turn the picture. It cuts the picture to twice the part that the model sees.

    Raises:
        DataError, SourceError: as `read_face`; DataError if the eyes lie outside the picture.
    """
    picture, color = read_face(example)
    height, width = picture.shape[:2]
    if example.eyes is None:
        seen = max(width, height * spec.width / spec.height) * spec.box_scale  # the crop holds the box
        eye_px = spec.eye_distance * seen
        return View(picture, color, (0.0, 0.0, float(width), float(height)), eye_px)
    (x0, y0), (x1, y1) = example.eyes
    eye_px = hypot(x1 - x0, y1 - y0)
    wide = eye_px / spec.eye_distance
    tall = wide * spec.height / spec.width
    x, y = (x0 + x1) / 2, (y0 + y1) / 2 + (0.5 - spec.eye_y) * tall  # the middle of what the model sees
    left, top = max(floor(x - wide), 0), max(floor(y - tall), 0)
    cut = picture[top : max(ceil(y + tall), 0), left : max(ceil(x + wide), 0)]
    if not cut.size:
        raise DataError(f"{example.path}: the eyes {example.eyes} lie outside its {width} × {height} pixels.")
    dx, dy = wide / 2 / spec.box_scale, tall / 2 / spec.box_scale
    return View(cut, color, (x - left - dx, y - top - dy, x - left + dx, y - top + dy), eye_px)


def pixels_of(example: Example) -> str:
    """Return a text that finds leaks of faces: two pictures have the same text if all pixels are equal."""
    picture, _ = read_face(example)
    return f"{picture.shape} {sha256(picture.tobytes()).hexdigest()}"


@lru_cache(maxsize=4)  # the faces of a sheet mostly come one after the other
def _picture(path: Path) -> tuple[Pixels, Color]:
    if not path.is_file():
        raise DataError(f"There is no picture {path}: paths are relative to the manifest.")
    rgb = read_picture(path)
    is_gray = bool((rgb == rgb[..., :1]).all())  # also in a format that knows only colour
    found = np.ascontiguousarray(rgb[..., 0] if is_gray else rgb[..., ::-1])
    found.flags.writeable = False
    return found, "gray" if is_gray else "bgr"
