"""Finding faces: the shipped detector beside BlazeFace, on pictures held out by people and by groups alike.

A call finds the faces of a frame of 1280 x 720 pixels, letterbox and boxes included, on one thread.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgeemo import FaceDetector
from edgeemo.evaluation.bootstrap import Interval
from edgeemo.evaluation.detection import evaluate_detector
from edgeemo.evaluation.marked import MarkedPicture

from ..timing import Lap, laps_of, race
from .row import Context, Row, Score, Skip, digest, needs, ours, quiet, versions

TASK = "detector: bare faces from 40 px, held-out pictures"
FALSE = "detector: false boxes a picture"
FILES = {
    "BlazeFace full range": "blazeface_full_range.tflite",
    "BlazeFace short range": "blazeface_short_range.tflite",
}
SETS = ("street", "portraits", "scenes")


def measure(context: Context) -> Iterator[Row]:
    """Yield recall and false boxes of all."""
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

    paths, missing = {}, {}
    for name, file in FILES.items():
        try:
            paths[name] = context.model(file)
        except Skip as reason:
            missing[name] = str(reason)
    frame = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    with quiet(), FaceDetector.open("face-detector") as detector:
        peers = {name: BlazeFace(path) for name, path in paths.items()}
        report = evaluate_detector(detector, pictures, leaks="drop", peers=peers)
        laps: dict[str, Lap] = {"ours": laps_of(lambda: detector.detect(frame, "rgb"))}
        for name, peer in peers.items():
            laps[name] = laps_of(lambda peer=peer: peer.detect(frame, "rgb"))  # type: ignore[misc]
        contest = race(laps, seconds=4.0)
    faces = {"recall_40": report.counts["faces_40_80"] + report.counts["faces_80"]}
    for task, metric, higher in ((TASK, "recall_40", True), (FALSE, "false_boxes", False)):
        label, of = ("recall", "faces") if higher else ("false boxes a picture", "pictures")
        n = faces.get(metric, report.n)
        score = Score(label, report.metrics[metric], n, of, higher)
        yield ours(task, "face-detector", score=score).timed(contest, "ours")
        for name in FILES:
            row = Row(task, name, versions=versions("ai-edge-litert"), skipped=missing.get(name, ""))
            if name in peers:
                told = report.peers[name]
                ahead = Interval(**told["difference"][metric])
                value = Interval(**told["metrics"][metric])
                row.score = Score(label, value, n, of, higher, ahead)
                row.sha256 = digest(paths[name])
                row.timed(contest, name)
            yield row
