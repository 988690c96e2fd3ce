"""Pictures to learn to find faces in: views of real pictures, and faces put where there were none.

A *view* is what the detector's input would be: a crop of a picture, sampled by the frontend itself. A *head*
is a face with what is around it, to be put into a view: softly, in an ellipse or a square, lit like what it
covers. Pieces of scenes are put in the same way, so that neither an edge nor a blur says that there is a
face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, exp, log, radians, sin
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from ..data.marked import MarkedFace, overlap
from ..frontends import Alignment, FaceFrontend, FaceSpec

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.float32]
"""Faces ``(n, 9)`` in pixels of a view: box, eyes (NaN if unknown), and whether they are asked for: 1, or 0;
a half is a masked face too small to ask for, in whose place another may be put."""

_T = TypeVar("_T")

LEAST = 7.0
"""Pixels a face must be large to be asked for."""
MASKED_LEAST = 18.0
"""The same of a masked one: smaller, it is a white patch, and so is much else."""
SEEN = 0.6
"""The share of a face that must lie in the view."""


@dataclass(frozen=True)
class Shot:
    """A gray picture and its faces; ``unsure`` are boxes in which nothing is asked."""

    picture: Pixels
    faces: tuple[MarkedFace, ...] = ()
    unsure: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class Stock:
    """What scenes are made of.

    ``street`` and ``portraits`` are whole pictures, ``empty`` those without a face; ``heads`` are small crops
    and ``sharp`` ones are portraits, each with its one face.
    """

    street: Sequence[Shot]
    portraits: Sequence[Shot]
    empty: Sequence[Shot]
    heads: Sequence[Shot]


KINDS = {"street": 0.42, "heads": 0.2, "made": 0.22, "portrait": 0.1, "empty": 0.06}
"""Kinds of scenes and their shares; ``heads`` are street views in which faces have changed."""


def scene(stock: Stock, frontend: FaceFrontend, rng: np.random.Generator) -> tuple[Pixels, Rows]:
    """Make one: a gray picture ``(height, width)`` of the detector's input, and its faces."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    shots: Sequence[Any] = {"portrait": stock.portraits, "empty": stock.empty, "made": stock.empty}.get(
        kind, stock.street
    )
    shot = one_of(shots, rng) if len(shots) else Shot(np.full((64, 64), 128, np.uint8))
    x, rows = view(shot, frontend, rng)
    if kind == "heads":
        x, rows = changed(x, rows, stock, rng)
    elif kind == "made":
        x, rows = peopled(x, rows, stock, rng)
    if kind in ("made", "empty") or rng.random() < 0.15:
        x = littered(x, rows, stock, rng)
    x = spoilt(x, rng)
    return np.asarray(np.clip(np.rint(x), 0, 255), np.uint8), rows


def one_of(things: Sequence[_T], rng: np.random.Generator) -> _T:
    """Draw one."""
    return things[int(rng.integers(len(things)))]


def view(shot: Shot, frontend: FaceFrontend, rng: np.random.Generator) -> tuple[Floats, Rows]:
    """Return a picture as the detector reads it: whole, or coming nearer to one of its faces."""
    spec, (h, w) = frontend.spec, shot.picture.shape
    whole = max(w / spec.width, h / spec.height)
    scale = whole * rng.uniform(0.95, 1.25)
    x, y = w / 2, h / 2
    turn = 0.0
    if shot.faces and rng.random() < 0.6:  # one of its faces, at a size of our choice
        face = one_of(shot.faces, rng)
        wanted = exp(rng.uniform(log(9), log(0.6 * min(spec.width, spec.height))))
        scale = float(np.clip(face.side / wanted, 0.25, whole * 1.4))
        x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
        x += rng.uniform(-0.5, 0.5) * (spec.width * scale - face.side)
        y += rng.uniform(-0.5, 0.5) * (spec.height * scale - face.side)
        turn = rng.uniform(-20, 20) if rng.random() < 0.4 else 0.0
    elif not shot.faces:
        scale = whole * exp(rng.uniform(log(0.25), log(1.1)))
        x, y = x + rng.uniform(-0.5, 0.5) * w * 0.7, y + rng.uniform(-0.5, 0.5) * h * 0.7
    # inside the picture, where it is large enough; then a letterbox is one of the device
    x, y = _inside(x, spec.width * scale, w), _inside(y, spec.height * scale, h)
    a, b = scale * cos(radians(turn)), scale * sin(radians(turn))
    u, v = spec.width / 2, spec.height / 2
    crop = Alignment(a=a, b=b, x=x - a * u + b * v, y=y - b * u - a * v)
    found = frontend.compute(shot.picture, "gray", crop=crop)[..., 0] * 255
    return found, rows_of(shot, crop, spec)


def _inside(middle: float, length: float, whole: float) -> float:
    return whole / 2 if length >= whole else float(np.clip(middle, length / 2, whole - length / 2))


def rows_of(shot: Shot, crop: Alignment, spec: FaceSpec) -> Rows:
    """Return a picture's faces in pixels of a crop: those that can be asked for, and those that cannot."""
    rows = []
    boxes = [(f.box, f.eyes, LEAST if f.bare else MASKED_LEAST) for f in shot.faces]
    boxes += [(box, None, np.inf) for box in shot.unsure]
    for (x0, y0, x1, y1), eyes, least in boxes:
        (x, y), w, h = _into(crop, (x0 + x1) / 2, (y0 + y1) / 2), x1 - x0, y1 - y0
        w, h = w / crop.scale / 2, h / crop.scale / 2
        box = np.array([x - w, y - h, x + w, y + h])
        seen = np.clip(box, 0, [spec.width, spec.height] * 2)
        share = (seen[2] - seen[0]) * (seen[3] - seen[1]) / (4 * w * h)
        if share < 0.02:
            continue
        side = 2 * (w * h) ** 0.5 if share >= SEEN else 0.0
        asked = 1.0 if side >= least else 0.5 if side >= LEAST and least == MASKED_LEAST else 0.0
        points = [v for at in eyes for v in _into(crop, *at)] if eyes else [np.nan] * 4
        rows.append([*seen, *_ordered(points), asked])
    return np.array(rows, np.float32).reshape(-1, 9)


def _ordered(points: Sequence[float]) -> Sequence[float]:
    return points if not points[0] > points[2] else [*points[2:], *points[:2]]


def _into(crop: Alignment, x: float, y: float) -> tuple[float, float]:
    x, y, n = x - crop.x, y - crop.y, crop.a**2 + crop.b**2
    return (crop.a * x + crop.b * y) / n, (crop.a * y - crop.b * x) / n


# --- faces put into views ---


@lru_cache(maxsize=512)
def _sampler(width: int, height: int) -> FaceFrontend:
    return FaceFrontend(FaceSpec(width=int(width), height=int(height)))


def put(
    x: Floats, head: Shot, box: npt.NDArray[Any], rng: np.random.Generator, wide: float = 1.0
) -> Rows | None:
    """Put a head's face where ``box`` is, in place; return its row, or None if it does not fit.

    ``wide`` is how far beyond the box the head may reach: 1 is what blending needs.
    """
    face = head.faces[0]
    own, (h, w) = np.array(face.box), x.shape
    middle, side = (box[:2] + box[2:]) / 2, float(((box[2] - box[0]) * (box[3] - box[1])) ** 0.5)
    scale, turn = face.side / side, radians(rng.normal(0, 8))
    reach = np.array([0.5, 0.5]) * (own[2:] - own[:2]) / scale * rng.uniform(1.05, 1.35) * wide
    soft = rng.uniform(0.1, 0.35)
    x0, y0 = np.floor(middle - reach * 1.05).astype(int)
    x1, y1 = np.ceil(middle + reach * 1.05).astype(int)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, w), min(y1, h)
    if x1 - x0 < 8 or y1 - y0 < 8 or max(x1 - x0, y1 - y0) > 512:
        return None
    # patch (u, v) is view (x0 + u, y0 + v) is the head's picture at own middle + turned and scaled offset
    a, b = scale * cos(turn), scale * sin(turn)
    u, v = middle - (x0, y0)
    at = (own[:2] + own[2:]) / 2
    crop = Alignment(a=a, b=b, x=at[0] - a * u + b * v, y=at[1] - b * u - a * v)
    patch = _sampler(x1 - x0, y1 - y0).compute(head.picture, "gray", crop=crop)[..., 0] * 255
    gy, gx = np.mgrid[y0:y1, x0:x1] + 0.5
    r = np.stack([(gx - middle[0]) / reach[0], (gy - middle[1]) / reach[1]])
    power = 2.0 if rng.random() < 0.7 else 6.0
    far = (np.abs(r) ** power).sum(0) ** (1 / power)
    alpha = np.clip((1 - far) / soft, 0, 1).astype(np.float32)
    # no farther than the head's own picture, whose edge would be repeated
    hh, hw = head.picture.shape
    px, py = crop.x + a * (gx - x0) - b * (gy - y0), crop.y + b * (gx - x0) + a * (gy - y0)
    edge = np.minimum(np.minimum(px, hw - px), np.minimum(py, hh - py)) / (0.06 * face.side)
    alpha *= np.clip(edge, 0, 1).astype(np.float32)
    covered = x[y0:y1, x0:x1]
    mean, under = patch.mean(), float((covered * alpha).sum() / (alpha.sum() + 1e-6))
    lit = (patch - mean) * rng.uniform(0.6, 1.2) + mean + (under - mean) * rng.uniform(0, 0.8)
    x[y0:y1, x0:x1] = covered + alpha * (np.clip(lit, 0, 255) - covered)
    placed = Shot(head.picture, (face,))
    row = rows_of(
        placed, Alignment(a=a, b=b, x=crop.x - a * x0 + b * y0, y=crop.y - b * x0 - a * y0),
        FaceSpec(width=min(512, w), height=min(512, h)),
    )  # fmt: skip
    return row if len(row) else None


def changed(x: Floats, rows: Rows, stock: Stock, rng: np.random.Generator) -> tuple[Floats, Rows]:
    """Put other faces where there are some."""
    x, rows = x.copy(), rows.copy()
    for i in range(len(rows)):
        if not stock.heads or rows[i, 8] < 0.5 or rng.random() < 0.25:
            continue
        found = put(x, one_of(stock.heads, rng), rows[i, :4], rng)
        if found is not None:
            rows[i] = found[0]
    return x, rows


def peopled(x: Floats, rows: Rows, stock: Stock, rng: np.random.Generator) -> tuple[Floats, Rows]:
    """Put one to five faces where there were none."""
    x, (h, w) = x.copy(), x.shape
    for _ in range(int(rng.integers(1, 6))):
        from_portrait = rng.random() < 0.3 or not stock.heads
        shots = stock.portraits if from_portrait else stock.heads
        if not len(shots):
            break
        side = exp(rng.uniform(log(9), log((0.7 if from_portrait else 0.4) * min(w, h))))
        size = np.array([side * 0.93, side * 1.07]) / 2
        middle = rng.uniform(size * 0.8, [w, h] - size * 0.8)
        box = np.concatenate([middle - size, middle + size])
        if any(overlap(tuple(box), tuple(row[:4])) > 0.02 for row in rows):
            continue
        wide = rng.uniform(1.0, 1.7) if from_portrait else 1.0
        found = put(x, one_of(shots, rng), box, rng, wide)
        if found is not None:
            rows = np.concatenate([rows, found])
    return x, rows


def littered(x: Floats, rows: Rows, stock: Stock, rng: np.random.Generator) -> Floats:
    """Put pieces of scenes into a view, as faces are put, where no face is."""
    if not stock.empty:
        return x
    x, (h, w) = x.copy(), x.shape
    for _ in range(int(rng.integers(0, 4))):
        shot = one_of(stock.empty, rng)
        side = exp(rng.uniform(log(9), log(0.5 * min(w, h))))
        size = np.array([side * 0.93, side * 1.07]) / 2
        middle = rng.uniform([0, 0], [w, h])
        box = np.concatenate([middle - size, middle + size])
        if any(overlap(tuple(box * 1.0), tuple(row[:4])) > 0 for row in rows):
            continue
        ph, pw = shot.picture.shape
        own = rng.uniform(0.1, 0.4) * min(ph, pw)
        u, v = rng.uniform(own, pw - own), rng.uniform(own, ph - own)
        face = MarkedFace((u - own * 0.46, v - own * 0.54, u + own * 0.46, v + own * 0.54))
        put(x, Shot(shot.picture, (face,)), box, rng)
    return x


def spoilt(x: Floats, rng: np.random.Generator) -> Floats:
    """Return a view as a worse camera would have taken it: light, blur, noise, JPEG; black stays."""
    black = x <= 0  # the bars of a letterbox
    made: Any = x
    if rng.random() < 0.5:
        made = 255 * (made / 255) ** exp(rng.normal(0, 0.3))
    made = (made - 127.5) * rng.uniform(0.65, 1.2) + 127.5 + rng.uniform(-35, 35)
    if rng.random() < 0.3:
        made = cv2.GaussianBlur(made, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.4:
        made = made + rng.normal(0, rng.uniform(1, 9), made.shape)
    made = np.clip(made, 0, 255).astype(np.float32)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        _, data = cv2.imencode(".jpg", made.astype(np.uint8), quality)
        made = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)
    made[black] = 0
    return np.asarray(made, np.float32)
