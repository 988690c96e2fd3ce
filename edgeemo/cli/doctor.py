"""``edgeemo doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..doctor import SEVERITIES, Checked, Context, Finding, Severity, examine
from . import console, options

_STYLES: dict[Severity, str] = {"info": "cyan", "warning": "yellow", "error": "red"}
EXIT_CODES: dict[Severity, int] = {"info": 0, "warning": 4, "error": 3}
"""The exit code of the worst finding. Every command ends with 3 if a check failed."""
_WIDTH, _MOST = 9, 1000  # columns of the first word, characters of a text


@click.command("doctor")
@click.argument("bundles", nargs=-1, metavar="[BUNDLE]…")
@click.option("--picture", type=options.OUT, help="Look into this photograph, too.")
@click.option("--recording", type=options.OUT, help="Look into this recording, too.")
@click.option("--rate", type=click.IntRange(1), metavar="HZ", help="The sample rate your product assumes.")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="The threads that you want to use.",
)
@click.option(
    "--sys-root",
    type=options.FOLDER,
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
    """Say why this machine is slow or answers wrongly, and what to do.

    The doctor checks the shipped bundles and every BUNDLE (name or path). It changes and sends nothing.

    \b
    Examples:
      edgeemo doctor
      edgeemo doctor my.tflite --picture frame.jpg --recording call.wav --rate 16000 --threads 4
      edgeemo doctor --json | jq -r '.findings[] | select(.severity != "info") | .remedy'

    \b
    Exit codes:
      0  nothing found, or only information
      3  an error: something does not work, or answers wrongly
      4  warnings without an error: something is slow, or less good than possible
    """
    context = Context(sys_root, bundles, picture, recording, rate, threads)
    with console.quiet_libraries():
        checked = examine(context)
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
    """Return the worst severity in a list, or an empty list."""
    return sorted({finding.severity for finding in findings}, key=SEVERITIES.index)[-1:]


def _render(checked: Sequence[Checked], findings: Sequence[Finding]) -> Group:
    """Show findings, the worst first; then notes, skipped checks with the reason, and good checks."""
    parts: list[RenderableType] = []
    for severity in reversed(SEVERITIES):
        for finding in findings:
            if finding.severity == severity:
                parts += _finding(finding)
    parts += [_line("note", "dim", check.name, check.note) for check in checked if check.note]
    skipped = [check for check in checked if check.state == "skipped"]
    parts += [_line("skipped", "dim", check.name, check.reason) for check in skipped]
    good = [c.name for c in checked if c.state == "done" and _worst(c.findings) in ([], ["info"])]
    if good:
        parts.append(_hanging(_WIDTH, Text("ok", "green"), Text(", ".join(good))))
    counts = {kind: sum(finding.severity == kind for finding in findings) for kind in reversed(SEVERITIES)}
    summary = [
        Text(f"{n} {kind}{'s' if n != 1 and kind != 'info' else ''}", _STYLES[kind])
        for kind, n in counts.items()
        if n
    ]
    seconds = sum(check.ms for check in checked) / 1000
    parts.append(
        Text.assemble(
            f"\n{len(checked)} checks in {seconds:.1f} s, {len(skipped)} skipped: ",
            Text(", ").join(summary) if summary else Text("nothing found", "green"),
        )
    )
    return Group(*parts)


def _finding(finding: Finding) -> Iterator[RenderableType]:
    style = _STYLES[finding.severity]
    yield _hanging(
        _WIDTH, Text(finding.severity, style), Text(f"{finding.id}: {console.plain(finding.what, _MOST)}")
    )
    for word, text, dim in (("seen:", finding.evidence, "dim"), ("do:", finding.remedy, "")):
        line = _hanging(6, Text(word, dim), Text(console.plain(text, _MOST), dim))
        yield Padding(line, (0, 0, 0, _WIDTH))
    yield Text()


def _line(word: str, style: str, name: str, text: str) -> RenderableType:
    return _hanging(_WIDTH, Text(word, style), Text(f"{name:<13}{console.plain(text, _MOST)}", style))


def _hanging(width: int, word: Text, text: Text) -> RenderableType:
    """Put a word before a text; the text keeps its left edge on further lines."""
    table = Table.grid(padding=(0, 0))
    table.add_column(min_width=width)
    table.add_column()
    table.add_row(word, text)
    return table
