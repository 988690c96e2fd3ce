"""``edgeemo doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ..doctor import SEVERITIES, Case, Checked, Finding, Severity, examine
from . import console

_STYLES: dict[Severity, str] = {"info": "cyan", "warning": "yellow", "error": "red"}
EXIT_CODES: dict[Severity, int] = {"info": 0, "warning": 4, "error": 3}
"""By the worst finding; 3 is what it is of every command: a check failed."""


@click.command("doctor")
@click.argument("bundles", nargs=-1, metavar="[BUNDLE]…")
@click.option("--picture", type=click.Path(path_type=Path), help="Look into this photograph, too.")
@click.option("--recording", type=click.Path(path_type=Path), help="Look into this recording, too.")
@click.option("--rate", type=click.IntRange(1), metavar="HZ", help="The sample rate your product assumes.")
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="You want to use.")
@click.option(
    "--sys-root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    help="Read the system's files (/sys, /proc, /dev …) below this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: checks and findings.")
def doctor_command(
    bundles: tuple[str, ...],
    picture: Path | None,
    recording: Path | None,
    rate: int | None,
    threads: int,
    sys_root: Path,
    as_json: bool,
) -> None:
    """Say why this machine is slow or wrong: what was found, how it was seen, what to do.

    Shipped bundles are checked, and every BUNDLE (name or path). Nothing is changed or sent.

    \b
    Examples:
      edgeemo doctor
      edgeemo doctor my.tflite --picture frame.jpg --recording call.wav --rate 16000 --threads 4
      edgeemo doctor --json | jq -r '.findings[] | select(.severity != "info") | .remedy'

    \b
    Exit codes:
      0  nothing found, or only information
      3  an error: something does not work, or answers wrongly
      4  warnings, and no error: something is slow, or less good than it could be
    """
    case = Case(sys_root, bundles, picture, recording, rate, threads)
    with console.quiet_libraries():
        checked = examine(case)
    findings = [finding for check in checked for finding in check.findings]
    if as_json:
        console.print_json(
            {
                "checks": [check.to_dict() for check in checked],
                "findings": [finding.to_dict() for finding in findings],
            }
        )
    else:
        console.out().print(_render(checked, findings))
    console.flush()
    raise click.exceptions.Exit(max((EXIT_CODES[worst] for worst in _worst(findings)), default=0))


def _worst(findings: Sequence[Finding]) -> list[Severity]:
    """Return the worst severity, or nothing."""
    return sorted({finding.severity for finding in findings}, key=SEVERITIES.index)[-1:]


def _render(checked: Sequence[Checked], findings: Sequence[Finding]) -> Group:
    parts: list[RenderableType] = []
    for subject, checks in groupby(checked, key=lambda check: check.subject):
        parts.append(Text(subject.capitalize(), "bold"))
        for check in checks:
            parts += _lines(check)
        parts.append(Text())
    counts = {kind: sum(finding.severity == kind for finding in findings) for kind in reversed(SEVERITIES)}
    told = [
        Text(f"{n} {kind}{'s' if n != 1 and kind != 'info' else ''}", _STYLES[kind])
        for kind, n in counts.items()
        if n
    ]
    skipped = sum(check.state == "skipped" for check in checked)
    seconds = sum(check.ms for check in checked) / 1000
    parts.append(
        Text.assemble(
            f"{len(checked)} checks in {seconds:.1f} s, {skipped} skipped: ",
            Text(", ").join(told) if told else Text("nothing found", "green"),
        )
    )
    return Group(*parts)


def _lines(check: Checked) -> Iterator[RenderableType]:
    """Yield a line for a check, and below it what it found."""
    word, style = _state(check)
    why = f"  {check.reason}" if check.state == "skipped" else ""
    yield Text.assemble("  ", (f"{word:<8}", style), f"{check.name:<13}", (why, "dim"))
    if check.note:
        yield Padding(Text(f"note: {check.note}", "dim"), (0, 0, 0, 10))
    for finding in check.findings:
        yield Padding(
            Text.assemble((finding.severity, _STYLES[finding.severity]), f" {finding.id}: {finding.what}"),
            (0, 0, 0, 10),
        )
        yield Padding(Text(f"seen: {finding.evidence}", "dim"), (0, 0, 0, 12))
        yield Padding(Text(f"do:   {finding.remedy}"), (0, 0, 0, 12))


def _state(check: Checked) -> tuple[str, str]:
    worst = _worst(check.findings)
    if worst and worst[0] != "info":
        return worst[0], _STYLES[worst[0]]
    return ("skipped", "dim") if check.state == "skipped" else ("ok", "green")
