"""Does the int8 detector, on the device's own runtime, find what the float detector finds?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from edgeemo.data.marked import MarkedPicture, overlap
from edgeemo.errors import DataError
from edgeemo.evaluation.detection import DetectionMeasure, find
from edgeemo.face_detector import FaceDetector
from edgeemo.faces import Face

from .inspect import graph_facts
from .verify import below, graph_problems

SAME = 0.5
"""Two boxes are the same face from this intersection over union on."""
CLEAR = 0.10
"""A face is clear if its score is this far above the least score."""


@dataclass(frozen=True)
class DetectorBudget:
    """The budget of int8: faces found by both, their boxes and eyes, and loss of recall as a fraction.

    One face less always passes: among few faces it is more than ``drop``.
    """

    agreement: float = 0.93
    clear_agreement: float = 0.98
    box_overlap: float = 0.90
    eye_difference: float = 0.04
    drop: float = 0.01


@dataclass(frozen=True)
class DetectorVerification:
    """Float detector against int8 bundle on ``n`` pictures, in which the float one finds ``n_faces``.

    Attributes:
        agreement: faces found by both, twice, over all found by either.
        clear_agreement: of the ``n_clear`` that either finds by a score 0.10 above the least, the share
            the other finds at all.
        box_overlap: mean intersection over union of the boxes of faces that both find.
        eye_difference: mean distance of their eyes, in eye distances.
        score_difference: the largest difference of their scores.
        float_recall, int8_recall: of the ``n_bare`` bare faces from 40 pixels on, where such are marked.
        foreign_operators, float_tensors, problems: see `edgeemo.converters.verify.Verification`.
    """

    bundle: str
    n: int
    n_faces: int
    agreement: float
    n_clear: int
    clear_agreement: float
    box_overlap: float
    eye_difference: float
    score_difference: float
    n_bare: int
    float_recall: float | None
    int8_recall: float | None
    foreign_operators: tuple[str, ...]
    float_tensors: int
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return asdict(self)

    def summary(self) -> dict[str, Any]:
        """Return what the card keeps, rounded."""
        names = ("n", "n_faces", "agreement", "clear_agreement", "box_overlap", "eye_difference")
        return {name: round(getattr(self, name), 4) for name in names}


def compare_detectors(
    device: FaceDetector,
    reference: FaceDetector,
    pictures: Sequence[MarkedPicture],
    *,
    budget: DetectorBudget | None = None,
    progress: Any = iter,
) -> DetectorVerification:
    """Compare an int8 detector with its float reference, both behind the same letterbox and decoder.

    Raises:
        DataError: the float detector finds no face in the pictures.
    """
    found, exact = (find(detector, pictures, progress) for detector in (device, reference))
    pairs = [pair for a, b in zip(found, exact, strict=True) for pair in _pairs(a, b)]
    n_device, n_exact = sum(map(len, found)), sum(map(len, exact))
    if not n_exact:
        raise DataError("The float detector finds no face in these pictures: give pictures with faces.")
    least = device.decoder.spec.least_score + CLEAR
    both = {id(face) for pair in pairs for face in pair}
    clear = [face for faces in (*found, *exact) for face in faces if face.score >= least]
    made = DetectorVerification(
        bundle=device.card.name,
        n=len(pictures),
        n_faces=n_exact,
        agreement=2 * len(pairs) / (n_device + n_exact),
        n_clear=len(clear),
        clear_agreement=sum(id(face) in both for face in clear) / max(len(clear), 1),
        box_overlap=float(np.mean([overlap(a.box, b.box) for a, b in pairs] or [0.0])),
        eye_difference=float(np.mean([_apart(a, b) for a, b in pairs] or [np.inf])),
        score_difference=max((abs(a.score - b.score) for a, b in pairs), default=1.0),
        n_bare=sum(face.bare and face.side >= 40 for p in pictures for face in p.faces),
        float_recall=_recall(pictures, exact),
        int8_recall=_recall(pictures, found),
        **graph_facts(device.bundle.flatbuffer),
    )
    return replace(made, problems=tuple(_problems(made, budget or DetectorBudget())))


def _pairs(found: Sequence[Face], exact: Sequence[Face]) -> list[tuple[Face, Face]]:
    pairs, left = [], list(exact)
    for face in found:
        best = max(left, key=lambda other: overlap(face.box, other.box), default=None)
        if best is not None and overlap(face.box, best.box) >= SAME:
            pairs.append((face, best))
            left.remove(best)
    return pairs


def _apart(a: Face, b: Face) -> float:
    x, y = np.array(a.eyes), np.array(b.eyes)
    # of a face in profile the eyes lie close together
    unit = max(float(np.linalg.norm(y[1] - y[0])), 0.2 * (b.box[2] - b.box[0]))
    return float(np.linalg.norm(x - y, axis=1).mean() / unit)


def _recall(pictures: Sequence[MarkedPicture], found: Any) -> float | None:
    measure = DetectionMeasure.of(pictures, found)
    value = float(measure.finish(measure.rows.sum(0)[None])["recall_40"][0])
    return value if np.isfinite(value) else None


def _problems(found: DetectorVerification, budget: DetectorBudget) -> list[str]:
    problems = below(found, budget, {
        "agreement": "the faces found agree to", "clear_agreement": "clear faces agree to"
    })  # fmt: skip
    if found.box_overlap < budget.box_overlap:
        problems.append(f"boxes overlap by {found.box_overlap:.3f}, expected {budget.box_overlap} or more")
    if found.eye_difference > budget.eye_difference:
        problems.append(
            f"eyes move by {found.eye_difference:.3f} of their distance, "
            f"expected {budget.eye_difference} or less"
        )
    if found.float_recall is not None and found.int8_recall is not None:
        drop = found.float_recall - found.int8_recall
        if drop > max(budget.drop, 1.001 / max(found.n_bare, 1)):
            problems.append(f"recall drops by {drop:.4f}, expected {budget.drop} or less")
    return problems + graph_problems(found)
