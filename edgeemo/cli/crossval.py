"""``edgeemo crossval``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from . import console, options, page


@click.command("crossval")
@click.argument("recipe")
@options.data
@click.option("--out", type=options.OUT, help="Where to write; by default runs/RECIPE-crossval.")
@click.option("--folds", default=6, show_default=True, type=click.IntRange(2), help="How many.")
@click.option(
    "--fold", type=click.IntRange(0), help="Do only this one, from 0; processes can share the work."
)
@click.option(
    "--speakers", type=click.IntRange(2), help="Train on so many at most: a learning curve's point."
)
@click.option("--robustness", is_flag=True, help="Also measure in noise and through codecs, minutes more.")
@click.option(
    "--noise",
    type=options.FOLDER,
    help="Recordings of noise for --robustness; by default white and pink noise.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the scores over the speakers learned from (all that --speakers measured in OUT).",
)
@click.option(
    "--beside",
    multiple=True,
    type=options.FOLDER,
    help="Draw size beside score, too: the finished cross-validation of another recipe; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; all else goes to stderr.")
def crossval_command(
    recipe: str,
    data: Path,
    out: Path | None,
    folds: int,
    fold: int | None,
    speakers: int | None,
    robustness: bool,
    noise: Path | None,
    picture: Path | None,
    beside: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Measure a voice RECIPE on speakers it was not trained on, fold by fold, as int8 on the device runtime.

    Writes predictions.csv and crossval.json; `edgeemo train --crossval` reads calibration and scores from
    there. Finished folds stay.

    \b
    Examples:
      edgeemo crossval voice --data data/voice
      edgeemo crossval voice --data data/voice --fold 0 & edgeemo crossval voice --data data/voice --fold 1
      edgeemo crossval voice --data data/voice --speakers 8
      edgeemo crossval voice --data data/voice --robustness
      edgeemo crossval voice --data data/voice --picture curve.png --beside runs/voice-small-crossval
    """
    from ..evaluation.sounds import Noise

    training = console.need("edgeemo.training.crossval", "train", "tensorflow")
    out = out or Path("runs") / f"{Path(recipe).stem}-crossval"
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        report = training.crossval(
            recipe,
            data=data,
            out=out,
            n=folds,
            fold=fold,
            speakers=speakers,
            noise=Noise(noise) if robustness or noise else None,
        )
    if picture is not None and report is not None:
        _draw(picture, out, beside)
    if as_json:
        console.print_json({"out": str(out), "report": report})
    elif report is None:
        console.say(f"{out} waits for its other folds")
    else:
        console.out().print(_table(report))
        if "robustness" in report:
            console.out().print(_robust(report["robustness"]))
        console.say(f"wrote {out}; next: edgeemo train {recipe} --data {data} --crossval {out}")


def _draw(picture: Path, out: Path, beside: Sequence[Path]) -> None:
    from ..evaluation import curves
    from ..training.voice.trainer import read_report

    points = [read_report(path.parent) for path in sorted(out.glob("speakers-*/crossval.json"))]
    whole = read_report(out)
    title = f"{whole['recipe']}: speakers never heard, {whole['folds']} folds"
    curves.draw(picture, title, [*points, whole], [read_report(path) for path in beside])


def _table(report: Mapping[str, Any]) -> Table:
    columns = (">speakers", ">clips", ">classes", ">UAR (95 %)", ">accuracy (95 %)", ">= float")
    table = page.table("set", *columns)
    for name, row in report["sets"].items():
        scores = [_interval(row[metric]) for metric in ("uar", "accuracy")]
        counts = [f"{row[key]:,}" for key in ("speakers", "n", "classes")]
        table.add_row(Text(name), *counts, *scores, f"{row['float_agreement']:.3f}")
    return table


def _robust(sets: Mapping[str, Any]) -> Table:
    noise = next(iter(sets.values()))["noise"]
    title = f"\nUAR lost (95 %, in pairs); noise: {noise}"
    table = page.table("condition", *(f">{name}" for name in sets), title=title)
    rows = zip(*(found["conditions"] for found in sets.values()), strict=True)
    for row in rows:
        table.add_row(row[0]["name"], *(_interval(condition["drop"]) for condition in row))
    return table


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['value']:.3f} ({value['low']:.2f}–{value['high']:.2f})"
