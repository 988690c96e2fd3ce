"""Batches for detectors: scenes, mirrored and lit differently every epoch, and the targets of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...faces import DetectorSpec
from ...frontends import FaceFrontend
from ...types import FloatArray
from ..batches import Batch, batch_rows
from .scenes import AnnotatedPicture, Rows, ScenePool, rows_of, scene

CORE, RIM = 0.18, 0.35
"""A cell has a face if its middle lies within ``CORE`` sides of the face's middle, or if the face's middle
lies in it. From there up to ``RIM`` a cell has no target."""
GRID_LEAST, GRID_MOST, GRID_MAY = 2.0, 6.0, 1.5
"""The sides of the faces of a grid, in its strides. The finest grid also has all smaller faces, the coarsest
all larger ones. A grid has no target for a face up to ``GRID_MAY`` times beyond its sides."""


def cells_of(spec: DetectorSpec) -> FloatArray:
    """Return ``(cells, 3)``: the middle of each cell in pixels, and its stride, in the order of the heads."""
    grids, stride = [], spec.least_stride
    while stride <= spec.most_stride:
        y, x = np.mgrid[: spec.height // stride, : spec.width // stride]
        at = (np.stack([x.ravel(), y.ravel()], 1) + 0.5) * stride
        grids.append(np.concatenate([at, np.full((len(at), 1), stride)], 1))
        stride *= 2
    return np.concatenate(grids).astype(np.float32)


def target(rows: Rows, spec: DetectorSpec, cells: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the targets of cells: logits ``(cells,)`` and places ``(cells, 8)``; NaN means no target."""
    logits = np.zeros(len(cells), np.float32)
    places = np.full((len(cells), 8), np.nan, np.float32)
    stride = cells[:, 2]
    nearest = np.full(len(cells), np.inf, np.float32)
    for row in rows[np.argsort(-(rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1]), kind="stable")]:
        middle, sides = (row[:2] + row[2:4]) / 2, row[2:4] - row[:2]
        side = float(np.sqrt(sides.prod()))
        off = cells[:, :2] - middle
        if row[8] < 1:
            logits[(np.abs(off) <= np.maximum(sides / 2, stride[:, None] / 2)).all(1) & (logits == 0)] = (
                np.nan
            )
            continue
        least = np.where(stride > spec.least_stride, GRID_LEAST * stride, 0.0)
        most = np.where(stride < spec.most_stride, GRID_MOST * stride, np.inf)
        mine = (side >= least) & (side <= most)
        may = (side >= least / GRID_MAY) & (side <= most * GRID_MAY)
        holds = (np.abs(off) <= stride[:, None] / 2).all(1)
        far = np.abs(off / sides).max(1)
        has = mine & ((far <= CORE) | holds) & (far < nearest)
        logits[may & ~has & (holds | (far <= RIM)) & (logits == 0)] = np.nan
        logits[has], nearest[has] = 1.0, far[has]
        s = stride[has, None]
        places[has, :2], places[has, 2:4] = -off[has] / s, np.log(sides / s)
        eyes = (row[4:8].reshape(2, 2) - middle) / sides
        places[has, 4:] = eyes.ravel()
    return logits, places


def mirrored(rows: Rows, width: int) -> Rows:
    """Return the faces of the mirrored picture, left eyes first again."""
    found = rows.copy()
    found[:, [0, 2]] = width - rows[:, [2, 0]]
    found[:, [4, 6]] = width - rows[:, [6, 4]]
    found[:, [5, 7]] = rows[:, [7, 5]]
    return found


@dataclass(frozen=True)
class DetectorBatches:
    """Pictures of the detector's input ``(n, height, width)`` uint8 and their faces."""

    spec: DetectorSpec
    pictures: npt.NDArray[np.uint8]
    faces: Sequence[Rows]
    cells: FloatArray

    @classmethod
    def made(
        cls, pool: ScenePool, spec: DetectorSpec, frontend: FaceFrontend, n: int, seed: int
    ) -> DetectorBatches:
        """Make ``n`` scenes; the same seed makes the same ones."""
        pictures = np.empty((n, spec.height, spec.width), np.uint8)
        faces: list[Rows] = [np.empty((0, 9), np.float32)] * n

        def make(i: int) -> None:
            pictures[i], faces[i] = scene(pool, frontend, np.random.default_rng([seed, i]))

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(make, range(n)))
        return cls(spec, pictures, faces, cells_of(spec))

    @classmethod
    def real(
        cls, given: Sequence[AnnotatedPicture], spec: DetectorSpec, frontend: FaceFrontend
    ) -> DetectorBatches:
        """Read whole pictures as a device does."""
        pictures, faces = [], []
        for one in given:
            h, w = one.picture.shape
            crop = frontend.align((0, 0, w, h))
            tensor = frontend.compute(one.picture, "gray", crop=crop)[..., 0]
            pictures.append(np.asarray(np.rint(tensor * 255), np.uint8))
            faces.append(rows_of(one, crop, frontend.spec))
        return cls(spec, np.stack(pictures), faces, cells_of(spec))

    def __len__(self) -> int:
        return len(self.pictures)

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """See `edgeemo.training.batches.BatchSource`."""
        for rows in batch_rows(len(self), size, rng):
            x = np.asarray(self.pictures[rows] / 255, np.float32)
            faces = [self.faces[i] for i in rows]
            if rng is not None:
                for i in np.flatnonzero(rng.random(len(rows)) < 0.5):
                    x[i], faces[i] = x[i, :, ::-1], mirrored(faces[i], self.spec.width)
                light, shade = rng.uniform(0.85, 1.15, (2, len(rows), 1, 1)).astype(np.float32)
                x = np.asarray(np.clip(x**shade * light, 0, 1), np.float32)
            wanted = [target(own, self.spec, self.cells) for own in faces]
            logits, places = (np.stack(parts) for parts in zip(*wanted, strict=True))
            yield x[..., np.newaxis], {"logits": logits, "places": places}
