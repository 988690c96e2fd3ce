"""`FaceDetector` finds the faces in a picture."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from . import _core
from .backends import Backend
from .bundle import Bundle
from .card import DetectorCard
from .delegates import Options
from .errors import BundleMismatchError
from .faces import Detector, DetectorSpec, Face, FaceDecoder
from .frontends import FaceFrontend, FaceSpec
from .opened import OpenedBundle, load
from .runtime import Runtime

if TYPE_CHECKING:
    from typing_extensions import Self


class FaceDetector(OpenedBundle):
    """Finds the faces in a picture, and their eyes.

    Examples:
        >>> import edgeemo
        >>> with edgeemo.FaceDetector.open() as detector:
        ...     faces = detector.detect(photograph)
        >>> faces[0].box, faces[0].score
        ((412.3, 151.9, 530.1, 286.6), 0.98)

    The detector shrinks the whole picture into the model's input (a letterbox). So it misses faces that are
    small beside the picture. It keeps no state between calls. Threads may share it: calls run one by one.

    Attributes:
        bundle, runtime: the bundle and its loaded model. native: the detector of the engine.
    """

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        """Join a bundle and its loaded model; most callers want `open`.

        Raises:
            BundleMismatchError: the bundle is not a detector, or model and card do not fit together.
            SpecError: the specs cannot work.
        """
        card = bundle.card
        if not isinstance(card, DetectorCard):
            raise BundleMismatchError(
                f"{card.name} recognizes emotions in {card.modality} and finds no faces. "
                "Use edgeemo.Recognizer.open."
            )
        self.bundle, self.runtime = bundle, runtime
        self.native = self._native = _core.FaceDetector(card.to_json(), runtime.model)

    @cached_property
    def frontend(self) -> FaceFrontend:
        """The frontend that makes the letterbox."""
        return FaceFrontend(FaceSpec.from_dict(dict(self.card.spec)))

    @cached_property
    def decoder(self) -> FaceDecoder:
        """The decoder from the model's heads to faces."""
        return FaceDecoder(DetectorSpec.from_dict(dict(self.card.detector)))

    @classmethod
    def open(
        cls,
        name_or_path: str | os.PathLike[str] = "face-detector",
        *,
        threads: int = 1,
        delegate: str | os.PathLike[str] = "auto",
        delegate_options: Options | None = None,
        backend: str | Backend = "auto",
        require_commercial: bool = False,
    ) -> Self:
        """Open a shipped bundle by name or any bundle by path.

        Args:
            name_or_path: ``"face-detector"``, or the path of a file written by ``edgeemo convert``.
            threads, delegate, delegate_options, backend, require_commercial: as
                `edgeemo.Recognizer.open` takes them.

        Raises:
            BundleError: the bundle is missing, damaged, too new or not a detector.
            SpecError, LicenseError, InputError, DelegateError, RuntimeUnavailableError, InferenceError: as
                `edgeemo.Recognizer.open`.

        Warns:
            LicenseWarning: once for each bundle that is not cleared for commercial use.
        """
        bundle, runtime = load(
            name_or_path, require_commercial, backend=backend, delegate=delegate,
            delegate_options=delegate_options, threads=threads,
        )  # fmt: skip
        return cls(bundle, runtime)

    @property
    def card(self) -> DetectorCard:
        """The bundle's card."""
        return cast(DetectorCard, self.bundle.card)

    def detect(self, image: npt.NDArray[np.uint8], color: Any = "rgb") -> list[Face]:
        """Return the faces of a picture, best first; none is an empty list.

        Args:
            image, color: as `edgeemo.FaceRecognizer` takes them.

        Returns:
            `edgeemo.faces.Face` values. ``box`` is ``(x0, y0, x1, y1)`` in pixels and may reach beyond the
            edges of the picture. ``score`` is the calibrated probability of a face.

        Raises:
            InputError, InputTypeError: the picture cannot be used. InferenceError: the detector was closed.
        """
        return self.native.detect(image, color)


def native_of(detector: Detector) -> Any:
    """Return what the engine calls: the native detector, or the caller's object."""
    ours = isinstance(detector, FaceDetector) and type(detector).detect is FaceDetector.detect
    return cast(FaceDetector, detector).native if ours else detector
