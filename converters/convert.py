"""A Keras model to a verified bundle; what does not verify is not written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import __version__
from edgeemo.bundle import Bundle
from edgeemo.card import Card
from edgeemo.data.clips import read_clip
from edgeemo.data.faces import read_face
from edgeemo.data.leaks import SUFFIX
from edgeemo.data.manifest import Example, read_manifest
from edgeemo.errors import BudgetError, BundleError, ConversionError, DataError
from edgeemo.evaluation.predictions import Progress
from edgeemo.evaluation.report import evaluate
from edgeemo.face_detector import FaceDetector
from edgeemo.files import write_whole
from edgeemo.frontends import frontend_for
from edgeemo.recognizer import Recognizer
from edgeemo.runtime import Runtime

from .golden import golden
from .quantize import quantize, worst_layers
from .twin import float_detector
from .verify import Budget, Verification, compare
from .verify_detector import (
    DetectorBudget,
    DetectorVerification,
    compare_detectors,
    detector_metrics,
    golden_faces,
    is_detector,
    marked_in,
)


def convert(
    model: Path,
    calibration: Path,
    out: Path,
    *,
    card: Path | None = None,
    vocab: Path | None = None,
    check: Path | None = None,
    budget: Budget | DetectorBudget | None = None,
    progress: Progress = iter,
) -> Verification | DetectorVerification:
    """Quantize to int8, verify on the device's own runtime, and only then write the bundle.

    Args:
        model: a ``.keras`` file.
        calibration: a manifest of texts (clips, faces) like those the model will read; labels are not needed.
        out: the bundle to write.
        card, vocab: the draft card and, for text, the vocabulary; by default those beside the model.
        check: the manifest to verify on; by default ``dev.csv`` beside the model, else the calibration set.
        budget: what int8 may cost.

    Returns:
        the passed verification; its figures also stand in the card.

    Raises:
        BudgetError: a budget was missed; names the worst layers. ConversionError: the converter failed.
        DataError: the calibration set is of the wrong kind. BundleError: a file beside the model is missing.
    """
    if not Path(out).parent.is_dir():  # said before minutes are spent
        raise BundleError(f"{out} cannot be written: there is no folder {Path(out).parent}. Make it first.")
    beside = Path(model).parent
    draft: Card = Card.from_json(_read(card or beside / "card.json", "--card"))
    text = draft.modality == "text"
    assets = {"vocab.txt": _read(vocab or beside / "vocab.txt", "--vocab")} if text else {}
    inputs = calibration_inputs(draft, frontend_for(draft.modality, draft.spec, assets), calibration)

    bundle = Bundle(quantize(model, inputs), draft, assets)
    checked = check or (beside / "dev.csv" if (beside / "dev.csv").is_file() else calibration)
    found: Verification | DetectorVerification
    if is_detector(bundle):
        pictures = marked_in(checked)
        own = budget if isinstance(budget, DetectorBudget) else None
        found = compare_detectors(
            bundle, float_detector(model, bundle), pictures, budget=own, progress=progress
        )
    else:
        examples = read_manifest(checked)
        spent = budget if isinstance(budget, Budget) else None
        found = compare(model, bundle, examples, budget=spent, progress=progress)
    if found.problems:
        raise BudgetError(
            f"{draft.name} is not good enough in int8, nothing was written: {'; '.join(found.problems)}. "
            f"Worst layers (error in steps): {', '.join(_worst(model, inputs)) or 'unknown'}. "
            f"Calibrate on {_KINDS[draft.modality]} like those the model will read "
            f"({Path(calibration).name} gives {len(inputs)}{' spans' if draft.modality == 'voice' else ''})."
        )
    if isinstance(found, DetectorVerification):
        detector = FaceDetector(bundle, Runtime(bundle.flatbuffer))
        metrics = detector_metrics(found, detector, pictures, Path(checked).name)
        finished = _finished(bundle, detector.runtime, golden_faces(detector), metrics)
    else:
        recognizer = Recognizer(bundle, Runtime(bundle.flatbuffer))
        metrics = _metrics(recognizer, found, examples, Path(checked).name)
        finished = _finished(bundle, recognizer.runtime, golden(recognizer), metrics)
    Bundle(bundle.flatbuffer, finished, assets).write(out)
    _hand_over(Path(model).with_suffix(SUFFIX), Path(out).with_suffix(SUFFIX))
    return found


def _hand_over(seen: Path, beside: Path) -> None:
    """Copy the list of training texts, whole or not at all; without one, an older list must not stay."""
    if not seen.is_file():
        beside.unlink(missing_ok=True)
        return
    try:
        write_whole(beside, seen.read_bytes())
    except OSError as error:
        raise BundleError(
            f"The bundle is written, {beside.name} beside it is not: {error.strerror}. Copy {seen} there, "
            "or evaluate with --train MANIFEST."
        ) from error


def _worst(model: Path, inputs: npt.NDArray[Any]) -> tuple[str, ...]:
    """Name the worst layers; none, if the debugger itself fails: the missed budget is what must be told."""
    try:
        return worst_layers(model, inputs[:200])
    except ConversionError:
        return ()


def _metrics(
    recognizer: Recognizer, found: Verification, examples: list[Example], checked: str
) -> dict[str, Any]:
    """Return what the card says was measured when the bundle was made."""
    metrics: dict[str, Any] = {
        "verify": {
            "command": f"edgeemo verify model.keras BUNDLE {checked}",
            "n": found.n,
            "agreement": round(found.agreement, 4),
            "clear_agreement": round(found.clear_agreement, 4),
            "n_clear": found.n_clear,
        }
    }
    if found.drop is not None and found.float_f1 is not None and found.int8_f1 is not None:
        metrics["verify"] |= {
            "macro_f1_float": round(found.float_f1, 4),
            "macro_f1_int8": round(found.int8_f1, 4),
            "drop": {k: round(v, 5) for k, v in found.drop.to_dict().items()},
        }
    if found.evidence_difference is not None:
        metrics["verify"]["evidence_difference"] = round(found.evidence_difference, 4)
    learnt = any(example.split == "train" for example in examples)  # what was learnt by heart proves nothing
    if found.drop is not None and not learnt:
        metrics["int8"] = {
            "command": f"edgeemo evaluate BUNDLE {checked} --leaks keep",
            **_scores(recognizer, examples),
        }
    return metrics


def _finished(
    bundle: Bundle, runtime: Runtime, golden: tuple[dict[str, Any], ...], metrics: dict[str, Any]
) -> Card:
    """Add to the draft what conversion and verification know."""
    import ai_edge_litert
    import tensorflow as tf

    return replace(
        bundle.card,
        quantization={
            t.name: {
                "shape": list(t.shape),
                "dtype": t.dtype.name,
                "scale": t.scale,
                "zero_point": t.zero_point,
            }
            for t in (*runtime.inputs.values(), *runtime.outputs.values())
        },
        golden=golden,
        metrics={**bundle.card.metrics, **metrics},
        tools={
            **bundle.card.tools,
            "edgeemo": __version__,
            "converter": f"tensorflow {tf.__version__}",
            "ai-edge-litert": getattr(ai_edge_litert, "__version__", "unknown"),
        },
    )


def _scores(recognizer: Recognizer, examples: list[Example]) -> dict[str, Any]:
    """Return the scores that matter, with n and 95 % intervals."""
    report = evaluate(recognizer, examples, leaks="keep")
    wanted = ("accuracy", "macro_f1", "uar", "ece", "valence_r", "arousal_r")
    return {"n": report.n} | {
        name: {k: round(v, 4) for k, v in value.to_dict().items()}
        for name, value in report.metrics.items()
        if name.endswith(wanted)
    }


_KINDS = {"text": "texts", "voice": "clips", "face": "faces"}
"""What the rows of a manifest are."""


def calibration_inputs(draft: Card, frontend: Any, calibration: Path) -> npt.NDArray[Any]:
    """Return a calibration set as the bundle's frontend makes it: ids of texts, features of spans, faces.

    Raises:
        DataError: the manifest is of the wrong kind, or repeats a few examples.
    """
    what, column = _KINDS[draft.modality], "text" if draft.modality == "text" else "path"
    rows = read_manifest(calibration)
    found = [example for example in rows if str(getattr(example, column) or "").strip()]
    if len(found) < len(rows) / 2 or not found:
        raise DataError(
            f"{Path(calibration).name} is no calibration set for a {draft.modality} model: {len(found)} of "
            f"{len(rows)} rows have a {column}. Give a manifest of {what}, such as calibration.csv beside "
            "the trained model."
        )
    if len({getattr(example, column) for example in found}) < min(20, len(found)):
        raise DataError(
            f"{Path(calibration).name} repeats the same few {what}; give at least 20 different ones."
        )
    if draft.modality == "face":
        return np.stack([frontend.compute(*read_face(example)) for example in found])
    if draft.modality == "voice":
        spans = [frontend.compute(*read_clip(example)).features for example in found]
        return np.concatenate(spans)
    return np.asarray(frontend.compute_batch([example.text or "" for example in found]))


def _read(path: Path, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}. Name it by {option}.") from error
