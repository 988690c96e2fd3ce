"""Draw results as stacked bars with Matplotlib (extra ``eval``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.figure

from ..errors import DataError
from ..files import explained
from . import report
from .html_page import COLOURS, bars
from .stage_times import BETWEEN, STAGES


def draw(path: Path, results: Sequence[report.Result], machine: report.Result) -> None:
    """Write a PNG, or the format of the suffix: a bar of medians by stage, and a mark for the whole call.

    Raises:
        DataError: the file cannot be written, or its suffix is unknown.
    """
    drawn = bars(results)
    figure = matplotlib.figure.Figure((10, 1.6 + 0.5 * len(drawn)), layout="constrained", facecolor="white")
    axes = figure.subplots()
    ends = [0.0] * len(drawn)
    for stage, colour in zip((*STAGES, BETWEEN), COLOURS, strict=True):
        widths = [dict(parts).get(stage, 0.0) / 1e3 for _, parts, _ in drawn]
        if any(widths):
            axes.barh(range(len(drawn)), widths, left=ends, color=colour, label=stage)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    for i, (_, _, total) in enumerate(drawn):
        axes.plot([total / 1e3] * 2, [i - 0.48, i + 0.48], color="#22303c")
        ends[i] = max(ends[i], total / 1e3)
        axes.text(ends[i], i, f"  {report.time_of(total)}", va="center")
    axes.set_yticks(range(len(drawn)), [name for name, _, _ in drawn])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * max(ends, default=1.0))  # room for the numbers
    axes.set(xlabel="milliseconds a call, medians; bars: stages, marks: the whole call")
    axes.set_title(report.where(machine, results), fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    remedy = "Give the name of a .png or .html in a folder of yours."
    with explained(f"{path} cannot be written", DataError, remedy):
        figure.savefig(path, dpi=120)


def check(path: Path) -> None:
    """Check the suffix of a picture.

    Raises:
        DataError: Matplotlib does not know the format.
    """
    known = matplotlib.figure.Figure().canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in known:
        raise DataError(f"{path} cannot be written: {path.suffix!r} is unknown. Give a .png or a .html.")
