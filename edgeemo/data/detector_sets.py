"""The readers of pictures with faces marked, and of scenes without any.

The data page shows the folder layout. ``detection.csv`` (see `edgeemo.data.marked`) marks the faces of
``masks`` (street and news photographs) and the pupils of ``photos`` (portraits). ``no_face`` holds scenes.

A fifth of each is ``valid``. Portraits are split by people. Street photographs are split by groups that look
alike, because the set has many takes of one scene; their thumbnails show which are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..card import DataSource
from .dataset import Dataset
from .faces import gray_of, opencv
from .manifest import Example
from .marked import MarkedPicture, read_marked

VALID = 5
"""One of so many people, groups or scenes is for validation."""
ALIKE = 0.93
"""The least correlation of thumbnails in one group."""

BLAZEFACE = DataSource(
    "BlazeFace (Bazarevsky et al. 2019)",
    "Apache-2.0",
    "teacher: eyes in the training pictures, and faces nobody marked",
    "https://arxiv.org/abs/1907.05047",
)


def held_out(name: str) -> bool:
    """Return whether a person, group or scene of this name is for validation."""
    return int.from_bytes(sha256(name.encode()).digest()[:4], "big") % VALID == 0


def groups_of(pictures: Sequence[npt.NDArray[np.uint8]]) -> list[int]:
    """Return a group for each gray picture: the number of the first picture that looks alike."""
    cv2 = opencv()
    rows = np.stack([cv2.resize(p, (24, 24), interpolation=cv2.INTER_AREA).ravel() for p in pictures])
    z = rows.astype(np.float64) - rows.mean(1, keepdims=True)
    z /= np.linalg.norm(z, axis=1, keepdims=True) + 1e-9
    alike = z @ z.T >= ALIKE
    group = np.arange(len(pictures))
    for i in range(len(pictures)):
        joined = np.isin(group, group[np.flatnonzero(alike[i])])
        group[joined] = group[joined].min()
    return [int(g) for g in group]


@lru_cache(maxsize=4)
def _marked(data: Path, portraits: bool) -> tuple[MarkedPicture, ...]:
    pictures = read_marked(data / "detection.csv")
    found = [p for p in pictures if ((p.path or data).parent.name == "photos") is portraits]
    if portraits:
        return tuple(replace(p, group=p.subject) for p in found)
    group = groups_of([gray_of(p) for p in found])
    return tuple(
        replace(p, subject="", group=f"street-{(found[g].path or Path()).stem}")
        for p, g in zip(found, group, strict=True)
    )


def _street(data: Path, split: str) -> Iterator[Example]:
    return (p for p in _marked(data, False) if held_out(p.group) == (split == "valid"))


def _portraits(data: Path, split: str) -> Iterator[Example]:
    """Yield portraits; those without marked pupils are for training only: its teacher marks them."""
    own = (p for p in _marked(data, True) if held_out(p.group) == (split == "valid"))
    return (p for p in own if p.portrait or split == "train")


def _scenes(data: Path, split: str) -> Iterator[Example]:
    paths = sorted((data / "no_face").glob("*.jpg"))
    if not paths:
        raise FileNotFoundError(2, "no pictures", str(data / "no_face"))
    taken = (path for i, path in enumerate(paths) if (i % VALID == 0) == (split == "valid"))
    return (MarkedPicture(path=path, group=path.stem) for path in taken)


_SPLITS = ("train", "valid")
_STREET = DataSource("Face mask detection photographs", "said to be CC0, not verified", "faces in the street")
_PORTRAITS = DataSource("Face Research Lab London Set and Canada portraits", "CC BY 4.0", "faces and pupils")
_SCENES = DataSource("Scenes without faces from Pixabay", "Pixabay licence", "pictures without faces")
MARKED = {
    "street": Dataset((), _STREET, "unclear", _SPLITS, _street),
    "portraits": Dataset((), _PORTRAITS, "cleared", _SPLITS, _portraits),
    "scenes": Dataset((), _SCENES, "cleared", _SPLITS, _scenes),
}
