"""Bursts: sounds without words, such as a laugh or a scream, against speech and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...data.manifest import Example
from ...errors import SpecError
from ..recipe import Recipe
from .augment import Augment
from .batches import EmotionBatches, set_of
from .features import ClipFeatures, Indices

NONE, NONE_SHARE = "none", 0.3
"""The label of speech and noise, and their share of the drawn clips."""


def burst_labels(recipe: Recipe) -> tuple[str, ...]:
    """Return the labels of the output ``bursts``: `NONE`, then those of the recipe's ``[bursts.affect]``."""
    return (NONE, *recipe.bursts["affect"]) if recipe.bursts else ()


def burst_card(recipe: Recipe) -> dict[str, Any]:
    """Return the card's field ``bursts``."""
    names = {"labels": list(burst_labels(recipe)), "scale": 1.0}
    return {**names, **{k: dict(recipe.bursts[k]) for k in ("emotions", "affect")}}


def check_bursts(recipe: Recipe, examples: Sequence[Example]) -> None:
    """Refuse a recipe whose ``[bursts]`` does not fit its data.

    Raises:
        SpecError: a label of the data is missing, or a label has no clip.
    """
    found = {label for e in examples for label in e.labels}
    known = set(burst_labels(recipe)) - {NONE}
    if found != known:
        raise SpecError(
            f"{recipe.name}, [bursts.affect] and [data] bursts do not agree on "
            f"{', '.join(sorted(found ^ known))}: give each label of the data valence and arousal."
        )


def burst_batches(
    features: ClipFeatures,
    examples: Sequence[Example],
    clips: Indices,
    bursts: frozenset[str],
    labels: Sequence[str],
    augment: Augment,
    smoothing: float,
    targets: Mapping[str, Any],
) -> EmotionBatches:
    """Return batches of the ``clips``: those of the sets ``bursts`` by label, all others as `NONE`.

    Every label of bursts is drawn as often, and so is every set of speech or noise.

    Args:
        targets: what the network learns beside, by head, for the clips.
    """
    chosen = [examples[i] for i in clips]
    names = [e.labels[0] if set_of(e) in bursts else NONE for e in chosen]
    target = np.full((len(chosen), len(labels)), smoothing / len(labels), np.float32)
    target[np.arange(len(chosen)), [labels.index(name) for name in names]] += 1 - smoothing
    kinds = np.array(
        [set_of(e) if name == NONE else f"{NONE} {name}" for e, name in zip(chosen, names, strict=True)]
    )
    _, kind, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    weight = (1 / counts)[kind]
    none = np.array([name == NONE for name in names])
    for rows, share in ((none, NONE_SHARE), (~none, 1 - NONE_SHARE)):
        if rows.any():
            weight[rows] *= share / weight[rows].sum()
    weight = (weight / weight.mean()).astype(np.float32)
    return EmotionBatches(
        features, clips, {"bursts": target, **targets}, weight, kind.astype(np.int64), augment
    )
