"""Alignment error: how far from a face's eyes a detector finds them, in distances between the eyes.

A face's error is the mean distance of its two eyes from the true ones, divided by the distance between the
true ones. Jesorsky et al. (2001) take the worse eye: ``worst`` here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import dist
from typing import Any, TypeAlias

import numpy as np

from ..data.faces import Color, read_face
from ..data.manifest import Example, Eyes
from ..data.pictures import Pixels
from ..errors import DataError
from ..faces import Face
from .bootstrap import Array, Draw, Interval, intervals
from .predictions import Progress

Finder: TypeAlias = Callable[[Pixels, Color], Sequence[Face]]
"""Finds faces in a picture, as ``edgeemo.FaceDetector.detect`` does."""


@dataclass(frozen=True)
class Alignment:
    """Errors over the faces that were found.

    Attributes:
        n, found: faces with ``eyes`` in the manifest, and how many of them were found.
        error: the mean error; ``worst`` the mean of the worse eye's. ``median`` and ``p95`` are of the error.
    """

    n: int
    found: int
    error: Interval
    worst: Interval
    median: float
    p95: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return asdict(self)


class MeanMeasure:
    """The mean of numbers, as ``name``; NaN where there is none."""

    def __init__(self, name: str, values: Array) -> None:
        self.name = name
        known = np.isfinite(values)
        self.rows: Array = np.stack([known.astype(np.float64), np.where(known, values, 0.0)], 1)

    def finish(self, sums: Array) -> dict[str, Array]:
        """See `bootstrap.Measure`."""
        n, total = sums.T
        return {self.name: np.asarray(total / np.where(n > 0, n, np.nan))}


def eye_errors(found: Eyes, true: Eyes) -> tuple[float, float]:
    """Return the mean of both eyes' errors and the worse one, in distances between the true eyes."""
    apart = dist(*true)
    left, right = (dist(a, b) / apart for a, b in zip(found, true, strict=True))
    return (left + right) / 2, max(left, right)


def measure_alignment(
    find: Finder, examples: Sequence[Example], draw: Draw, progress: Progress = iter
) -> Alignment:
    """Look for the faces of a manifest with ``eyes`` and measure how well their eyes are placed.

    If the detector finds several faces, the nearest counts, by the middle of its eyes. Beyond one eye
    distance the face counts as not found. The function does not measure recall by size.

    Args:
        find: a detector.
        examples: those without ``eyes`` do not count.
        draw: how to resample the examples.

    Raises:
        DataError: no example has eyes, none of the faces is found, or a picture cannot be read.
    """
    error, worst = (np.full(len(examples), np.nan) for _ in range(2))
    n = 0
    for i, example in enumerate(progress(examples)):
        if example.eyes is None:
            continue
        n += 1
        true, apart = _middle(example.eyes), dist(*example.eyes)
        near = [(dist(_middle(face.eyes), true), face.eyes) for face in find(*read_face(example))]
        away, eyes = min(near, default=(np.inf, example.eyes))
        if away <= apart:
            error[i], worst[i] = eye_errors(eyes, example.eyes)
    if not n:
        raise DataError("No example has eyes: add the column eyes (x y x y in pixels) to the manifest.")
    known = error[np.isfinite(error)]
    if not len(known):
        raise DataError(f"None of the {n} faces was found: is this the detector, are these the pictures?")
    found = intervals([MeanMeasure("error", error), MeanMeasure("worst", worst)], draw)
    median, p95 = np.percentile(known, [50, 95])
    return Alignment(n, len(known), found["error"], found["worst"], float(median), float(p95))


def _middle(eyes: Eyes) -> tuple[float, float]:
    (x0, y0), (x1, y1) = eyes
    return (x0 + x1) / 2, (y0 + y1) / 2
