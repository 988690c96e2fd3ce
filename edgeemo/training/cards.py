"""The draft card of a trained model: all that is known before conversion."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .. import _core
from ..card import DataSource, ModelCard
from ..data.catalog import TEACHERS, commercial, find
from ..frontends import FaceSpec, TextSpec, VoiceSpec
from .recipe import Recipe

Spec = TextSpec | VoiceSpec | FaceSpec


def draft(recipe: Recipe, spec: Spec, **fields: Any) -> ModelCard:
    """Return the draft card of a model that recognises emotions.

    Args:
        recipe: gives emotions, affect, names and licences.
        spec: of the frontend that the weights were trained with.
        fields: labels, calibration, thresholds and outputs, as `edgeemo.ModelCard` has them.
    """
    asked = {name for step in recipe.step for name in (step.model, step.embedding)}
    teachers = [TEACHERS[name] for name in TEACHERS if name in asked]
    return ModelCard(
        **common(recipe, spec, teachers),
        emotions=recipe.emotion_labels(),
        affect={k: (v[0], v[1]) for k, v in recipe.affect.items()} or None,
        **fields,
    )


def even_thresholds(labels: Sequence[str]) -> dict[str, float]:
    """Return the threshold of labels that exclude each other: one share each."""
    return {label: round(1 / len(labels), 4) for label in labels}


def common(recipe: Recipe, spec: Spec, teachers: Sequence[DataSource]) -> dict[str, Any]:
    """Return the fields that every card takes from its recipe, from this release and from this machine."""
    sources = [find(name, recipe.manifest).source for name in recipe.datasets]
    return {
        "name": recipe.name,
        "version": recipe.version,
        "title": recipe.title,
        "description": recipe.description,
        "modality": recipe.modality,
        "spec": spec.to_dict(),
        "spec_digest": spec.digest,
        "frontend_version": getattr(_core, f"{recipe.modality.upper()}_FRONTEND_VERSION"),
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
