"""Find faces in the output of a detector, and follow them from frame to frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _core
from ._core import DetectorSpec, Face, FaceDecoder, FaceFollower, Track, TrackerSpec, face_in_front
from .errors import InputError, InputTypeError

__all__ = [
    "CROP_DOWN",
    "CROP_OVER_BOX",
    "SMOOTH_MS",
    "Boxes",
    "Detector",
    "DetectorSpec",
    "Face",
    "FaceDecoder",
    "FaceFollower",
    "Pixels",
    "Track",
    "TrackerSpec",
    "face_in_front",
    "given_faces",
]

Pixels = npt.NDArray[np.uint8]
Boxes: TypeAlias = Sequence[Sequence[float]] | npt.NDArray[Any]

CROP_OVER_BOX: float = _core.CROP_OVER_BOX
"""The side of the crops in training over the side of the detector's box around the same face.

`CROP_OVER_BOX` and `CROP_DOWN` (both from ``edgeemo/fit.h``) turn a detected box into a crop. A recognizer
does not change boxes that a caller gives.
"""

CROP_DOWN: float = _core.CROP_DOWN
"""How far the crop's middle lies below the box's, towards the chin, in sides of the crop."""

SMOOTH_MS: float = _core.SMOOTH_MS
"""The default age at which a frame counts for 1 / e."""


class Detector(Protocol):
    """An object that finds faces, such as `edgeemo.FaceDetector`."""

    def detect(self, image: Pixels, color: Any = "rgb") -> Sequence[Face]:
        """Return the faces in a picture, the best first; boxes are in pixels, scores are probabilities."""
        ...


def given_faces(boxes: Boxes, face_of: Callable[[Any], Face]) -> list[Face]:
    """Return a face for each box ``(x0, y0, x1, y1)``, in pixels, made by ``face_of``.

    Raises:
        InputError, InputTypeError: ``boxes`` is not a list of boxes, or one of them cannot be used.
    """
    if isinstance(boxes, str | bytes) or not hasattr(boxes, "__iter__"):
        raise InputTypeError(f"boxes is {boxes!r}: expected [(x0, y0, x1, y1), …] in pixels.")
    faces = []
    for i, box in enumerate(boxes):
        try:
            faces.append(face_of(box))
        except InputError as error:
            raise type(error)(f"boxes[{i}]: {error}") from error
    return faces
