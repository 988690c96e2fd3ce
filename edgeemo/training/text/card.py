"""The draft card of a text model: calibration and thresholds from development texts."""

from __future__ import annotations

import numpy as np

from ...card import Group, ModelCard
from ...data.catalog import DATASETS
from ...types import FloatArray
from ..calibrate import best_threshold, exclusive, group_probabilities, multi_label
from ..cards import draft, even_thresholds
from ..recipe import Recipe
from .batches import TextData


def protocol(recipe: Recipe) -> str:
    """Say which texts calibrated a text model, what else these decided, and what that flatters."""
    fitted, flattered = "the temperature was", "calibration errors"
    if recipe.data["multi_label"]:
        fitted, flattered = "calibration and thresholds were", "calibration errors and scores by threshold"
    part = "the valid part of the training texts (5 %, which no weight was fitted to)"
    if "dev" in recipe.data:
        used = (
            "Development texts: no weight saw them, and training texts that occur among them were dropped; "
            f"{fitted} fitted on them"
        )
    elif any(step.epochs and step.patience for step in recipe.step):
        used = f"No development set: {part} stopped the training, and {fitted} fitted on it"
    else:
        used = f"No development set: {fitted} fitted on {part}"
    return (
        f"{used}, which flatters {flattered}. Held-out texts decide: `edgeemo evaluate` on a set never used, "
        "with --leaks drop."
    )


def text_card(data: TextData, logits: FloatArray, truth: FloatArray) -> ModelCard:
    """Calibrate on development data and return the draft card.

    Args:
        data: what they were trained on.
        logits, truth: of the development set, ``(n, labels)``.
    """
    recipe = data.recipe
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
        thresholds = even_thresholds(labels)
    return draft(
        recipe,
        data.frontend.spec,
        labels=labels,
        multi_label=recipe.data["multi_label"],
        groups=groups,
        calibration=calibration,
        thresholds={label: round(value, 4) for label, value in thresholds.items()},
        outputs={"labels": "labels"} | ({"affect": "affect"} if recipe.data.get("affect") else {}),
        metrics={"protocol": protocol(recipe)},
    )
