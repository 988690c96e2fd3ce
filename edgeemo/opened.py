"""The base of recognizers and detectors: an open bundle with its model loaded and its licence checked."""

from __future__ import annotations

import warnings
from dataclasses import MISSING, fields
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from . import _core
from .bundle import Bundle, shipped
from .card import Card, ModelCard
from .delegates import golden_inputs
from .errors import LicenseError, LicenseWarning
from .runtime import Runtime
from .types import EmotionResult

if TYPE_CHECKING:
    import os

    from typing_extensions import Self

    from .backends import Backend
    from .delegates import Options
    from .faces import Detector


class How(TypedDict, total=False):
    """The arguments of `Recognizer.open` beside the bundle."""

    delegate: str | os.PathLike[str]
    delegate_options: Options | None
    threads: int
    require_commercial: bool
    backend: str | Backend
    detector: Detector | None


class OpenedBundle:
    """A bundle and its loaded model. The end of a ``with`` block releases the model."""

    bundle: Bundle
    runtime: Runtime
    _native: _core.Recognizer | _core.FaceDetector

    def time_stages(self, on: bool) -> None:
        """Start to measure the stages of every call, from zero, or stop.

        Change this only while no call runs.
        """
        self._native.time_stages(on)

    def stage_times(self) -> dict[str, int]:
        """Return the nanoseconds of all calls since `time_stages`, by stage.

        ``edgeemo_stage_times`` in ``edgeemo.h`` names the stages; ``calls`` is the number of calls.
        """
        return self._native.stage_times()

    def close(self) -> None:
        """Release the model; further calls raise `InferenceError`."""
        self.runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        card, info = self.bundle.card, self.runtime.info
        return f"<{type(self).__name__} {card.name} {card.version} on {info.backend}/{info.delegate}>"


def load(
    name_or_path: str | os.PathLike[str], require_commercial: bool, **how: Any
) -> tuple[Bundle, Runtime]:
    """Open a bundle, check its licence and load its model; ``how`` is for `Runtime`.

    Raises:
        BundleError, SpecError, InputError, DelegateError, RuntimeUnavailableError, InferenceError: as
            `edgeemo.Recognizer.open`.
        LicenseError: ``require_commercial``, and the bundle is not cleared.
    """
    bundle = Bundle.open(name_or_path)
    check_licence(bundle.card, require_commercial)
    return bundle, Runtime(bundle.flatbuffer, goldens=partial(golden_inputs, bundle), **how)


_warned: set[str] = set()


def _cleared_for(modality: str) -> str:
    cards = (Bundle.open(path).card for path in shipped().values())
    names = [c.name for c in cards if c.modality == modality and c.commercial == "cleared"]
    if names:
        return f"Cleared: {', '.join(names)}."
    return f"No bundle for {modality} is cleared: train one on data you may use (`edgeemo train --help`)."


def check_licence(card: Card, require_commercial: bool) -> None:
    """Refuse a bundle that is not cleared for commercial use, or warn once.

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
        warnings.warn(f"{what}; see `edgeemo inspect {card.name}`.", LicenseWarning, stacklevel=4)
        _warned.add(card.name)


def result_constants(card: ModelCard) -> dict[str, Any]:
    """Return the fields that all results of one model share."""
    thresholds = np.array([card.thresholds[label] for label in card.labels], np.float32)
    thresholds.flags.writeable = False
    defaults = {f.name: f.default for f in fields(EmotionResult) if f.default is not MISSING}
    return defaults | {
        "modality": card.modality,
        "labels": card.labels,
        "thresholds": thresholds,
        "exclusive": not card.multi_label,
        "burst_labels": tuple(card.bursts.get("labels", ())),
        "model": card.name,
        "version": card.version,
    }
