"""Whole-task peers and runtimes beside ours, each with its answer asserted: one input, one thread.

Run with ``EDGEEMO_DATA=… pytest benchmarks/bench_peers.py``, or ``make bench DATA=…``. How good they are, and
intervals of how fast, says the table (`make table`); what lacks is skipped by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.parts import detector, face, runtimes, text
from benchmarks.parts.inputs import inputs_of
from benchmarks.parts.row import ROOT, Context, Skip, needs, quiet
from benchmarks.peers.onnx_models import BUNDLES
from benchmarks.peers.train import VALENCE
from edgeemo import Bundle, FaceDetector, Recognizer

CONTEXT = Context(Path(os.environ.get("EDGEEMO_DATA", "data")), ROOT / ".venv-legacy" / "bin" / "python")
PLEASANT = "What a wonderful surprise, I love it so much, thank you!"
UNPLEASANT = "I hate this horrible mess, it makes me sad and angry."
RUNTIMES: dict[str, Callable[[Bundle, Any, ExitStack], runtimes.Candidate]] = {
    "engine": lambda bundle, inputs, _: runtimes._native(bundle, inputs),
    "LiteRT": lambda bundle, inputs, _: runtimes._interpreter(bundle, inputs),
    "tflite-runtime": lambda bundle, inputs, stack: runtimes._tflite_runtime(CONTEXT, bundle, inputs, stack),
    "ONNX Runtime int8": lambda bundle, inputs, _: runtimes._onnx(bundle, inputs, "int8"),
    "ONNX Runtime float": lambda bundle, inputs, _: runtimes._onnx(bundle, inputs, "float"),
}


@contextmanager
def named() -> Iterator[None]:
    """Skip a benchmark by what it lacks."""
    try:
        with quiet():
            yield
    except Skip as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("peer", ["edgeemo", "VADER", "TF-IDF + ridge"])
def test_pleasant_texts_are_told_from_unpleasant_ones(peer: str, benchmark: Any) -> None:
    with named():
        if peer == "edgeemo":
            with Recognizer.open("text") as opened:
                recognizer: Any = opened
                found = benchmark(recognizer.predict, PLEASANT)
                assert found.valence > 0 > recognizer.predict(UNPLEASANT).valence
            return
        asked = text._vader() if peer == "VADER" else text._tfidf(VALENCE)
        if asked.say is None:
            raise Skip(asked.missing)
        assert benchmark(asked.say, [PLEASANT]) > asked.say([UNPLEASANT])


def test_egemaps(benchmark: Any) -> None:
    with named():
        needs("opensmile")
        import opensmile  # type: ignore[import-not-found,unused-ignore]

        smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
        t = np.arange(48_000) / 16_000
        found = benchmark(smile.process_signal, np.sin(2 * np.pi * 220 * t).astype(np.float32), 16_000)
    semitones = float(found["F0semitoneFrom27.5Hz_sma3nz_amean"].iloc[0])
    assert found.shape == (1, 88)
    assert semitones == pytest.approx(36, abs=0.2)  # three octaves above 27.5 Hz


@pytest.mark.parametrize("peer", ["edgeemo", *face.FILES])
def test_happy_faces_are_called_happy(peer: str, benchmark: Any) -> None:
    with named():
        needs("cv2")
        from benchmarks import peer_fer
        from edgeemo.data.faces import read_face

        examples = CONTEXT.examples("ferplus-majority", "face", "valid")
        happy = [read_face(e) for e in [e for e in examples if "happiness" in e.labels][:9]]
        if peer == "edgeemo":
            with Recognizer.open("face") as opened:
                recognizer: Any = opened

                def ask(picture: Any, color: Any) -> str:
                    height, width = picture.shape[:2]
                    return str(recognizer.predict(picture, color, [(0, 0, width, height)]).label)

                said = [ask(*each) for each in happy]
                assert benchmark(ask, *happy[0]) == said[0]
        else:
            say = peer_fer.opened(peer_fer.PEERS[peer], CONTEXT.model(face.FILES[peer]))
            labels = peer_fer.PEERS[peer].labels
            said = [labels[int(say(*each).argmax())] for each in happy]
            assert labels[int(benchmark(say, *happy[0]).argmax())] == said[0]
    assert said.count("happiness") >= 7


@pytest.mark.parametrize("peer", [detector.OURS, *detector.FILES])
def test_faces_of_portraits_are_found(peer: str, benchmark: Any) -> None:
    with named(), ExitStack() as stack:
        needs("cv2")
        from edgeemo.data.faces import read_face
        from edgeemo.data.marked import MarkedPicture, overlap
        from edgeemo.evaluation.blazeface import BlazeFace
        from edgeemo.evaluation.detection import HIT

        examples = CONTEXT.examples("portraits", "face", "valid")
        pictures = [e for e in examples if isinstance(e, MarkedPicture)][:9]
        finder: Any = (
            stack.enter_context(FaceDetector.open(peer))
            if peer == detector.OURS
            else BlazeFace(CONTEXT.model(detector.FILES[peer]))
        )
        found = [finder.detect(*read_face(picture)) for picture in pictures]
        benchmark(finder.detect, *read_face(pictures[0]))
    hits = [
        any(overlap(box.box, marked.box) >= HIT for box in boxes for marked in picture.faces)
        for picture, boxes in zip(pictures, found, strict=True)
    ]
    assert sum(hits) >= 7


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", BUNDLES)
def test_runtimes_give_the_same_answers(name: str, runtime: str, benchmark: Any) -> None:
    with named(), ExitStack() as stack:
        bundle = Bundle.open(name)
        inputs = inputs_of(CONTEXT, bundle)
        candidate = RUNTIMES[runtime](bundle, inputs, stack)
        if candidate.batch is None:
            raise Skip(candidate.missing)
        benchmark(candidate.batch, 1)
        same = candidate.winners == runtimes._interpreter(bundle, inputs).winners
    assert same.mean() >= 0.9
