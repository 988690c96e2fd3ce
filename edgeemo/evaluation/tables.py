"""A report as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..data.leaks import LeakCheck
from .alignment import Alignment
from .bootstrap import Interval
from .detection import SIZES, DetectionReport
from .field_report import FieldReport
from .groups import COLUMNS
from .report import Level, Report
from .robustness import FaceRobustness, Robustness

_SHOWN = 30


def render(report: Report | DetectionReport) -> Group:
    """Return a report as tables: what was measured, the metrics, each label, the leaks and the peer."""
    if isinstance(report, DetectionReport):
        return _detections(report)
    facts = (
        f"{report.n:,} examples, {report.n_labelled:,} labelled, {report.n_affect:,} with valence or arousal"
    )
    parts = [*_head(report, facts), *_evidence(report), "", _metrics(report.metrics)]
    for level in report.levels:
        if level.name != "emotions" or level is report.levels[0]:
            parts += _titled(f"By label ({level.name})", _per_label(level))
    for column in COLUMNS:
        if column in report.groups:
            parts += _titled(f"By {column}", _groups(report.groups[column], column))
    if "gap" in report.groups:
        parts += [Text(f"gap: {_gap(report.groups)}", "dim")]
    if report.alignment is not None:
        parts += _titled("Alignment (eye distances)", _alignment(report.alignment))
    found = report.robustness
    if isinstance(found, FaceRobustness):
        note = f"Eyes {found.eye_px:.0f} px apart (median). Drop: clean minus this, in pairs."
        parts += _titled("Robustness", _robustness_face(found), note)
    elif found is not None:
        note = f"Noise: {found.noise}. Drop: clean minus this, in pairs."
        parts += _titled("Robustness", _robustness(found), note)
    if report.field is not None:
        note = f"At most {report.field.clips:,} clips of each set. Cost: clean minus this, in pairs."
        parts += _titled("Field", _field(report.field), note)
        parts += [Text(note, "dim") for note in report.field.notes]
    if report.peer is not None:
        parts += _titled(f"Beside {report.peer['name']}", _peer(report.peer), report.peer["protocol"])
    return Group(*parts, *(Text(note, "dim") for note in report.notes))


def _detections(report: DetectionReport) -> Group:
    """Return a detector's report: what was measured, the metrics, recall against false boxes, the peers."""
    counts, boxes = report.counts, report.calibration
    sizes = ", ".join(f"{counts[f'faces_{name}']} of {name.replace('_', ' to ')} px" for name in SIZES)
    facts = f"{report.n:,} pictures with bare faces: {sizes}; {counts['portraits']} portraits"
    parts = [*_head(report, facts), "", _metrics(report.metrics)]
    if boxes["n"]:
        mean, share = boxes["mean_score"], boxes["share_faces"]
        note = f"boxes: mean score {mean:.3f}, faces among them {share:.3f} (n {boxes['n']:,})"
        parts += ["", Text(note, "dim")]
    curve = _plain(">score from", ">recall from 40 px", ">false boxes a picture")
    for point in report.curve:
        values = (point[name] for name in ("threshold", "recall_40", "false_boxes"))
        curve.add_row(*("–" if value is None else f"{value:.3f}" for value in values))
    parts += _titled("By threshold", curve)
    for name, peer in report.peers.items():
        ours = {key: value.value for key, value in report.metrics.items()}
        theirs = {key: value["value"] for key, value in peer["metrics"].items()}
        rows = _peer({"bundle": ours, "peer": theirs, "difference": peer["difference"]})
        parts += _titled(f"Beside {name}", rows)
    return Group(*parts)


def _head(report: Report | DetectionReport, facts: str) -> list[RenderableType]:
    """Return the name of the bundle, what was measured, and the leaks."""
    about, drawn = report.bundle, report.bootstrap
    resampled = f"{drawn['resamples']:,} resamples of {drawn['units']:,} ({drawn['by']}s)"
    name = Text.assemble((f"{about['name']} {about['version']}", "bold"), f" on {about['runtime']}")
    return [name, Text(f"{facts} · {resampled}", "dim"), _leaks(report.leaks)]


def _titled(title: str, table: Table, note: str = "") -> list[RenderableType]:
    return ["", Text(title, "bold"), table, *([Text(note, "dim")] if note else [])]


def _leaks(leaks: LeakCheck) -> Text:
    if not leaks.checked:
        return Text(f"leaks: not checked ({leaks.by})", "yellow")
    became = "" if leaks.action == "none" else f", {leaks.action}"
    what = ""
    if leaks.copies is not None:
        what = f": {len(leaks.speakers):,} speakers known, {leaks.copies:,} clips copied"
    found = f"leaks: {leaks.n:,}{became}{what} (by {leaks.by})"
    return Text(f"{found}; repeated in the test: {leaks.repeated:,}", "dim")


def _evidence(report: Report) -> list[Text]:
    found = report.evidence
    if not found:
        return []
    return [Text(f"evidence: mean {found['mean']:.2f}; too little for an answer: {found['none']:,}", "dim")]


def _metrics(metrics: Mapping[str, Interval]) -> Table:
    table = _plain("metric", ">value", "95 % interval")
    for name, x in metrics.items():
        table.add_row(name, *_interval(x, ".4f"))
    return table


def _per_label(level: Level) -> Table:
    table = _plain("label", ">precision", ">recall", ">F1", ">n")
    for label, row in level.per_label.items():
        cells = [f"{row[name]:.3f}" if row["support"] else "–" for name in ("precision", "recall", "f1")]
        table.add_row(Text(label), *cells, f"{row['support']:,.0f}")
    return table


def _groups(rows: Any, column: str) -> Table:
    """List the groups, worst first; of very many only the worst."""
    table = _plain(column, ">UAR", "95 % interval", ">accuracy", ">evidence", ">n")
    worst = sorted(rows.items(), key=lambda item: item[1]["uar"]["value"])
    for name, row in worst[:_SHOWN]:
        uar = row["uar"]
        rest = (f"{row['accuracy']['value']:.3f}", f"{row['evidence']:.2f}", f"{row['n']:,}")
        table.add_row(Text(name), *_interval(Interval(**uar)), *rest)
    if len(worst) > _SHOWN:
        table.add_row(Text(f"and {len(worst) - _SHOWN:,} better ones", "dim"))
    return table


def _gap(groups: Any) -> str:
    uar = groups["gap"]["uar"]
    names = " minus ".join(groups["gender"])
    return f"UAR of {names}: {uar['value']:+.3f} ({uar['low']:+.3f} … {uar['high']:+.3f})"


def _robustness(robustness: Robustness) -> Table:
    table = _plain("condition", ">UAR", "95 % interval", ">drop", "95 % interval", ">evidence")
    clean = robustness.clean
    table.add_row("clean", *_interval(clean))
    for x in robustness.conditions:
        name = x.name if x.kbit_s is None else f"{x.name} {x.kbit_s:.0f} kbit/s"
        table.add_row(name, *_interval(x.uar), *_interval(x.drop), f"{x.evidence:.2f}")
    return table


def _field(report: FieldReport) -> Table:
    table = _plain("figure", ">value", "95 % interval", "unit", ">cost", "95 % interval", ">n")
    part = ""
    for row in report.rows:
        if row.part != part:
            table.add_row(Text(row.part, "dim"))
            part = row.part
        value, between = _interval(row.score, ".3f" if row.score.high < 10 else ".0f")
        cost = ("", "") if row.cost is None else _interval(row.cost, "+.3f")
        spread = "" if row.score.low == row.score.high else between
        table.add_row(f"  {row.name}", value, spread, row.unit, *cost, f"{row.n:,}")
    return table


def _robustness_face(robustness: FaceRobustness) -> Table:
    table = _plain(
        "condition", ">accuracy", ">drop", "95 % interval", ">UAR", ">drop", "95 % interval", ">evidence"
    )
    clean = robustness.clean
    table.add_row("clean", f"{clean['accuracy'].value:.3f}", "", "", f"{clean['uar'].value:.3f}")
    kind = ""
    for x in robustness.conditions:
        if x.kind != kind:
            table.add_row(Text(f"{x.kind} ({x.unit})", "dim"))
            kind = x.kind
        cells: list[str] = []
        for name in ("accuracy", "uar"):
            cells += [f"{x.scores[name].value:.3f}", *_interval(x.drops[name])]
        some = "" if x.changed == 1 else f" ({x.changed:.0%} changed)"
        table.add_row(f"  {x.strength:g}{some}", *cells, f"{x.evidence:.2f}")
    return table


def _alignment(found: Alignment) -> Table:
    table = _plain("error", ">mean", "95 % interval", ">median", ">95 %", ">found", ">of")
    for name, x in (("both eyes", found.error), ("worse eye", found.worst)):
        more = [f"{found.median:.4f}", f"{found.p95:.4f}"] if x is found.error else ["", ""]
        table.add_row(name, *_interval(x, ".4f"), *more, f"{found.found:,}", f"{found.n:,}")
    return table


def _peer(peer: Any) -> Table:
    table = _plain("metric", ">bundle", ">peer", ">difference", "95 % interval")
    for name, x in peer["difference"].items():
        both = (f"{peer[whose][name]:.4f}" for whose in ("bundle", "peer"))
        table.add_row(name, *both, *_interval(Interval(**x), "+.4f"))
    return table


def _interval(x: Interval, form: str = ".3f") -> tuple[str, str]:
    """Return the cells of a number and of its interval."""
    return f"{x.value:{form}}", f"{x.low:{form}} … {x.high:{form}}"


def _plain(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return table
