"""Pictures with marked faces, for the training and evaluation of detectors.

The table is a manifest with more columns. ``boxes`` holds ``kind:x0,y0,x1,y1``, separated by ``;``.
``eye0_x eye0_y eye1_x eye1_y`` are the pupils of the one face of a portrait, in pixels. A portrait without
boxes gets the box of its eyes, `box_with`. A detector must find faces of the kinds `BARE`, but not others,
for instance masked ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import DataError
from .manifest import Example, place_in, read_manifest, read_rows, write_manifest, write_rows

Box: TypeAlias = tuple[float, float, float, float]
Eyes: TypeAlias = tuple[tuple[float, float], tuple[float, float]]

BARE = frozenset({"face", "without_mask"})
WIDE, HIGH, BELOW = 2.30, 2.63, 0.69
"""The box of a frontal face, and how far its middle lies below the middle of the eyes, in eye distances.

These are medians of 108 bare faces in street photographs, with the eyes that BlazeFace finds.
"""
_NAMES = ("subject", "group", "split")
_EYES = ("eye0_x", "eye0_y", "eye1_x", "eye1_y")


@dataclass(frozen=True)
class MarkedFace:
    """A box, and the eyes if known, the left one first, in pixels. A detector must find ``bare`` faces."""

    box: Box
    eyes: Eyes | None = None
    bare: bool = True

    @property
    def side(self) -> float:
        """The side of the square as large as the box."""
        return float(((self.box[2] - self.box[0]) * (self.box[3] - self.box[1])) ** 0.5)


@dataclass(frozen=True)
class MarkedPicture(Example):
    """A picture (``path``) and all faces in it; people marked the eyes of a ``portrait``."""

    faces: tuple[MarkedFace, ...] = field(default=(), kw_only=True)
    portrait: bool = field(default=False, kw_only=True)


def box_with(eyes: Eyes) -> Box:
    """Return the box that goes with the eyes of a frontal face."""
    (x0, y0), (x1, y1) = eyes
    d = max(1.0, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2 + BELOW * d
    return x - WIDE * d / 2, y - HIGH * d / 2, x + WIDE * d / 2, y + HIGH * d / 2


def overlap(a: Box, b: Box) -> float:
    """Return intersection over union."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    both = w * h
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


def read_marked(path: Path, *, required: bool = True) -> list[MarkedPicture]:
    """Read a table of marked pictures.

    Args:
        path: the table.
        required: refuse a table without marks; else the pictures of a plain manifest have no faces.

    Raises:
        DataError: the table cannot be read, or a row cannot be used; the message names the line.
    """
    path = Path(path)
    rows = read_rows(path)
    if rows and "path" in rows[0][1] and {"boxes", "eye0_x"} & set(rows[0][1]):
        return [_picture(row, path.parent, where) for where, row in rows]
    if required:
        raise DataError(f"{path.name} marks no faces: expected the columns path, and boxes or {_EYES}.")
    return [MarkedPicture(path=e.path, split=e.split) for e in read_manifest(path)]


def write_marked(path: Path, pictures: Iterable[MarkedPicture]) -> None:
    """Write a table for `read_marked`, whole or not at all; only portraits keep their eyes.

    Raises:
        DataError: as `edgeemo.data.manifest.write_manifest`.
    """
    rows = []
    for p in pictures:
        eyes = p.faces[0].eyes if p.portrait else None
        points = [f"{v:.2f}" for point in eyes for v in point] if eyes else [""] * 4
        boxes = [
            f"{'without_mask' if face.bare else 'with_mask'}:{','.join(f'{v:g}' for v in face.box)}"
            for face in p.faces
        ]
        names = {name: getattr(p, name) for name in _NAMES}
        marks = {**dict(zip(_EYES, points, strict=True)), "boxes": "" if p.portrait else ";".join(boxes)}
        rows.append({"path": place_in(Path(path).parent, p), **names, **marks})
    write_rows(Path(path), ["path", *_NAMES, *_EYES, "boxes"], rows)


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write a manifest, with the marks of faces if the examples have them.

    Raises:
        DataError: as `edgeemo.data.manifest.write_manifest`.
    """
    marked = [example for example in examples if isinstance(example, MarkedPicture)]
    if marked:
        write_marked(path, marked)
    else:
        write_manifest(path, examples)


def _picture(row: Mapping[str, Any], folder: Path, where: str) -> MarkedPicture:
    given = {name: str(row.get(name, "")).strip() for name in (*_EYES, "boxes", "path", *_NAMES)}
    try:
        faces = [_face(text) for text in given["boxes"].split(";") if text]
        portrait = bool(given["eye0_x"])
        if portrait:
            x0, y0, x1, y1 = points = [float(given[name]) for name in _EYES]
            if not all(map(isfinite, points)):
                raise ValueError(f"the eyes are at {points}")
            eyes = ((x0, y0), (x1, y1)) if x0 <= x1 else ((x1, y1), (x0, y0))
            first = MarkedFace(faces[0].box if faces else box_with(eyes), eyes)
            faces = [first, *faces[1:]]
    except ValueError as error:
        raise DataError(
            f"{where}: {error}; boxes are written kind:x0,y0,x1,y1;… and eyes as four numbers, in pixels."
        ) from error
    names: dict[str, Any] = {name: given[name] for name in _NAMES}
    return MarkedPicture(path=folder / given["path"], faces=tuple(faces), portrait=portrait, **names)


def _face(text: str) -> MarkedFace:
    kind, _, numbers = text.rpartition(":")
    x0, y0, x1, y1 = map(float, numbers.split(","))
    if not (x0 < x1 and y0 < y1):
        raise ValueError(f"the box {text} is inverted or empty")
    return MarkedFace((x0, y0, x1, y1), bare=(kind or "face") in BARE)
