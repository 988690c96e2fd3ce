"""`Recognizer`: a bundle, opened. What all modalities share; raw input in, an `EmotionResult` out."""

from __future__ import annotations

import os
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, overload

from .backends import Backend
from .bundle import Bundle, shipped
from .card import Card, DetectorCard, ModelCard
from .delegates import Options, golden_inputs
from .errors import BundleMismatchError, InputError, LicenseError, LicenseWarning, SpecError
from .frontends import frontend_for
from .readout import Readout, score_map
from .runtime import Runtime
from .types import EmotionResult

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .face_reader import Detector
    from .face_recognizer import FaceRecognizer
    from .text_recognizer import TextRecognizer
    from .voice_recognizer import VoiceRecognizer

__all__ = ["Recognizer", "score_map"]

_warned: set[str] = set()


class Recognizer:
    """Reads the emotion an input expresses; `TextRecognizer`, `VoiceRecognizer`, `FaceRecognizer` say how.

    >>> import edgeemo
    >>> with edgeemo.Recognizer.open("text") as recognizer:
    ...     result = recognizer.predict("What a wonderful surprise, thank you!")
    >>> result.label
    'happiness'

    Holds no state between calls and is thread-safe: calls are served one after the other. Use one recognizer
    a thread for parallel work.

    Attributes:
        bundle, runtime: what it was made of. frontend: the bundle's own, of its modality.
    """

    modality: ClassVar[str]
    _kinds: ClassVar[dict[str, type[Recognizer]]] = {}
    frontend: Any
    _require_commercial = False  # of other bundles that it opens later, too

    def __init_subclass__(cls, *, modality: str | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if modality is not None:  # a subclass of a caller's keeps its parent's
            cls.modality = modality
            Recognizer._kinds[modality] = cls

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
        if cls is not Recognizer:
            if card.modality != cls.modality:
                raise BundleMismatchError(
                    f"{card.name} reads {card.modality}; {cls.__name__} recognizes {cls.modality}. "
                    "Use Recognizer.open."
                )
            return object.__new__(cls)
        if card.modality not in Recognizer._kinds:
            raise BundleMismatchError(
                f"{card.name} reads {card.modality}; this release recognizes "
                f"{' and '.join(Recognizer._kinds)}. Upgrade with `pip install --upgrade edgeemo`."
            )
        return cast("Self", object.__new__(Recognizer._kinds[card.modality]))

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        """Join a bundle and its loaded model; most callers want `open`.

        Raises:
            BundleMismatchError: spec, model and card do not fit together.
            SpecError: the spec or the vocabulary cannot work.
        """
        self.bundle, self.runtime = bundle, runtime
        card = self.card
        try:
            self.frontend = frontend_for(card.modality, card.spec, bundle.assets)
        except SpecError as error:
            raise SpecError(
                f"{card.name}: its frontend cannot be built: {error}. Convert it again."
            ) from error
        _check_fit(card, runtime, self.frontend.spec.output, self.frontend.spec.digest)
        self._readout = Readout(card)

    @overload
    @classmethod
    def open(
        cls,
        name_or_path: Literal["text"],
        *,
        delegate: str | os.PathLike[str] = ...,
        delegate_options: Options | None = ...,
        threads: int = ...,
        require_commercial: bool = ...,
        backend: str | Backend = ...,
    ) -> TextRecognizer: ...

    @overload
    @classmethod
    def open(
        cls,
        name_or_path: Literal["voice"],
        *,
        delegate: str | os.PathLike[str] = ...,
        delegate_options: Options | None = ...,
        threads: int = ...,
        require_commercial: bool = ...,
        backend: str | Backend = ...,
    ) -> VoiceRecognizer: ...

    @overload
    @classmethod
    def open(
        cls,
        name_or_path: Literal["face"],
        *,
        delegate: str | os.PathLike[str] = ...,
        delegate_options: Options | None = ...,
        threads: int = ...,
        require_commercial: bool = ...,
        backend: str | Backend = ...,
        detector: Detector | None = ...,
    ) -> FaceRecognizer: ...

    @overload
    @classmethod
    def open(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        delegate: str | os.PathLike[str] = ...,
        delegate_options: Options | None = ...,
        threads: int = ...,
        require_commercial: bool = ...,
        backend: str | Backend = ...,
        detector: Detector | None = ...,
    ) -> Self: ...

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
            delegate: what runs the model. ``"cpu"``: XNNPACK. ``"gpu"``: LiteRT's accelerator, tried in a
                child process before. The path of an external TFLite delegate's ``.so``, tried likewise.
                ``"auto"``: the GPU if ``edgeemo delegates`` found it good on this machine, else the CPU;
                ``runtime.info`` says why.
            delegate_options: text or numbers by name for the delegate; those that begin with ``probe_`` say
                how it is tried (see `edgeemo.delegates.option_lines`).
            threads: CPU threads for the model, 1 … 64.
            require_commercial: refuse a bundle (and later a shipped detector) that is not cleared for
                commercial use.
            backend: the inference library; see `edgeemo.backends.BACKENDS`.
            detector: what finds faces in place of the shipped detector (see `FaceRecognizer.detector`).

        Raises:
            BundleError: the bundle is missing, damaged, too new or of another modality.
            SpecError: its frontend cannot be built.
            LicenseError: ``require_commercial`` and it is not cleared.
            InputError: ``threads``, ``backend`` or an option is none of the above, or there is nothing to
                detect.
            DelegateError: the delegate was named and is missing, crashes, hangs, is slower than the CPU, or
                answers otherwise.
            RuntimeUnavailableError, InferenceError: it cannot run here.

        Warns:
            LicenseWarning: once per bundle name, if it is not cleared for commercial use.
        """
        bundle = Bundle.open(name_or_path)
        check_licence(bundle.card, require_commercial)
        if detector is not None and bundle.card.modality != "face":
            raise InputError(f"{bundle.card.name} reads {bundle.card.modality}: leave the detector out.")
        runtime = Runtime(
            bundle.flatbuffer,
            backend=backend,
            delegate=delegate,
            delegate_options=delegate_options,
            threads=threads,
            goldens=partial(golden_inputs, bundle),
        )
        recognizer: Recognizer = cls(bundle, runtime)
        recognizer._require_commercial = require_commercial
        if detector is not None:
            cast("FaceRecognizer", recognizer).detector = detector
        return recognizer

    @property
    def card(self) -> ModelCard:
        """The bundle's card."""
        return cast("ModelCard", self.bundle.card)

    def predict(self, *raw: Any, **how: Any) -> EmotionResult:
        """Read one text, clip or picture; `TextRecognizer` and its likes say how."""
        raise NotImplementedError

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
        return f"<Recognizer {self.card.name} {self.card.version} on {info.backend}/{info.delegate}>"


def _check_fit(card: ModelCard, runtime: Runtime, output: tuple[tuple[int, ...], str], digest: str) -> None:
    shape, dtype = output
    inputs = [(i.shape, i.dtype.name) for i in runtime.inputs.values()]
    if dtype == "float32" and all(i.dtype.name == "int8" and i.scale for i in runtime.inputs.values()):
        dtype = "int8"  # the runtime quantizes by the model's own scale
    if inputs != [((1, *shape), dtype)]:
        raise BundleMismatchError(
            f"{card.name}: the model takes {inputs}, its frontend makes {[((1, *shape), dtype)]}. "
            "Convert it again."
        )
    if digest != card.spec_digest:
        raise BundleMismatchError(
            f"{card.name}: its frontend spec has digest {digest}, the card says {card.spec_digest}. "
            "Convert it again."
        )
    missing = sorted(set(card.outputs.values()) - set(runtime.outputs))
    if missing:
        raise BundleMismatchError(
            f"{card.name}: the model has no output {', '.join(missing)}. Convert it again."
        )
    wanted = {"labels": (1, len(card.labels)), "affect": (1, 2)}
    for role, name in card.outputs.items():
        size = runtime.outputs[name].shape
        if size != wanted.get(role, size):
            raise BundleMismatchError(
                f"{card.name}: its {role} need an output of shape {wanted[role]}, the model's is {size}. "
                "Convert it again."
            )


def _cleared_for(modality: str) -> str:
    cards = (Bundle.open(path).card for path in shipped().values())
    names = [c.name for c in cards if c.modality == modality and c.commercial == "cleared"]
    if names:
        return f"Cleared: {', '.join(names)}."
    return f"None that reads {modality} is: train one on data you may use (`edgeemo train --help`)."


def check_licence(card: Card, require_commercial: bool) -> None:
    """Refuse, or warn of, a bundle that is not cleared for commercial use; called by what a caller calls.

    Raises:
        LicenseError: commercial use is required.
    """
    if card.commercial == "cleared":
        return
    verdict = f"is not cleared for commercial use (verdict: {card.commercial})"
    what = f"The bundle {card.name!r} ({card.licence}) {verdict}"
    if require_commercial:
        raise LicenseError(f"{what}. {_cleared_for(card.modality)}")
    if card.name not in _warned:
        warnings.warn(f"{what}; see `edgeemo inspect {card.name}`.", LicenseWarning, stacklevel=3)
        _warned.add(card.name)
