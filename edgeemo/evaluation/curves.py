"""Learning curves: cross-validations over their speakers and over their size. Needs the extra ``eval``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .bootstrap import Interval
from .pictures import INK, errorbars, grid, matplotlib_figure, plain

_COLOURS = ("#2f6f9f", "#d9822b", "#5b8c3a", "#8a4f9c", "#c0392b")

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
    figure = matplotlib_figure().Figure(
        (9.6 if others else 5.4, 4.2), layout="constrained", facecolor="white"
    )
    panels = np.atleast_1d(figure.subplots(1, 2 if others else 1, sharey=True))
    figure.suptitle(title, color=INK, fontweight="bold", fontsize=11)
    names = [name for report in (*curve, *others) for name in report["sets"]]
    colours = dict(zip(dict.fromkeys(names), _COLOURS * len(names), strict=False))
    _lines(panels[0], "taught_speakers", sorted(curve, key=lambda r: float(r["taught_speakers"])), colours)
    panels[0].set_xlabel("speakers it learned from", color=INK)
    panels[0].set_ylabel("UAR, 95 % over speakers", color=INK)
    if others:
        sized = sorted((curve[-1], *others), key=lambda r: float(r["kilobytes"]))
        _lines(panels[1], "kilobytes", sized, colours)
        panels[1].set_xlabel("kilobytes of the bundle", color=INK)
        for report in sized:
            low = min(row["uar"]["low"] for row in report["sets"].values())
            panels[1].annotate(
                report["recipe"], (report["kilobytes"], low), (0, -12), "data", "offset points",
                ha="center", fontsize=8, color=INK,
            )  # fmt: skip
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be written ({error}). Name a .png in a folder of yours.") from error


def _lines(axes: Any, x: str, reports: Sequence[ReportOf], colours: Mapping[str, str]) -> None:
    """Draw a line a set over ``x``, with its intervals; a set's name stands beside its last point."""
    for name, colour in colours.items():
        own = [(float(r[x]), r["sets"][name]["uar"]) for r in reports if name in r["sets"]]
        if not own:
            continue
        scores = [Interval(**uar) for _, uar in own]
        errorbars(axes, [at for at, _ in own], scores, colour, label=name)
    plain(axes)
    grid(axes)
    axes.set_ylim(0, 1)
    axes.margins(x=0.12)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
