"""What a face model says of one face: how it is cut out of the picture, and what becomes of the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from . import _core
from .backends import Tensor
from .card import ModelCard
from .faces import Face
from .readout import Readout, read_only
from .runtime import Runtime
from .types import EmotionResult, FloatArray

if TYPE_CHECKING:
    from .frontends import Alignment, FaceFrontend

Pixels = npt.NDArray[np.uint8]

CROP_OVER_BOX: float = _core.CROP_OVER_BOX
"""Side of the crop a model was trained on over that of the box our detector draws around the same face.

With `CROP_DOWN` the one place that says how a detected box becomes a crop (``edgeemo/fit.h`` has both
numbers); boxes that a caller gives are taken as they are.
"""

CROP_DOWN: float = _core.CROP_DOWN
"""How far the crop's middle lies below the box's (towards the chin, along the face), in sides of the crop."""


class Detector(Protocol):
    """What finds faces: `edgeemo.FaceDetector`, or an object of yours."""

    def detect(self, image: Pixels, color: Any = "rgb") -> Sequence[Face]:
        """Return the faces in a picture, the best first, in its pixels; scores are probabilities."""
        ...


def tensor_of(
    frontend: FaceFrontend, runtime: Runtime, image: Pixels, color: Any, crop: Alignment | None
) -> Tensor:
    """Return a crop as a model takes it, ``(1, height, width, channels)``: int8 in one pass if that is int8.

    Raises:
        InputError, InputTypeError: the picture cannot be used, or the crop lies outside.
    """
    how = runtime.quantization
    if how is None:
        return frontend.compute(image, color, crop=crop)[np.newaxis]
    return frontend.compute_int8(image, color, *how, crop=crop)[np.newaxis]


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
        return self._frontend.given(box)

    def usable(self, faces: Sequence[Face], image: Pixels, color: Any) -> list[Face]:
        """Return the faces that can be read: with a score, a pixel in size, their middle in the picture."""
        if not isinstance(image, np.ndarray) or image.ndim < 2:
            return list(faces)  # `read` refuses the picture
        height, width = image.shape[:2]
        height = height // 3 * 2 if color == "nv12" else height
        return [face for face in faces if _core.usable(face, width, height)]

    def read(self, image: Pixels, color: Any, face: Face, *, found: bool) -> FloatArray:
        """Run the model on a face: probabilities, scores, valence, arousal in one float32 row.

        Args:
            found: a detector drew the box: it is fitted to what the model was trained on, and turned as the
                eyes are, unless they lie so that they do not say how (in profile, or on the head).

        Raises:
            InputError, InputTypeError: the picture cannot be used, or the box lies outside.
            InferenceError: the model was closed, or gives NaN.
        """
        if found:
            crop = self._frontend.fitted(face, CROP_OVER_BOX, CROP_DOWN)
        else:
            crop = self._frontend.align(face.box)
        tensor = tensor_of(self._frontend, self._runtime, image, color, crop)
        return self._readout.row(self._runtime.run(tensor))

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
