"""Face: a picture and where the face is in it, one `EmotionResult` out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .recognizer import Recognizer
from .types import EmotionResult

if TYPE_CHECKING:
    from .frontends import FaceFrontend


class FaceRecognizer(Recognizer, modality="face"):
    """Reads the emotion a face expresses, in a picture that is a face or in the boxes given.

    It finds no faces yet: what training, conversion and evaluation of face crops need.
    """

    frontend: FaceFrontend

    def predict(
        self,
        image: npt.NDArray[np.uint8],
        color: Any = "rgb",
        boxes: Sequence[tuple[float, float, float, float]] | None = None,
    ) -> EmotionResult:
        """Read the face in the first of ``boxes``, or of which the whole picture is one.

        Args:
            image, color: as `FaceFrontend.compute` takes them.
            boxes: ``(x0, y0, x1, y1)`` in pixels.

        Raises:
            InputError, InputTypeError: the picture or the box cannot be used.
        """
        tensor = self.frontend.compute(image, color, box=boxes[0] if boxes else None)
        reading = self._readout(self.runtime.run(tensor[np.newaxis]))
        return EmotionResult(
            "face",
            reading.scores,
            self.card.labels,
            reading.probabilities,
            self._readout.thresholds,
            reading.valence,
            reading.arousal,
            1.0,
            exclusive=self._readout.exclusive,
        )
