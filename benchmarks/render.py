"""Write the results as Markdown, and put them between two marks of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeemo.files import write_whole

from .verdicts import FRONTENDS, UNDECIDED, by_task, judged, ours_of, slower_without_aim, verdicts

BEGIN, END = "<!-- table: begin (made by `make table`) -->", "<!-- table: end -->"

Row = Mapping[str, Any]


def markdown(results: Mapping[str, Any]) -> str:
    """Return tables, verdicts, pictures and what was skipped."""
    rows: list[Row] = [row for part in results["parts"].values() for row in part["rows"]]
    tasks = by_task(rows)
    parts: list[str] = [_about(results)]
    frontends = {t: r for t, r in tasks.items() if "frontend" in t and ours_of(r)}
    whole = {t: r for t, r in tasks.items() if judged(r)}
    runtimes = {t: r for t, r in tasks.items() if t.startswith("runtime") and ours_of(r)}
    for lines in (_whole(whole), _frontends(frontends), _runtimes(runtimes)):
        if lines:
            parts.append("\n".join(lines))
    if rows:
        parts.append(_verdict(rows))
    curves = results["parts"].get("scaling", {}).get("curves", [])
    if curves:
        bent = [f"{c['name']} ({c['verdict']})" for c in curves if not c["as_it_should"]]
        straight = sum(c["shape"] != "shown" for c in curves)
        parts.append(
            f"Cost against size: {straight - len(bent)} of {straight} curves have the expected shape"
            + (f"; not: {'; '.join(bent)}." if bent else ".")
        )
    pictures = results.get("pictures", [])
    parts += [f"![{title}]({file})" for title, file in pictures]
    skipped = dict.fromkeys(
        f"{row['task']}, {row['system']}: {row['skipped']}" for row in rows if row.get("skipped")
    )
    parts.append("Skipped: " + ("; ".join(skipped) if skipped else "nothing") + ".")
    return "\n\n".join(parts) + "\n"


def _verdict(rows: Sequence[Row]) -> str:
    """Return what all tasks come to, and every verdict against us by itself."""
    frontends: list[tuple[bool | None, str]] = []
    tasks: list[tuple[bool | None, str]] = []
    for good, text in verdicts(rows):
        (frontends if text.startswith(FRONTENDS) else tasks).append((good, text))
    known = [good for good, _ in tasks if good is not None]
    lines = []
    undecided = [text for good, text in tasks if good is None and UNDECIDED in text]
    if known or undecided:
        lines.append(
            f"In {sum(known)} of {len(known) + len(undecided)} tasks no peer is both faster and more accurate"
            + (f", {len(undecided)} undecided." if undecided else ".")
        )
    if frontends and frontends[0][0]:
        slower = "; ".join(slower_without_aim(rows))
        lines.append(
            "Every frontend reaches its aim" + (f"; slower, without an aim: {slower}." if slower else ".")
        )
    against = [f"- **{text}**" for good, text in tasks + frontends if good is False]
    against += [f"- {text}" for good, text in tasks + frontends if good is None and UNDECIDED in text]
    return "\n".join([" ".join(lines), *against]).strip()


def _about(results: Mapping[str, Any]) -> str:
    machine, parts = results["machine"], results["parts"]
    dates = sorted({part["began"][:10] for part in parts.values()})
    loads = [
        part[when]["load"]
        for part in parts.values()
        for when in ("before", "after")
        if part[when]["load"] is not None
    ]
    load = f"load {min(loads):.1f} to {max(loads):.1f}" if loads else "load unknown"
    when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    seconds = sum(part["seconds"] for part in parts.values())
    took = f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    return (
        f"Made by `make table DATA=…` on {machine['cpu'] or machine['board']}, {machine['cores']} cores, "
        f"Python {machine['python']}, {when}, {took}, "
        f"{load} before and after the parts. One thread. Times are processor times: medians over rounds in "
        "which the systems take turns. A ratio is the median within rounds, with 5th and 95th percentile. "
        "Intervals are 95 % intervals; differences are paired. "
        f"`benchmarks/results/{results['board']}.json` has the wall clock, versions, digests, caches and n."
    )


def _whole(tasks: Mapping[str, Sequence[Row]]) -> list[str]:
    lines = [
        "| whole task | system | how good | ours minus it | n | processor µs a call | times ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for task, rows in tasks.items():
        for i, row in enumerate(r for r in rows if not r.get("skipped")):
            scores = [row["score"], *row.get("beside", [])] if row.get("score") else []
            good = "; ".join(f"{score['metric']} {_interval(score['value'])}" for score in scores)
            ahead = "; ".join(_interval(score["difference"], "+") for score in scores if score["difference"])
            n = f"{scores[0]['n']:,} {scores[0]['of']}" if scores else ""
            note = f" ({row['note']})" if row.get("note") else ""
            cells = ["" if i else task, row["system"] + note, good, ahead, n, _us(row), _times(row)]
            lines.append(f"| {' | '.join(cells)} |")
    return lines if tasks else []


def _frontends(tasks: Mapping[str, Sequence[Row]]) -> list[str]:
    lines = [
        "| frontend | edgeemo, processor µs | peer | its µs | times faster | at least | answers |",
        "|---|---|---|---|---|---|---|",
    ]
    for task, rows in tasks.items():
        own = ours_of(rows)
        for i, row in enumerate(r for r in rows if not r.get("ours") and not r.get("skipped")):
            least = f"{row['least']:g}" if "least" in row else ""
            note = f" ({row['note']})" if row.get("note") else ""
            name = "" if i else task.replace(" frontend", "", 1)
            ours = "" if i or own is None else _us(own)
            cells = [name, ours, row["system"] + note, _us(row), _times(row), least, row.get("equal", "")]
            lines.append(f"| {' | '.join(cells)} |")
    return lines if tasks else []


def _runtimes(tasks: Mapping[str, Sequence[Row]]) -> list[str]:
    names = list(dict.fromkeys(row["system"] for rows in tasks.values() for row in rows))
    most = max((row["score"]["n"] for rows in tasks.values() for row in rows if row.get("score")), default=0)
    lines = [
        "Bare models: processor µs a call, and the ratio to our engine's time. The percentage says how often "
        f"the answer equals that of LiteRT's own Interpreter ({most} inputs from the data, Wilson's 95 % "
        "interval).",
        "",
        f"| model | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for task, rows in tasks.items():
        cells = {row["system"]: _same_answers(row) for row in rows}
        lines.append(f"| {task.rpartition(' ')[2]} | {' | '.join(cells.get(name, '') for name in names)} |")
    return lines if tasks else []


def _same_answers(row: Row) -> str:
    if row.get("skipped"):
        return "skipped"
    ratio = f", ×{row['times'][0]:.2f}" if row.get("times") else ""
    same, low, high = (f"{row['score']['value'][key]:.0%}" for key in ("value", "low", "high"))
    return f"{_us(row)}{ratio}, {same} ({low} … {high})"


def _us(row: Row) -> str:
    if not row.get("us"):
        return ""
    us = row["us"]["us"]
    return f"{us:,.0f}" if us >= 100 else f"{us:.3g}"


def _times(row: Row) -> str:
    if not row.get("times"):
        return ""
    middle, low, high = (f"{x:.0f}" if x >= 20 else f"{x:.2g}" for x in row["times"])
    return f"{middle} ({low} … {high})"


def _interval(value: Mapping[str, float], sign: str = "") -> str:
    def number(x: float) -> str:
        return f"{x:{sign}.3f}".replace("-", "−")

    return f"{number(value['value'])} ({number(value['low'])} … {number(value['high'])})"


def into_page(page: Path, text: str) -> bool:
    """Put the text between the marks of a page; return whether the page has them."""
    found = page.read_text("utf-8")
    before, begin, rest = found.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return False
    write_whole(page, f"{before}{BEGIN}\n\n{text}\n{END}{after}".encode())
    return True


def lines_of(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a terminal shows: verdicts and what was skipped."""
    rows = [row for part in results["parts"].values() for row in part["rows"]]
    for good, text in verdicts(rows):
        yield {True: "ok    ", False: "NOT   ", None: "?     "}[good] + text
    for row in rows:
        if row.get("skipped"):
            yield f"skipped {row['task']}, {row['system']}: {row['skipped']}"
