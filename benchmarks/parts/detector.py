"""Finding faces: the shipped detector beside BlazeFace, on pictures held out by people and by groups alike.

One measure decides: F1 of bare faces from 20 pixels on, in which a missed face and a false box both count.
Recall and false boxes, each of which is easily had at the other's cost, are shown beside it.
A call finds the faces of a frame of 1280 x 720 pixels, letterbox and boxes included, on one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from edgeemo import FaceDetector
from edgeemo.data.faces import pixels_of
from edgeemo.data.leaks import check_leaks
from edgeemo.data.marked import MarkedPicture
from edgeemo.evaluation.bootstrap import Array, Draw, difference, intervals
from edgeemo.evaluation.detection import DetectionMeasure, Finder, find

from ..timing import batches_of, race
from .row import Context, Row, Score, Skip, digest, needs, ours, quiet, versions

OURS = "face-detector"
FILES = {
    "BlazeFace full range": "blazeface_full_range.tflite",
    "BlazeFace short range": "blazeface_short_range.tflite",
}
SETS = ("street", "portraits", "scenes")
TASK = "detector: bare faces from 20 px"


class Finding(DetectionMeasure):
    """Adds ``f1``: of bare faces from 20 pixels on, false boxes against it."""

    def finish(self, sums: Array) -> dict[str, Array]:
        """See `DetectionMeasure`."""
        hits, faces = sums[:, [0, 2, 4]].sum(1), sums[:, [1, 3, 5]].sum(1)
        return super().finish(sums) | {"f1": 2 * hits / (faces + hits + sums[:, 6])}


@dataclass(frozen=True)
class Asked:
    """One way to say how good, and of how many."""

    metric: str
    name: str
    n: int
    of: str
    higher: bool = True


def measure(context: Context) -> Iterator[Row]:
    """Yield ours and both peers."""
    try:
        needs("cv2")
        pictures = [
            picture
            for name in SETS
            for picture in context.examples(name, "face", "valid")
            if isinstance(picture, MarkedPicture)
        ]
    except Skip as reason:
        yield Row(TASK, "edgeemo `face-detector` and BlazeFace", skipped=str(reason))
        return
    from edgeemo.evaluation.blazeface import BlazeFace

    paths: dict[str, Path] = {}
    missing: dict[str, str] = {}
    for name, file in FILES.items():
        try:
            paths[name] = context.model(file)
        except Skip as reason:
            missing[name] = str(reason)
    frame = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    with quiet(), FaceDetector.open(OURS) as detector:
        kept, _ = check_leaks(pictures, detector.bundle.path, policy="drop", content=pixels_of)
        held = [picture for picture in kept if isinstance(picture, MarkedPicture)]
        finders: dict[str, Finder] = {OURS: detector} | {name: BlazeFace(p) for name, p in paths.items()}
        measures = {name: Finding.of(held, find(finder, held)) for name, finder in finders.items()}
        contest = race(
            {name: batches_of(partial(finder.detect, frame, "rgb")) for name, finder in finders.items()},
            seconds=4.0,
        )
    groups = [picture.group or picture.subject or f"\0{i}" for i, picture in enumerate(held)]
    draw = Draw(len(held), clusters=np.unique(groups, return_inverse=True)[1].astype(np.intp))
    counts = measures[OURS].counts
    large = counts["faces_40_80"] + counts["faces_80"]
    decides = Asked("f1", "F1", large + counts["faces_20_40"], "faces")
    beside = (
        Asked("recall_40", "recall from 40 px", large, "faces"),
        Asked("false_boxes", "false boxes a picture", len(held), "pictures", higher=False),
    )

    def score(name: str, asked: Asked) -> Score:
        own, measured = measures[OURS], measures[name]
        ahead = None if name == OURS else difference([own], [measured], draw)[asked.metric]
        value = intervals([measured], draw)[asked.metric]
        return Score(asked.name, value, asked.n, asked.of, asked.higher, ahead)

    for name in finders | missing:
        row = Row(TASK, name, versions=versions("ai-edge-litert"), skipped=missing.get(name, ""))
        if name == OURS:
            row = ours(TASK, OURS)
        if name in measures:
            row.score, row.beside = score(name, decides), [score(name, asked) for asked in beside]
            row.timed(contest, name)
        if name in paths:
            row.sha256 = digest(paths[name])
        yield row
