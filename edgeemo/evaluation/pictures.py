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
from .bootstrap import Interval
from .groups import COLUMNS
from .report import Level, Report
from .robustness import FaceRobustness, Robustness

INK, _PALE, _BLUE, _ORANGE = "#22303c", "#d9dee3", "#2f6f9f", "#d9822b"


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, fill in drawings.items():
            canvas = figure.Figure(layout="constrained", facecolor="white")
            fill(canvas)
            written.append(folder / f"{name}.png")
            canvas.savefig(written[-1], dpi=150)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written: {error.strerror}. Check the folder and its rights."
        ) from error
    return written


def plain(axes: Any, size: int = 9) -> None:
    """Take the frame away; labels of ``size`` points."""
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=INK, length=0, labelsize=size)


def grid(axes: Any, axis: str = "both") -> None:
    """Draw a pale grid behind the data."""
    axes.grid(axis=axis, color=_PALE, linewidth=0.6)
    axes.set_axisbelow(True)


def errorbars(axes: Any, x: Any, scores: Sequence[Interval], colour: str, **style: Any) -> None:
    """Draw numbers with their intervals over ``x``."""
    value, low, high = (np.array([getattr(s, k) for s in scores]) for k in ("value", "low", "high"))
    axes.errorbar(
        x, value, (value - low, high - value), **{"fmt": "o-", "color": colour, "capsize": 3, **style}
    )


def _axes(canvas: Any, title: str, subtitle: str) -> Any:
    axes = canvas.add_subplot()
    for text, height, style in (
        (title, 22, {"fontweight": "bold", "fontsize": 11}),
        (subtitle, 7, {"fontsize": 9}),
    ):
        axes.annotate(text, (0, 1), (0, height), "axes fraction", "offset points", color=INK, **style)
    plain(axes)
    return axes


def _confusion(canvas: Any, level: Level, title: str) -> None:
    """Rows are gold labels, shaded by their share; the numbers are counts."""
    counts = np.array(level.confusion)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = len(level.labels)
    side = max(4.5, 0.38 * size + 1.8)
    canvas.set_size_inches(side + 0.6, side)
    axes = _axes(
        canvas,
        f"{title}: confusion ({level.name})",
        "row: gold label, column: top label, shade: share of the row",
    )
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(
        range(size), level.labels, rotation=90 if size > 8 else 35, ha="center" if size > 8 else "right"
    )
    axes.set_yticks(range(size), level.labels)
    axes.set_xticks(np.arange(-0.5, size), minor=True)
    axes.set_yticks(np.arange(-0.5, size), minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="minor", length=0)
    for i, j in np.argwhere(counts > 0):
        colour = "white" if share[i, j] > 0.55 else INK
        axes.text(
            j, i, f"{counts[i, j]}", ha="center", va="center", color=colour, fontsize=9 if size <= 10 else 7
        )


def _reliability(canvas: Any, level: Level, title: str) -> None:
    """Stated probability against the share that was right, and how often each was stated."""
    canvas.set_size_inches(5.2, 5.2)
    count, confidence, correct = (np.array(level.reliability[k]) for k in ("count", "confidence", "correct"))
    error = float((count * np.abs(confidence - correct)).sum() / max(count.sum(), 1))
    axes = _axes(
        canvas, f"{title}: reliability ({level.name})", f"top label, n = {count.sum():,.0f}, ECE {error:.3f}"
    )
    some, width = count > 0, 1 / len(count)
    middle = (np.arange(len(count)) + 0.5) * width
    axes.bar(middle, count / max(count.max(), 1) * 0.25, width * 0.9, color=_PALE, label="how often stated")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (4, 3)), label="perfectly calibrated")
    axes.plot(confidence[some], correct[some], color=_BLUE, linewidth=1.5, zorder=3)
    area = 15 + 180 * count[some] / count.max()
    axes.scatter(confidence[some], correct[some], area, _BLUE, edgecolor="white", zorder=4, label="measured")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    axes.set_xlabel("stated probability", color=INK)
    axes.set_ylabel("share correct", color=INK)
    grid(axes)
    axes.legend(frameon=False, fontsize=8, loc="upper left", labelcolor=INK)


def _f1(canvas: Any, level: Level, title: str) -> None:
    """F1 of each label, best first, with its precision and recall."""
    rows = sorted(level.per_label.items(), key=lambda item: item[1]["f1"])
    canvas.set_size_inches(6.4, max(2.6, 0.26 * len(rows) + 1.3))
    known = [row["f1"] for _, row in rows if row["support"]]
    mean = float(np.mean(known)) if known else 0.0
    axes = _axes(
        canvas,
        f"{title}: F1 by label ({level.name})",
        f"macro-F1 {mean:.3f}; in brackets: examples",
    )
    where = np.arange(len(rows))
    axes.barh(where, [row["f1"] for _, row in rows], height=0.72, color=_BLUE, alpha=0.85)
    axes.axvline(mean, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    precision, recall = ([row[name] for _, row in rows] for name in ("precision", "recall"))
    axes.plot(precision, where, "|", color=_ORANGE, markersize=10, markeredgewidth=2, label="precision")
    axes.plot(recall, where, "o", color=INK, markersize=5, markeredgewidth=0, label="recall")
    axes.set_yticks(where, [f"{label}  ({row['support']:,.0f})" for label, row in rows])
    axes.set(xlim=(0, 1), ylim=(-0.6, len(rows) - 0.4))
    grid(axes, "x")
    axes.legend(
        frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, labelcolor=INK
    )


def _groups(canvas: Any, report: Report, column: str, title: str) -> None:
    """UAR of each speaker or group, worst below, with its interval; the line is that of all."""
    rows = sorted(report.groups[column].items(), key=lambda item: item[1]["uar"]["value"])
    canvas.set_size_inches(6.4, max(2.6, 0.26 * len(rows) + 1.3))
    whole = report.metrics["uar"].value
    axes = _axes(canvas, f"{title}: UAR by {column}", f"all: {whole:.3f}; in brackets: examples")
    where = np.arange(len(rows))
    value, low, high = (np.array([row["uar"][k] for _, row in rows]) for k in ("value", "low", "high"))
    axes.barh(where, value, height=0.72, color=_BLUE, alpha=0.85)
    axes.errorbar(value, where, xerr=(value - low, high - value), fmt="none", ecolor=INK, elinewidth=1)
    axes.axvline(whole, color=_ORANGE, linewidth=1.5, linestyle=(0, (4, 3)))
    axes.set_yticks(where, [f"{name}  ({row['n']:,})" for name, row in rows])
    axes.set(xlim=(0, 1), ylim=(-0.6, len(rows) - 0.4))
    grid(axes, "x")


def _robustness(canvas: Any, found: Robustness, title: str) -> None:
    """UAR over the signal-to-noise ratio, and beside it through codecs; grey: the clean clips."""
    noisy = [c for c in found.conditions if c.snr_db is not None]
    coded = [c for c in found.conditions if c.snr_db is None]
    canvas.set_size_inches(7.2, 4.2)
    axes = _axes(canvas, f"{title}: robustness", f"UAR with 95 % intervals; noise: {found.noise}")
    names = [f"{c.snr_db} dB" for c in noisy] + [c.name for c in coded]
    axes.axhspan(found.clean.low, found.clean.high, color=_PALE, alpha=0.6, linewidth=0)
    axes.axhline(found.clean.value, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        f"clean {found.clean.value:.3f}", (len(names) - 0.5, found.clean.value), (0, 4), "data",
        "offset points", ha="right", color=INK, fontsize=8,
    )  # fmt: skip
    for start, part, colour, line in ((0, noisy, _BLUE, "-"), (len(noisy), coded, _ORANGE, "none")):
        errorbars(axes, start + np.arange(len(part)), [c.uar for c in part], colour, fmt="o", linestyle=line)
    axes.axvline(len(noisy) - 0.5, color=_PALE, linewidth=1)
    axes.set_xticks(range(len(names)), names)
    axes.set(ylim=(0, 1.04), xlim=(-0.5, len(names) - 0.5))
    axes.set_ylabel("unweighted average recall", color=INK)
    grid(axes, "y")


def _robustness_face(canvas: Any, found: FaceRobustness, title: str) -> None:
    """Accuracy and UAR over the strength of each kind of damage; dashed: the clean faces."""
    kinds = list(dict.fromkeys(c.kind for c in found.conditions))
    across = min(3, len(kinds))
    down = -(-len(kinds) // across)
    canvas.set_size_inches(3.2 * across, 2.5 * down + 0.5)
    canvas.suptitle(
        f"{title}: robustness (95 % intervals; eyes {found.eye_px:.0f} px apart)",
        color=INK, fontweight="bold", fontsize=11,
    )  # fmt: skip
    panels = np.atleast_1d(canvas.subplots(down, across, sharey=True, squeeze=False)).ravel()
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    for axes, kind in zip(panels, kinds, strict=False):
        own = [c for c in found.conditions if c.kind == kind]
        for name, colour in (("accuracy", _BLUE), ("uar", _ORANGE)):
            axes.axhline(found.clean[name].value, color=colour, linewidth=1, linestyle=(0, (4, 3)), alpha=0.7)
            scores, label = [c.scores[name] for c in own], name if name != "uar" else "UAR"
            errorbars(axes, range(len(own)), scores, colour, markersize=4, capsize=2, label=label)
        axes.set_title(f"{kind} ({own[0].unit})", color=INK, fontsize=9, loc="left")
        axes.set_xticks(range(len(own)), [f"{c.strength:g}" for c in own])
        axes.set(ylim=(0, 1.04), xlim=(-0.4, len(own) - 0.6))
        plain(axes, 8)
        grid(axes, "y")
    panels[0].legend(frameon=False, fontsize=8, loc="lower left", labelcolor=INK)
