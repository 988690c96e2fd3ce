"""Write results as one page of HTML with a picture, which loads nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from . import report
from .stage_times import BETWEEN, STAGES

COLOURS = ("#8c5a3c", "#2f6f9f", "#5b8c3a", "#e3a008", "#6c4f9c", "#c0392b", "#b6bec5")
"""The colours of `STAGES` in their order, and of `BETWEEN`."""
_WIDTH, _NAME, _BAR, _STEP = 960, 220, 24, 38
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22303c; max-width: 62rem; margin: 2rem auto }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .9rem .2rem 0; text-align: left; font-weight: normal }
th { color: #6b7780; border-bottom: 1px solid #d5dade } .number { text-align: right }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem } svg { width: 100%; height: auto } code { font-size: 13px }
"""


def bars(results: Sequence[report.Result]) -> list[tuple[str, list[tuple[str, float]], float]]:
    """Return for each result that ran its name, (stage, µs) in order, and the whole call in µs.

    The last stage is `BETWEEN`. The stages do not add up to the whole call, which was measured in other
    calls: pictures show it as a mark.
    """
    found = []
    for result in results:
        if result["total_us"] is not None:
            parts = [(s, result["stages_us"][s]["p50"]) for s in STAGES if s in result["stages_us"]]
            parts.append((BETWEEN, result["between_us"]["p50"]))
            found.append((report.name_of(result, results), parts, result["total_us"]["p50"]))
    return found


def html(results: Sequence[report.Result], machine: report.Result, command: str) -> str:
    """Return the page."""
    said = "".join(f"<li>{escape(note)}</li>" for note in report.notes(results))
    parts = [
        "<!doctype html>",
        '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>edgeemo bench</title><style>{_STYLE}</style>",
        "<h1>edgeemo bench</h1>",
        f"<p>{escape(report.where(machine, results))}<br><code>{escape(command)}</code></p>",
        _svg(bars(results)),
        "<p>Medians. Bars: the stages, in calls that time them; marks: the whole call, in other calls.</p>",
        *(
            f"<h2>{escape(title)}</h2>{_table(header, rows)}"
            for title, header, rows in report.tables(results)
        ),
        f"<ul>{said}</ul></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(header: list[str], rows: list[list[str]]) -> str:
    kinds = [' class="number"' if name.startswith(">") else "" for name in header]
    head = "".join(
        f"<th{kind}>{escape(name.removeprefix('>'))}</th>" for kind, name in zip(kinds, header, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{k}>{escape(c)}</td>" for k, c in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _svg(drawn: list[tuple[str, list[tuple[str, float]], float]]) -> str:
    if not drawn:
        return ""
    longest = max(max(total, sum(us for _, us in parts)) for _, parts, total in drawn)
    per_us = (_WIDTH - _NAME - 110) / longest
    shown = [
        stage for stage in (*STAGES, BETWEEN) if any(stage == s for _, parts, _ in drawn for s, _ in parts)
    ]
    height = _STEP * len(drawn) + 40
    items = [f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="stages of each call">']
    for i, stage in enumerate(shown):
        x = _NAME + i * 100
        items.append(_box(x, 4, 12, 12, stage, stage) + _text(x + 18, 15, stage))
    for i, (name, parts, total) in enumerate(drawn):
        end, y = float(_NAME), 34 + i * _STEP
        items.append(_text(0, y + 17, name))
        for stage, us in parts:
            items.append(_box(end, y, us * per_us, _BAR, stage, f"{stage}: {report.time_of(us)}"))
            end += us * per_us
        mark = _NAME + total * per_us
        items.append(
            f'<path d="M{mark:.1f} {y - 4}v{_BAR + 8}" stroke="#22303c" stroke-width="2">'
            f"<title>the whole call: {report.time_of(total)}</title></path>"
        )
        items.append(_text(max(end, mark) + 8, y + 17, report.time_of(total)))
    return "\n".join([*items, "</svg>"])


def _box(x: float, y: float, width: float, height: float, stage: str, title: str) -> str:
    colour = COLOURS[(*STAGES, BETWEEN).index(stage)]
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}"'
    return f'<rect {place} fill="{colour}"><title>{escape(title)}</title></rect>'


def _text(x: float, y: float, text: Any) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="14" fill="#22303c">{escape(str(text))}</text>'
