"""Results as a picture of stacked bars (extra ``eval``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.figure

from ..errors import DataError
from . import report
from .laps import STAGES
from .page import COLOURS, bars


def draw(path: Path, results: Sequence[report.Result], machine: report.Result) -> None:
    """Write a PNG (or what the suffix says): a bar a result, its medians by stage, and a mark for the whole.

    Raises:
        DataError: the file cannot be written, or its suffix is unknown.
    """
    drawn = bars(results)
    figure = matplotlib.figure.Figure((10, 1.6 + 0.5 * len(drawn)), layout="constrained", facecolor="white")
    axes = figure.subplots()
    for stage, colour in zip((*STAGES, report.BETWEEN), COLOURS, strict=True):
        widths = [dict(parts).get(stage, 0.0) / 1e3 for _, parts, _ in drawn]
        before = [sum(us for s, us in _until(parts, stage)) / 1e3 for _, parts, _ in drawn]
        if any(widths):
            axes.barh(range(len(drawn)), widths, left=before, color=colour, label=stage)
    for i, (_, parts, total) in enumerate(drawn):
        axes.plot([total / 1e3] * 2, [i - 0.48, i + 0.48], color="#22303c")
        end = max(total, sum(us for _, us in parts)) / 1e3
        axes.text(end, i, f"  {report.time_of(total)}", va="center")
    axes.set_yticks(range(len(drawn)), [name for name, _, _ in drawn])
    axes.invert_yaxis()
    longest = max(max(total, sum(us for _, us in parts)) for _, parts, total in drawn) / 1e3 if drawn else 1.0
    axes.set_xlim(0, 1.15 * longest)  # room for the numbers
    axes.set(xlabel="milliseconds a call, medians; bars: stages, marks: the whole call")
    axes.set_title(report.where(machine, results), fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path} cannot be written: {reason}. Give the name of a .png or .html in a folder of yours."
        ) from error


def check(path: Path) -> None:
    """Refuse a suffix that nothing is drawn as.

    Raises:
        DataError: it is unknown.
    """
    known = matplotlib.figure.Figure().canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in known:
        raise DataError(f"{path} cannot be written: {path.suffix!r} is unknown. Give a .png or a .html.")


def _until(parts: list[tuple[str, float]], stage: str) -> list[tuple[str, float]]:
    order = (*STAGES, report.BETWEEN)
    return [part for part in parts if order.index(part[0]) < order.index(stage)]
