"""``edgeemo train`` and ``edgeemo manifest``."""

from __future__ import annotations

from pathlib import Path

import click

from . import console

_DATA = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with your copy of the data sets.",
)


@click.command("train")
@click.argument("recipe")
@_DATA
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; by default runs/RECIPE.")
@click.option("--step", "steps", multiple=True, metavar="NAME", help="Only this step; may be repeated.")
@click.option("--fresh", is_flag=True, help="Start again instead of resuming.")
def train_command(recipe: str, data: Path, out: Path | None, steps: tuple[str, ...], fresh: bool) -> None:
    """Train RECIPE, the name of a recipe of edgeemo or a .toml file. Interrupted training resumes.

    \b
    Examples:
      edgeemo train text --data data/
      edgeemo train text-imdb --data data/ --out runs/imdb
      edgeemo train text --data data/ --step teacher --fresh
    """
    training = console.need("edgeemo.training.train", "train", "tensorflow")
    out = out or Path("runs") / Path(recipe).stem
    training.run(recipe, data=data, out=out, steps=steps or None, fresh=fresh)


@click.command("manifest")
@click.argument("dataset")
@_DATA
@click.option("--split", required=True, help="The part of the data set, for instance train or dev.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A .csv or .jsonl file.")
def manifest_command(dataset: str, data: Path, split: str, out: Path) -> None:
    """Write a part of DATASET as a manifest, for evaluate, convert and verify.

    \b
    Examples:
      edgeemo manifest goemotions --data data/ --split dev --out dev.csv
      edgeemo manifest emobank --data data/ --split dev --out emobank.jsonl
    """
    from ..manifest import write_manifest

    examples = console.need("edgeemo.training.data", "train").manifest(dataset, data, split)
    write_manifest(out, examples)
    console.say(f"wrote {out}: {len(examples):,} examples")
