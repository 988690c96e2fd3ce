"""How well a detector finds marked faces: recall by size, false boxes, where the eyes are.

A face is *found* if a box overlaps with it (intersection over union) by `HIT` or more. A box is *false* if it
overlaps with every marked face, bare or masked, by less than `FALSE`. Masked faces count neither way in
recall. A box finds one face and a face is found by one box, the best scores first. Sizes are the square root
of a box's area, in pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from ..data.faces import pixels_of, read_face
from ..data.leaks import LeakCheck, Policy, check_leaks
from ..data.marked import Eyes, MarkedPicture, overlap
from ..errors import DataError
from ..face_detector import FaceDetector
from ..faces import Face
from .bootstrap import Array, Draw, Interval, difference, intervals, rounded

HIT, FALSE = 0.4, 0.2
SIZES = {"20_40": (20.0, 40.0), "40_80": (40.0, 80.0), "80": (80.0, np.inf)}
"""Sizes of faces in pixels, by the end of their metrics' names."""
Progress: TypeAlias = Callable[[Sequence[MarkedPicture]], Any]


class Finder(Protocol):
    """A detector to measure: a `FaceDetector`, or a peer."""

    def detect(self, image: npt.NDArray[np.uint8], color: Any = "rgb") -> list[Face]:
        """Return the faces of a picture, best first."""
        ...


Found: TypeAlias = Sequence[Sequence[Face]]
"""The faces found in each of some pictures."""


def find(finder: Finder, pictures: Sequence[MarkedPicture], progress: Progress = iter) -> Found:
    """Return what a detector finds.

    Raises:
        DataError: a picture cannot be read. RuntimeUnavailableError: OpenCV is not installed.
    """
    return [finder.detect(*read_face(picture)) for picture in progress(pictures)]


@dataclass
class DetectionMeasure:
    """See `edgeemo.evaluation.bootstrap.Measure`: sums over pictures.

    ``recall_20_40``, ``recall_40_80``, ``recall_80``: by size; ``recall_40``: of all bare faces from 40
    pixels on. ``false_boxes``: a picture. ``eye_error``: mean distance of found eyes from the marked ones, of
    portraits found, in distances of the eyes; ``portraits_found``: the share of them.
    """

    rows: Array

    @classmethod
    def of(cls, pictures: Sequence[MarkedPicture], found: Found) -> DetectionMeasure:
        """Compare what is marked with what was found."""
        rows = [_row(picture, faces) for picture, faces in zip(pictures, found, strict=True)]
        return cls(np.array(rows, np.float64).reshape(len(pictures), -1))

    def finish(self, sums: Array) -> dict[str, Array]:
        """Turn sums into metrics; NaN where nothing of the kind is marked."""
        made = {}
        with np.errstate(invalid="ignore", divide="ignore"):
            for i, name in enumerate(SIZES):
                made[f"recall_{name}"] = sums[:, 2 * i] / sums[:, 2 * i + 1]
            large = sums[:, 2:6]
            made["recall_40"] = (large[:, 0] + large[:, 2]) / (large[:, 1] + large[:, 3])
            false, pictures, error, hits, portraits = sums[:, 6:].T
            made["false_boxes"] = false / pictures
            made["eye_error"] = error / np.where(hits > 0, hits, np.nan)
            made["portraits_found"] = hits / np.where(portraits > 0, portraits, np.nan)
        return made

    @property
    def counts(self) -> dict[str, int]:
        """How much was measured: faces of each size and how many were found, false boxes, portraits."""
        total = self.rows.sum(0)
        found = {f"faces_{name}": int(total[2 * i + 1]) for i, name in enumerate(SIZES)}
        found |= {f"found_{name}": int(total[2 * i]) for i, name in enumerate(SIZES)}
        return found | {"false_boxes": int(total[6]), "portraits": int(total[10])}


def _row(picture: MarkedPicture, faces: Sequence[Face]) -> list[float]:
    """Return hits and faces of each size, then false boxes, 1, and of portraits eye error, hits, 1."""
    best = matched(picture, faces)
    row = []
    for least, most in SIZES.values():
        own = [i for i, face in enumerate(picture.faces) if face.bare and least <= face.side < most]
        row += [sum(i in best for i in own), len(own)]
    row += [sum(_is_false(face, picture) for face in faces), 1]
    if not picture.portrait:
        return [*row, 0, 0, 0]
    eyes = picture.faces[0].eyes
    error = _eye_error(best[0].eyes, eyes) if eyes and 0 in best else 0.0
    return [*row, error, float(0 in best), 1]


def matched(picture: MarkedPicture, faces: Sequence[Face]) -> dict[int, Face]:
    """Return by number the marked faces that were found, each with its box."""
    taken: dict[int, Face] = {}
    for face in sorted(faces, key=lambda face: -face.score):
        shares = [0.0 if i in taken else overlap(face.box, m.box) for i, m in enumerate(picture.faces)]
        if shares and max(shares) >= HIT:
            taken[int(np.argmax(shares))] = face
    return taken


def _is_false(face: Face, picture: MarkedPicture) -> bool:
    return all(overlap(face.box, marked.box) < FALSE for marked in picture.faces)


def _eye_error(found: Eyes, marked: Eyes) -> float:
    a, b = np.array(found), np.array(marked)
    return float(np.linalg.norm(a - b, axis=1).mean() / max(np.linalg.norm(b[1] - b[0]), 1e-9))


@dataclass(frozen=True)
class DetectionReport:
    """How well a detector finds the faces of some pictures.

    Attributes:
        n: pictures. counts, metrics: see `DetectionMeasure`; metrics come with 95 % intervals.
        curve: thresholds of the score, and recall of bare faces from 40 pixels on (None without such faces)
            and false boxes at each.
        calibration: the mean score of all boxes found that are faces or false, and the share that are faces.
        leaks: training pictures among these. bootstrap: what was resampled. bundle: what was measured.
        peers: of each other detector its metrics, and ours minus its, in pairs.
    """

    n: int
    counts: Mapping[str, int]
    metrics: Mapping[str, Interval]
    curve: Sequence[Mapping[str, float | None]]
    calibration: Mapping[str, float]
    leaks: LeakCheck
    bootstrap: Mapping[str, Any]
    bundle: Mapping[str, Any]
    peers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {**asdict(self), "leaks": self.leaks.to_dict()}

    def for_card(self) -> dict[str, Any]:
        """Return n, the counts and the metrics, rounded."""
        return {"n": self.n, **self.counts, **rounded(self.metrics)}


def evaluate_detector(
    detector: FaceDetector,
    pictures: Sequence[MarkedPicture],
    *,
    leaks: Policy = "refuse",
    train: Path | None = None,
    resamples: int = 1000,
    seed: int = 0,
    peers: Mapping[str, Finder] | None = None,
    progress: Progress = iter,
) -> DetectionReport:
    """Measure a detector on marked pictures, with 95 % bootstrap intervals over groups or people.

    Args:
        leaks: what to do with pictures that were trained on. train: the training manifest, to look for them.
        resamples: bootstrap resamples; 0 for none.
        peers: other detectors, measured on the same pictures.
        progress: wraps the pictures while they are looked at, for a progress bar.

    Raises:
        LeakError: see ``leaks``. DataError: no face is marked, or a picture cannot be read.
        RuntimeUnavailableError: OpenCV is not installed.
    """
    path = detector.bundle.path
    kept, check = check_leaks(pictures, path, policy=leaks, train=train, content=pixels_of)
    if not any(picture.faces for picture in kept):
        raise DataError("No face is marked in these pictures: give boxes or eyes (edgeemo.data.marked).")
    draw = Draw(len(kept), resamples, seed, _clusters(kept))
    found = find(detector, kept, progress)
    ours = DetectionMeasure.of(kept, found)
    info = detector.runtime.info
    return DetectionReport(
        n=len(kept),
        counts=ours.counts,
        metrics=intervals([ours], draw),
        curve=_curve(kept, found, detector.decoder.spec.least_score),
        calibration=_calibration(kept, found),
        leaks=check,
        bootstrap={"resamples": resamples, "seed": seed, "by": "group", "units": draw.units},
        bundle={
            "name": detector.card.name,
            "version": detector.card.version,
            "commercial": detector.card.commercial,
            "flatbuffer_bytes": len(detector.bundle.flatbuffer),
            "flatbuffer_sha256": detector.card.flatbuffer_sha256,
            "runtime": f"{info.backend}/{info.delegate}",
        },
        peers={name: _beside(peer, kept, ours, draw) for name, peer in (peers or {}).items()},
    )


def _beside(
    peer: Finder, pictures: Sequence[MarkedPicture], ours: DetectionMeasure, draw: Draw
) -> dict[str, Any]:
    theirs = DetectionMeasure.of(pictures, find(peer, pictures))
    return {
        "counts": theirs.counts,
        "metrics": {name: value.to_dict() for name, value in intervals([theirs], draw).items()},
        "difference": {name: value.to_dict() for name, value in difference([ours], [theirs], draw).items()},
    }


def _clusters(pictures: Sequence[MarkedPicture]) -> npt.NDArray[np.intp]:
    names = [p.group or p.subject or f"\0{i}" for i, p in enumerate(pictures)]
    return np.unique(names, return_inverse=True)[1].astype(np.intp)


def _curve(pictures: Sequence[MarkedPicture], found: Found, least: float) -> list[dict[str, float | None]]:
    points: list[dict[str, float | None]] = []
    for threshold in np.linspace(least, 0.95, 10):
        kept = [[face for face in faces if face.score >= threshold] for faces in found]
        values = DetectionMeasure.of(pictures, kept)
        made = values.finish(values.rows.sum(0)[None])
        recall = float(made["recall_40"][0])  # NaN where no face is that large
        points.append(
            {
                "threshold": float(threshold),
                "recall_40": None if np.isnan(recall) else recall,
                "false_boxes": float(made["false_boxes"][0]),
            }
        )
    return points


def _calibration(pictures: Sequence[MarkedPicture], found: Found) -> dict[str, float]:
    pairs = []
    for picture, faces in zip(pictures, found, strict=True):
        for face in faces:
            best = max((overlap(face.box, m.box) for m in picture.faces), default=0.0)
            if not FALSE <= best < HIT:
                pairs.append((face.score, best >= HIT))
    if not pairs:
        return {"n": 0}
    score, true = np.mean(pairs, axis=0)
    return {"n": len(pairs), "mean_score": float(score), "share_faces": float(true)}
