"""``edgeemo delegates``."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.text import Text

from .. import delegates
from ..bundle import Bundle, shipped
from ..errors import BundleNotFoundError
from . import console, options, page


@click.command("delegates")
@click.argument("bundle", required=False)
@click.option(
    "--delegate",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False),
    help="Try an external TFLite delegate (.so), too.",
)
@click.option(
    "--option",
    "options",
    metavar="KEY=VALUE",
    multiple=True,
    help="For the delegate; probe_timeout_ms and probe_most_ratio set how to try it. May be repeated.",
)
@click.option("--threads", default=1, show_default=True, help="CPU threads, 1 to 64.")
@options.json
def delegates_command(
    bundle: str | None, delegate: str | None, options: tuple[str, ...], threads: int, as_json: bool
) -> None:
    """Try the GPU of this machine, or an external delegate, on BUNDLE or on all shipped bundles.

    A delegate runs in a child process, so it may crash or hang without harm. The command compares its answers
    with the CPU's on the bundle's golden inputs, and times both. It keeps the verdicts. From then on
    `delegate="auto"` takes the GPU where its answers are right and as quick as the CPU's.

    \b
    Examples:
      edgeemo delegates
      edgeemo delegates text --json
      edgeemo delegates face --delegate /usr/lib/libvx_delegate.so --option allowed_cache_mode=true
      edgeemo delegates voice --option probe_timeout_ms=60000
    """
    given = dict(_pair(option) for option in options)
    names = [bundle] if bundle is not None else list(shipped())
    if not names:
        raise BundleNotFoundError("edgeemo has no shipped bundle here: name a bundle, or train one.")
    found: list[tuple[str, delegates.DelegateReport]] = []
    for name in console.track(names, "trying"):
        opened = Bundle.open(name)
        with console.quiet_libraries(stdout=True):
            reports = delegates.survey(opened, delegate=delegate, delegate_options=given, threads=threads)
        found += [(opened.card.name, report) for report in reports]
    if as_json:
        records = str(given.get("probe_records", delegates.records_folder()))
        console.print_json(
            {"records": records, "reports": [{"bundle": name, **asdict(report)} for name, report in found]}
        )
        return
    table = page.table("bundle", "delegate", "usable", ">time / CPU's", "why not")
    for name, report in found:
        usable = Text("yes", "green") if report.usable else Text("no", "yellow")
        ratio = "–" if report.ratio is None else f"{report.ratio:.2f}"
        table.add_row(name, Text(report.name), usable, ratio, Text(report.reason))
    console.out().print(table)


def _pair(option: str) -> tuple[str, str]:
    key, sign, value = option.partition("=")
    if not sign or not key.strip():
        raise click.BadParameter(f"{option!r}: expected KEY=VALUE", param_hint="--option")
    return key.strip(), value.strip()
