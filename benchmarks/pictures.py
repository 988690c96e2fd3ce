"""The pictures beside the table: how good against how fast, and what more costs. Small SVG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
        made.append(("What more costs", name))
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
        for i, row in enumerate(shown):
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
            last = i == len(shown) - 1
            axis.annotate(
                row["system"].replace("`", ""),
                (us["us"], value["value"]),
                (-4 if last else 4, -10 if i % 2 else 5),  # neighbours above and below
                textcoords="offset points",
                ha="right" if last else "left",
                color=color,
            )
        axis.set_xscale("log")
        axis.minorticks_off()
        axis.margins(x=0.5, y=0.25)
        axis.set_title(task, fontsize=8)
        axis.set_xlabel("µs of processor time a call")
        axis.set_ylabel(shown[0]["score"]["metric"] if shown else "")
        if shown and not shown[0]["score"]["higher_is_better"]:
            axis.invert_yaxis()
    _save(plt, figure, path)


def _draw_curves(curves: Sequence[Mapping[str, Any]], path: Path) -> None:
    plt, figure, axes = _figure(len(curves))
    for axis, curve in zip(axes, curves, strict=True):
        xs, times = curve["xs"], curve["times"]
        us, low, high = ([each[key] for each in times] for key in ("us", "least", "p95"))
        axis.plot(xs, low, color=LINE, linewidth=1)
        axis.plot(xs, us, "o", color=OURS if curve["as_it_should"] else THEIRS, markersize=4)
        axis.vlines(xs, low, high, color=LINE)
        axis.set_ylim(0, 1.5 * max(us))
        if curve["shape"] == "flat" and xs[-1] > 50 * xs[0]:
            axis.set_xscale("log")
            axis.minorticks_off()
        axis.set_title(f"{curve['name']}\n{curve['verdict']}", fontsize=7)
        axis.set_xlabel(curve["unit"])
        axis.set_ylabel("µs" if curve["shape"] == "shown" else "µs of processor time")
    _save(plt, figure, path)
