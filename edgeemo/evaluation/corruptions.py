"""Corruptions of pictures and of boxes about faces, each kind in documented strengths.

==========  ===========  ==================================================================================
kind        unit         what is done
==========  ===========  ==================================================================================
blur        eye dist.    Gaussian, its standard deviation in distances between the eyes
brightness  ×            bytes multiplied, rounded and clipped
noise       of 255       Gaussian noise of this standard deviation on every byte, rounded and clipped
jpeg        quality      encoded as JPEG of this quality (OpenCV's scale to 100) and decoded
occlusion   % of box     a flat square of any brightness hides this share of the box, anywhere in it
rotation    °            turned about the box's middle, left or right by chance; edges go on
eyes        px apart     shrunk (area averaging) until the eyes are so far apart; nothing is enlarged
shift       eye dist.    the box moved in any direction, as a detector may misplace it
scale       ×            the box's sides multiplied, its middle kept
==========  ===========  ==================================================================================

The random numbers depend on ``(seed, number of the face, kind)``: a face always has the same noise, hidden
place and direction, at every strength.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import cos, pi, sin, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.faces import Box, View, opencv
from ..data.pictures import Pixels
from ..moved import renamed

STRENGTHS: dict[str, tuple[float, ...]] = {
    "blur": (0.05, 0.1, 0.15, 0.2),
    "brightness": (0.25, 0.5, 1.5, 2.0),
    "noise": (5, 10, 20, 40),
    "jpeg": (50, 30, 15, 5),
    "occlusion": (5, 10, 20, 30),
    "rotation": (10, 20, 30, 45),
    "eyes": (24, 16, 12, 8, 6, 4),
    "shift": (0.05, 0.1, 0.2, 0.3),
    "scale": (0.7, 0.85, 1.2, 1.4),
}
UNITS = {
    "blur": "eye distances", "brightness": "times", "noise": "of 255", "jpeg": "quality",
    "occlusion": "% of the box", "rotation": "degrees", "eyes": "px apart", "shift": "eye distances",
    "scale": "times",
}  # fmt: skip


class Corruptions:
    """Corrupts views of faces; see the module. The same ``seed`` and number always give the same views."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def views(self, view: View, number: int) -> Iterator[tuple[str, float, View]]:
        """Yield kind, strength and corrupted view of face ``number``, every kind in every strength.

        Raises:
            RuntimeUnavailableError: OpenCV is not installed.
        """
        for kind, strengths in STRENGTHS.items():
            for strength in strengths:
                yield kind, strength, self.corrupted(view, number, kind, strength)

    def corrupted(self, view: View, number: int, kind: str, strength: float) -> View:
        """Return one corrupted view; ``kind`` is a key of `STRENGTHS`, the strength any in its unit."""
        rng = np.random.default_rng([self.seed, number, list(STRENGTHS).index(kind)])
        if kind == "shift":
            angle, by = rng.uniform(0, 2 * pi), strength * view.eye_px
            return replace(view, box=moved(view.box, by * cos(angle), by * sin(angle)))
        if kind == "scale":
            return replace(view, box=scaled(view.box, strength))
        if kind == "eyes":
            return shrunk(view, strength)
        return replace(view, picture=self._picture(view, kind, strength, rng))

    def _picture(self, view: View, kind: str, strength: float, rng: np.random.Generator) -> Pixels:
        picture = view.picture
        if kind == "blur":
            return blurred(picture, strength * view.eye_px)
        if kind == "brightness":
            return _bytes(picture * np.float64(strength))
        if kind == "noise":
            return _bytes(picture + strength * rng.standard_normal(picture.shape))
        if kind == "jpeg":
            return through_jpeg(picture, int(strength))
        if kind == "occlusion":
            return hidden(picture, view.box, strength / 100, rng)
        return turned(picture, view.box, strength * float(rng.choice((-1, 1))))


def moved(box: Box, dx: float, dy: float) -> Box:
    """Return a box moved by pixels."""
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


def scaled(box: Box, by: float) -> Box:
    """Return a box with its sides multiplied and its middle kept."""
    x, y, dx, dy = _middle(box)
    return x - by * dx, y - by * dy, x + by * dx, y + by * dy


def blurred(picture: Pixels, sigma_px: float) -> Pixels:
    """Return a picture convolved with a Gaussian; edges go on."""
    cv2 = opencv()
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE), np.uint8)


def through_jpeg(picture: Pixels, quality: int) -> Pixels:
    """Return a picture encoded as JPEG and decoded again."""
    cv2 = opencv()
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if picture.ndim == 2 else cv2.IMREAD_COLOR))


def hidden(picture: Pixels, box: Box, share: float, rng: np.random.Generator) -> Pixels:
    """Return a picture with a flat square of any brightness that covers a share of the box, within it."""
    across, down, byte = rng.uniform(), rng.uniform(), int(rng.integers(256))
    x, y, dx, dy = _middle(box)
    half = min(sqrt(share * dx * dy), dx, dy)
    x += (2 * across - 1) * (dx - half)
    y += (2 * down - 1) * (dy - half)
    left, top, right, bottom = (max(round(v), 0) for v in (x - half, y - half, x + half, y + half))
    found = picture.copy()
    found[top:bottom, left:right] = byte
    return found


def turned(picture: Pixels, box: Box, degrees: float) -> Pixels:
    """Return a picture turned about the middle of the box (positive: counterclockwise); edges go on."""
    cv2 = opencv()
    x, y, _, _ = _middle(box)
    matrix = cv2.getRotationMatrix2D((x - 0.5, y - 0.5), degrees, 1.0)  # OpenCV's pixels are points
    size = picture.shape[1], picture.shape[0]
    return np.asarray(
        cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def shrunk(view: View, eye_px: float) -> View:
    """Return a view whose eyes are ``eye_px`` apart, or the same view if they are nearer already."""
    if view.eye_px <= eye_px:
        return view
    cv2 = opencv()
    height, width = view.picture.shape[:2]
    size = [max(1, round(side * eye_px / view.eye_px)) for side in (width, height)]
    across, down = size[0] / width, size[1] / height
    x0, y0, x1, y1 = view.box
    picture = np.asarray(cv2.resize(view.picture, size, interpolation=cv2.INTER_AREA))
    return View(picture, view.color, (x0 * across, y0 * down, x1 * across, y1 * down), view.eye_px * across)


def _middle(box: Box) -> tuple[float, float, float, float]:
    """Return the middle of a box and half its sides."""
    x0, y0, x1, y1 = box
    return (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2


def _bytes(picture: npt.NDArray[np.floating[Any]]) -> Pixels:
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


__getattr__ = renamed(__name__, {"Damage": "Corruptions"})
