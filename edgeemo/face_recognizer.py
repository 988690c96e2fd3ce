"""Face: a picture in, one `EmotionResult` a face out; or a stream of frames."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from .backends import INTERPRETERS
from .bundle import Bundle
from .errors import InferenceError, InputError, InputTypeError
from .face_reader import Detector, FaceReader, Pixels
from .face_stream import SMOOTH_MS, FaceStream
from .faces import Face, TrackerSpec, face_in_front
from .recognizer import Recognizer
from .runtime import CLOSED, Runtime
from .types import EmotionResult

if TYPE_CHECKING:
    from .frontends import FaceFrontend

Boxes: TypeAlias = Sequence[Sequence[float]] | npt.NDArray[Any]


class FaceRecognizer(Recognizer, modality="face"):
    """Reads the emotion a face expresses: finds the faces of a picture, and reads each.

    >>> import numpy as np
    >>> picture = np.zeros((480, 640, 3), np.uint8)
    >>> with edgeemo.Recognizer.open("face") as recognizer:  # doctest: +SKIP
    ...     recognizer.predict(picture).evidence
    0.0

    Pictures are uint8 arrays: ``rgb`` or ``bgr`` (h, w, 3), ``rgba`` (h, w, 4; the alpha is ignored),
    ``gray`` (h, w) or (h, w, 1), ``yuyv`` (h, w, 2), ``nv12`` (3 h / 2, w), with strides of any size and
    sign; sides are 1 to 32,768. Other dtypes are refused, floats too. A wrong ``color`` cannot be noticed:
    faces are then found badly or not at all. Places are in pixels from the top left corner of the picture.
    Where there is no face there is no evidence: neutral 1, valence and arousal 0.
    """

    frontend: FaceFrontend

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        super().__init__(bundle, runtime)
        self._reader = FaceReader(self.card, runtime, self.frontend, self._readout)
        self._detector: Detector | None = None
        self._own: Any = None  # a detector that we opened, to be closed with us
        self._lock = Lock()

    @property
    def detector(self) -> Detector:
        """What finds faces: the shipped ``face-detector``, opened when first needed, or what was set.

        On the CPU where the recognizer was asked to be, else on what ``delegate="auto"`` finds for it.

        Any object with ``detect(image, color) -> list[Face]`` may be set; it stays the caller's to close.
        Where that gives anything but `Face`, reading raises `InputTypeError`.

        Raises:
            BundleError, RuntimeUnavailableError, InferenceError: the shipped one cannot be opened.
            LicenseError: it is not cleared, and `Recognizer.open` was told ``require_commercial``.
            InferenceError: the recognizer was closed.
        """
        with self._lock:
            if self._detector is None:
                if self.runtime.closed:
                    raise InferenceError(CLOSED)
                from .face_detector import FaceDetector

                info = self.runtime.info
                backend = info.backend if info.backend in INTERPRETERS else "auto"
                self._own = self._detector = FaceDetector.open(
                    threads=info.threads,
                    delegate="cpu" if info.asked == "cpu" else "auto",
                    backend=backend,
                    require_commercial=self._require_commercial,
                )
            return self._detector

    @detector.setter
    def detector(self, detector: Detector) -> None:
        if not callable(getattr(detector, "detect", None)):
            raise InputTypeError(f"Expected a detector with a method detect, got {type(detector).__name__}.")
        with self._lock:
            self._detector = detector

    def predict(self, image: Pixels, color: Any = "rgb", boxes: Boxes | None = None) -> EmotionResult:
        """Read the face in front: the largest, areas weighed by scores (`edgeemo.faces.face_in_front`).

        Args:
            image, color: as above.
            boxes: ``[(x0, y0, x1, y1), …]`` in pixels, in place of the detector's; of a picture that is a
                face already, its whole frame. They are not turned, and taken as what the model was trained
                on: tight around the face, from above the brows to the chin.

        Returns:
            A result with ``face``; its evidence is the face's score, 1 for boxes that were given. Without a
            face, or of no boxes, neutral without evidence and ``face`` None.

        Raises:
            InputError, InputTypeError: the picture or a box cannot be used, or a box lies outside.
            InferenceError: the recognizer was closed.
        """
        faces = self._faces(image, color, boxes)
        front = face_in_front(faces)
        return self._reader.nobody() if front is None else self._read(image, color, front, boxes is None)

    def predict_all(
        self, image: Pixels, color: Any = "rgb", boxes: Boxes | None = None
    ) -> list[EmotionResult]:
        """Read every face: as the detector finds them, the best score first, or in the order of ``boxes``.

        Returns:
            Results as of `predict`; none without a face.

        Raises:
            InputError, InputTypeError, InferenceError: as `predict`.
        """
        faces = self._faces(image, color, boxes)
        return [self._read(image, color, face, boxes is None) for face in faces]

    def in_front(self, results: Sequence[EmotionResult]) -> EmotionResult:
        """Return the one of ``results`` (of `predict_all`) that `predict` gives: of the face in front."""
        by_face = {result.face: result for result in reversed(results) if result.face is not None}
        front = face_in_front([result.face for result in results if result.face is not None])
        return self._reader.nobody() if front is None else by_face[front]

    def stream(self, *, smooth_ms: float = SMOOTH_MS, tracker: TrackerSpec | None = None) -> FaceStream:
        """Open a stream for the frames of a camera or video.

        Args:
            smooth_ms: age at which a frame counts for 1 / e, 0 (no smoothing) to 60,000.
            tracker: when a face is one seen before.

        Raises:
            SpecError: ``smooth_ms`` is out of range.
            InferenceError: the recognizer was closed.
        """
        if self.runtime.closed:
            raise InferenceError(CLOSED)
        return FaceStream(self._reader, self._detect, smooth_ms=smooth_ms, tracker=tracker)

    def close(self) -> None:
        """Release the model, and the detector if it was opened here; further calls raise `InferenceError`."""
        super().close()
        with self._lock:
            own, self._own = self._own, None
            if own is not None:
                self._detector = None if self._detector is own else self._detector
                own.close()

    def _detect(self, image: Pixels, color: Any) -> list[Face]:
        faces = list(self.detector.detect(image, color))
        for face in faces:
            if not isinstance(face, Face):
                raise InputTypeError(
                    f"The detector {type(self.detector).__name__} gave {face!r}: expected `edgeemo.Face`s."
                )
        return faces

    def _faces(self, image: Pixels, color: Any, boxes: Boxes | None) -> list[Face]:
        if boxes is None:
            return self._reader.usable(self._detect(image, color), image, color)
        if isinstance(boxes, str | bytes) or not hasattr(boxes, "__iter__"):
            raise InputTypeError(f"boxes is {boxes!r}: expected [(x0, y0, x1, y1), …] in pixels.")
        faces = []
        for i, box in enumerate(boxes):
            try:
                faces.append(self._reader.given(box))
            except InputError as error:
                raise type(error)(f"boxes[{i}]: {error}") from error
        return faces

    def _read(self, image: Pixels, color: Any, face: Face, found: bool) -> EmotionResult:
        row = self._reader.read(image, color, face, found=found)
        return self._reader.result(row, min(max(face.score, 0.0), 1.0), face)
