"""The readers of FER+ and FER2013: two sets of labels for the same faces of 48 × 48 gray pixels.

FER+ has the votes of ten people on each face; FER2013 has the seven labels of the first release.

The data page shows the folder layout: ``ferplus/sheet_NN.webp`` with 32 × 32 faces, row by row, and
``ferplus/labels.npz`` in the same order. The readers leave out:

- from FER+, faces that most people called ``unknown`` or no face (``NF``), as its makers do; from FER2013,
  faces without a label or with several;
- from validation, near copies of training pictures (``leaks_from_train``);
- all but the first of each group of pictures equal to the pixel, in training and in validation.

The votes ``unknown`` and ``NF`` on other faces do not count: the other votes are the distribution. A face's
label has the most votes; among equals the earlier in `FACE_LABELS`. ``ferplus-majority`` has only faces on
which more than half of the ten votes agree, as in the paper (arXiv:1608.01041).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..card import DataSource
from ..errors import DataError
from .dataset import Dataset
from .faces import part_of, read_face
from .manifest import Example

FACE_LABELS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
)  # fmt: skip
FER2013_LABELS = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness", "sad": "sadness",
    "surprise": "surprise", "neutral": "neutral",
}  # fmt: skip
"""FER2013's words and ours."""
SIDE, ACROSS = 48, 32
"""Pixels of a face, and faces across a sheet."""
USAGE = {"train": 0, "valid": 1}


@dataclass(frozen=True)
class VotedFace(Example):
    """A face and its votes, in the order of `FACE_LABELS`."""

    votes: tuple[int, ...] = field(default=(), kw_only=True)


def _ferplus(data: Path, split: str) -> Iterator[VotedFace]:
    table = _table(data)
    names = [str(name) for name in table["vote_names"]]
    if names[: len(FACE_LABELS)] != list(FACE_LABELS):
        raise DataError(f"ferplus/labels.npz has votes on {', '.join(names)}; expected FER+'s order.")
    for i, path in _faces(data, split, table, table["votes"].argmax(1) < len(FACE_LABELS)):
        votes = tuple(table["votes"][i, : len(FACE_LABELS)].tolist())
        yield VotedFace(path=path, labels=(FACE_LABELS[int(np.argmax(votes))],), votes=votes)


def _majority(data: Path, split: str) -> Iterator[VotedFace]:
    table = _table(data)
    agreed = 2 * table["votes"].max(1).astype(np.int64) > table["votes"].sum(1)
    paths = {path for _, path in _faces(data, split, table, agreed)}
    return (face for face in _ferplus(data, split) if face.path in paths)


def _fer2013(data: Path, split: str) -> Iterator[Example]:
    table = _table(data)
    names = [str(name) for name in table["fer2013_names"]]
    if not set(names) <= set(FER2013_LABELS):
        raise DataError(f"ferplus/labels.npz has FER2013's labels {', '.join(names)}; expected its seven.")
    for i, path in _faces(data, split, table, table["fer2013"] >= 0):
        yield Example(path=path, labels=(FER2013_LABELS[names[table["fer2013"][i]]],))


def _table(data: Path) -> Mapping[str, Any]:
    with np.load(data / "ferplus" / "labels.npz", allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def _faces(
    data: Path, split: str, table: Mapping[str, Any], labelled: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, Path]]:
    """Yield row and path of the ``labelled`` faces of a split, without leaks and doubles."""
    taken = (table["usage"] == USAGE[split]) & labelled
    if split == "valid":
        taken &= ~table["leaks_from_train"]
    seen: set[bytes] = set()
    for i in np.flatnonzero(taken).tolist():
        sheet, place = divmod(i, ACROSS * ACROSS)
        y, x = divmod(place, ACROSS)
        path = part_of(data / "ferplus" / f"sheet_{sheet:02}.webp", x * SIDE, y * SIDE, SIDE, SIDE)
        if table["exact_dup_group_size"][i] > 1:
            pixels = read_face(Example(path=path))[0].tobytes()
            if pixels in seen:
                continue
            seen.add(pixels)
        yield i, path


_FERPLUS = DataSource(
    "FER+",
    "votes MIT; pictures found by web search (FER2013), no licence known",
    "labels",
    "https://github.com/microsoft/FERPlus",
)
_FER2013 = DataSource(
    "FER2013",
    "pictures and labels found by web search (arXiv:1307.0414), no licence known",
    "labels",
    "https://arxiv.org/abs/1307.0414",
)

FACE = {
    "ferplus": Dataset(FACE_LABELS, _FERPLUS, "unclear", ("train", "valid"), _ferplus),
    "ferplus-majority": Dataset(FACE_LABELS, _FERPLUS, "unclear", ("train", "valid"), _majority),
    "fer2013": Dataset(
        tuple(label for label in FACE_LABELS if label in FER2013_LABELS.values()),
        _FER2013,
        "unclear",
        ("train", "valid"),
        _fer2013,
    ),
}
