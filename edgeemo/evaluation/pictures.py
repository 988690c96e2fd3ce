"""A report as pictures: confusion matrix, reliability diagram, F1 by label; the speakers, groups of people
and robustness curves, where they were measured. Wants the extra ``eval``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, RuntimeUnavailableError
from ..files import explained
from .bootstrap import Interval
from .groups import COLUMNS
from .report import Level, Report
from .robustness import FaceRobustness, Robustness

_DASHED = {"color": "0.3", "linewidth": 1, "linestyle": "--"}


def matplotlib_figure() -> Any:
    """Return ``matplotlib.figure``.

    Raises:
        RuntimeUnavailableError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure
    except ImportError as error:
        raise RuntimeUnavailableError(
            f"Pictures need {error.name}: `pip install 'edgeemo[eval]'`."
        ) from error
    return matplotlib.figure


def write(report: Report, folder: Path) -> list[Path]:
    """Draw each label set of the report, its speakers and robustness into ``folder``; return the files.

    Raises:
        RuntimeUnavailableError: matplotlib is not installed.
        DataError: the folder cannot be written.
    """
    figure = matplotlib_figure()
    title = f"{report.bundle['name']} {report.bundle['version']}"
    drawings: dict[str, Callable[[Any], None]] = {}
    for level in report.levels:
        for name, draw in (("confusion", _confusion), ("reliability", _reliability), ("f1", _f1)):
            drawings[f"{level.name}-{name}"] = partial(draw, level=level, title=title)
    for column in (c for c in COLUMNS if c in report.groups):
        name = "speakers" if column == "speaker" else f"by-{column}"
        drawings[name] = partial(_groups, report=report, column=column, title=title)
    if isinstance(report.robustness, FaceRobustness):
        drawings["robustness"] = partial(_robustness_face, found=report.robustness, title=title)
    elif report.robustness is not None:
        drawings["robustness"] = partial(_robustness, found=report.robustness, title=title)
    written: list[Path] = []
    with explained(f"{folder} cannot be written", DataError, "Check the folder and its rights."):
        folder.mkdir(parents=True, exist_ok=True)
        for name, fill in drawings.items():
            canvas = figure.Figure(layout="constrained")
            fill(canvas)
            written.append(folder / f"{name}.png")
            canvas.savefig(written[-1], dpi=150)
    return written


def errorbars(axes: Any, x: Any, scores: Sequence[Interval], **style: Any) -> None:
    """Draw numbers with their intervals over ``x``."""
    value, low, high = (np.array([getattr(s, k) for s in scores]) for k in ("value", "low", "high"))
    axes.errorbar(x, value, (value - low, high - value), **{"fmt": "o-", "capsize": 3, **style})


def _axes(canvas: Any, width: float, height: float, title: str, **labels: Any) -> Any:
    canvas.set_size_inches(width, height)
    axes = canvas.add_subplot()
    axes.set_title(title, loc="left", fontsize=10)
    axes.set(**labels)
    return axes


def _confusion(canvas: Any, level: Level, title: str) -> None:
    """Rows are gold labels, shaded by their share; the numbers are counts."""
    counts, size = np.array(level.confusion), len(level.labels)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = max(4.5, 0.38 * size + 1.8)
    axes = _axes(canvas, side + 0.6, side, f"{title}: confusion ({level.name})\nshade: share of the row")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(size), level.labels, rotation=90)
    axes.set_yticks(range(size), level.labels)
    axes.set(xlabel="top label", ylabel="gold label")
    for i, j in np.argwhere(counts > 0):
        colour = "white" if share[i, j] > 0.55 else "black"
        axes.text(j, i, counts[i, j], ha="center", va="center", color=colour, fontsize=7)


def _reliability(canvas: Any, level: Level, title: str) -> None:
    """Stated probability against the share that was right, and how often each was stated."""
    count, confidence, correct = (np.array(level.reliability[k]) for k in ("count", "confidence", "correct"))
    error = float((count * np.abs(confidence - correct)).sum() / max(count.sum(), 1))
    title = f"{title}: reliability ({level.name})\ntop label, n = {count.sum():,.0f}, ECE {error:.3f}"
    axes = _axes(canvas, 5.2, 5.2, title, xlabel="stated probability", ylabel="share correct")
    some, width = count > 0, 1 / len(count)
    middle = (np.arange(len(count)) + 0.5) * width
    axes.bar(middle, count / max(count.max(), 1) * 0.25, 0.9 * width, color="0.85", label="how often stated")
    axes.plot([0, 1], [0, 1], label="perfectly calibrated", **_DASHED)
    axes.plot(confidence[some], correct[some], "o-", label="measured")
    axes.legend(fontsize=8)


def _f1(canvas: Any, level: Level, title: str) -> None:
    """F1 of each label, best first, with its precision and recall."""
    rows = sorted(level.per_label.items(), key=lambda item: item[1]["f1"])
    known = [row["f1"] for _, row in rows if row["support"]]
    mean = float(np.mean(known)) if known else 0.0
    title = f"{title}: F1 by label ({level.name})\nmacro-F1 {mean:.3f}; in brackets: examples"
    axes = _axes(canvas, 6.4, max(2.6, 0.26 * len(rows) + 1.3), title, xlim=(0, 1))
    axes.barh(range(len(rows)), [row["f1"] for _, row in rows])
    axes.axvline(mean, **_DASHED)
    for name, marker in (("precision", "|"), ("recall", "o")):
        values = [row[name] for _, row in rows]
        axes.plot(values, range(len(rows)), marker, color="C1" if marker == "|" else "0.2", label=name)
    axes.set_yticks(range(len(rows)), [f"{label}  ({row['support']:,.0f})" for label, row in rows])
    axes.legend(fontsize=8)


def _groups(canvas: Any, report: Report, column: str, title: str) -> None:
    """UAR of each speaker or group, worst below, with its interval; the line is that of all."""
    rows = sorted(report.groups[column].items(), key=lambda item: item[1]["uar"]["value"])
    whole = report.metrics["uar"].value
    title = f"{title}: UAR by {column}\nall: {whole:.3f}; in brackets: examples"
    axes = _axes(canvas, 6.4, max(2.6, 0.26 * len(rows) + 1.3), title, xlim=(0, 1))
    value, low, high = (np.array([row["uar"][k] for _, row in rows]) for k in ("value", "low", "high"))
    axes.barh(range(len(rows)), value, xerr=(value - low, high - value))
    axes.axvline(whole, **_DASHED)
    axes.set_yticks(range(len(rows)), [f"{name}  ({row['n']:,})" for name, row in rows])


def _robustness(canvas: Any, found: Robustness, title: str) -> None:
    """UAR over the signal-to-noise ratio, and beside it through codecs; grey: the clean clips."""
    title = f"{title}: robustness\n95 % intervals; noise: {found.noise}; line: clean {found.clean.value:.3f}"
    axes = _axes(canvas, 7.2, 4.2, title, ylim=(0, 1.04), ylabel="unweighted average recall")
    axes.axhspan(found.clean.low, found.clean.high, color="0.9")
    axes.axhline(found.clean.value, **_DASHED)
    noisy = [c for c in found.conditions if c.snr_db is not None]
    coded = [c for c in found.conditions if c.snr_db is None]
    for start, part, form in ((0, noisy, "o-"), (len(noisy), coded, "o")):
        errorbars(axes, start + np.arange(len(part)), [c.uar for c in part], fmt=form)
    names = [f"{c.snr_db} dB" for c in noisy] + [c.name for c in coded]
    axes.set_xticks(range(len(names)), names)


def _robustness_face(canvas: Any, found: FaceRobustness, title: str) -> None:
    """Accuracy and UAR over the strength of each kind of damage; dashed: the clean faces."""
    kinds = list(dict.fromkeys(c.kind for c in found.conditions))
    across = min(3, len(kinds))
    down = -(-len(kinds) // across)
    canvas.set_size_inches(3.2 * across, 2.5 * down + 0.5)
    canvas.suptitle(f"{title}: robustness (95 % intervals; eyes {found.eye_px:.0f} px apart)", fontsize=10)
    panels = canvas.subplots(down, across, sharey=True, squeeze=False).ravel()
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    for axes, kind in zip(panels, kinds, strict=False):
        own = [c for c in found.conditions if c.kind == kind]
        for name, colour in (("accuracy", "C0"), ("uar", "C1")):
            axes.axhline(found.clean[name].value, **{**_DASHED, "color": colour})
            errorbars(axes, range(len(own)), [c.scores[name] for c in own], color=colour, label=name)
        axes.set_title(f"{kind} ({own[0].unit})", fontsize=9, loc="left")
        axes.set_xticks(range(len(own)), [f"{c.strength:g}" for c in own])
        axes.set_ylim(0, 1.04)
    panels[0].legend(fontsize=8)
