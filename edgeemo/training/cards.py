"""The draft card of a trained model: all that is known before conversion."""

from __future__ import annotations

import platform

import keras
import numpy as np
import tensorflow as tf

from ..card import Group, ModelCard
from ..types import FloatArray
from .calibrate import best_threshold, exclusive, group_probabilities, multi_label
from .data import DATASETS, MINILM, commercial
from .material import Material

_PROTOCOL = (
    "Development texts: no weight saw them, and training texts that occur among them were dropped; "
    "calibration and thresholds were fitted on them, which flatters scores that use the thresholds. "
    "Held-out comments decide: `edgeemo evaluate` on a set never used, with --leaks drop."
)


def draft_card(material: Material, logits: FloatArray, truth: FloatArray) -> ModelCard:
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
    sources = [DATASETS[name].source for name in recipe.datasets]
    if any(step.model == "minilm" for step in recipe.step):
        sources.append(MINILM)
    return ModelCard(
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        description=recipe.description,
        modality="text",
        labels=labels,
        multi_label=recipe.data["multi_label"],
        emotions=emotions,
        groups=groups,
        calibration=calibration,
        thresholds={label: round(value, 4) for label, value in thresholds.items()},
        affect={k: (v[0], v[1]) for k, v in recipe.affect.items()} or None,
        outputs={"labels": "labels"} | ({"affect": "affect"} if recipe.data.get("affect") else {}),
        spec=material.frontend.spec.to_dict(),
        spec_digest=material.frontend.spec.digest,
        licence=recipe.licence,
        commercial=commercial(recipe.datasets),
        data=tuple(sources),
        metrics={"protocol": _PROTOCOL},
        tools={
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    )
