"""Scenes for a detector to learn from: views of real pictures, and faces pasted where there were none.

A *view* is an input of the detector: a crop of a picture, sampled by the frontend itself. A *head* is a face
with its surroundings, to be pasted into a view. Its edge is soft, an ellipse or a square, and its light is
that of the place it covers. Pieces of scenes are pasted in the same way as *distractors*, so that neither an
edge nor a blur gives a face away.
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

from ...data.marked import MarkedFace, overlap
from ...frontends import Alignment, FaceFrontend, FaceSpec

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.float32]
"""Faces ``(n, 9)`` in pixels of a view: box, eyes (NaN if unknown), and whether it is a target: 1, or 0.
One half is a masked face too small for a target; another face may take its place."""

_T = TypeVar("_T")

LEAST = 7.0
"""The least side of a target face, in pixels."""
MASKED_LEAST = 18.0
"""The least side of a masked one: a smaller one is a white patch, as are many other things."""
SEEN = 0.6
"""The share of a target face that must lie in the view."""


@dataclass(frozen=True)
class AnnotatedPicture:
    """A gray picture and its faces; the boxes ``unsure`` have no target."""

    picture: Pixels
    faces: tuple[MarkedFace, ...] = ()
    unsure: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class ScenePool:
    """The pictures that scenes are made of.

    ``street`` and ``portraits`` are whole pictures, ``empty`` those without a face; ``heads`` are small crops
    and ``sharp`` ones are portraits, each with its one face.
    """

    street: Sequence[AnnotatedPicture]
    portraits: Sequence[AnnotatedPicture]
    empty: Sequence[AnnotatedPicture]
    heads: Sequence[AnnotatedPicture]


KINDS = {"street": 0.42, "heads": 0.2, "made": 0.22, "portrait": 0.1, "empty": 0.06}
"""Kinds of scenes and their shares; ``heads`` are street views with other faces."""


def scene(pool: ScenePool, frontend: FaceFrontend, rng: np.random.Generator) -> tuple[Pixels, Rows]:
    """Make a scene: a gray picture ``(height, width)`` of the detector's input, and its faces."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    pictures: Sequence[Any] = {"portrait": pool.portraits, "empty": pool.empty, "made": pool.empty}.get(
        kind, pool.street
    )
    annotated = (
        draw_one(pictures, rng) if len(pictures) else AnnotatedPicture(np.full((64, 64), 128, np.uint8))
    )
    x, rows = view(annotated, frontend, rng)
    if kind == "heads":
        x, rows = replace_faces(x, rows, pool, rng)
    elif kind == "made":
        x, rows = add_faces(x, rows, pool, rng)
    if kind in ("made", "empty") or rng.random() < 0.15:
        x = add_distractors(x, rows, pool, rng)
    x = degrade(x, rng)
    return np.asarray(np.clip(np.rint(x), 0, 255), np.uint8), rows


def draw_one(things: Sequence[_T], rng: np.random.Generator) -> _T:
    """Draw one."""
    return things[int(rng.integers(len(things)))]


def view(
    annotated: AnnotatedPicture, frontend: FaceFrontend, rng: np.random.Generator
) -> tuple[Floats, Rows]:
    """Return a picture as the detector reads it: whole, or a part about one of its faces."""
    spec, (h, w) = frontend.spec, annotated.picture.shape
    whole = max(w / spec.width, h / spec.height)
    scale = whole * rng.uniform(0.95, 1.25)
    x, y = w / 2, h / 2
    turn = 0.0
    if annotated.faces and rng.random() < 0.6:  # one of its faces, at a size of our choice
        face = draw_one(annotated.faces, rng)
        wanted = exp(rng.uniform(log(9), log(0.6 * min(spec.width, spec.height))))
        scale = float(np.clip(face.side / wanted, 0.25, whole * 1.4))
        x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
        x += rng.uniform(-0.5, 0.5) * (spec.width * scale - face.side)
        y += rng.uniform(-0.5, 0.5) * (spec.height * scale - face.side)
        turn = rng.uniform(-20, 20) if rng.random() < 0.4 else 0.0
    elif not annotated.faces:
        scale = whole * exp(rng.uniform(log(0.25), log(1.1)))
        x, y = x + rng.uniform(-0.5, 0.5) * w * 0.7, y + rng.uniform(-0.5, 0.5) * h * 0.7
    # inside the picture, where it is large enough; then a letterbox is one of the device
    x, y = _inside(x, spec.width * scale, w), _inside(y, spec.height * scale, h)
    a, b = scale * cos(radians(turn)), scale * sin(radians(turn))
    u, v = spec.width / 2, spec.height / 2
    crop = Alignment(a=a, b=b, x=x - a * u + b * v, y=y - b * u - a * v)
    found = frontend.compute(annotated.picture, "gray", crop=crop)[..., 0] * 255
    return found, rows_of(annotated, crop, spec)


def _inside(middle: float, length: float, whole: float) -> float:
    return whole / 2 if length >= whole else float(np.clip(middle, length / 2, whole - length / 2))


def rows_of(annotated: AnnotatedPicture, crop: Alignment, spec: FaceSpec) -> Rows:
    """Return a picture's faces in pixels of a crop, those without a target too."""
    rows = []
    boxes = [(f.box, f.eyes, LEAST if f.bare else MASKED_LEAST) for f in annotated.faces]
    boxes += [(box, None, np.inf) for box in annotated.unsure]
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


# --- faces pasted into views ---


@lru_cache(maxsize=512)
def _sampler(width: int, height: int) -> FaceFrontend:
    return FaceFrontend(FaceSpec(width=int(width), height=int(height)))


def paste_face(
    x: Floats, head: AnnotatedPicture, box: npt.NDArray[Any], rng: np.random.Generator, wide: float = 1.0
) -> Rows | None:
    """Paste a head's face into ``box``, in place; return its row, or None if it does not fit.

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
    placed = AnnotatedPicture(head.picture, (face,))
    row = rows_of(
        placed, Alignment(a=a, b=b, x=crop.x - a * x0 + b * y0, y=crop.y - b * x0 - a * y0),
        FaceSpec(width=min(512, w), height=min(512, h)),
    )  # fmt: skip
    return row if len(row) else None


def replace_faces(x: Floats, rows: Rows, pool: ScenePool, rng: np.random.Generator) -> tuple[Floats, Rows]:
    """Replace faces by others."""
    x, rows = x.copy(), rows.copy()
    for i in range(len(rows)):
        if not pool.heads or rows[i, 8] < 0.5 or rng.random() < 0.25:
            continue
        found = paste_face(x, draw_one(pool.heads, rng), rows[i, :4], rng)
        if found is not None:
            rows[i] = found[0]
    return x, rows


def add_faces(x: Floats, rows: Rows, pool: ScenePool, rng: np.random.Generator) -> tuple[Floats, Rows]:
    """Paste one to five faces where there were none."""
    x, (h, w) = x.copy(), x.shape
    for _ in range(int(rng.integers(1, 6))):
        from_portrait = rng.random() < 0.3 or not pool.heads
        pictures = pool.portraits if from_portrait else pool.heads
        if not len(pictures):
            break
        side = exp(rng.uniform(log(9), log((0.7 if from_portrait else 0.4) * min(w, h))))
        size = np.array([side * 0.93, side * 1.07]) / 2
        middle = rng.uniform(size * 0.8, [w, h] - size * 0.8)
        box = np.concatenate([middle - size, middle + size])
        if any(overlap(tuple(box), tuple(row[:4])) > 0.02 for row in rows):
            continue
        wide = rng.uniform(1.0, 1.7) if from_portrait else 1.0
        found = paste_face(x, draw_one(pictures, rng), box, rng, wide)
        if found is not None:
            rows = np.concatenate([rows, found])
    return x, rows


def add_distractors(x: Floats, rows: Rows, pool: ScenePool, rng: np.random.Generator) -> Floats:
    """Paste pieces of scenes, as faces are pasted, where no face is."""
    if not pool.empty:
        return x
    x, (h, w) = x.copy(), x.shape
    for _ in range(int(rng.integers(0, 4))):
        annotated = draw_one(pool.empty, rng)
        side = exp(rng.uniform(log(9), log(0.5 * min(w, h))))
        size = np.array([side * 0.93, side * 1.07]) / 2
        middle = rng.uniform([0, 0], [w, h])
        box = np.concatenate([middle - size, middle + size])
        if any(overlap(tuple(box * 1.0), tuple(row[:4])) > 0 for row in rows):
            continue
        ph, pw = annotated.picture.shape
        own = rng.uniform(0.1, 0.4) * min(ph, pw)
        u, v = rng.uniform(own, pw - own), rng.uniform(own, ph - own)
        face = MarkedFace((u - own * 0.46, v - own * 0.54, u + own * 0.46, v + own * 0.54))
        paste_face(x, AnnotatedPicture(annotated.picture, (face,)), box, rng)
    return x


def degrade(x: Floats, rng: np.random.Generator) -> Floats:
    """Return a view as a worse camera would take it: light, blur, noise, JPEG; black stays black."""
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
