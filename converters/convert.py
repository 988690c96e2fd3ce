"""A Keras model to a verified bundle; a bundle that does not verify is not written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import __version__
from edgeemo.bundle import Bundle
from edgeemo.card import Card
from edgeemo.data.leaks import SUFFIX
from edgeemo.data.manifest import read_manifest
from edgeemo.errors import BudgetError, BundleError, ConversionError, DataError
from edgeemo.evaluation.predictions import Progress
from edgeemo.files import explained, write_whole
from edgeemo.frontends import frontend_for
from edgeemo.runtime import Runtime
from edgeemo.tasks import task_of

from .float_reference import float_reference
from .quantize import quantize, worst_layers


def convert(
    model: Path,
    calibration: Path,
    out: Path,
    *,
    card: Path | None = None,
    vocab: Path | None = None,
    check: Path | None = None,
    budget: Any = None,
    progress: Progress = iter,
) -> Any:
    """Quantize to int8, verify on the device's own runtime, and only then write the bundle.

    Args:
        model: a ``.keras`` file.
        calibration: a manifest of inputs like those the model will read; it needs no labels.
        out: the bundle to write.
        card, vocab: the draft card and, for text, the vocabulary; by default those beside the model.
        check: the manifest to verify on; by default ``dev.csv`` beside the model, else the calibration set.
        budget: what int8 may cost; see `edgeemo.converters.verify.verify`.
        progress: wraps the examples while they are read.

    Returns:
        the passed verification (see `edgeemo.converters.verify.verify`); the card has its figures too.

    Raises:
        BudgetError: the model misses a budget; names the worst layers. ConversionError: the converter failed.
        DataError: the calibration set is of the wrong kind. BundleError: a file beside the model is missing.
    """
    if not Path(out).parent.is_dir():  # before minutes are spent
        raise BundleError(f"{out} cannot be written: there is no folder {Path(out).parent}. Make it first.")
    beside = Path(model).parent
    draft: Card = Card.from_json(_read(card or beside / "card.json", "--card"))
    task = task_of(draft)
    assets = {name: _read(vocab or beside / name, "--vocab") for name in task.assets}
    inputs = calibration_inputs(draft, frontend_for(draft.modality, draft.spec, assets), calibration)
    checked = check or (beside / "dev.csv" if (beside / "dev.csv").is_file() else calibration)
    examples = task.read(checked)

    bundle = Bundle(quantize(model, inputs), draft, assets)
    device = task.opener(bundle, Runtime(bundle.flatbuffer))
    reference = float_reference(model, bundle)
    found = task.compare(device, reference, examples, budget=budget, progress=progress)
    if found.problems:
        raise BudgetError(
            f"{draft.name} is not good enough in int8. Nothing was written: {'; '.join(found.problems)}. "
            f"Worst layers (error in steps): {', '.join(_worst(model, inputs)) or 'unknown'}. "
            f"Calibrate on {task.plural} like those the model will read "
            f"({Path(calibration).name} gives {len(inputs)} inputs)."
        )
    name = Path(checked).name
    metrics = {"verify": {"command": f"edgeemo verify model.keras BUNDLE {name}", **found.summary()}}
    if task.scored(found, examples) and not any(
        e.split == "train" for e in examples
    ):  # training data prove nothing
        scores = task.evaluate(device, examples, leaks="keep").for_card()
        metrics["int8"] = {"command": f"edgeemo evaluate BUNDLE {name} --leaks keep", **scores}
    finished = _finished(bundle, device.runtime, task.golden(device), metrics)
    Bundle(bundle.flatbuffer, finished, assets).write(out)
    _copy_seen(Path(model).with_suffix(SUFFIX), Path(out).with_suffix(SUFFIX))
    return found


def calibration_inputs(draft: Card, frontend: Any, calibration: Path) -> npt.NDArray[Any]:
    """Return a calibration set as the bundle's frontend makes it: ids of texts, features of spans, faces.

    Raises:
        DataError: the manifest is of the wrong kind, or repeats a few examples.
    """
    task = task_of(draft)
    rows = read_manifest(calibration)
    found = [example for example in rows if str(getattr(example, task.column) or "").strip()]
    if len(found) < len(rows) / 2 or not found:
        raise DataError(
            f"{Path(calibration).name} does not calibrate a {draft.modality} model: {len(found)} of "
            f"{len(rows)} rows have a {task.column}. Give a manifest of {task.plural}, such as "
            "calibration.csv beside the model."
        )
    if len({getattr(example, task.column) for example in found}) < min(20, len(found)):
        raise DataError(
            f"{Path(calibration).name} repeats the same few {task.plural}; give at least 20 different ones."
        )
    return np.concatenate([task.tensors(frontend, example) for example in found])


def _copy_seen(seen: Path, beside: Path) -> None:
    """Copy the hashes of the training data, whole or not at all; without them remove an older file."""
    if not seen.is_file():
        beside.unlink(missing_ok=True)
        return
    remedy = f"Copy {seen} there, or evaluate with --train MANIFEST."
    with explained(f"The bundle is written, {beside.name} beside it is not", BundleError, remedy):
        write_whole(beside, seen.read_bytes())


def _worst(model: Path, inputs: npt.NDArray[Any]) -> tuple[str, ...]:
    """Name the worst layers; none if TensorFlow's debugger fails, because the missed budget matters more."""
    try:
        return worst_layers(model, inputs[:200])
    except ConversionError:
        return ()


def _finished(
    bundle: Bundle, runtime: Runtime, golden: tuple[dict[str, Any], ...], metrics: dict[str, Any]
) -> Card:
    """Add to the draft what conversion and verification know."""
    import ai_edge_litert
    import tensorflow as tf

    tensors = (*runtime.inputs.values(), *runtime.outputs.values())
    return replace(
        bundle.card,
        quantization={
            t.name: {
                "shape": list(t.shape),
                "dtype": t.dtype.name,
                "scale": t.scale,
                "zero_point": t.zero_point,
            }
            for t in tensors
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


def _read(path: Path, option: str) -> bytes:
    with explained(f"{path} cannot be read", BundleError, f"Name it by {option}."):
        return Path(path).read_bytes()
