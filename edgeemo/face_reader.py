"""What a face model says of one face: how it is cut out of the picture, and what becomes of the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from .card import ModelCard
from .errors import InputError
from .faces import Face
from .frontends import Alignment
from .readout import Readout, read_only
from .runtime import Runtime
from .types import EmotionResult, FloatArray

if TYPE_CHECKING:
    from .frontends import FaceFrontend

Pixels = npt.NDArray[np.uint8]

CROP_OVER_BOX = 1.14
"""Side of the crop a model was trained on over that of the box our detector draws around the same face.

With `CROP_DOWN` the one place that says how a detected box becomes a crop; boxes that a caller gives are
taken as they are. Both are medians over 11,317 training pictures of FER+, whose crop is known, of the boxes
the detector learns (quartiles of this one: 1.05 and 1.27).
"""

CROP_DOWN = -0.11
"""How far the crop's middle lies below the box's (towards the chin, along the face), in sides of the crop."""


class Detector(Protocol):
    """What finds faces: `edgeemo.FaceDetector`, or an object of yours."""

    def detect(self, image: Pixels, color: Any = "rgb") -> Sequence[Face]:
        """Return the faces in a picture, the best first, in its pixels; scores are probabilities."""
        ...


class FaceReader:
    """Reads faces in a picture. No state; thread-safe as `Runtime` is.

    Attributes:
        size: numbers in a row of `read`.
    """

    def __init__(self, card: ModelCard, runtime: Runtime, frontend: FaceFrontend, readout: Readout) -> None:
        self._card, self._runtime, self._frontend, self._readout = card, runtime, frontend, readout
        self._neutral = readout.native.neutral()
        self.size = len(self._neutral)

    def given(self, box: Any) -> Face:
        """Return the face of a box, certain; its eyes are where an upright face in this box would have them.

        Raises:
            InputError, InputTypeError: no box, or one that cannot be cut.
        """
        spec, crop = self._frontend.spec, self._frontend.align(box)
        y = spec.eye_y * spec.height
        left, right = ((0.5 + side * spec.eye_distance / 2) * spec.width for side in (-1, 1))
        return Face(box, (crop.to_picture(left, y), crop.to_picture(right, y)), 1.0)

    def usable(self, faces: Sequence[Face], image: Pixels, color: Any) -> list[Face]:
        """Return the faces that can be read: with a score, a pixel in size, their middle in the picture."""
        if not isinstance(image, np.ndarray) or image.ndim < 2:
            return list(faces)  # `read` refuses the picture
        height, width = image.shape[:2]
        height = height // 3 * 2 if color == "nv12" else height
        return [face for face in faces if _lies_in(face, width, height)]

    def read(self, image: Pixels, color: Any, face: Face, *, found: bool) -> FloatArray:
        """Run the model on a face: probabilities, scores, valence, arousal in one float32 row.

        Args:
            found: a detector drew the box: it is fitted to what the model was trained on, and turned as the
                eyes are, unless they lie so that they do not say how (in profile, or on the head).

        Raises:
            InputError, InputTypeError: the picture cannot be used, or the box lies outside.
            InferenceError: the model was closed, or gives NaN.
        """
        crop = self._frontend.align(face.box)
        if found:
            with suppress(InputError):
                crop = self._frontend.align(face.box, face.eyes)
            crop = self._fitted(crop)
        tensor = self._frontend.compute(image, color, crop=crop)
        return self._readout.row(self._runtime.run(tensor[np.newaxis]))

    def result(
        self,
        row: FloatArray,
        evidence: float,
        face: Face | None = None,
        *,
        track_id: int | None = None,
        start_ms: int = 0,
        end_ms: int = 0,
    ) -> EmotionResult:
        """Return a row of `read`, or a mean of such rows, as a result."""
        n = len(self._card.labels)
        return EmotionResult(
            "face",
            read_only(row[n:-2]),
            self._card.labels,
            read_only(row[:n]),
            self._readout.thresholds,
            float(row[-2]),
            float(row[-1]),
            evidence,
            start_ms=start_ms,
            end_ms=end_ms,
            exclusive=self._readout.exclusive,
            face=face,
            track_id=track_id,
        )

    def nobody(self) -> EmotionResult:
        """Return what is said where there is no face: neutral, without evidence."""
        return self.result(self._neutral.copy(), 0.0)

    def _fitted(self, crop: Alignment) -> Alignment:
        spec = self._frontend.spec
        u, v = spec.width / 2, spec.height / 2
        a, b = crop.a * CROP_OVER_BOX, crop.b * CROP_OVER_BOX
        x, y = crop.to_picture(u, v)
        return Alignment(
            a=a, b=b, x=x - a * u + b * v * (1 - 2 * CROP_DOWN), y=y - b * u - a * v * (1 - 2 * CROP_DOWN)
        )


def _lies_in(face: Face, width: int, height: int) -> bool:
    x0, y0, x1, y1 = face.box
    big = x1 - x0 >= 1 and y1 - y0 >= 1
    inside = 0 <= (x0 + x1) / 2 <= width and 0 <= (y0 + y1) / 2 <= height
    return face.score > 0 and big and inside  # all false of NaN
