"""Learning curves: cross-validations over their speakers and over their size. Needs the extra ``eval``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files import explained
from .bootstrap import Interval
from .pictures import errorbars, matplotlib_figure

ReportOf = Mapping[str, Any]
"""A report of `edgeemo.training.crossval`."""


def draw(path: Path, title: str, curve: Sequence[ReportOf], others: Sequence[ReportOf] = ()) -> None:
    """Draw UAR over the speakers a model learned from and, with ``others``, over the size of its bundle.

    Args:
        path: the picture; its suffix says the format.
        title: what stands above.
        curve: reports of one recipe, of few and of all speakers; the last is of all.
        others: reports of other recipes, by whole speakers too.

    Raises:
        RuntimeUnavailableError: matplotlib is not installed.
        DataError: the picture cannot be written.
    """
    figure = matplotlib_figure().Figure((9.6 if others else 5.4, 4.2), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.add_subplot(1, 2 if others else 1, 1)
    axes.set_ylabel("UAR, 95 % over speakers")
    _lines(axes, "taught_speakers", "speakers it learned from", curve)
    if others:
        beside, sized = figure.add_subplot(1, 2, 2, sharey=axes), (curve[-1], *others)
        _lines(beside, "kilobytes", "kilobytes of the bundle", sized)
        for report in sized:
            low = min(row["uar"]["low"] for row in report["sets"].values())
            beside.annotate(report["recipe"], (report["kilobytes"], low), ha="center", va="top", fontsize=8)
    with explained(f"{path} cannot be written", DataError, "Name a .png in a folder of yours."):
        figure.savefig(path, dpi=150)


def _lines(axes: Any, x: str, label: str, reports: Sequence[ReportOf]) -> None:
    """Draw a line a set over ``x``, with its intervals."""
    ordered = sorted(reports, key=lambda report: float(report[x]))
    for name in dict.fromkeys(name for report in ordered for name in report["sets"]):
        own = [(float(r[x]), Interval(**r["sets"][name]["uar"])) for r in ordered if name in r["sets"]]
        errorbars(axes, [at for at, _ in own], [score for _, score in own], label=name)
    axes.set(xlabel=label, ylim=(0, 1))
    axes.legend(fontsize=8)
