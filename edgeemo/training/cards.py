"""The draft card of a trained model: all that is known before conversion."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ..card import Calibration, DataSource, DetectorCard, Group, ModelCard
from ..data.catalog import DATASETS, MINILM, commercial, find
from ..data.detector_sets import BLAZEFACE
from ..data.marked import overlap
from ..evaluation.detection import FALSE, HIT
from ..faces import DetectorSpec, FaceDecoder
from ..types import FloatArray
from .calibrate import best_threshold, exclusive, group_probabilities, multi_label, platt
from .material import Material
from .recipe import Recipe

if TYPE_CHECKING:
    from ..frontends import FaceFrontend, FaceSpec, TextSpec, VoiceSpec
    from .scenes import Shot


def protocol(recipe: Recipe) -> str:
    """Say which texts calibrated a text model, what else these decided, and what that flatters."""
    fitted, flattered = "the temperature was", "calibration errors"
    if recipe.data["multi_label"]:
        fitted, flattered = "calibration and thresholds were", "calibration errors and scores by threshold"
    part = "the valid part of the training texts (5 %, which no weight was fitted to)"
    if "dev" in recipe.data:
        told = (
            "Development texts: no weight saw them, and training texts that occur among them were dropped; "
            f"{fitted} fitted on them"
        )
    elif any(step.epochs and step.patience for step in recipe.step):
        told = f"No development set: {part} stopped the training, and {fitted} fitted on it"
    else:
        told = f"No development set: {fitted} fitted on {part}"
    return (
        f"{told}, which flatters {flattered}. Held-out texts decide: `edgeemo evaluate` on a set never used, "
        "with --leaks drop."
    )


_FACE_PROTOCOL = (
    "Validation faces: no weight learned from them, near copies of training faces and pictures equal to the "
    "pixel were dropped; epochs and temperature were chosen on them, which flatters scores a little."
)


def text_card(material: Material, logits: FloatArray, truth: FloatArray) -> ModelCard:
    """Calibrate on development data and write down what the weights are and come from.

    Args:
        material: what they were trained on.
        logits, truth: of the development set, ``(n, labels)``.
    """
    recipe = material.recipe
    labels = DATASETS[recipe.data["labels"]].labels
    emotions = recipe.emotion_labels()
    z, t = logits.astype(np.float64), truth.astype(np.float64)
    groups: dict[str, dict[str, Group]] = {}
    if recipe.data["multi_label"]:
        calibration, probability = multi_label(z, t, labels, emotions)
        thresholds = {label: best_threshold(probability[:, i], t[:, i]) for i, label in enumerate(labels)}
        for name, members in recipe.groups.items():
            p = group_probabilities(probability, labels, list(members.values()))
            y = group_probabilities(t, labels, list(members.values()))
            groups[name] = {
                group: Group(tuple(own), round(best_threshold(p[:, i], y[:, i]), 4))
                for i, (group, own) in enumerate(members.items())
            }
    else:
        calibration = exclusive(z, t)
        thresholds = {label: 1 / len(labels) for label in labels}
    return _draft(
        recipe,
        material.frontend.spec,
        labels=labels,
        multi_label=recipe.data["multi_label"],
        groups=groups,
        calibration=calibration,
        thresholds={label: round(value, 4) for label, value in thresholds.items()},
        outputs={"labels": "labels"} | ({"affect": "affect"} if recipe.data.get("affect") else {}),
        metrics={"protocol": protocol(recipe)},
    )


def voice_card(
    recipe: Recipe,
    spec: VoiceSpec,
    labels: tuple[str, ...],
    *,
    scale: float,
    evidence: Mapping[str, float],
    metrics: Mapping[str, Any],
) -> ModelCard:
    """Write down what a voice model's weights are and come from.

    Args:
        labels: in the order of the network's output.
        scale: one over the temperature, fitted on the answers to speakers no weight saw.
        evidence: from which probability a block counts as speech, and how much of a span must be speech.
        metrics: what was measured on the way.
    """
    n = len(labels)
    return _draft(
        recipe,
        spec,
        labels=labels,
        multi_label=False,
        calibration=Calibration((scale,) * n, (0.0,) * n),
        thresholds={label: round(1 / n, 4) for label in labels},
        outputs={"labels": "labels", "speech": "speech"},
        evidence=evidence,
        metrics=metrics,
    )


def face_card(
    recipe: Recipe, spec: FaceSpec, labels: tuple[str, ...], logits: FloatArray, truth: FloatArray
) -> ModelCard:
    """Calibrate on validation faces and write down what a face model's weights are and come from.

    Args:
        labels: in the order of the network's output.
        logits, truth: of the validation faces, ``(n, labels)``; truth is the shares of the votes.
    """
    return _draft(
        recipe,
        spec,
        labels=labels,
        multi_label=False,
        calibration=exclusive(logits.astype(np.float64), truth.astype(np.float64)),
        thresholds={label: round(1 / len(labels), 4) for label in labels},
        outputs={"labels": "labels"},
        metrics={"protocol": _FACE_PROTOCOL},
    )


_DETECTOR_PROTOCOL = (
    "Held-out street photographs (whole groups of look-alikes) and portraits (whole people): no weight "
    "learned from them; the score was calibrated on them, which flatters its calibration."
)


def detector_card(
    recipe: Recipe,
    frontend: FaceFrontend,
    spec: DetectorSpec,
    heads: Mapping[str, FloatArray],
    shots: Sequence[Shot],
) -> DetectorCard:
    """Calibrate on validation pictures and write down what a detector's weights are and come from.

    Args:
        spec: without calibration.
        heads: of the validation pictures, by role, ``(n, cells, …)``.
        shots: these pictures, with all their faces.
    """
    raw = DetectorSpec.from_dict({**spec.to_dict(), "least_score": 0.01, "merge": "best"})
    decoder = FaceDecoder(raw)
    logits, truth = [], []
    for i, shot in enumerate(shots):
        h, w = shot.picture.shape
        a, b, c = (np.ascontiguousarray(heads[role][i]) for role in ("logits", "boxes", "eyes"))
        for face in decoder.decode(a, b, c, frontend.align((0, 0, w, h))):
            best = max((overlap(face.box, other.box) for other in shot.faces), default=0.0)
            if not FALSE <= best < HIT:
                logits.append(np.log(face.score / (1 - min(face.score, 1 - 1e-6))))
                truth.append(best >= HIT)
    z, t = np.array(logits).reshape(-1, 1), np.array(truth, np.float64).reshape(-1, 1)
    (scale,), (bias,) = platt(z, t)
    fitted = {"score_scale": round(float(np.clip(scale, 1e-3, 1e3)), 4), "score_bias": round(float(bias), 4)}
    source = [BLAZEFACE] if recipe.data.get("teachers") else []
    return DetectorCard(
        **_common(recipe, frontend.spec, source),
        outputs={"logits": "logits", "boxes": "boxes", "eyes": "eyes"},
        detector={**spec.to_dict(), **fitted},
        metrics={"protocol": _DETECTOR_PROTOCOL},
    )


def _draft(recipe: Recipe, spec: TextSpec | VoiceSpec | FaceSpec, **fields: Any) -> ModelCard:
    """Add to ``fields`` what every card takes from its recipe and from this machine."""
    return ModelCard(
        **_common(recipe, spec, [MINILM] if any(step.model == "minilm" for step in recipe.step) else []),
        emotions=recipe.emotion_labels(),
        affect={k: (v[0], v[1]) for k, v in recipe.affect.items()} or None,
        **fields,
    )


def _common(
    recipe: Recipe, spec: TextSpec | VoiceSpec | FaceSpec, teachers: Sequence[DataSource]
) -> dict[str, Any]:
    sources = [find(name, recipe.manifest).source for name in recipe.datasets]
    return {
        "name": recipe.name,
        "version": recipe.version,
        "title": recipe.title,
        "description": recipe.description,
        "modality": recipe.modality,
        "spec": spec.to_dict(),
        "spec_digest": spec.digest,
        "licence": recipe.licence,
        "commercial": commercial(recipe.datasets, recipe.manifest),
        "data": (*sources, *teachers),
        "tools": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }
