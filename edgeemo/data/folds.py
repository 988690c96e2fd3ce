"""Folds of speakers, and samples: a speaker is never on both sides of a fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import TypeVar

from ..errors import DataError
from .manifest import Example

E = TypeVar("E")


def folds(examples: Sequence[Example], n: int) -> dict[str, int]:
    """Return speaker → fold, 0 … n−1; the same examples always give the same folds.

    The function deals speakers (or recordings of background sounds) like cards, in the order of set, gender
    and name. So the folds differ by one speaker at most, in every set and gender together.

    Raises:
        DataError: there are fewer speakers than folds.
    """
    order = _order(examples)
    if not 2 <= n <= len(order):
        raise DataError(
            f"{len(order)} speakers cannot be dealt into {n} folds: expected 2 to {len(order)}; "
            "change --folds or add speakers."
        )
    return {speaker: i % n for i, speaker in enumerate(order)}


def take(examples: Sequence[Example], n: int) -> list[Example]:
    """Return the examples of at most ``n`` speakers, drawn from all sets and genders in turn.

    A larger ``n`` keeps the speakers of a smaller one.
    """
    order = _order(examples)
    by_kind: dict[str, list[str]] = {}
    for speaker in order:
        by_kind.setdefault(speaker.partition("/")[0], []).append(speaker)
    # the i-th of k speakers of a set stands at (i + 1/2) / k: every prefix is a fair sample of the sets
    place = {s: ((i + 0.5) / len(own), s) for own in by_kind.values() for i, s in enumerate(_mixed(own))}
    firsts = {_mixed(own)[0] for own in by_kind.values()}
    chosen = set(sorted(place, key=lambda s: (s not in firsts, place[s]))[:n])
    return [e for e in examples if who(e) in chosen]


def spread_sample(
    examples: Sequence[E], n: int, kind: Callable[[E], tuple[str, ...]], name: Callable[[E], str]
) -> list[E]:
    """Return ``n`` examples, of all kinds in turn, always the same ones (by the hashes of their names)."""
    by_kind: dict[tuple[str, ...], list[E]] = {}
    for example in by_hash(examples, name):
        by_kind.setdefault(kind(example), []).append(example)
    turns = [(i, key, example) for key, own in by_kind.items() for i, example in enumerate(own)]
    return [example for *_, example in sorted(turns, key=lambda turn: turn[:2])[:n]]


def by_hash(examples: Iterable[E], name: Callable[[E], str]) -> list[E]:
    """Return the examples in an order that looks random and never changes: by the hash of their names."""
    return sorted(examples, key=lambda example: sha256(name(example).encode()).digest())


def who(example: Example) -> str:
    """Return what must not be on both sides of a fold: the speaker, or a sound's recording."""
    return example.speaker or example.group


def _order(examples: Sequence[Example]) -> list[str]:
    gender = {who(e): e.gender for e in examples}
    return sorted(gender, key=lambda name: (name.partition("/")[0], gender[name], name))


def _mixed(speakers: list[str]) -> list[str]:
    """Interleave a list ordered by gender, so that its beginning holds both."""
    half = -(-len(speakers) // 2)
    return [s for pair in zip(speakers[:half], [*speakers[half:], ""], strict=False) for s in pair if s]
