"""Frontend + runtime + calibration: raw text in, an `EmotionResult` out. Holds no state between calls."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from math import isnan
from types import TracebackType

import numpy as np

from . import _core
from .backends import Backend
from .bundle import Bundle
from .card import ModelCard
from .errors import (
    BundleMismatchError,
    InferenceError,
    InputTypeError,
    LicenseError,
    LicenseWarning,
)
from .frontends import Encoding, frontend_for
from .runtime import CLOSED, Runtime
from .types import EMOTIONS, EmotionResult, FloatArray

_warned: set[str] = set()


class Recognizer:
    """Reads the emotion an input expresses.

    >>> import edgeemo
    >>> with edgeemo.Recognizer.open("text") as recognizer:
    ...     result = recognizer.predict("What a wonderful surprise, thank you!")
    >>> result.label
    'happiness'

    Thread-safe: calls are served one after the other. Use one recognizer a thread for parallel work.
    """

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        """Join a bundle and its loaded model; most callers want `open`.

        Raises:
            BundleMismatchError: spec, model and card do not fit together.
        """
        card = bundle.card
        if card.modality != "text":
            raise BundleMismatchError(
                f"{card.name} reads {card.modality}; this release recognizes text. Upgrade with "
                "`pip install --upgrade edgeemo`."
            )
        self.bundle, self.runtime = bundle, runtime
        self.frontend = frontend_for(card.modality, card.spec, bundle.assets)
        _check_fit(card, runtime, self.frontend.spec.output, self.frontend.spec.digest)
        self._map = score_map(card)
        self._thresholds = _frozen([card.thresholds[label] for label in card.labels])
        self._affect = (
            None if card.affect is None else np.array([card.affect[x] for x in card.labels], np.float32)
        )
        self._nothing = self._neutral_probabilities()

    @classmethod
    def open(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        delegate: str = "auto",
        threads: int = 1,
        require_commercial: bool = False,
        backend: str | Backend = "litert",
    ) -> Recognizer:
        """Open a shipped bundle by name or any bundle by path.

        Args:
            name_or_path: ``"text"``, or the path of a file written by ``edgeemo convert``.
            delegate: ``"auto"`` or ``"cpu"``.
            threads: CPU threads for the model, 1 … 64.
            require_commercial: refuse a bundle that is not cleared for commercial use.
            backend: the inference library; see `edgeemo.backends.INTERPRETERS`.

        Raises:
            BundleError: the bundle is missing, damaged, too new or of another modality.
            LicenseError: ``require_commercial`` and it is not cleared.
            DelegateError, RuntimeUnavailableError, InferenceError: it cannot run here.

        Warns:
            LicenseWarning: once per bundle name, if it is not cleared for commercial use.
        """
        bundle = Bundle.open(name_or_path)
        _check_licence(bundle.card, require_commercial)
        return cls(bundle, Runtime(bundle.flatbuffer, backend=backend, delegate=delegate, threads=threads))

    @property
    def card(self) -> ModelCard:
        """The bundle's card."""
        return self.bundle.card

    def predict(self, text: str | bytes) -> EmotionResult:
        """Read one text (``bytes`` are UTF-8; invalid bytes count as U+FFFD).

        Text of which nothing was understood gives evidence 0, neutral 1, valence and arousal 0.

        Raises:
            InputTypeError: neither ``str`` nor ``bytes``.
        """
        if not isinstance(text, str | bytes):
            raise InputTypeError(
                f"Expected str or bytes, got {type(text).__name__}; pass one text at a time."
            )
        encoding = self.frontend.encode(text)
        if not encoding.n_understood:
            if self.runtime.closed:
                raise InferenceError(CLOSED)
            return self._understood_nothing(encoding.truncated)
        outputs = self.runtime.run(encoding.ids[np.newaxis])
        return self._result(outputs, encoding)

    def predict_batch(self, texts: Iterable[str | bytes]) -> list[EmotionResult]:
        """Read several texts; the same results as `predict` one by one.

        Raises:
            InputTypeError: a text is neither ``str`` nor ``bytes``, or ``texts`` is itself one text.
        """
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise InputTypeError(
                f"Expected a list of texts, got {type(texts).__name__}; use predict for one text."
            )
        results = []
        for i, text in enumerate(texts):
            if not isinstance(text, str | bytes):
                raise InputTypeError(f"Text {i}: expected str or bytes, got {type(text).__name__}.")
            results.append(self.predict(text))
        return results

    def close(self) -> None:
        """Release the model; further calls raise `InferenceError`."""
        self.runtime.close()

    def __enter__(self) -> Recognizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self.runtime.info
        return f"<Recognizer {self.card.name} {self.card.version} on {info.backend}/{info.delegate}>"

    def _result(self, outputs: dict[str, FloatArray], encoding: Encoding) -> EmotionResult:
        names = self.card.outputs
        try:
            probabilities, scores = self._map(outputs[names["labels"]])
        except ValueError as error:
            raise InferenceError(f"{self.card.name}: {error}") from error
        if self._affect is None:
            valence, arousal = outputs[names["affect"]][0].tolist()
            if isnan(valence) or isnan(arousal):
                raise InferenceError(f"{self.card.name}: valence or arousal is NaN. Convert it again.")
        else:
            valence, arousal = (probabilities @ self._affect).tolist()
        return EmotionResult(
            "text",
            _read_only(scores),
            self.card.labels,
            _read_only(probabilities),
            self._thresholds,
            min(max(valence, -1.0), 1.0),
            min(max(arousal, -1.0), 1.0),
            encoding.n_understood / encoding.n_words,
            encoding.truncated,
        )

    def _understood_nothing(self, truncated: bool) -> EmotionResult:
        return EmotionResult(
            "text", _NEUTRAL, self.card.labels, self._nothing, self._thresholds, 0.0, 0.0, 0.0, truncated
        )

    def _neutral_probabilities(self) -> FloatArray:
        neutral = self.card.emotions.get("neutral", ())
        return _frozen([1.0 if label in neutral else 0.0 for label in self.card.labels])


def score_map(card: ModelCard) -> _core.ScoreMap:
    """Return the native map from a model's logits to (probabilities, scores over `EMOTIONS`)."""
    index = {label: i for i, label in enumerate(card.labels)}
    return _core.ScoreMap(
        multi_label=card.multi_label,
        scale=list(card.calibration.scale),
        bias=list(card.calibration.bias),
        groups=[[index[label] for label in card.emotions.get(emotion, ())] for emotion in EMOTIONS],
        temperature=card.calibration.temperature,
    )


def _check_fit(card: ModelCard, runtime: Runtime, output: tuple[tuple[int, ...], str], digest: str) -> None:
    shape, dtype = output
    inputs = [(i.shape, i.dtype.name) for i in runtime.inputs.values()]
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


def _check_licence(card: ModelCard, require_commercial: bool) -> None:
    if card.commercial == "cleared":
        return
    verdict = f"is not cleared for commercial use (verdict: {card.commercial})"
    what = f"The bundle {card.name!r} ({card.licence}) {verdict}"
    if require_commercial:
        raise LicenseError(f"{what}. Choose a cleared one: `edgeemo list`.")
    if card.name not in _warned:
        warnings.warn(f"{what}; see `edgeemo inspect {card.name}`.", LicenseWarning, stacklevel=3)
        _warned.add(card.name)


def _read_only(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array


def _frozen(values: Sequence[float]) -> FloatArray:
    return _read_only(np.array(values, np.float32))


_NEUTRAL = _frozen([1.0 if emotion == "neutral" else 0.0 for emotion in EMOTIONS])
