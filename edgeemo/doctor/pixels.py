"""The numbers of a picture that faults show in."""

from __future__ import annotations

from collections.abc import Sequence
from math import dist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..faces import Face
from ..frontends import FaceFrontend, FaceSpec

Pixels: TypeAlias = npt.NDArray[np.uint8]
Crop: TypeAlias = npt.NDArray[np.float32]

CLEAR = 0.6
"""The least score of a face that colours are judged by, or that shows how a picture is turned."""
FOREHEAD = (-0.5, 0.5, -0.6, 0.3)
"""Left, right, top and bottom around the middle of the eyes, in their distances: above masks and beards."""


def best_score(faces: Sequence[Face]) -> float:
    """Return the score of the surest face, 0 without one."""
    return max((face.score for face in faces), default=0.0)


def color_order(image: Pixels, faces: Sequence[Face]) -> float | None:
    """Return how warm the skin of clear faces is: the median over them of that of each face's forehead.

    Skin of every tone is redder than blue, in almost every light: the measure is (R − B) / (R + G + B), from
    −1 to 1. None where there is no clear face, or no colour.

    Args:
        image: uint8 ``(height, width, 3)``, taken as RGB.
    """
    found = []
    for face in faces:
        if face.score < CLEAR:
            continue
        (ax, ay), (bx, by) = face.eyes
        x, y, d = (ax + bx) / 2, (ay + by) / 2, dist(*face.eyes)
        left, right, top, bottom = FOREHEAD
        rows, columns = (
            slice(max(0, int(middle + low * d)), max(0, int(middle + high * d) + 1))
            for middle, low, high in ((y, top, bottom), (x, left, right))
        )
        pixels = image[rows, columns].reshape(-1, 3).astype(np.float32)
        if len(pixels):
            found.append(float(np.median((pixels[:, 0] - pixels[:, 2]) / (pixels.sum(1) + 1e-6))))
    colored = bool((image[::4, ::4, 0] != image[::4, ::4, 2]).any())
    return float(np.median(found)) if found and colored else None


def crop_of(image: Pixels, box: tuple[float, float, float, float]) -> Crop:
    """Return a box as models see a face: gray, 64 × 64, from 0 to 255."""
    frontend = FaceFrontend(FaceSpec(width=64, height=64, channels="gray"))
    return 255 * np.asarray(frontend.compute(image, "rgb", box=box)).reshape(64, 64)


def sharpness(crop: Crop) -> float:
    """Return how much of a crop is fine detail: deviation of its Laplacian over its own."""
    fine = 4 * crop[1:-1, 1:-1] - crop[:-2, 1:-1] - crop[2:, 1:-1] - crop[1:-1, :-2] - crop[1:-1, 2:]
    return float(fine.std() / (crop.std() + 1e-6))
