"""Trains the peers once, so that the table needs only read them: ``make peers-train DATA=… [FOLDS=…]``.

    python -m benchmarks.peers.train --data DATA --folds runs/voice-crossval/predictions.csv
    python -m benchmarks.peers.train --data DATA --only text

Writes TF-IDF models of GoEmotions and EmoBank (a minute) and our models as ONNX (two minutes) into
``build/peers``. Writes the answers of eGeMAPS with a support vector machine beside the results, as counts
over the clips of the folds. The features take ten minutes and are kept in ``build/egemaps``; the machines
take four. ``--folds`` is the table that ``edgeemo crossval voice`` writes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edgeemo import Bundle, ModelCard
from edgeemo.data.leaks import text_of
from edgeemo.evaluation.label_sets import label_sets_of
from edgeemo.files import write_whole

from ..parts.row import CACHE, Context, Skip, digest, needs
from . import tfidf, voice_folds

EKMAN, VALENCE = CACHE / "tfidf-ekman.npz", CACHE / "tfidf-valence.npz"


@dataclass(frozen=True)
class Job:
    """The data to train from."""

    context: Context
    folds: Path | None


def train_text(job: Job) -> None:
    """Fit TF-IDF on GoEmotions' train split (Ekman's groups) and on EmoBank's (valence)."""
    needs("sklearn")
    card = Bundle.open("text").card
    assert isinstance(card, ModelCard)
    space = label_sets_of(card)["ekman"]
    known = [e for e in job.context.examples("goemotions", "text", "train") if e.labels]
    tfidf.train_labels([text_of(e) for e in known], space.truth(known)).save(EKMAN)
    rated = job.context.examples("emobank", "text", "train")
    gold = [float(e.valence or 0.0) for e in rated]
    tfidf.train_number([text_of(e) for e in rated], gold).save(VALENCE)


def train_voice(job: Job) -> None:
    """Extract eGeMAPS, and let a machine answer for each fold left out."""
    needs("opensmile", "sklearn", "soundfile")
    if job.folds is None or not job.folds.is_file():
        raise Skip("no --folds: `edgeemo crossval voice --data DATA --out runs/voice-crossval` makes them")
    from .. import peer_egemaps as egemaps

    answers = []
    for name, clips in egemaps.read_folds(job.folds, job.context.folder("voice")).items():
        features = egemaps.extract([p.resolve() for p in clips.paths], Path("build/egemaps") / f"{name}.npz")
        answers.append((name, clips, egemaps.predict(features, clips)))
    source = f"{job.folds.parent.name}/{job.folds.name}, sha256 {digest(job.folds)}"
    voice_folds.KEPT.parent.mkdir(parents=True, exist_ok=True)
    write_whole(voice_folds.KEPT, voice_folds.counted(answers, source).encode())


def convert_to_onnx(_: Job) -> None:
    """Write our models as ONNX, int8 as they are (QDQ) and in float."""
    needs("tf2onnx", "onnx", "tensorflow")
    from .onnx_models import make

    make()


JOBS: dict[str, Callable[[Job], None]] = {"text": train_text, "onnx": convert_to_onnx, "voice": train_voice}


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--folds", type=Path, help="what `edgeemo crossval voice` said of each clip")
    parser.add_argument("--only", action="append", choices=list(JOBS), help="may be repeated")
    options = parser.parse_args(None if arguments is None else list(arguments))
    for name in options.only or JOBS:
        began = time.monotonic()
        try:
            JOBS[name](Job(Context(options.data), options.folds))
        except Skip as reason:
            print(f"{name}: skipped: {reason}")
        else:
            print(f"{name}: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
