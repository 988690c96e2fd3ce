"""``edgeemo bench``."""

from __future__ import annotations

import math
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from ..bench import report
from ..bench.comparison import CANNOT, compare, exceeds, read_results
from ..bench.html_page import html
from ..bench.inputs import Inputs, input_of
from ..bench.run import Context, Setup, Tick, bench, failed_result
from ..bench.timing import Effort
from ..bundle import Bundle
from ..card import Card
from ..errors import DataError, EdgeemoError
from ..files import explained, write_whole
from ..machine import machine
from . import console, options
from .page import table

_INPUTS = {"text": "text", "audio": "voice", "image": "face"}  # option: modality
_CHECK_FAILED = 3


def _a_number(_: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse nan, which is in every range."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is not a number.", param=parameter)
    return value


@click.command("bench")
@click.argument("bundles", nargs=-1, required=True, metavar="NAME_OR_PATH…")
@click.option("--text", help="The text for text bundles; by default the first golden text of the card.")
@click.option(
    "--audio", type=options.OUT, help="The recording for voice bundles; by default a made hum of one span."
)
@click.option(
    "--image", type=options.OUT, help="The picture for face bundles; by default one with a drawn face."
)
@click.option("--delegate", "delegates", multiple=True, default=("auto",), show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), multiple=True, default=(1,), show_default=True)
@click.option(
    "--batch", "batches", type=click.IntRange(1, 10_000), multiple=True, default=(1,), show_default=True,
    help="Texts in a call (`predict_batch`).",
)  # fmt: skip
@options.backend
@click.option(
    "--seconds", type=click.FloatRange(0.05, 3600), default=2.0, show_default=True, callback=_a_number,
    help="How long to measure each setup.",
)  # fmt: skip
@click.option(
    "--rounds",
    type=click.IntRange(1, 10_000_000),
    help="The number of calls, in place of --seconds (100 or more).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the machine and the results.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Markdown tables.")
@click.option(
    "--picture", type=options.OUT, metavar="FILE", help="Draw the stages into a .png or a .html page."
)
@click.option(
    "--compare", "old", type=options.OUT, metavar="JSON", help="Compare with the file of an earlier --json."
)
@click.option(
    "--fail-above", type=click.FloatRange(0), metavar="PERCENT", callback=_a_number,
    help="With --compare: end with exit code 3 if a result is slower by more, or cannot be compared.",
)  # fmt: skip
@click.pass_context
def bench_command(
    context: click.Context,
    bundles: tuple[str, ...],
    text: str | None,
    audio: Path | None,
    image: Path | None,
    delegates: tuple[str, ...],
    threads: tuple[int, ...],
    batches: tuple[int, ...],
    backend: str,
    seconds: float,
    rounds: int | None,
    as_json: bool,
    as_markdown: bool,
    picture: Path | None,
    old: Path | None,
    fail_above: float | None,
) -> None:
    """Time the product's own call on this machine, as a whole and by stage.

    The command measures every combination of the options that may be repeated. It warms each setup up until
    the times are steady, and measures cold start and memory in new processes. Do not quote a result that is
    "noisy", nor a p95 or p99 with a "~"; the notes say why. A setup that cannot run gives a row with the
    reason.

    \b
    Examples:
      edgeemo bench text
      edgeemo bench text voice face --threads 1 --threads 2
      edgeemo bench voice --audio speech.wav --seconds 10 --json > board.json
      edgeemo bench face --image photo.jpg --delegate cpu --delegate gpu --picture face.html
      edgeemo bench text --compare old.json --fail-above 5
    """
    if as_json and as_markdown:
        raise click.UsageError("Give either --json or --markdown.")
    if fail_above is not None and old is None:
        raise click.UsageError("--fail-above needs --compare: give the results to compare with.")
    inputs = Inputs(text, audio, image)
    cards = {name: Bundle.open(name).card for name in bundles}
    _check(cards, {option for option, value in vars(inputs).items() if value is not None}, min(batches))
    for card in cards.values():
        input_of(card, inputs)
    chart = None
    if picture is not None:
        _check_folder(picture)
        if picture.suffix.lower() != ".html":
            chart = console.need("edgeemo.bench.image", "eval", "matplotlib.figure")
            chart.check(picture)
    then = read_results(old) if old is not None else None
    once = dict.fromkeys  # measure once what the options name twice
    combined = product(once(bundles), once(delegates), once(threads), once(batches))
    setups = [Setup(name, delegate, n, batch, backend) for name, delegate, n, batch in combined]
    command = shlex.join(("edgeemo", *(context.find_root().obj or ("bench", *bundles))))
    results = _measured(setups, inputs, Effort(seconds, rounds), command)
    if then is not None:
        for result in results:
            result["compared"] = compare(result, then)
    here = machine().to_dict()
    _print(results, here, as_json=as_json, as_markdown=as_markdown)
    if picture is not None:
        if chart is not None:
            chart.draw(picture, results, here)
        else:
            with explained(f"{picture} cannot be written", DataError, "Check the folder and its rights."):
                write_whole(picture, html(results, here, command).encode("utf-8", "replace"))
        console.say(f"wrote {picture}")
    if fail_above is not None:
        _guard(context, results, fail_above)


def _check(cards: dict[str, Card], given: set[str], batch: int) -> None:
    """Refuse options that fit none of the bundles, before anything is measured."""
    modalities = {card.modality for card in cards.values()}
    for option in sorted(given):
        if _INPUTS[option] not in modalities:
            names = " and ".join(sorted(modalities))
            other = " or ".join(f"--{o}" for o, m in _INPUTS.items() if m in modalities)
            raise click.UsageError(
                f"--{option} is for {_INPUTS[option]} bundles; these read {names}: give {other}."
            )
    if batch > 1 and "text" not in modalities:
        names = " and ".join(sorted(modalities))
        raise click.UsageError(
            f"--batch is for text bundles (predict_batch); these read {names}: leave it out."
        )


def _check_folder(picture: Path) -> None:
    """Refuse a picture that cannot be written, before anything is measured."""
    folder = picture.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or picture.is_dir():
        raise DataError(f"{picture} cannot be written. Give the name of a file in a folder of yours.")


def _measured(setups: Sequence[Setup], inputs: Inputs, effort: Effort, command: str) -> list[dict[str, Any]]:
    """Measure one setup after the other; a failure becomes a result, unless all setups fail."""
    results: list[dict[str, Any]] = []
    last = None
    with _ended_by_signal(), _progress(len(setups)) as ticks:
        for i, setup in enumerate(setups):
            context = Context(command, tick=ticks(i, setup))
            try:
                results.append(bench(setup, inputs, effort, context))
            except EdgeemoError as error:
                results.append(failed_result(setup, error, context))
                last = error
    if last is not None and all(result["total_us"] is None for result in results):
        raise last
    return results


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Let SIGTERM end the command in order: it stops processes and removes their files."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress(setups: int) -> Iterator[Any]:
    """Give a progress bar on a terminal, drawn between blocks only: nothing runs beside the measurement."""
    on = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(
        *columns, console=on, transient=True, auto_refresh=False, disable=not on.is_terminal
    ) as bar:
        task = bar.add_task("", total=setups)

        def ticks(i: int, setup: Setup) -> Tick:
            def tick(what: str, share: float) -> None:
                bar.update(task, completed=i + share, refresh=True, description=f"{setup.bundle}: {what}")

            return tick

        yield ticks


def _print(
    results: Sequence[report.Result], here: report.Result, *, as_json: bool, as_markdown: bool
) -> None:
    if as_json:
        console.print_json({"machine": here, "results": results})
    elif as_markdown:
        print(report.markdown(results, here))
    else:
        out = console.out()
        for title, header, rows in report.tables(results):
            shown = table(*header)
            for column in shown.columns[1:]:
                column.no_wrap = True
            for row in rows:
                shown.add_row(*(Text(cell) for cell in row))
            out.print(Text(title, "bold"), shown, "")
        for note in (*report.notes(results), report.where(here, results)):
            out.print(Text(note))


def _guard(context: click.Context, results: Sequence[report.Result], percent: float) -> None:
    """End with exit code 3 if a result exceeds the limit."""
    wrong = [result for result in results if exceeds(result["compared"], percent / 100)]
    for result in wrong:
        verdict = report.verdict(result["compared"])
        limit = "" if result["compared"]["verdict"] == CANNOT else f"; at most {percent:g} % more is allowed"
        console.say(f"check failed: {report.name_of(result, results)}: {verdict}{limit}")
    if wrong:
        context.exit(_CHECK_FAILED)
