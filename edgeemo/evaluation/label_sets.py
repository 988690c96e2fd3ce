"""Label sets: what a manifest's labels are compared with.

``fine`` are the model's own labels, each of ``card.groups`` reads several of them as one (``ekman``), and
``emotions`` are the `EMOTIONS` of the normalised scores. A manifest in finer labels can be read coarser,
never the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..card import ModelCard
from ..data.manifest import ALIASES, Example
from ..errors import DataError
from ..moved import renamed
from ..types import EMOTIONS
from .bootstrap import Array, Bools

FINE, SCORES = "fine", "emotions"


@dataclass(frozen=True)
class LabelSet:
    """A label set of a card.

    Attributes:
        name: ``"fine"``, a key of ``card.groups``, or ``"emotions"``.
        labels: in the order of every matrix of this space.
        exclusive: exactly one label is active, the likeliest; otherwise those at or above ``thresholds``.
        members: per label, the indices of the model's labels it consists of.
        columns: manifest label → index of the label it means here.
        kept: if not empty, the indices of ``labels`` among all labels of the space.
    """

    name: str
    labels: tuple[str, ...]
    exclusive: bool
    thresholds: Array
    members: tuple[tuple[int, ...], ...]
    columns: Mapping[str, int]
    kept: tuple[int, ...] = ()

    def narrowed(self, examples: Sequence[Example]) -> LabelSet:
        """Return the space of the labels that the examples have, if these are some but not all.

        Probabilities are then divided by their sum over these labels (exclusive labels only).
        """
        kept = tuple(np.flatnonzero(self.truth(examples).any(0)).tolist())
        if not self.exclusive or not 1 < len(kept) < len(self.labels):
            return self
        place = {old: new for new, old in enumerate(kept)}
        return replace(
            self,
            labels=tuple(self.labels[i] for i in kept),
            thresholds=self.thresholds[list(kept)],
            columns={name: place[i] for name, i in self.columns.items() if i in place},
            kept=kept,
        )

    def without(self, examples: Sequence[Example], names: Sequence[str]) -> list[Example]:
        """Return the examples that have none of the labels ``names`` (exclusive labels only).

        Raises:
            DataError: a name is unknown, several labels may hold at once, or nothing is left.
        """
        gone = set(self.indices(names))
        if not self.exclusive:
            raise DataError(f"Several labels of {self.name} may hold at once: none can be left out.")
        kept = [e for e in examples if not gone & {self.columns.get(label) for label in e.labels}]
        if examples and not kept:
            raise DataError(f"All examples are labelled {', '.join(names)}: nothing is left to measure.")
        return kept

    def indices(self, names: Sequence[str]) -> list[int]:
        """Return the places of labels, or of common words for them.

        Raises:
            DataError: a name is unknown.
        """
        unknown = [name for name in names if name not in self.columns]
        if unknown:
            raise DataError(f"{', '.join(unknown)}: unknown here; the labels are {', '.join(self.labels)}.")
        return [self.columns[name] for name in names]

    def knows(self, name: str) -> bool:
        """Return whether a manifest's label is one of these, or a common word for one."""
        return name in self.labels or ALIASES.get(name) in self.labels

    def truth(self, examples: Sequence[Example]) -> Bools:
        """Return which labels hold: those named, and groups with a member among them."""
        gold = np.zeros((len(examples), len(self.labels)), np.bool_)
        for row, example in zip(gold, examples, strict=True):
            row[[self.columns[label] for label in example.labels if label in self.columns]] = True
        return gold

    def probability(self, probabilities: Array, scores: Array) -> Array:
        """Return the probability of each label here, from the model's own labels and the emotion scores."""
        found = self._all(probabilities, scores)
        if not self.kept:
            return found
        found = found[:, list(self.kept)] + 1e-12  # of none of them: all alike
        return np.asarray(found / found.sum(1, keepdims=True))

    def _all(self, probabilities: Array, scores: Array) -> Array:
        if self.name == SCORES:
            return scores
        members = [probabilities[:, list(m)] for m in self.members]
        return np.stack([m.sum(1) if self.exclusive else 1 - np.prod(1 - m, axis=1) for m in members], 1)

    def active(self, probability: Array) -> Bools:
        """Return which labels are active: at or above their thresholds, or the likeliest if exclusive.

        As `EmotionResult.active`, except without any evidence: then the first label counts as active.
        """
        if self.exclusive:
            return one_hot(probability)
        return np.asarray(probability >= self.thresholds)


def one_hot(probability: Array) -> Bools:
    """Return the likeliest label of each row (the first on a tie)."""
    return np.asarray(np.arange(probability.shape[1]) == probability.argmax(1)[:, None])


def label_sets_of(card: ModelCard) -> dict[str, LabelSet]:
    """Return the label sets of a card by name, finest first."""
    index = {label: i for i, label in enumerate(card.labels)}
    exclusive = not card.multi_label
    # card numbers are compared as the recognizer compares them: in float32
    thresholds = np.array([card.thresholds[x] for x in card.labels], np.float32).astype(np.float64)
    singles = tuple((i,) for i in range(len(card.labels)))
    spaces = {FINE: LabelSet(FINE, card.labels, exclusive, thresholds, singles, _columns(card.labels, ()))}
    for name, groups in card.groups.items():
        labels, members = tuple(groups), [groups[g].labels for g in groups]
        limits = np.array([groups[g].threshold for g in groups], np.float32).astype(np.float64)
        spaces[name] = LabelSet(
            name, labels, exclusive, limits, _indices(members, index), _columns(labels, members)
        )
    members = [card.emotions.get(emotion, ()) for emotion in EMOTIONS]
    spaces[SCORES] = LabelSet(
        SCORES, EMOTIONS, True, np.zeros(len(EMOTIONS)), _indices(members, index), _columns(EMOTIONS, members)
    )
    return spaces


def choose(card: ModelCard, examples: Sequence[Example], wanted: str | None = None) -> list[LabelSet]:
    """Return the space the manifest is written in (or ``wanted``) first, then the coarser ones.

    Raises:
        DataError: no space knows all labels, or there is no space ``wanted``.
    """
    spaces = label_sets_of(card)
    named = {label for example in examples for label in example.labels}
    if wanted is not None:
        if wanted not in spaces:
            raise DataError(f"{card.name} has no labels {wanted!r}: expected one of {', '.join(spaces)}.")
        _refuse_unknown(card, named, spaces[wanted])
        first = wanted
    else:
        first = next((name for name, space in spaces.items() if all(map(space.knows, named))), "")
        if not first:
            best = min(spaces.values(), key=lambda space: sum(not space.knows(name) for name in named))
            _refuse_unknown(card, named, best)
            first = best.name
    coarser = [name for name in spaces if name != first] if first == FINE else []
    return [spaces[name] for name in [first, *coarser]]


def _refuse_unknown(card: ModelCard, named: set[str], space: LabelSet) -> None:
    unknown = sorted(named - set(space.columns))
    if unknown:
        shown = ", ".join(unknown[:10]) + (", …" if len(unknown) > 10 else "")
        raise DataError(
            f"{card.name} does not know {len(unknown)} of the manifest's labels: {shown}. Rename them to "
            f"the labels of {space.name} ({', '.join(space.labels)}), or drop them; see `edgeemo inspect`."
        )


def _indices(members: Iterable[Sequence[str]], index: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(index[label] for label in labels) for labels in members)


def _columns(labels: Sequence[str], members: Sequence[Sequence[str]]) -> dict[str, int]:
    """A label means the group it belongs to; a name that is only a group's means that group.

    A common word that is neither means what `ALIASES` says.
    """
    columns = {label: i for i, label in enumerate(labels)}
    columns |= {member: i for i, group in enumerate(members) for member in group}
    return {word: columns[label] for word, label in ALIASES.items() if label in columns} | columns


__getattr__ = renamed(__name__, {"Space": "LabelSet", "spaces_of": "label_sets_of"})
