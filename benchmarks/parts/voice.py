"""Voice: the shipped model beside eGeMAPS with a support vector machine.

Accuracy is the unweighted average recall on new speakers: six folds of whole speakers, the same for both
systems. The counts come from `benchmarks.peers.voice_folds`, because a new run takes hours. Our figure is
that of the recipe, each fold's own model, not of the shipped weights, which know all speakers. How fast: a
clip of three seconds as int16, from samples to the answer. The peer's time covers only openSMILE's features.
The time of its support vector machine is left out, which favours the peer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgeemo import Recognizer

from ..peers import voice_folds
from ..timing import batches_of, race
from .row import ROOT, Context, Row, Score, Skip, needs, ours, quiet, versions

SETS = {"ravdess": "RAVDESS, 8 classes", "nemo": "nEMO, 6 classes", "emodb": "EmoDB, 7 classes"}
SECONDS, RATE = 3, 16_000


def measure(context: Context) -> Iterator[Row]:
    """Yield a task for each set of voices."""
    peer = Row("voice", "eGeMAPS + SVM", versions=versions("opensmile", "scikit-learn"))
    own = ours("voice", "voice")
    _time(own, peer)
    try:
        kept = _kept()
    except Skip as reason:
        yield Row("voice: accuracy", "edgeemo `voice` and eGeMAPS + SVM", skipped=str(reason))
        yield from (own, peer)
        return
    cache = f"{voice_folds.KEPT.relative_to(ROOT)}, of {kept['source']}"
    for name, title in SETS.items():
        if name not in kept["sets"]:
            yield Row(f"voice: {title}", "both", skipped=f"{name} is not among the folds kept")
            continue
        found = voice_folds.compare(name, kept["sets"][name])
        for row, value, ahead in ((own, found.ours, None), (peer, found.peer, found.difference)):
            score = Score(
                "UAR", value, found.clips,
                f"clips of {found.speakers} speakers", difference=ahead,
            )  # fmt: skip
            fields = row.__dict__ | {"task": f"voice: {title}", "score": score, "cache": cache}
            yield Row(**fields)


def _kept() -> dict[str, Any]:
    if not voice_folds.KEPT.is_file():
        raise Skip(
            f"{voice_folds.KEPT.name} is not there: edgeemo crossval voice …, then make peers-train FOLDS=…"
        )
    return voice_folds.read()


def _time(own: Row, peer: Row) -> None:
    """Time both on made-up voice; ours alone where openSMILE is not installed."""
    t = np.arange(SECONDS * RATE) / RATE
    pulses = (np.sin(2 * np.pi * (120 * t + 3 * np.sin(5 * t))) > 0.9) * (1 + np.sin(6 * np.pi * t))
    pcm = np.round(9000 * pulses + 90 * np.random.default_rng(0).standard_normal(t.size)).astype(np.int16)
    with quiet(), Recognizer.open("voice") as recognizer:
        batches = {"ours": batches_of(lambda: recognizer.predict(pcm, RATE))}
        try:
            needs("opensmile")
            import opensmile  # type: ignore[import-not-found,unused-ignore]

            smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
            floats = pcm.astype(np.float32) / 32768
            batches["peer"] = batches_of(lambda: smile.process_signal(floats, RATE))
        except Skip as reason:
            peer.note = f"not timed: {reason}"
        contest = race(batches, seconds=4.0)
    own.timed(contest, "ours")
    if "peer" in batches:
        peer.note = "time of its features alone"
        peer.timed(contest, "peer")
