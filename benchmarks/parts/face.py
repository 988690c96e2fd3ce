"""Faces: the shipped model beside `fer` and face-api, on the same faces.

The faces are validation pictures of FER+ on which more than half of all votes agree. None of them is like a
training picture of ours. The table has seven expressions, since the peers do not know contempt. A call goes
from the pixels of a 48 x 48 face to the answer, enlarging as each peer's own code does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from edgeemo import Recognizer
from edgeemo.data.faces import pixels_of, read_face
from edgeemo.data.leaks import check_leaks
from edgeemo.evaluation.bootstrap import Interval

from ..timing import batches_of, race
from .row import Context, Row, Score, Skip, digest, needs, ours, quiet, versions

TASK = "face: expression, FER+ majority, 7 classes"
FILES = {"fer": "fer_emotion_int8.tflite", "face_api": "face_api_expression_f32.tflite"}
SAMPLE = 16


def _ask_all(ask: Callable[[Any, Any], object], faces: Sequence[tuple[Any, Any]]) -> None:
    for picture, color in faces:
        ask(picture, color)


def measure(context: Context) -> Iterator[Row]:
    """Yield ours and both peers."""
    try:
        needs("cv2")
        examples = context.examples("ferplus-majority", "face", "valid")
    except Skip as reason:
        yield Row(TASK, "edgeemo `face` and its peers", skipped=str(reason))
        return
    from .. import peer_fer

    models, missing = {}, {}
    for name, file in FILES.items():
        try:
            models[name] = context.model(file)
        except Skip as reason:
            missing[name] = str(reason)
    with quiet(), Recognizer.open("face") as opened:
        recognizer: Any = opened
        kept, _ = check_leaks(examples, recognizer.bundle.path, policy="drop", content=pixels_of)
        found = peer_fer.compare(recognizer, kept, models)
        some = [read_face(e) for e in kept[:SAMPLE]]

        def ask_us() -> None:
            for picture, color in some:
                height, width = picture.shape[:2]
                recognizer.predict(picture, color, [(0, 0, width, height)])

        batches = {"ours": batches_of(ask_us)}
        for name, path in models.items():
            asked = peer_fer.opened(peer_fer.PEERS[name], path)
            batches[name] = batches_of(partial(_ask_all, asked, some))
        contest = race(batches, seconds=4.0, each=SAMPLE)
    score = Score("accuracy", Interval(**found["ours"]["accuracy"]), found["n"], "faces")
    yield ours(TASK, "face", score=score).timed(contest, "ours")
    for name, peer in peer_fer.PEERS.items():
        row = Row(TASK, peer.name, versions=versions("ai-edge-litert"), skipped=missing.get(name, ""))
        if name in models:
            theirs = found["peers"][peer.name]
            row.score = Score(
                "accuracy",
                Interval(**theirs["metrics"]["accuracy"]),
                found["n"],
                "faces",
                difference=Interval(**theirs["difference"]["accuracy"]),
            )
            row.sha256 = digest(models[name])
            row.timed(contest, name)
        yield row
