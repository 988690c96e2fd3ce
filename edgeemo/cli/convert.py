"""``edgeemo convert`` and ``edgeemo verify``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from . import CHECK_FAILED, console, page
from .options import FILE, OUT
from .options import json as json_option

_MODEL = click.argument("model", type=FILE)


@click.command("convert")
@_MODEL
@click.option("--calibration", required=True, type=FILE, metavar="MANIFEST", help="Typical inputs.")
@click.option("--out", required=True, type=OUT, metavar="FILE.tflite")
@click.option("--card", type=FILE, help="By default card.json beside MODEL.")
@click.option("--vocab", type=FILE, help="For text; by default vocab.txt beside MODEL.")
@json_option
def convert_command(
    model: Path, calibration: Path, out: Path, card: Path | None, vocab: Path | None, as_json: bool
) -> None:
    """Convert MODEL (.keras) to an int8 bundle, verify it on the device runtime, and only then write it.

    The calibration inputs give the ranges of the activations: take a few hundred typical ones. If the int8
    model loses more than its budget against the float model, the command writes nothing (exit code 3).

    \b
    Examples:
      edgeemo convert runs/text/model.keras --calibration runs/text/calibration.csv --out text.tflite
      edgeemo convert runs/voice/model.keras --calibration runs/voice/calibration.csv --out voice.tflite
    """
    converting = console.need("edgeemo.converters.convert", "train", "tensorflow")
    console.say(f"converting {model.name} to int8; the converter gives no progress")
    _finish(converting.convert(model, calibration, out, card=card, vocab=vocab, progress=_progress), as_json)
    console.say(f"wrote {out}")


@click.command("verify")
@_MODEL
@click.argument("bundle")
@click.argument("manifest", type=FILE)
@json_option
def verify_command(model: Path, bundle: str, manifest: Path, as_json: bool) -> None:
    """Compare BUNDLE, on the device runtime, with the float MODEL it came from, on MANIFEST.

    Prints the agreement of the top label, the drop of the score, and every label; for a detector, the faces
    that both find. The exit code is 3 if the model misses its budget.

    \b
    Example:
      edgeemo verify runs/text/model.keras text.tflite dev.csv
    """
    from ..bundle import find

    verifying = console.need("edgeemo.converters.verify", "train", "tensorflow")
    _finish(verifying.verify(model, find(bundle), manifest, progress=_progress), as_json)


def _progress(items: Sequence[Any]) -> Any:
    return console.track(items, f"Reading {len(items):,} examples")


def _finish(verification: Any, as_json: bool) -> None:
    """Show a verification; leave with exit code 3 if it names problems."""
    facts, problems = verification.to_dict(), tuple(verification.problems)
    if as_json:
        console.print_json(facts)
    else:
        console.out().print(*_tables(facts), sep="\n")
    for problem in problems:
        console.say(f"failed: {' '.join(str(problem).split())}")
    if problems:
        raise click.exceptions.Exit(CHECK_FAILED)


def _tables(facts: Mapping[str, Any]) -> list[Table]:
    """Return plain values as tables: single ones in one table, a mapping of rows in a table of its own."""
    nested = {name: rows for name, rows in facts.items() if _is_rows(rows)}
    single = ((name, _shown(value)) for name, value in facts.items() if name not in nested)
    return [
        page.facts(*single, title="int8 against float"),
        *(_rows(name, rows) for name, rows in nested.items()),
    ]


def _is_rows(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(v, Mapping) for v in value.values())


def _rows(title: str, rows: Mapping[str, Mapping[str, Any]]) -> Table:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = page.table("", *columns, title=f"\n{title}")
    for name, row in rows.items():
        table.add_row(Text(name), *(_shown(row.get(column)) for column in columns))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{name} {_shown(v)}" for name, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_shown(v) for v in value) or "none"
    return "–" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
