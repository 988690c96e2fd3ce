"""Batches for the emotion network: spans of clips, and the labels of each clip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...data.manifest import Example
from ...data.voice_sets import VOICE_LABELS
from ...errors import SpecError
from ...types import FloatArray
from ..batches import Batch, batch_rows, mix_up
from .augment import Augment, masked, partners, warped
from .features import ClipFeatures, Indices

if TYPE_CHECKING:
    from ..recipe import Recipe


def labels_in(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the labels the examples carry: `VOICE_LABELS` in their order, then others by name."""
    found = {label for e in examples for label in e.labels}
    return (*(x for x in VOICE_LABELS if x in found), *sorted(found - set(VOICE_LABELS)))


def set_of(example: Example) -> str:
    """Return the data set of a clip: the part before the slash of its speaker's name."""
    return example.speaker.partition("/")[0]


def check_labels(recipe: Recipe, labels: Sequence[str]) -> None:
    """Refuse before training the labels that the card would refuse after training.

    Raises:
        SpecError: the labels of the data and the recipe's [emotions] and [affect] do not agree.
    """
    mapped = {label for own in recipe.emotion_labels().values() for label in own}
    for section, known in (("emotions", mapped), ("affect", set(recipe.affect))):
        strange = sorted(known - set(labels))
        if strange:
            raise SpecError(
                f"{recipe.name}, [{section}]: no clip has the label {', '.join(strange)}; the data have "
                f"{', '.join(labels)}. Remove it, or rename the labels of a manifest."
            )
    missing = [label for label in labels if label not in recipe.affect]
    if missing:
        raise SpecError(
            f"{recipe.name}, [affect] has no {', '.join(missing)}, which the data have: give valence and "
            "arousal, rename the label of a manifest, or leave its rows out."
        )


def truth(examples: Sequence[Example], labels: Sequence[str], calm: Calm | None = None) -> FloatArray:
    """Return ``(n, labels)``: 1 for the label (several share it), NaN for labels that the clip's set lacks.

    A set that never mentions boredom does not say that nobody was bored; see `fit.categorical`. Only calm
    speech says so: it is neutral with the certainty of ``calm``, and all labels share the rest.
    """
    sets = dict.fromkeys(map(set_of, examples))
    own = {name: labels_in([e for e in examples if set_of(e) == name]) for name in sets}
    found = np.full((len(examples), len(labels)), np.nan, np.float32)
    for row, e in zip(found, examples, strict=True):
        if calm and set_of(e) in calm.sets:
            row[:] = (1 - calm.certainty) / len(labels)
            row[labels.index("neutral")] += calm.certainty
            continue
        row[[labels.index(label) for label in own[set_of(e)]]] = 0
        row[[labels.index(label) for label in e.labels]] = 1 / len(e.labels)
    return found


def weights(
    examples: Sequence[Example], target: FloatArray, balance: float, calm: Calm | None = None
) -> FloatArray:
    """Return ``(n,)`` with mean 1: the classes of a set weigh the same, and sets by the power ``balance``.

    0 leaves the sets as large as they are; 1 makes small sets weigh as much as large ones. Calm speech has
    the share that ``calm`` says, whatever its size.
    """
    sets = np.array([set_of(e) for e in examples])
    found = np.zeros(len(examples))
    for name in np.unique(sets):
        rows = sets == name
        share = np.nan_to_num(target[rows])
        found[rows] = share @ (1 / np.maximum(share.sum(0), 1e-9))
        found[rows] *= (rows.sum() / found[rows].sum()) * (len(sets) / rows.sum()) ** balance
    still = np.isin(sets, sorted(calm.sets)) if calm else np.zeros(len(sets), np.bool_)
    if calm and still.any() and not still.all():
        found[still] *= calm.share / (1 - calm.share) * found[~still].sum() / found[still].sum()
    return np.asarray(found / found.mean(), np.float32)


@dataclass(frozen=True)
class Calm:
    """Speech of everyday life that teaches what neutral is: prompts, people who read aloud.

    Attributes:
        sets: names of the data sets.
        share: of the drawn clips.
        certainty: the share of the truth that is neutral; nobody has checked the clips one by one.
    """

    sets: frozenset[str]
    share: float = 0.12
    certainty: float = 0.85


@dataclass(frozen=True)
class EmotionBatches:
    """Clips (indices into ``features``) with their ``targets`` ``(n, …)`` by head, and ``weight`` ``(n,)``.

    A training epoch draws as many clips as there are, by their weight, and a random span of each or of its
    copies. The span is warped, masked and mixed with another of its set (``kind``) as ``augment`` says. A
    validation epoch has every clean span.
    """

    features: ClipFeatures
    clips: Indices
    targets: Mapping[str, FloatArray]
    weight: FloatArray
    kind: npt.NDArray[np.int64]
    augment: Augment
    validates: bool = False

    def __len__(self) -> int:
        return len(self.features.of(self.clips)[0]) if self.validates else len(self.clips)

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """See `edgeemo.training.batches.BatchSource`."""
        if rng is None:
            rows, owner = self.features.of(self.clips)
            for part in batch_rows(len(rows), size, None):
                whose = owner[part]
                heads = {k: v[whose] * self.weight[whose, None] for k, v in self.targets.items()}
                yield np.asarray(self.features.clean[rows[part]]), heads
            return
        n = len(self.clips)
        order = rng.choice(n, n, p=self.weight / self.weight.sum(dtype=np.float64))
        for chosen in np.split(order, range(size, n, size)):
            spans = np.stack([self.features.draw(int(self.clips[i]), rng) for i in chosen])
            warped(spans, self.augment, rng)
            masked(spans, self.augment, rng)
            heads = {k: v[chosen] for k, v in self.targets.items()}
            if self.augment.mixup:
                other = partners(self.kind[chosen], rng)
                spans, heads["labels"] = mix_up(spans, heads["labels"], other, self.augment.mixup, rng)
            yield spans, heads


def emotion_batches(
    features: ClipFeatures,
    examples: Sequence[Example],
    clips: Indices,
    labels: Sequence[str],
    augment: Augment,
    *,
    balance: float = 0.5,
    smoothing: float = 0.0,
    calm: Calm | None = None,
    teacher: FloatArray | None = None,
    validates: bool = False,
) -> EmotionBatches:
    """Return the batches of some clips; ``examples`` are all those of ``features``.

    For training, all labels of a clip's set share ``smoothing`` of the truth (Szegedy et al. 2016,
    arXiv:1512.00567). ``teacher`` has the components of every example, ``(examples, components)``.
    """
    target = truth(examples, labels, calm)[clips]  # a set keeps its classes even where a fold has not all
    chosen = [examples[i] for i in clips]
    kind = np.unique([set_of(e) for e in chosen], return_inverse=True)[1].astype(np.int64)
    weight = weights(chosen, target, balance, calm)
    if not validates:
        even = 1 / np.isfinite(target).sum(1, keepdims=True)
        target = np.asarray((1 - smoothing) * target + smoothing * even, np.float32)
    targets = {"labels": target} if teacher is None else {"labels": target, "teacher": teacher[clips]}
    return EmotionBatches(features, clips, targets, weight, kind, augment, validates=validates)
