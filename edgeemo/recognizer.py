"""`Recognizer` is an open bundle: it takes raw input and returns an `EmotionResult`.

Native code computes the results (``edgeemo/recognizer.h``). These classes convert values.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, overload

import numpy.typing as npt

from . import _core
from .backends import INTERPRETERS, Backend
from .bundle import Bundle
from .card import DetectorCard, ModelCard
from .delegates import Options
from .errors import BundleMismatchError, InputError, InputTypeError
from .face_detector import FaceDetector, native_of
from .faces import SMOOTH_MS, Boxes, Detector, Pixels, TrackerSpec, face_in_front, given_faces
from .frontends import frontend_for
from .opened import OpenedBundle, load, result_constants
from .runtime import Runtime
from .stream import FaceStream, Stream, VoiceStreamSpec
from .types import EmotionResult

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .opened import How

CROP_OVER_BOX, CROP_DOWN = _core.CROP_OVER_BOX, _core.CROP_DOWN

__all__ = ["FaceRecognizer", "Recognizer", "TextRecognizer", "VoiceRecognizer"]


class Recognizer(OpenedBundle):
    """The base of `TextRecognizer`, `VoiceRecognizer` and `FaceRecognizer`; `open` returns one of them.

    Examples:
        >>> import edgeemo
        >>> with edgeemo.Recognizer.open("text") as recognizer:
        ...     result = recognizer.predict("What a wonderful surprise, thank you!")
        >>> result.label
        'happiness'

    A recognizer keeps no state between calls. Threads may share it: calls run one after the other. For
    parallel work, open one recognizer for each thread.

    Attributes:
        bundle, runtime: the bundle and its loaded model.
    """

    modality: ClassVar[str]
    _native: _core.Recognizer
    _require_commercial = False  # also for bundles that the recognizer opens later

    def __new__(cls, bundle: Bundle, runtime: Runtime) -> Self:
        """Make the recognizer of the bundle's modality.

        Raises:
            BundleMismatchError: the bundle is of another modality than this class, or of an unknown one.
        """
        card = bundle.card
        if isinstance(card, DetectorCard):
            raise BundleMismatchError(
                f"{card.name} finds faces and recognizes no emotion. Use edgeemo.FaceDetector.open."
            )
        if cls is Recognizer:
            return cast("Self", object.__new__(_OF_MODALITY[card.modality]))
        if card.modality != cls.modality:
            raise BundleMismatchError(
                f"{card.name} reads {card.modality}; {cls.__name__} recognizes {cls.modality}. "
                "Use Recognizer.open."
            )
        return object.__new__(cls)

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        """Join a bundle and its loaded model; `open` does both steps.

        Raises:
            BundleMismatchError: spec, model and card do not fit together.
            SpecError: the spec or the vocabulary cannot work.
        """
        self.bundle, self.runtime = bundle, runtime
        self._native = _core.Recognizer(
            self.card.to_json(),
            dict(bundle.assets),
            runtime.model,
            EmotionResult,
            result_constants(self.card),
        )

    @overload
    @classmethod
    def open(cls, name_or_path: Literal["text"], **how: Unpack[How]) -> TextRecognizer: ...

    @overload
    @classmethod
    def open(cls, name_or_path: Literal["voice"], **how: Unpack[How]) -> VoiceRecognizer: ...

    @overload
    @classmethod
    def open(cls, name_or_path: Literal["face"], **how: Unpack[How]) -> FaceRecognizer: ...

    @overload
    @classmethod
    def open(cls, name_or_path: str | os.PathLike[str], **how: Unpack[How]) -> Self: ...

    @classmethod
    def open(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        delegate: str | os.PathLike[str] = "auto",
        delegate_options: Options | None = None,
        threads: int = 1,
        require_commercial: bool = False,
        backend: str | Backend = "auto",
        detector: Detector | None = None,
    ) -> Recognizer:
        """Open a shipped bundle by name or any bundle by path.

        Args:
            name_or_path: ``"text"``, ``"voice"``, ``"face"``, or the path of a file that
                ``edgeemo convert`` wrote.
            delegate: ``"cpu"`` (XNNPACK), ``"gpu"`` (LiteRT's accelerator) or the path of an external TFLite
                delegate's ``.so``. A child process tries GPUs and external delegates first. ``"auto"`` is
                the GPU if ``edgeemo delegates`` found it good here, else the CPU; see ``runtime.info``.
            delegate_options: text or numbers by name for the delegate. Names that begin with ``probe_`` set
                the trial (see `edgeemo.delegates.option_lines`).
            threads: CPU threads for the model, 1 … 64.
            require_commercial: refuse a bundle (and later a shipped detector) that is not cleared for
                commercial use.
            backend: the inference library; see `edgeemo.backends.BACKENDS`.
            detector: finds faces in place of the shipped detector (see `FaceRecognizer.detector`).

        Raises:
            BundleError: the bundle is missing, damaged, too new or of another modality.
            SpecError: the frontend's spec cannot work.
            LicenseError: ``require_commercial``, and the bundle is not cleared.
            InputError: ``threads``, ``backend`` or an option is out of range.
            DelegateError: the named delegate is missing, crashes, hangs, is slow or gives other answers.
            RuntimeUnavailableError, InferenceError: the model cannot run here.

        Warns:
            LicenseWarning: once for each bundle that is not cleared for commercial use.
            DeprecationWarning: the bundle has another name now.
        """
        bundle, runtime = load(
            name_or_path, require_commercial, backend=backend, delegate=delegate,
            delegate_options=delegate_options, threads=threads,
        )  # fmt: skip
        recognizer: Recognizer = cls(bundle, runtime)
        recognizer._require_commercial = require_commercial
        if detector is not None:
            if not isinstance(recognizer, FaceRecognizer):
                raise InputError(f"{bundle.card.name} reads {recognizer.modality}: leave the detector out.")
            recognizer.detector = detector
        return recognizer

    @cached_property
    def frontend(self) -> Any:
        """The bundle's frontend, which turns raw input into the model's tensor."""
        return frontend_for(self.card.modality, self.card.spec, self.bundle.assets)

    @property
    def card(self) -> ModelCard:
        """The bundle's card."""
        return cast("ModelCard", self.bundle.card)

    def predict(self, *raw: Any, **how: Any) -> EmotionResult:
        """Read one text, clip or picture; the subclasses say how."""
        raise NotImplementedError


class TextRecognizer(Recognizer):
    """Reads the emotion that a text expresses.

    Examples:
        >>> import edgeemo
        >>> with edgeemo.Recognizer.open("text") as recognizer:
        ...     recognizer.predict_batch(["What a day!", ""])[1].evidence
        0.0
    """

    modality = "text"

    def predict(self, text: str | bytes) -> EmotionResult:
        """Read one text (``bytes`` are UTF-8; invalid bytes count as U+FFFD).

        A text without any known word gives evidence 0, neutral 1, valence and arousal 0.

        Raises:
            InputTypeError: neither ``str`` nor ``bytes``.
        """
        return self._native.predict_text(text)

    def predict_batch(self, texts: Iterable[str | bytes]) -> list[EmotionResult]:
        """Read several texts; each result equals that of `predict`.

        Raises:
            InputTypeError: a text is neither ``str`` nor ``bytes``, or ``texts`` is a text or a mapping.
        """
        if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
            remedy = "pass its values" if isinstance(texts, Mapping) else "use predict for one text"
            raise InputTypeError(f"Expected a list of texts, got {type(texts).__name__}; {remedy}.")
        results = []
        for i, text in enumerate(texts):
            if not isinstance(text, str | bytes):
                raise InputTypeError(f"Text {i}: expected str or bytes, got {type(text).__name__}.")
            results.append(self._native.predict_text(text))
        return results


class VoiceRecognizer(Recognizer):
    """Reads the emotion that a voice expresses by its sound, not by its words.

    Examples:
        >>> import edgeemo
        >>> import numpy as np
        >>> silence = np.zeros(16000, np.int16)
        >>> with edgeemo.Recognizer.open("voice") as recognizer:  # doctest: +SKIP
        ...     recognizer.predict(silence, rate_hz=16000).evidence
        0.0

    Audio is int16, or float32 with full scale ±1; samples may overshoot up to ±8. The array is C-contiguous,
    of shape (samples,) or (samples, channels ≤ 32), at 8,000 to 192,000 Hz. The recognizer averages channels.
    It cannot notice a wrong ``rate_hz``, which makes voices faster or slower, higher or deeper. Without
    speech there is no evidence: neutral 1, valence and arousal 0.
    """

    modality = "voice"

    def predict(self, pcm: npt.NDArray[Any], rate_hz: int) -> EmotionResult:
        """Read a whole clip: the evidence-weighted mean over its spans (see `Stream.summary`).

        A clip too short for one window (the spec's, 25 ms for instance) has evidence 0.

        Raises:
            InputError, InputTypeError: the samples, their shape or their rate cannot be used.
        """
        return self._native.predict_pcm(pcm, rate_hz)

    def timeline(self, pcm: npt.NDArray[Any], rate_hz: int) -> list[EmotionResult]:
        """Read a whole clip span by span, as a stream does; time begins at 0.

        Spans overlap; the last one ends with the clip. A clip too short for one window has no result.

        Raises:
            InputError, InputTypeError: the samples, their shape or their rate cannot be used.
        """
        return self._native.timeline(pcm, rate_hz)

    def utterances(
        self, pcm: npt.NDArray[Any], rate_hz: int, spec: VoiceStreamSpec | None = None
    ) -> list[EmotionResult]:
        """Read each utterance of a whole clip, in their order; time begins at 0. See `Stream`.

        Raises:
            InputError, InputTypeError: the samples, their shape or their rate cannot be used.
        """
        return self._native.utterances(pcm, rate_hz, spec or VoiceStreamSpec())

    def stream(
        self,
        rate_hz: int,
        channels: int = 1,
        *,
        results: Sequence[str] = ("span",),
        source: str | None = None,
        spec: VoiceStreamSpec | None = None,
    ) -> Stream:
        """Open a stream for audio that comes in chunks.

        Args:
            rate_hz, channels: rate and channels of the chunks.
            results: the kinds of results: ``"span"``, ``"utterance"``, ``"partial"``; see `Stream`.
            source: a name for the stream, which its results carry.
            spec: where utterances begin and end.

        Raises:
            InputError, InputTypeError: ``rate_hz`` or ``channels`` out of range, an unknown name in
                ``results``, or ``source`` is not text.
            InferenceError: the recognizer was closed.
        """
        native = self._native.listen(rate_hz, channels, results, source, spec or VoiceStreamSpec())
        return Stream(native, self.frontend.spec, rate_hz, channels, source)


class FaceRecognizer(Recognizer):
    """Finds the faces in a picture and reads the emotion that each expresses.

    Examples:
        >>> import edgeemo
        >>> import numpy as np
        >>> picture = np.zeros((480, 640, 3), np.uint8)
        >>> with edgeemo.Recognizer.open("face") as recognizer:  # doctest: +SKIP
        ...     recognizer.predict(picture).evidence
        0.0

    Pictures are uint8 arrays with sides of 1 to 32,768 pixels and any strides:

    - ``rgb`` or ``bgr``: (h, w, 3)
    - ``rgba``: (h, w, 4); the recognizer ignores alpha
    - ``gray``: (h, w) or (h, w, 1)
    - ``yuyv``: (h, w, 2)
    - ``nv12``: (3 h / 2, w)

    The recognizer refuses other dtypes. It cannot notice a wrong ``color``, and then finds few faces. Places
    are in pixels from the top left corner. Without a face there is no evidence: neutral 1, valence and
    arousal 0.
    """

    modality = "face"

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        super().__init__(bundle, runtime)
        self._native.set_fit(CROP_OVER_BOX, CROP_DOWN)
        self._detector: Detector | None = None
        self._own: FaceDetector | None = None  # the shipped detector, which `close` closes
        self._lock = Lock()

    @property
    def detector(self) -> Detector:
        """The object that finds faces; by default the shipped ``face-detector``, opened at its first use.

        The shipped detector runs on the CPU if the recognizer does, else as ``delegate="auto"`` decides. You
        may set any object with ``detect(image, color) -> list[Face]``; `close` does not close the object. If
        the object returns anything but `Face`, reading raises `InputTypeError`.

        Raises:
            BundleError, RuntimeUnavailableError: the shipped detector cannot be opened.
            LicenseError: the shipped detector is not cleared, and the caller set ``require_commercial``.
            InferenceError: the recognizer was closed, or the shipped detector cannot run.
        """
        with self._lock:
            if self._detector is None:
                self.runtime.model.check_usable()
                info = self.runtime.info
                backend = info.backend if info.backend in INTERPRETERS else "auto"
                self._own = self._detector = FaceDetector.open(
                    threads=info.threads,
                    delegate="cpu" if info.asked == "cpu" else "auto",
                    backend=backend,
                    require_commercial=self._require_commercial,
                )
                self._native.set_finder(native_of(self._detector))
            return self._detector

    @detector.setter
    def detector(self, detector: Detector) -> None:
        if not callable(getattr(detector, "detect", None)):
            raise InputTypeError(f"Expected a detector with a method detect, got {type(detector).__name__}.")
        with self._lock:
            self._detector = detector
            self._native.set_finder(native_of(detector))

    def predict(self, image: Pixels, color: Any = "rgb", boxes: Boxes | None = None) -> EmotionResult:
        """Read the face in front: the largest area times score (`edgeemo.faces.face_in_front`).

        Args:
            image, color: as above.
            boxes: ``[(x0, y0, x1, y1), …]`` in pixels, in place of the detector's. A box is upright and
                tight around the face, from above the brows to the chin. If the picture is a cut-out face,
                give its whole frame.

        Returns:
            A result with ``face``. The evidence is the face's score, or 1 for given boxes. Without a face
            the result is neutral without evidence, and ``face`` is None.

        Raises:
            InputError, InputTypeError: the picture or a box cannot be used, or a box lies outside.
            InferenceError: the recognizer was closed.
        """
        if boxes is None:
            self._open_detector()
            return self._native.predict_front(image, color)
        front = face_in_front(given_faces(boxes, self._native.given_face))
        return (
            self._native.nobody() if front is None else self._native.predict_faces(image, color, [front])[0]
        )

    def predict_all(
        self, image: Pixels, color: Any = "rgb", boxes: Boxes | None = None
    ) -> list[EmotionResult]:
        """Read every face: the best score of the detector first, or in the order of ``boxes``.

        Returns:
            A result for each face, as from `predict`.

        Raises:
            InputError, InputTypeError, InferenceError: as `predict`.
        """
        if boxes is None:
            self._open_detector()
            return self._native.predict_faces(image, color)
        return self._native.predict_faces(image, color, given_faces(boxes, self._native.given_face))

    def in_front(self, results: Sequence[EmotionResult]) -> EmotionResult:
        """Return the one of the ``results`` of `predict_all` that `predict` returns: the face in front."""
        by_face = {result.face: result for result in reversed(results) if result.face is not None}
        front = face_in_front([result.face for result in results if result.face is not None])
        return self._native.nobody() if front is None else by_face[front]

    def stream(
        self,
        *,
        smooth_ms: float = SMOOTH_MS,
        tracker: TrackerSpec | None = None,
        source: str | None = None,
    ) -> FaceStream:
        """Open a stream for the frames of a camera or video.

        Args:
            smooth_ms: age at which a frame counts for 1 / e, 0 (no smoothing) to 60,000.
            tracker: the rules that follow a face from frame to frame.
            source: a name for the stream, which its results carry.

        Raises:
            SpecError: ``smooth_ms`` is out of range.
            InputTypeError: ``source`` is not text.
            InferenceError: the recognizer was closed.
        """
        native = self._native.watch(smooth_ms, tracker or TrackerSpec(), source)
        return FaceStream(native, self._open_detector, source)

    def close(self) -> None:
        """Release the model and the shipped detector; further calls raise `InferenceError`."""
        super().close()
        with self._lock:
            own, self._own = self._own, None
            if own is not None:
                self._detector = None if self._detector is own else self._detector
                own.close()

    def _open_detector(self) -> None:
        if self._detector is None:
            _ = self.detector


_OF_MODALITY: Mapping[str, type[Recognizer]] = {
    kind.modality: kind for kind in (TextRecognizer, VoiceRecognizer, FaceRecognizer)
}
