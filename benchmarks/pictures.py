"""The pictures beside the table: how good against how fast, and what more costs. Small SVG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .verdicts import by_task, judged

OURS, THEIRS, LINE = "#c2410c", "#334155", "#94a3b8"
ACROSS = 3


def draw(results: Mapping[str, Any], folder: Path) -> list[tuple[str, str]]:
    """Write what there is to draw; returns titles and file names."""
    rows = [row for part in results["parts"].values() for row in part["rows"]]
    tasks = {task: some for task, some in by_task(rows).items() if judged(some)}
    curves = results["parts"].get("scaling", {}).get("curves", [])
    made = []
    if tasks:
        name = f"{results['board']}-peers.svg"
        _draw_peers(tasks, folder / name)
        made.append(("How good against how fast", name))
    if curves:
        name = f"{results['board']}-scaling.svg"
        _draw_curves(curves, folder / name)
        made.append(
            (
                "Cost against size: shortest times, the line through them, bars to the 95th percentile",
                name,
            )
        )
    return made


def _figure(n: int) -> tuple[Any, Any, list[Any]]:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "edgeemo"}
    matplotlib.rcParams |= {"font.size": 8, "font.sans-serif": ["DejaVu Sans"]}
    import matplotlib.pyplot as plt

    down = -(-n // ACROSS)
    figure, grid = plt.subplots(down, ACROSS, figsize=(10, 2.6 * down), squeeze=False, layout="constrained")
    axes = list(grid.ravel())
    for axis in axes:
        axis.minorticks_off()
    for axis in axes[n:]:
        axis.set_axis_off()
    return plt, figure, axes[:n]


def _save(plt: Any, figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _draw_peers(tasks: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    plt, figure, axes = _figure(len(tasks))
    for axis, (task, rows) in zip(axes, tasks.items(), strict=True):
        shown = sorted(
            (row for row in rows if row.get("score") and row.get("us")), key=lambda row: row["us"]["us"]
        )
        for row in shown:
            value, us, color = row["score"]["value"], row["us"], OURS if row.get("ours") else THEIRS
            axis.errorbar(
                us["us"],
                value["value"],
                xerr=[[us["us"] - us["p5"]], [us["p95"] - us["us"]]],
                yerr=[[value["value"] - value["low"]], [value["high"] - value["value"]]],
                fmt="o",
                color=color,
                capsize=2,
            )
            above = bool(row.get("ours"))
            axis.annotate(
                row["system"].replace("`", ""),
                (us["us"], value["high"] if above else value["low"]),
                (0, 4 if above else -11),
                textcoords="offset points",
                ha="center",
                color=color,
            )
        axis.set_xscale("log")
        axis.minorticks_off()
        axis.margins(x=0.75, y=0.25)
        axis.set_title(task, fontsize=8)
        axis.set_xlabel("µs of processor time a call")
        axis.set_ylabel(shown[0]["score"]["metric"] if shown else "")
        if shown and not shown[0]["score"]["higher_is_better"]:
            axis.invert_yaxis()
    _save(plt, figure, path)


def _draw_curves(curves: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the shortest batches and the fitted curve. A bar leads to the 95th percentile; a stroke across
    the bar is the median."""
    plt, figure, axes = _figure(len(curves))
    for axis, curve in zip(axes, curves, strict=True):
        xs, times = np.array(curve["xs"]), curve["times"]
        least, us, high = (np.array([each[key] for each in times]) for key in ("least", "us", "p95"))
        if curve["shape"] == "line":
            axis.plot(xs, np.polyval(np.polyfit(xs, least, 1, w=1 / least), xs), color=LINE, linewidth=1)
        else:
            axis.plot(xs, least, color=LINE, linewidth=1)
        axis.vlines(xs, least, high, color=LINE, linewidth=1)
        axis.plot(xs, us, "_", color=LINE, markersize=5)
        axis.plot(xs, least, "o", color=OURS if curve["as_it_should"] else THEIRS, markersize=4)
        axis.set_ylim(0, 1.25 * max(us))
        if curve["shape"] == "flat" and xs[-1] > 50 * xs[0]:
            axis.set_xscale("log")
            axis.minorticks_off()
        axis.set_title(f"{curve['name']}\n{curve['verdict']}".replace(", off", "\noff"), fontsize=7)
        axis.set_xlabel(curve["unit"])
        axis.set_ylabel("µs" if curve["shape"] == "shown" else "µs of processor time")
    _save(plt, figure, path)
