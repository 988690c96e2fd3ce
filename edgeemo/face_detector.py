"""`FaceDetector`: a picture in, the faces in it out."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from .backends import Backend
from .bundle import Bundle
from .card import DetectorCard
from .delegates import Options, golden_inputs
from .errors import BundleMismatchError, SpecError
from .face_reader import tensor_of
from .faces import DetectorSpec, Face, FaceDecoder
from .frontends import FaceFrontend, FaceSpec
from .recognizer import check_licence
from .runtime import Runtime

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class FaceDetector:
    """Finds the faces in a picture, and their eyes.

    >>> import edgeemo
    >>> with edgeemo.FaceDetector.open() as detector:
    ...     faces = detector.detect(photograph)
    >>> faces[0].box, faces[0].score
    ((412.3, 151.9, 530.1, 286.6), 0.98)

    The whole picture is shrunk into the model's input (a letterbox), so what counts is how large a face is
    beside the picture. Holds no state between calls and is thread-safe: calls are served one after the other.

    Attributes:
        bundle, runtime: what it was made of. frontend: makes the letterbox. decoder: makes faces
            of the heads.
    """

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        """Join a bundle and its loaded model; most callers want `open`.

        Raises:
            BundleMismatchError: the bundle finds no faces, or model and card do not fit together.
            SpecError: the specs cannot work.
        """
        card = bundle.card
        if not isinstance(card, DetectorCard):
            raise BundleMismatchError(
                f"{card.name} recognizes emotions in {card.modality} and finds no faces. "
                "Use edgeemo.Recognizer.open."
            )
        self.bundle, self.runtime = bundle, runtime
        try:
            self.frontend = FaceFrontend(FaceSpec.from_dict(dict(card.spec)))
            self.decoder = FaceDecoder(DetectorSpec.from_dict(dict(card.detector)))
        except SpecError as error:
            raise SpecError(f"{card.name}: its spec cannot be used: {error}. Convert it again.") from error
        _check_fit(card, runtime, self.frontend.spec, self.decoder.spec)

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
            BundleError: the bundle is missing, damaged, too new or finds no faces.
            SpecError, LicenseError, InputError, DelegateError, RuntimeUnavailableError, InferenceError: as
                `edgeemo.Recognizer.open`.

        Warns:
            LicenseWarning: once per bundle name, if it is not cleared for commercial use.
        """
        bundle = Bundle.open(name_or_path)
        check_licence(bundle.card, require_commercial)
        runtime = Runtime(
            bundle.flatbuffer,
            backend=backend,
            delegate=delegate,
            delegate_options=delegate_options,
            threads=threads,
            goldens=partial(golden_inputs, bundle),
        )
        return cls(bundle, runtime)

    @property
    def card(self) -> DetectorCard:
        """The bundle's card."""
        return cast(DetectorCard, self.bundle.card)

    def detect(self, image: npt.NDArray[np.uint8], color: Any = "rgb") -> list[Face]:
        """Return the faces of a picture, best first; none is an empty list.

        Args:
            image, color: uint8, as `edgeemo.FaceFrontend.compute` takes them: ``rgb``, ``bgr`` (h, w, 3),
                ``rgba`` (h, w, 4), ``gray`` (h, w), ``yuyv`` (h, w, 2), ``nv12`` (3 h / 2, w); any strides.

        Returns:
            `edgeemo.faces.Face` values in pixels of the picture; boxes may reach beyond its edges. ``score``
            is the calibrated probability that it is a face.

        Raises:
            InputError, InputTypeError: the picture cannot be used. InferenceError: the detector was closed.
        """
        rows, width = _size(image, color)
        crop = self.frontend.align((0, 0, width, rows)) if rows and width else None
        heads = self.runtime.run(tensor_of(self.frontend, self.runtime, image, color, crop))
        logits, boxes, eyes = (heads[self.card.outputs[role]][0] for role in ("logits", "boxes", "eyes"))
        return self.decoder.decode(logits, boxes, eyes, crop or self.frontend.align((0, 0, 1, 1)))

    def close(self) -> None:
        """Release the model; further calls raise `InferenceError`."""
        self.runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self.runtime.info
        return f"<FaceDetector {self.card.name} {self.card.version} on {info.backend}/{info.delegate}>"


def _size(image: Any, color: Any) -> tuple[int, int]:
    """Return height and width of the picture, (0, 0) of what is none: the frontend says what is wrong."""
    shape: tuple[int, ...] = getattr(image, "shape", ())
    if len(shape) < 2:
        return 0, 0
    return (shape[0] * 2 // 3 if color == "nv12" else shape[0]), shape[1]


def _check_fit(card: DetectorCard, runtime: Runtime, face: FaceSpec, detector: DetectorSpec) -> None:
    again = "Convert it again."
    if (face.width, face.height) != (detector.width, detector.height):
        raise BundleMismatchError(
            f"{card.name}: its letterbox is {face.width} x {face.height}, its grids lie over "
            f"{detector.width} x {detector.height}. {again}"
        )
    if face.digest != card.spec_digest:
        raise BundleMismatchError(
            f"{card.name}: its frontend spec has digest {face.digest}, the card says {card.spec_digest}. "
            f"{again}"
        )
    shape = (1, *face.output[0])
    taken = [(i.shape, i.dtype.name) for i in runtime.inputs.values()]
    if taken not in ([(shape, "int8")], [(shape, "float32")]):
        raise BundleMismatchError(
            f"{card.name}: the model takes {taken}, its letterbox makes {shape}. {again}"
        )
    wanted = {"logits": (1, detector.cells), "boxes": (1, detector.cells, 4), "eyes": (1, detector.cells, 4)}
    for role, name in card.outputs.items():
        given = runtime.outputs[name].shape if name in runtime.outputs else None
        if given != wanted[role]:
            raise BundleMismatchError(
                f"{card.name}: its {role} need an output {name} of shape {wanted[role]}, "
                f"the model's is {given}. "
                f"{again}"
            )
