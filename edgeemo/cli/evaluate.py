"""``edgeemo evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import console, options

if TYPE_CHECKING:
    from ..data.leaks import Policy


_FOR = {
    "peer": "a text bundle",
    "robustness": "voice and face bundles",
    "noise": "a voice bundle",
    "field": "a voice bundle",
}


@click.command("evaluate")
@click.argument("bundle")
@click.argument("manifest", type=options.FILE)
@options.json
@click.option(
    "--labels", metavar="SET", help="Compare in 'fine', a group of the card ('ekman') or 'emotions'."
)
@click.option(
    "--leaks",
    type=click.Choice(["refuse", "drop", "keep"]),
    default="refuse",
    show_default=True,
    help="Refuse, drop or keep test examples and speakers that are also in the training data.",
)
@click.option("--train", type=options.FILE, metavar="MANIFEST", help="The training data.")
@click.option("--peer", type=click.Choice(["tfidf"]), help="Also train this on --train and compare in pairs.")
@click.option(
    "--without",
    metavar="LABELS",
    help="Leave out these labels and their examples; separate by commas.",
)
@click.option("--apart", metavar="LABELS", help="Rare labels: also print the means over the others (rest_…).")
@click.option(
    "--robustness",
    is_flag=True,
    help="Also measure voices in noise and through codecs, or corrupted and misplaced faces.",
)
@click.option(
    "--noise",
    type=options.FOLDER,
    metavar="DIR",
    help="For voice: recordings of noise for --robustness; by default white and pink noise.",
)
@click.option(
    "--field",
    type=options.FOLDER,
    metavar="DATA",
    help="For voice: also measure the field with the calm speech, rooms and sounds in this folder.",
)
@click.option(
    "--clips",
    type=click.IntRange(20),
    help="For --field: the most clips of MANIFEST, and of each set in DATA; by default 240.",
)
@click.option("--pictures", type=options.OUT, metavar="DIR", help="Write PNG pictures there.")
@options.delegate
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
    field: Path | None,
    clips: int | None,
    pictures: Path | None,
    delegate: str,
    bootstrap: int,
    seed: int,
) -> None:
    """Measure BUNDLE on MANIFEST: how often its answers are what people labelled.

    Prints accuracy, precision, recall, F1, UAR, calibration error, confusion, and Pearson's r of valence and
    arousal, each with a 95 % bootstrap interval. The bootstrap draws whole speakers or subjects if the
    manifest names them. Named speakers, genders, ages and ethnicities are also measured one by one.

    --field measures voices on a telephone line, in rooms, in noise and at several rates. It also measures
    calm speech, words live, and steady tones. It takes some minutes.

    For a detector the command prints recall by size, false boxes and the error of the eyes. Its MANIFEST has
    the columns path and boxes (kind:x0,y0,x1,y1;…) or eye0_x, eye0_y, eye1_x, eye1_y.

    \b
    Examples:
      edgeemo evaluate text dev.csv --leaks drop
      edgeemo evaluate text dev.csv --leaks drop --json > report.json
      edgeemo evaluate text dev.csv --train train.csv --leaks drop --peer tfidf
      edgeemo evaluate text dev.csv --labels ekman --pictures pictures/
      edgeemo evaluate voice strangers.csv --pictures pictures/
      edgeemo evaluate voice strangers.csv --robustness --noise data/voice/background/esc10
      edgeemo evaluate voice strangers.csv --field data/voice
      edgeemo evaluate face faces.csv --without contempt --apart disgust
      edgeemo evaluate face faces.csv --robustness --pictures pictures/
      edgeemo evaluate face-detector detection.csv
      edgeemo evaluate face faces.csv --delegate gpu --json
    """
    from ..bundle import Bundle
    from ..evaluation import pictures as draw
    from ..evaluation import tables
    from ..tasks import task_of

    card = Bundle.open(bundle).card
    task = task_of(card)
    given = {
        "labels": labels, "peer": peer, "robustness": robustness, "noise": noise, "field": field,
        "pictures": pictures, "without": without, "apart": apart,
    }  # fmt: skip
    for name in (name for name, value in given.items() if value and name not in task.options):
        raise click.UsageError(
            f"--{name} is for {_FOR.get(name, 'bundles with labels')}; {card.name} is a {task.name} bundle."
        )
    if peer is not None and train is None:
        raise click.UsageError("--peer learns from the training data: give it with --train MANIFEST.")
    if noise is not None and not robustness:
        raise click.UsageError("--noise is what --robustness mixes in: give both.")
    if clips is not None and field is None:
        raise click.UsageError("--clips is how many clips --field measures: give both.")
    if pictures is not None:
        draw.matplotlib_figure()
    examples = task.read(manifest, labelled=True)
    options: dict[str, Any] = {"leaks": leaks, "train": train, "resamples": bootstrap, "seed": seed}
    if task.options:
        options |= {"labels": labels, "without": _names(without), "apart": _names(apart)}
    if robustness:
        options |= task.robustness(noise, seed)
    if field is not None:
        options |= task.field(field, clips, seed)
    if peer is not None and train is not None:
        from ..data.manifest import read_manifest
        from ..evaluation import peers

        track = partial(console.track, what="Peer")
        options["peer"] = partial(peers.compare, read_manifest(train), track=track)

    def progress(items: Sequence[Any]) -> Any:
        return console.track(items, f"Reading {len(items):,} examples")

    with console.quiet_libraries(stdout=True):
        recognizer = task.opener.open(bundle, delegate=delegate)
    with recognizer:
        report = task.evaluate(recognizer, examples, progress=progress, **options)
    if pictures is not None:
        for path in draw.write(report, pictures):
            console.say(f"wrote {path}")
    if as_json:
        console.print_json(report.to_dict())
    else:
        console.out().print(tables.render(report))


def _names(given: str | None) -> list[str]:
    return [name.strip() for name in (given or "").split(",") if name.strip()]
