"""What the rows say: is a peer both faster and better, and are the frontends as far ahead as they must be?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FRONTENDS = "frontends, times faster than the aim"

Rows = Sequence[Mapping[str, Any]]


def by_task(rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of each task, in order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["task"], []).append(row)
    return found


def ours_of(rows: Rows) -> Mapping[str, Any] | None:
    """Return our row, if it was measured."""
    return next((row for row in rows if row.get("ours") and not row.get("skipped")), None)


def judged(rows: Rows) -> bool:
    """Whether this is a whole task, with how good beside how fast."""
    own = ours_of(rows)
    return own is not None and "score" in own and not own["task"].startswith("runtime")


def both_faster_and_better(row: Mapping[str, Any]) -> bool:
    """Whether a peer takes less time than ours and is ahead of it, each as measured."""
    score = row.get("score")
    if not score or not score.get("difference") or not row.get("times"):
        return False
    ahead = score["difference"]["value"] * (1 if score["higher_is_better"] else -1)
    return bool(row["times"][0] < 1 and ahead < 0)


def verdict(task: str, rows: Rows) -> tuple[bool | None, str]:
    """Return whether no peer is both faster and better (None: no peer was timed), and the sentence."""
    peers = [row for row in rows if not row.get("ours") and not row.get("skipped") and row.get("score")]
    timed = [row for row in peers if row.get("times")]
    if not timed:
        return None, f"{task}: not judged, no peer was timed"
    won = [row for row in timed if both_faster_and_better(row)]
    if not won:
        names = ", ".join(row["system"] for row in timed)
        return True, f"{task}: no peer is both faster and more accurate ({names})"
    told = []
    for row in won:
        score, ratio = row["score"]["difference"], row["times"]
        clear = ratio[2] < 1 and score["low"] * score["high"] > 0
        told.append(
            f"{row['system']} is both: time ×{ratio[0]:.2f}, ahead by {abs(score['value']):.3f}"
            + ("" if clear else " (within what chance and noise allow)")
        )
    return False, f"{task}: {'; '.join(told)}"


def verdicts(rows: Rows) -> list[tuple[bool | None, str]]:
    """Return the sentence of each whole task, then that of all frontends."""
    found: list[tuple[bool | None, str]]
    found = [verdict(task, some) for task, some in by_task(rows).items() if judged(some)]
    aims = [row for row in rows if "reached" in row]
    short = [
        f"{row['system']} at {row['task']} (×{row['times'][0]:.2f} of {row['least']:g})"
        for row in aims
        if not row["reached"]
    ]
    if aims:
        said = "short of it: " + "; ".join(short) if short else f"all {len(aims)} reached"
        found.append((not short, f"{FRONTENDS}: {said}"))
    return found
