"""Faces found and followed: from a detector's heads to `Face` values, from frame to frame to tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from . import _core
from ._core import DetectorSpec, Face, FaceDecoder, FaceFollower, Track, TrackerSpec, face_in_front

__all__ = [
    "CROP_DOWN",
    "CROP_OVER_BOX",
    "SMOOTH_MS",
    "Detector",
    "DetectorSpec",
    "Face",
    "FaceDecoder",
    "FaceFollower",
    "Pixels",
    "Track",
    "TrackerSpec",
    "face_in_front",
]

Pixels = npt.NDArray[np.uint8]

CROP_OVER_BOX: float = _core.CROP_OVER_BOX
"""Side of the crop a model was trained on over that of the box our detector draws around the same face.

With `CROP_DOWN` the one place that says how a detected box becomes a crop (``edgeemo/fit.h`` has both
numbers). Boxes that a caller gives are taken as they are.
"""

CROP_DOWN: float = _core.CROP_DOWN
"""How far the crop's middle lies below the box's (towards the chin, along the face), in sides of the crop."""

SMOOTH_MS: float = _core.SMOOTH_MS
"""Age at which a frame counts for 1 / e, unless the caller says otherwise."""


class Detector(Protocol):
    """What finds faces: `edgeemo.FaceDetector`, or an object of yours."""

    def detect(self, image: Pixels, color: Any = "rgb") -> Sequence[Face]:
        """Return the faces in a picture, the best first, in its pixels; scores are probabilities."""
        ...
