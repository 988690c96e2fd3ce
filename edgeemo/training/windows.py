"""Long texts for a teacher that reads short ones: windows of words, and the answer of the whole text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..manifest import Example
from ..types import FloatArray

WORDS, IDS = 95, 128
"""Words in a window, and the ids they need: an English word is about 1.3 pieces."""

Owners = npt.NDArray[np.int64]


def windows(texts: Sequence[str], count: int, rng: np.random.Generator) -> tuple[list[str], Owners]:
    """Cut ``count`` windows out of every text, one at random in each part; a short text is its own window.

    Returns:
        the windows in the order of the texts, and for each the index of its text.
    """
    found: list[str] = []
    owners: list[int] = []
    for owner, text in enumerate(texts):
        words = text.split()
        spare = len(words) - WORDS
        starts = [int(spare * (i + rng.random()) / count) for i in range(count)] if spare > 0 else [0]
        found += [" ".join(words[start : start + WORDS]) for start in starts]
        owners += [owner] * len(starts)
    return found, np.array(owners, np.int64)


def opened(part: dict[str, list[Example]], count: int, rng: np.random.Generator) -> dict[str, list[Example]]:
    """Return a part of the material with every example as its windows, each annotated like the whole."""
    found = {}
    for name, examples in part.items():
        texts, owners = windows([e.text or "" for e in examples], count, rng)
        found[name] = [replace(examples[i], text=text) for text, i in zip(texts, owners, strict=True)]
    return found


def whole(answers: FloatArray, owners: Owners) -> FloatArray:
    """Return what a text's windows say together: the mean of their logits.

    Args:
        answers: ``(windows, labels)``, in the order of the texts.
        owners: as `windows` gives them; no text is without a window.
    """
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    return np.asarray(np.add.reduceat(answers, first) / np.bincount(owners)[:, None], np.float32)
