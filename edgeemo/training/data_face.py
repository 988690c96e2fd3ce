"""The reader of FER+: faces of 48 × 48 gray pixels and the votes of ten people on each.

The folder layout is that of the data page: ``ferplus/sheet_NN.webp`` of 32 × 32 faces, row by row, and
``ferplus/labels.npz`` in the same order. Of its faces are left out:

- those that most people called ``unknown`` or no face (``NF``), as the makers of FER+ do;
- of validation, near copies of training pictures (``leaks_from_train``);
- all but the first of each group of pictures equal to the pixel, in training and in validation.

The votes ``unknown`` and ``NF`` of the others are not counted: what is left of the ten is the distribution. A
face's label is its top vote; of equal votes the one earlier in `FACE_LABELS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..card import DataSource
from ..errors import DataError
from ..evaluation.faces import part_of, read_face
from ..manifest import Example
from .dataset import Dataset

FACE_LABELS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
)  # fmt: skip
SIDE, ACROSS = 48, 32
"""Pixels of a face, and faces across a sheet."""
USAGE = {"train": 0, "valid": 1}


@dataclass(frozen=True)
class VotedFace(Example):
    """A face and how many people saw what in it, in the order of `FACE_LABELS`."""

    votes: tuple[int, ...] = field(default=(), kw_only=True)


def _ferplus(data: Path, split: str) -> Iterator[VotedFace]:
    with np.load(data / "ferplus" / "labels.npz", allow_pickle=False) as found:
        table = {name: found[name] for name in found.files}
    names = [str(name) for name in table["vote_names"]]
    if names[: len(FACE_LABELS)] != list(FACE_LABELS):
        raise DataError(f"ferplus/labels.npz has votes on {', '.join(names)}; expected FER+'s order.")
    taken = (table["usage"] == USAGE[split]) & (table["votes"].argmax(1) < len(FACE_LABELS))
    if split == "valid":
        taken &= ~table["leaks_from_train"]
    seen: set[bytes] = set()
    for i in np.flatnonzero(taken).tolist():
        sheet, place = divmod(i, ACROSS * ACROSS)
        y, x = divmod(place, ACROSS)
        path = part_of(data / "ferplus" / f"sheet_{sheet:02}.webp", x * SIDE, y * SIDE, SIDE, SIDE)
        votes = tuple(table["votes"][i, : len(FACE_LABELS)].tolist())
        face = VotedFace(path=path, labels=(FACE_LABELS[int(np.argmax(votes))],), votes=votes)
        if table["exact_dup_group_size"][i] > 1:
            pixels = read_face(face)[0].tobytes()
            if pixels in seen:
                continue
            seen.add(pixels)
        yield face


FACE = {
    "ferplus": Dataset(
        FACE_LABELS,
        DataSource(
            "FER+",
            "votes MIT; pictures found by web search (FER2013), no licence known",
            "labels",
            "https://github.com/microsoft/FERPlus",
        ),
        "unclear",
        ("train", "valid"),
        _ferplus,
    )
}
