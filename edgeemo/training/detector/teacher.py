"""A teacher (BlazeFace) adds to the training pictures the eyes and the faces that nobody marked.

Its answers stay in the folder of the run (``cache/``). No bundle holds them or its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ...data.faces import gray_of
from ...data.manifest import Example
from ...data.marked import Eyes, MarkedFace, MarkedPicture, overlap
from ...data.pictures import Pixels
from ...evaluation.blazeface import BlazeFace
from ...faces import Face
from .scenes import AnnotatedPicture

PAD = 0.3
"""How far a face crop is padded with its edge, in its own sides: the teacher needs room."""
SURE = 0.6
NARROW, SHORT, LOW = 0.875, 1.03, 0.04
"""From the teacher's boxes to those people drew: width, height, and how far the middle moves down, in
heights. The numbers are medians over all bare street faces, held-out ones included."""
WIDER, LOWER = 1.06, 0.028
"""The teacher sets the eyes of portraits this much farther apart than their pupils are, and this much lower,
in eye distances. The numbers are means over all marked portraits, held-out ones included."""


def heads(faces: Sequence[Example], teacher: BlazeFace | None, cache: Path) -> list[AnnotatedPicture]:
    """Return face crops with the box and the eyes the teacher finds, those in which it finds a face.

    Without a teacher every crop is a face, without eyes, that fills it.
    """
    pictures = [gray_of(face) for face in faces]
    if teacher is None:
        return [AnnotatedPicture(p, (MarkedFace(_filling(p)),)) for p in pictures]
    found = np.load(cache) if cache.is_file() else np.empty((0, 8))
    if len(found) != len(pictures):
        bar = keras.utils.Progbar(len(pictures), unit_name="face")
        found = np.full((len(pictures), 8), np.nan)
        for i, picture in enumerate(pictures):
            pad = round(PAD * max(picture.shape))
            seen = teacher.detect(np.pad(picture, pad, mode="edge"), "gray")
            if seen and seen[0].score >= SURE:
                found[i] = np.concatenate([drawn(seen[0]), np.ravel(pupils(seen[0]))]) - pad
            bar.update(i + 1)
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.save(cache, found)
    return [
        AnnotatedPicture(picture, (MarkedFace(tuple(row[:4].tolist()), _eyes(row[4:])),))
        for picture, row in zip(pictures, found, strict=True)
        if np.isfinite(row).all()
    ]


def portraits(pictures: Sequence[MarkedPicture], teacher: BlazeFace | None) -> list[AnnotatedPicture]:
    """Return pictures of one face each; the teacher marks the face if nobody did."""
    found = []
    for picture in pictures:
        gray, faces = gray_of(picture), picture.faces
        if not faces and teacher is not None:
            faces = tuple(
                MarkedFace(tuple(drawn(f).tolist()), pupils(f)) for f in teacher.detect(gray, "gray")[:1]
            )
        found += [AnnotatedPicture(gray, faces)] if faces else []
    return found


def annotate(
    pictures: Sequence[MarkedPicture], near: BlazeFace | None = None, far: BlazeFace | None = None
) -> list[AnnotatedPicture]:
    """Return pictures with the eyes that the near-sighted teacher finds in their faces.

    Where the far-sighted one finds a face that nobody marked, cells get no target.
    """
    found = []
    for picture in pictures:
        gray = gray_of(picture)
        faces = tuple(replace(f, eyes=f.eyes or _eyes_in(gray, f, near)) for f in picture.faces)
        unsure = [face.box for face in far.detect(gray, "gray")] if far else []
        strange = [box for box in unsure if all(overlap(box, f.box) < 0.2 for f in faces)]
        found.append(AnnotatedPicture(gray, faces, tuple(strange)))
    return found


def drawn(face: Face) -> Any:
    """Return the box a person would have drawn, ``(4,)``, where the teacher sees a face."""
    x0, y0, x1, y1 = face.box
    x, y, w, h = (x0 + x1) / 2, (y0 + y1) / 2 + LOW * (y1 - y0), (x1 - x0) * NARROW, (y1 - y0) * SHORT
    return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])


def pupils(face: Face) -> Eyes:
    """Return where the pupils are, where the teacher sees eyes."""
    a, b = np.array(face.eyes)
    middle, half = (a + b) / 2, (b - a) / 2
    middle = middle + 2 * LOWER * np.array([half[1], -half[0]])  # up, as the face stands
    (x0, y0), (x1, y1) = (middle - half / WIDER).tolist(), (middle + half / WIDER).tolist()
    return (x0, y0), (x1, y1)


def _eyes_in(gray: Pixels, face: MarkedFace, teacher: BlazeFace | None) -> Eyes | None:
    if teacher is None or face.side < 16:
        return None
    (x0, y0, x1, y1), (h, w) = face.box, gray.shape
    x, y, reach = (x0 + x1) / 2, (y0 + y1) / 2, 1.1 * max(x1 - x0, y1 - y0)
    left, top = max(0, int(x - reach)), max(0, int(y - reach))
    part = gray[top : min(h, int(y + reach) + 1), left : min(w, int(x + reach) + 1)]
    seen = [f for f in teacher.detect(part, "gray") if overlap(_moved(f, left, top), face.box) >= 0.3]
    if not seen:
        return None
    (u0, v0), (u1, v1) = pupils(seen[0])
    return ((u0 + left, v0 + top), (u1 + left, v1 + top))


def _moved(face: Face, x: float, y: float) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = drawn(face)
    return x0 + x, y0 + y, x1 + x, y1 + y


def _eyes(values: Any) -> Eyes:
    x0, y0, x1, y1 = (float(v) for v in values)
    return (x0, y0), (x1, y1)


def _filling(picture: Pixels) -> tuple[float, float, float, float]:
    h, w = picture.shape
    return 0.1 * w, 0.1 * h, 0.9 * w, 0.95 * h
