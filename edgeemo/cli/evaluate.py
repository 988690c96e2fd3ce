"""``edgeemo evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import console

if TYPE_CHECKING:
    from ..evaluation.leaks import Policy


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("evaluate")
@click.argument("bundle")
@click.argument("manifest", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--labels", metavar="SPACE", help="Compare in 'fine', a group of the card ('ekman') or 'emotions'."
)
@click.option(
    "--leaks",
    type=click.Choice(["refuse", "drop", "keep"]),
    default="refuse",
    show_default=True,
    help="What to do with test examples (or speakers) that also stand in the training data.",
)
@click.option("--train", type=_FILE, metavar="MANIFEST", help="The training data.")
@click.option("--peer", type=click.Choice(["tfidf"]), help="Also train this on --train and compare in pairs.")
@click.option(
    "--without",
    metavar="LABELS",
    help="Leave out these labels' examples, and the labels; separate by commas.",
)
@click.option("--apart", metavar="LABELS", help="Rare labels: also give the means over the others (rest_…).")
@click.option(
    "--robustness",
    is_flag=True,
    help="Also measure: voices in noise and through codecs, damaged and misplaced faces.",
)
@click.option(
    "--noise",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Voice: recordings of noise for --robustness; by default white and pink noise.",
)
@click.option("--pictures", type=click.Path(path_type=Path), metavar="DIR", help="Write PNG pictures there.")
@click.option(
    "--delegate", metavar="NAME|PATH", default="auto", show_default=True,
    help="auto, cpu, gpu, or an external TFLite delegate (.so); see `edgeemo delegates`.",
)  # fmt: skip
@click.option("--bootstrap", type=click.IntRange(0), default=1000, show_default=True, help="Resamples.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def evaluate_command(
    bundle: str,
    manifest: Path,
    as_json: bool,
    labels: str | None,
    leaks: Policy,
    train: Path | None,
    peer: str | None,
    without: str | None,
    apart: str | None,
    robustness: bool,
    noise: Path | None,
    pictures: Path | None,
    delegate: str,
    bootstrap: int,
    seed: int,
) -> None:
    """Measure BUNDLE on MANIFEST: how often it reads what people labelled.

    Accuracy, precision, recall, F1, UAR, calibration error, confusion, Pearson's r of valence and arousal,
    each with a 95 % bootstrap interval; whole speakers or subjects are drawn where the manifest names them.
    Speakers, genders, ages and ethnicities that the manifest names are also measured one by one.
    Of a detector: recall by size, false boxes, error of the eyes; its MANIFEST has the columns path and boxes
    (kind:x0,y0,x1,y1;…) or eye0_x, eye0_y, eye1_x, eye1_y.

    \b
    Examples:
      edgeemo evaluate text dev.csv --leaks drop
      edgeemo evaluate text dev.csv --leaks drop --json > report.json
      edgeemo evaluate text dev.csv --train train.csv --leaks drop --peer tfidf
      edgeemo evaluate text dev.csv --labels ekman --pictures pictures/
      edgeemo evaluate voice strangers.csv --pictures pictures/
      edgeemo evaluate voice strangers.csv --robustness --noise data/voice/background/esc10
      edgeemo evaluate face faces.csv --without contempt --apart disgust
      edgeemo evaluate face faces.csv --robustness --pictures pictures/
      edgeemo evaluate face-detector detection.csv
      edgeemo evaluate face faces.csv --delegate gpu --json
    """
    from ..bundle import Bundle
    from ..card import DetectorCard
    from ..evaluation import evaluate, tables
    from ..evaluation import pictures as draw
    from ..evaluation.damage import Damage
    from ..evaluation.sounds import Noise
    from ..manifest import Example, read_manifest
    from ..recognizer import FaceRecognizer, Recognizer

    if isinstance(Bundle.open(bundle).card, DetectorCard):
        if any((labels, peer, robustness, noise, pictures, without, apart)):
            raise click.UsageError(
                "--labels, --peer, --robustness, --noise, --pictures, --without, --apart: not for a detector."
            )
        _detections(
            bundle, manifest, as_json, delegate, leaks=leaks, train=train, resamples=bootstrap, seed=seed
        )
        return
    if peer is not None and train is None:
        raise click.UsageError("--peer learns from the training data: give it with --train MANIFEST.")
    if noise is not None and not robustness:
        raise click.UsageError("--noise is what --robustness mixes in: give both.")
    if pictures is not None:
        draw.require()
    examples = read_manifest(manifest)
    compare = None
    if peer is not None and train is not None:
        from ..evaluation import peers

        compare = partial(peers.compare, read_manifest(train), track=partial(console.track, what="Peer"))

    def progress(items: Sequence[Example]) -> Sequence[Example]:
        return console.track(items, f"Reading {len(items):,} examples")  # type: ignore[return-value]

    with console.quiet_libraries(stdout=True):
        recognizer: Any = Recognizer.open(bundle, delegate=delegate)
    modality = recognizer.card.modality
    if robustness and modality == "text":
        raise click.UsageError(f"--robustness is for voices and faces; {recognizer.card.name} reads text.")
    if noise is not None and modality != "voice":
        raise click.UsageError(f"--noise is for a voice bundle; {recognizer.card.name} reads {modality}.")
    if peer is not None and modality != "text":
        raise click.UsageError(f"--peer {peer} reads text; {recognizer.card.name} reads {modality}.")
    with recognizer:
        faces = isinstance(recognizer, FaceRecognizer) and any(e.eyes for e in examples)
        find = recognizer.detector.detect if faces else None  # its eyes beside those of the manifest
        report = evaluate(
            recognizer, examples, labels=labels, leaks=leaks, train=train,
            resamples=bootstrap, seed=seed,
            noise=Noise(noise, seed) if robustness and modality == "voice" else None,
            damage=Damage(seed) if robustness and modality == "face" else None,
            find=find, without=_names(without), apart=_names(apart), peer=compare, progress=progress,
        )  # fmt: skip
    if pictures is not None:
        for path in draw.write(report, pictures):
            console.say(f"wrote {path}")
    if as_json:
        console.print_json(report.to_dict())
    else:
        console.out().print(tables.render(report))


def _names(given: str | None) -> list[str]:
    return [name.strip() for name in (given or "").split(",") if name.strip()]


def _detections(bundle: str, manifest: Path, as_json: bool, delegate: str, **how: Any) -> None:
    """Measure a detector."""
    from ..evaluation import tables
    from ..evaluation.detection import evaluate_detector
    from ..evaluation.marked import read_marked
    from ..face_detector import FaceDetector

    pictures = read_marked(manifest)
    with console.quiet_libraries(stdout=True):
        detector = FaceDetector.open(bundle, delegate=delegate)
    with detector:
        report = evaluate_detector(
            detector,
            pictures,
            progress=lambda items: console.track(items, f"Looking at {len(items):,} pictures"),
            **how,
        )
    if as_json:
        console.print_json(report.to_dict())
    else:
        console.out().print(tables.render_detections(report))
