"""One command for the table and pictures of docs/results/peers.md, from one run beside all peers.

    make table DATA=…                                  # everything, under 20 minutes on two cores
    .venv-peers/bin/python -m benchmarks.table --data DATA --only text --only voice
    .venv-peers/bin/python -m benchmarks.table --render          # the page again from the last results

Writes ``benchmarks/results/BOARD.json`` after every part. After an interrupted run, ``--only`` measures the
missing parts. ``BOARD`` is the processor and its cores unless ``--board`` names it. Rows whose data or
packages are missing are named as skipped, with what to do. The peers' trained models come from a cache that
``make peers-train`` fills. Parts join only results of this very machine and of the bundles that are shipped
now, and ``--render`` leaves the machine's name as it stands. The exit code is 0 although a peer may be
ahead: the verdicts say so; with ``--strict`` it is 3.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edgeemo import Bundle
from edgeemo.bundle import shipped
from edgeemo.errors import DataError
from edgeemo.files import write_whole
from edgeemo.machine import condition, machine

from .parts import detector, face, frontends, runtimes, scaling, text, voice
from .parts.row import ROOT, Context, Row, digest, quiet
from .pictures import draw
from .render import into_page, lines_of, markdown

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "results" / "peers.md"
SCHEMA = 2
"""1 had times of the wall clock."""
PARTS: dict[str, Callable[[Context], Iterator[Row | scaling.Curve]]] = {
    "frontends": frontends.measure,
    "text": text.measure,
    "voice": voice.measure,
    "face": face.measure,
    "detector": detector.measure,
    "runtimes": runtimes.measure,
    "scaling": scaling.measure,
}


def measure(name: str, context: Context) -> dict[str, Any]:
    """Measure one part and return its rows and curves, when and in what condition the machine was."""
    before, began, clock = condition(), datetime.now(timezone.utc), time.monotonic()
    found = list(PARTS[name](context))
    about = {
        "command": context.command,
        "machine": f"{machine().cpu or machine().board}, {machine().cores} cores",
    }
    rows = [row.to_dict() | about for row in found if isinstance(row, Row)]
    return {
        "began": began.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 1),
        "command": context.command,
        "before": before.to_dict(),
        "after": condition().to_dict(),
        "rows": rows,
        "curves": [curve.to_dict() for curve in found if isinstance(curve, scaling.Curve)],
    }


def board_name() -> str:
    """Return a file name for this machine: what it is called, or its processor, and its cores."""
    here = machine()
    name = here.board if here.architecture == "aarch64" and here.board else here.cpu or here.architecture
    return re.sub(r"[^a-z0-9]+", "-", f"{name} {here.cores} cores".lower()).strip("-")


def of_other_models(results: Mapping[str, Any]) -> list[str]:
    """Return the parts in which we ran a model that is not shipped (any more)."""
    with quiet():
        now = {digest(path) for path in shipped().values()}
        now |= {Bundle.open(name).card.flatbuffer_sha256 for name in shipped()}

    def is_other(row: Mapping[str, Any]) -> bool:  # frontends run no model: theirs is the compiled module
        return bool(row.get("ours")) and "frontend" not in row["task"] and row["sha256"] not in now

    return [name for name, part in results["parts"].items() if any(map(is_other, part["rows"]))]


def begin(path: Path, board: str, *, only: Collection[str], again: bool) -> dict[str, Any]:
    """Return the results to go on with: new ones, or those in the file, as they are.

    Args:
        only: the parts that are measured and join them; none: all are measured. again: they are only written
            again.

    Raises:
        DataError: they are of another kind, or of another machine or other models, and parts should join
            them; or there are none to write again.
    """
    here = machine().to_dict()
    if again and not path.is_file():
        raise DataError(f"{path} is not there: measure first (make table DATA=…), or name its --board.")
    if not (only or again) or not path.is_file():
        return {"schema": SCHEMA, "board": board, "machine": here, "parts": {}}
    kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if kept["schema"] != SCHEMA:
        raise DataError(
            f"{path} has times of another kind (schema {kept['schema']}): measure all parts again."
        )
    if again:
        return kept
    other = [key for key in here if key != "memory_mb" and kept["machine"].get(key) != here[key]]
    if other:
        what = ", ".join(f"{key} {kept['machine'].get(key)!r} then, {here[key]!r} now" for key in other)
        raise DataError(
            f"{path} is of another machine ({what}): measure all parts again (without --only), or name "
            "another --board."
        )
    old = [name for name in of_other_models(kept) if name not in only]
    if old:
        raise DataError(
            f"{path} has {', '.join(old)} of bundles that are not shipped any more: measure them, too "
            f'(make table ONLY="{" ".join([*only, *old])}"), or all parts again.'
        )
    return kept


def said(options: argparse.Namespace) -> str:
    """Return the command as it was given, without where this machine has its files."""
    parts = ["python -m benchmarks.table --data DATA"]
    parts += [f"--only {name}" for name in options.only or ()]
    parts += ["--legacy LEGACY"] if options.legacy else []
    return " ".join(parts + ([f"--board {options.board}"] if options.board else []))


def write(results: dict[str, Any], path: Path) -> None:
    """Write the results, whole or not at all, in the order of `PARTS`."""
    results["parts"] = {name: results["parts"][name] for name in PARTS if name in results["parts"]}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data folder (default: data)")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="a part; may be repeated")
    parser.add_argument("--legacy", type=Path, help="the Python of tflite-runtime (make legacy)")
    parser.add_argument("--board", help="the name of the results' file")
    parser.add_argument("--render", action="store_true", help="measure nothing, only write again")
    parser.add_argument(
        "--no-page", "--no-readme", action="store_true", help="leave docs/results/peers.md as it is"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 3 where a verdict is against us")
    options = parser.parse_args(None if arguments is None else list(arguments))
    board = options.board or board_name()
    path = RESULTS / f"{board}.json"
    try:
        results = begin(path, board, only=options.only or (), again=options.render)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    if old := of_other_models(results):
        print(f"{', '.join(old)}: measured with bundles that are not shipped any more", file=sys.stderr)
    context = Context(options.data, options.legacy, said(options))
    for name in () if options.render else options.only or PARTS:
        print(f"── {name}", file=sys.stderr, flush=True)
        results["parts"][name] = measure(name, context)
        write(results, path)
        print(f"── {name}: {results['parts'][name]['seconds']:.0f} s", file=sys.stderr, flush=True)
    results["pictures"] = draw(results, PAGE.parent)
    write(results, path)
    for line in lines_of(results):
        print(line)
    if not options.no_page and not into_page(PAGE, markdown(results)):
        print(f"{PAGE.name} has no place for the table: put both marks of benchmarks/render.py there.")
    against = any(line.startswith("NOT") for line in lines_of(results))
    return 3 if options.strict and against else 0


if __name__ == "__main__":
    sys.exit(main())
