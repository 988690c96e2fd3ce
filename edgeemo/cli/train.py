"""``edgeemo train`` and ``edgeemo manifest``."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from . import console, options

_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object; the rest goes to stderr."
)


@click.command("train")
@click.argument("recipe")
@options.data
@click.option("--out", type=options.OUT, help="Where to write; by default runs/RECIPE.")
@click.option("--step", "steps", multiple=True, metavar="NAME", help="Train this step and later ones again.")
@click.option("--fresh", is_flag=True, help="Start again instead of resuming.")
@click.option(
    "--crossval",
    type=options.FOLDER,
    help="For voice: the folder of `edgeemo crossval`; its calibration and scores go into the card.",
)
@_JSON
def train_command(
    recipe: str,
    data: Path,
    out: Path | None,
    steps: tuple[str, ...],
    fresh: bool,
    crossval: Path | None,
    as_json: bool,
) -> None:
    """Train RECIPE: the name of a shipped recipe, or a .toml file. Interrupted training resumes.

    \b
    Examples:
      edgeemo train text --data data/
      edgeemo train text-imdb --data data/ --out runs/imdb
      edgeemo train text --data data/ --step student
      edgeemo train voice --data data/voice --crossval runs/voice-crossval
    """
    training = console.need("edgeemo.training.train", "train", "tensorflow")
    out = out or Path("runs") / Path(recipe).stem
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        model = training.run(recipe, data=data, out=out, steps=steps or None, fresh=fresh, crossval=crossval)
    if as_json:
        console.print_json({"recipe": recipe, "out": str(out), "model": str(model)})
    else:
        console.say("\n  ".join([f"wrote {model}; next:", *_next(out, model)]))


def _next(out: Path, model: Path) -> list[str]:
    """Return the commands that make a bundle of a run and, where the recipe names a test, measure it."""
    bundle, calibration, test = f"{out.name}.tflite", out / "calibration.csv", out / "test.csv"
    measured = [f"edgeemo evaluate {bundle} {test} --leaks drop"] if test.is_file() else []
    return [f"edgeemo convert {model} --calibration {calibration} --out {bundle}", *measured]


@click.command("manifest")
@click.argument("dataset")
@options.data
@click.option("--split", required=True, help="The part of the data set, for instance train or dev.")
@click.option("--out", required=True, type=options.OUT, help="A .csv or .jsonl file.")
@_JSON
def manifest_command(dataset: str, data: Path, split: str, out: Path, as_json: bool) -> None:
    """Write a part of DATASET as a manifest, for evaluate, convert and verify.

    \b
    Examples:
      edgeemo manifest goemotions --data data/ --split dev --out dev.csv
      edgeemo manifest emobank --data data/ --split dev --out emobank.jsonl
      edgeemo manifest ravdess --data data/voice --split valid --out ravdess.csv
      edgeemo manifest fer2013 --data data/face --split valid --out fer2013.csv
    """
    from ..data.marked import write_examples

    examples = console.need("edgeemo.data.catalog", "train").load(dataset, data, split)
    write_examples(out, examples)
    if as_json:
        console.print_json({"dataset": dataset, "split": split, "out": str(out), "n": len(examples)})
    else:
        console.say(f"wrote {out}: {len(examples):,} examples")
