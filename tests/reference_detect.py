"""A slow, clear reference of the detector's post-processing, and its inverse: from faces to heads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from edgeemo.faces import DetectorSpec, Face
from edgeemo.frontends import Alignment

Floats = NDArray[np.float32]
Heads = tuple[Floats, Floats, Floats]
Doubles = NDArray[np.float64]


def cells(spec: DetectorSpec) -> Iterator[tuple[int, int, int]]:
    """(column, row, stride) of each cell in the order of the heads."""
    stride = spec.least_stride
    while stride <= spec.most_stride:
        for row in range(spec.height // stride):
            for column in range(spec.width // stride):
                yield column, row, stride
        stride *= 2


def overlap_of(a: Doubles, b: Doubles) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(w * h / (areas - w * h))


def merged(faces: list[tuple[float, Doubles]], spec: DetectorSpec) -> tuple[float, Doubles]:
    if spec.merge == "best":
        return faces[0]
    weights = np.array([score for score, _ in faces])
    return faces[0][0], np.array([values for _, values in faces]).T @ weights / weights.sum()


def decode(heads: Heads, spec: DetectorSpec, at: Alignment) -> list[Face]:
    logits, boxes, eyes = (head.astype(np.float64) for head in heads)
    found = []
    for (column, row, stride), logit, (dx, dy, w, h), points in zip(
        cells(spec), logits, boxes, eyes.reshape(-1, 2, 2), strict=True
    ):
        score = 1 / (1 + np.exp(-(spec.score_scale * logit + spec.score_bias)))
        middle = np.array([(column + 0.5 + dx) * stride, (row + 0.5 + dy) * stride])
        sides = stride * np.exp(np.clip([w, h], -4, 8))
        values = np.concatenate([middle - sides / 2, middle + sides / 2, (middle + points * sides).ravel()])
        if score >= spec.least_score:
            found.append((float(score), values))
    found = sorted(found, key=lambda face: -face[0])[:512]
    kept: list[tuple[float, Doubles]] = []
    while found and len(kept) < spec.most_faces:
        same = [face for face in found if overlap_of(found[0][1][:4], face[1][:4]) >= spec.overlap]
        kept.append(merged(same, spec))
        found = [face for face in found if not any(face is other for other in same)]
    return [in_picture(score, values, at) for score, values in kept]


def in_picture(score: float, values: Doubles, at: Alignment) -> Face:
    x0, y0, x1, y1 = values[:4]
    x, y = at.to_picture((x0 + x1) / 2, (y0 + y1) / 2)
    w, h = (x1 - x0) * at.scale / 2, (y1 - y0) * at.scale / 2
    eyes = sorted([at.to_picture(*values[4:6]), at.to_picture(*values[6:8])])
    return Face((x - w, y - h, x + w, y + h), eyes, score)


def heads_with(faces: Iterable[Face], spec: DetectorSpec, stride: int) -> Heads:
    """Return heads that hold the faces (in pixels of the input) in the cells of one grid."""
    where = {cell: i for i, cell in enumerate(cells(spec))}
    logits = np.full(spec.cells, -20, np.float32)
    boxes, eyes = np.zeros((spec.cells, 4), np.float32), np.zeros((spec.cells, 4), np.float32)
    for face in faces:
        x0, y0, x1, y1 = face.box
        middle, sides = np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0])
        column, row = (middle // stride).astype(int)
        i = where[(int(column), int(row), stride)]
        logits[i] = (np.log(face.score / (1 - face.score)) - spec.score_bias) / spec.score_scale
        boxes[i, :2], boxes[i, 2:] = middle / stride - (column + 0.5, row + 0.5), np.log(sides / stride)
        eyes[i] = ((np.array(face.eyes) - middle) / sides).ravel()
    return logits, boxes, eyes
