"""A report as tables for the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .report import Level, Report


def render(report: Report) -> Group:
    """Lay a report out: what was measured, the metrics, each label, the leaks and the peer."""
    about, drawn = report.bundle, report.bootstrap
    parts: list[RenderableType] = [
        Text.assemble((f"{about['name']} {about['version']}", "bold"), f" on {about['runtime']}"),
        Text(
            f"{report.n:,} examples, {report.n_labelled:,} labelled, {report.n_affect:,} with valence or "
            f"arousal · {drawn['resamples']:,} resamples of {drawn['units']:,} ({drawn['by']}s)",
            "dim",
        ),
        _leaks(report),
        "",
        _metrics(report),
    ]
    for level in report.levels:
        if level.name != "emotions" or level is report.levels[0]:
            parts += ["", Text(f"By label ({level.name})", "bold"), _per_label(level)]
    if report.peer is not None:
        parts += ["", Text(f"Beside {report.peer['name']}", "bold"), _peer(report.peer)]
        parts += [Text(report.peer["protocol"], "dim")]
    parts += [Text(note, "dim") for note in report.notes]
    return Group(*parts)


def _leaks(report: Report) -> Text:
    leaks = report.leaks
    if not leaks.checked:
        return Text(f"leaks: not checked ({leaks.by})", "yellow")
    became = "" if leaks.action == "none" else f", {leaks.action}"
    return Text(
        f"leaks: {leaks.n:,}{became} (by {leaks.by}); repeated in the test: {leaks.repeated:,}", "dim"
    )


def _metrics(report: Report) -> Table:
    table = _plain("metric", ">value", "95 % interval")
    for name, x in report.metrics.items():
        table.add_row(name, f"{x.value:.4f}", f"{x.low:.4f} … {x.high:.4f}")
    return table


def _per_label(level: Level) -> Table:
    table = _plain("label", ">precision", ">recall", ">F1", ">n")
    for label, row in level.per_label.items():
        cells = [f"{row[name]:.3f}" if row["support"] else "–" for name in ("precision", "recall", "f1")]
        table.add_row(Text(label), *cells, f"{row['support']:,.0f}")
    return table


def _peer(peer: Any) -> Table:
    table = _plain("metric", ">bundle", ">peer", ">difference", "95 % interval")
    for name, x in peer["difference"].items():
        table.add_row(
            name,
            f"{peer['bundle'][name]:.4f}",
            f"{peer['peer'][name]:.4f}",
            f"{x['value']:+.4f}",
            f"{x['low']:+.4f} … {x['high']:+.4f}",
        )
    return table


def _plain(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return table
