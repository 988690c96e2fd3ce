"""Frontends beside what one would take otherwise: the same answers, asserted before anything is timed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from edgeemo import Bundle, _core
from edgeemo.bundle import shipped
from edgeemo.frontends import VoiceFrontend

from ..timing import batches_of, race
from .row import Context, Row, Skip, digest, needs, versions


def measure(context: Context) -> Iterator[Row]:
    """Text beside HF tokenizers; voice beside librosa, kaldi-native-fbank, pymicro-features; face beside
    OpenCV.
    """
    for name, part in (("text", _text), ("voice", _voice), ("voice stream", _micro), ("face", _face)):
        try:
            yield from part()
        except Skip as reason:
            yield Row(f"{name} frontend", "peers", skipped=str(reason))


def native() -> str:
    """Return the digest of our compiled module."""
    return digest(Path(_core.__file__))


def _text() -> Iterator[Row]:
    needs("tokenizers")
    from ..peers import text_frontend as peer

    pieces = peer.trained_pieces()
    ours, theirs = peer.our_frontend(pieces), peer.their_encode(pieces)
    for sample, texts in peer.SAMPLES.items():
        peer.assert_equal(ours, theirs, texts)
        task = f"text frontend, {sample} sentences"
        contest = race(
            {
                "ours": batches_of(peer.each_of(ours.compute, texts)),
                "theirs": batches_of(peer.each_of(theirs, texts)),
            },
            each=len(texts),
        )
        yield Row(task, "edgeemo", ours=True, versions=versions("edgeemo"), sha256=native()).timed(
            contest, "ours"
        )
        yield Row(
            task,
            "HF tokenizers",
            least=peer.AT_LEAST[sample],
            equal=f"ids equal, {len(texts)} texts",
            versions=versions("tokenizers"),
        ).timed(contest, "theirs")


def _voice() -> Iterator[Row]:
    needs("librosa", "kaldi_native_fbank", "threadpoolctl")
    from threadpoolctl import threadpool_limits

    from ..peers import voice_frontend as peer

    notes = {
        "with_librosa": "filter bank ready-made",
        "with_melspectrogram": "as documented",
        "with_kaldi": "frames read back",
        "kaldi_fbank": "frames left inside",
    }
    for name, (spec, _, calls) in peer.PEERS.items():
        away = peer.assert_equal(name)
        task = f"voice frontend, 3 s as {name} has it"
        with threadpool_limits(1):
            contest = race(
                {
                    "ours": batches_of(partial(VoiceFrontend(spec).frames, peer.SOUND, peer.RATE)),
                    **{call.__name__: batches_of(call) for call in calls},
                }
            )
        yield Row(task, "edgeemo", ours=True, versions=versions("edgeemo"), sha256=native()).timed(
            contest, "ours"
        )
        for call in calls:
            yield Row(
                task,
                name,
                least=peer.AT_LEAST[name],
                equal=f"log-mel within {away:.0e}",
                note=notes[call.__name__],
                versions=versions(name, "numpy"),
            ).timed(contest, call.__name__)


def _micro() -> Iterator[Row]:
    needs("pymicro_features", "librosa")
    from ..peers import voice_frontend as peer

    cases: tuple[tuple[Literal["log", "pcen"], str], ...] = (("log", "log-mel"), ("pcen", "PCEN"))
    for compression, name in cases:
        frontend, frames = peer.like_micro(compression), peer.pushed_to_micro()
        assert peer.pushed(frontend) == frames, "they make another number of frames"
        contest = race(
            {"ours": batches_of(partial(peer.pushed, frontend)), "theirs": batches_of(peer.pushed_to_micro)}
        )
        task = f"voice frontend, 3 s in chunks of 10 ms, 40 bands, {name}"
        yield Row(task, "edgeemo", ours=True, versions=versions("edgeemo"), sha256=native()).timed(
            contest, "ours"
        )
        yield Row(
            task,
            "pymicro-features",
            least=peer.AT_LEAST["pymicro-features"],
            equal=f"{frames} frames each, of another kind",
            note=_who_uses(compression),
            versions=versions("pymicro-features"),
        ).timed(contest, "theirs")


def _who_uses(compression: str) -> str:
    """Return the shipped bundles that read such frames."""
    specs = {name: dict(Bundle.open(name).card.spec) for name in shipped()}
    names = [name for name, spec in specs.items() if spec.get("compression") == compression]
    return f"{compression} is used by {', '.join(names) or 'no shipped bundle'}"


def _face() -> Iterator[Row]:
    needs("cv2")
    import cv2

    from ..peers import face_frontend as peer

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for case, (ours, theirs, _, least) in peer.CASES.items():
            away = peer.assert_equal(case)
            contest = race({"ours": batches_of(ours), "theirs": batches_of(theirs)}, seconds=1.0)
            task = f"face frontend, {case}"
            yield Row(task, "edgeemo", ours=True, versions=versions("edgeemo"), sha256=native()).timed(
                contest, "ours"
            )
            yield Row(
                task,
                "OpenCV",
                least=least,
                equal=f"within {away} of 255 levels",
                versions=versions("opencv-python-headless"),
            ).timed(contest, "theirs")
    finally:
        cv2.setNumThreads(threads)
