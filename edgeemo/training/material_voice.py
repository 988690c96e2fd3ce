"""What the emotion network learns from: spans of clips, and what was said of each clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..data.manifest import Example
from ..data.voice_sets import VOICE_LABELS
from ..errors import SpecError
from ..types import FloatArray
from .augment import Augment, masked, partners, warped
from .features import ClipFeatures, Indices

if TYPE_CHECKING:
    from .recipe import Recipe

Batch = tuple[FloatArray, dict[str, FloatArray]]


def labels_in(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the labels the examples carry: `VOICE_LABELS` in their order, then others by name."""
    found = {label for e in examples for label in e.labels}
    return (*(x for x in VOICE_LABELS if x in found), *sorted(found - set(VOICE_LABELS)))


def set_of(example: Example) -> str:
    """Return the set a clip comes from: what stands before its speaker's name."""
    return example.speaker.partition("/")[0]


def check_labels(recipe: Recipe, labels: Sequence[str]) -> None:
    """Refuse before training what the card would refuse after it.

    Raises:
        SpecError: the labels of the data and the recipe's [emotions] and [affect] do not agree.
    """
    mapped = {label for own in recipe.emotion_labels().values() for label in own}
    for section, known in (("emotions", mapped), ("affect", set(recipe.affect))):
        strange = sorted(known - set(labels))
        if strange:
            raise SpecError(
                f"{recipe.name}, [{section}]: no clip has the label {', '.join(strange)}; the data have "
                f"{', '.join(labels)}. Take it out, or rename the labels of a manifest."
            )
    missing = [label for label in labels if label not in recipe.affect]
    if missing:
        raise SpecError(
            f"{recipe.name}, [affect] has no {', '.join(missing)}, which the data have: give valence and "
            "arousal, rename the label of a manifest, or leave its rows out."
        )


def truth(examples: Sequence[Example], labels: Sequence[str]) -> FloatArray:
    """Return ``(n, labels)``: 1 for the label (several share it), NaN for labels the clip's set has not.

    So silence about boredom is not taken for its absence: see `edgeemo.training.fit.categorical`.
    """
    own = {name: labels_in([e for e in examples if set_of(e) == name]) for name in map(set_of, examples)}
    found = np.full((len(examples), len(labels)), np.nan, np.float32)
    for row, e in zip(found, examples, strict=True):
        row[[labels.index(label) for label in own[set_of(e)]]] = 0
        row[[labels.index(label) for label in e.labels]] = 1 / len(e.labels)
    return found


def weights(examples: Sequence[Example], target: FloatArray, balance: float) -> FloatArray:
    """Return ``(n,)``: classes of a set weigh alike, and sets by the power ``balance``; the mean is 1.

    0 leaves the sets as large as they are, 1 makes the small ones weigh as much as the large.
    """
    sets = np.array([set_of(e) for e in examples])
    found = np.zeros(len(examples))
    for name in np.unique(sets):
        rows = sets == name
        share = np.nan_to_num(target[rows])
        found[rows] = share @ (1 / np.maximum(share.sum(0), 1e-9))
        found[rows] *= (rows.sum() / found[rows].sum()) * (len(sets) / rows.sum()) ** balance
    return np.asarray(found / found.mean(), np.float32)


@dataclass(frozen=True)
class EmotionLesson:
    """Clips (indices into ``features``) with their ``target`` ``(n, labels)`` and ``weight`` ``(n,)``.

    To train, an epoch draws as many clips as there are, by their weight, and a span at random from each or
    its copies; it is warped, masked and mixed with another of its set (``kind``) as ``plan`` says. To
    validate, it has every clean span.
    """

    features: ClipFeatures
    clips: Indices
    target: FloatArray
    weight: FloatArray
    kind: npt.NDArray[np.int64]
    plan: Augment
    validates: bool = False

    def __len__(self) -> int:
        return len(self.features.of(self.clips)[0]) if self.validates else len(self.clips)

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """See `edgeemo.training.fit.Lesson`."""
        if rng is None:
            rows, owner = self.features.of(self.clips)
            for part in np.split(np.arange(len(rows)), range(size, len(rows), size)):
                whose = owner[part]
                target = self.target[whose] * self.weight[whose, None]
                yield np.asarray(self.features.clean[rows[part]]), {"labels": target}
            return
        n = len(self.clips)
        order = rng.choice(n, n, p=self.weight / self.weight.sum(dtype=np.float64))
        for chosen in np.split(order, range(size, len(order), size)):
            spans = np.stack([self.features.draw(int(self.clips[i]), rng) for i in chosen])
            warped(spans, self.plan, rng)
            masked(spans, self.plan, rng)
            target = self.target[chosen]
            if self.plan.mixup:
                other = partners(self.kind[chosen], rng)
                share = rng.beta(self.plan.mixup, self.plan.mixup, len(chosen)).astype(np.float32)
                spans = share[:, None, None] * spans + (1 - share)[:, None, None] * spans[other]
                target = share[:, None] * target + (1 - share)[:, None] * target[other]
            yield spans, {"labels": target}


def lesson(
    features: ClipFeatures,
    examples: Sequence[Example],
    clips: Indices,
    labels: Sequence[str],
    plan: Augment,
    *,
    balance: float = 0.5,
    smoothing: float = 0.0,
    validates: bool = False,
) -> EmotionLesson:
    """Return the lesson of some clips; ``examples`` are all those of ``features``.

    To train, ``smoothing`` of the truth is shared by all labels of a clip's set (Szegedy et al. 2016,
    arXiv:1512.00567).
    """
    target = truth(examples, labels)[clips]  # a set has its classes even where a fold has not all
    chosen = [examples[i] for i in clips]
    kind = np.unique([set_of(e) for e in chosen], return_inverse=True)[1].astype(np.int64)
    weight = weights(chosen, target, balance)
    if not validates:
        even = 1 / np.isfinite(target).sum(1, keepdims=True)
        target = np.asarray((1 - smoothing) * target + smoothing * even, np.float32)
    return EmotionLesson(features, clips, target, weight, kind, plan, validates=validates)
