"""``edgeemo inspect`` and ``edgeemo list``."""

from __future__ import annotations

import json

import click
from rich.text import Text

from ..bundle import Bundle, shipped
from . import console, page

_LISTED = ("version", "title", "modality", "licence", "commercial")


@click.command("inspect")
@click.argument("bundle")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: card, sizes, model.")
def inspect_command(bundle: str, as_json: bool) -> None:
    """Show what BUNDLE is, its training data, its permitted use and its scores.

    \b
    Examples:
      edgeemo inspect text
      edgeemo inspect my.tflite --json
    """
    opened = Bundle.open(bundle)
    with console.quiet_libraries():
        model = console.need("edgeemo.converters.inspect", "train").dissect(opened.flatbuffer).to_dict()
    sizes = {"file": _bytes_of(opened), "flatbuffer": len(opened.flatbuffer)}
    sizes |= {name: len(data) for name, data in sorted(opened.assets.items())}
    if as_json:
        card = json.loads(opened.card.to_json())
        console.print_json({"path": str(opened.path), "sizes": sizes, "model": model, "card": card})
    else:
        console.out().print(page.render(opened.card, sizes, model))


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_command(as_json: bool) -> None:
    """List the bundles that came with edgeemo, with their verdicts on commercial use.

    \b
    Examples:
      edgeemo list
      edgeemo list --json
    """
    bundles = {name: Bundle.open(path) for name, path in shipped().items()}
    if as_json:
        console.print_json(
            [
                {
                    "name": name,
                    **{field: getattr(b.card, field) for field in _LISTED},
                    "bytes": _bytes_of(b),
                    "path": str(b.path),
                }
                for name, b in bundles.items()
            ]
        )
        return
    table = page.table("name", "version", "size", "reads", "commercial use", "title")
    for name, b in bundles.items():
        verdict = Text(b.card.commercial, page.VERDICTS[b.card.commercial][0])
        table.add_row(
            name, b.card.version, page.size_of(_bytes_of(b)), b.card.modality, verdict, Text(b.card.title)
        )
    console.out().print(
        table if bundles else "No bundle came with this installation: train one with `edgeemo train`."
    )


def _bytes_of(bundle: Bundle) -> int:
    return bundle.path.stat().st_size if bundle.path else len(bundle.flatbuffer)
