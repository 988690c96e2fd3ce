"""What the rows say: is a peer both faster and better, and are the frontends as far ahead as they must be?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FRONTENDS = "frontends, times faster than the aim"
UNDECIDED = "undecided"

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


def both_faster_and_better(row: Mapping[str, Any]) -> bool | None:
    """Whether a peer takes less time than ours and is ahead of it, by the whole of both intervals.

    It is not where one interval lies wholly on our side: it takes longer, or is less accurate. None: neither
    can be said, because an interval on which it depends includes 1 (of time) or 0 (of accuracy).
    """
    _, low, high = row["times"]
    score = row["score"]
    sign = 1 if score["higher_is_better"] else -1
    worst, best = sorted(sign * score["difference"][end] for end in ("low", "high"))  # ours minus the peer's
    if low >= 1 or worst >= 0:
        return False
    return True if high < 1 and best < 0 else None


def verdict(task: str, rows: Rows) -> tuple[bool | None, str]:
    """Return whether no peer is both faster and better, and the sentence.

    None: undecided, or no peer was timed.
    """
    peers = [row for row in rows if not row.get("ours") and not row.get("skipped") and row.get("score")]
    timed = [row for row in peers if row.get("times") and row["score"].get("difference")]
    if not timed:
        return None, f"{task}: not judged, no peer was timed"
    both = {row["system"]: both_faster_and_better(row) for row in timed}
    if True in both.values():
        won = "; ".join(f"{row['system']} is both: {_how(row)}" for row in timed if both[row["system"]])
        return False, f"{task}: {won}"
    if None in both.values():
        open_ = "; ".join(f"{row['system']}: {_how(row)}" for row in timed if both[row["system"]] is None)
        return None, f"{task}: {UNDECIDED} beside {open_}"
    return True, f"{task}: no peer is both faster and more accurate ({', '.join(both)})"


def _how(row: Mapping[str, Any]) -> str:
    """Say by how much a peer is faster and ahead, with the intervals that decide."""
    middle, low, high = row["times"]
    ahead = row["score"]["difference"]
    value, least, most = (f"{ahead[key]:+.3f}".replace("-", "−") for key in ("value", "low", "high"))
    return f"time ×{middle:.2f} ({low:.2f} … {high:.2f}), ours minus it {value} ({least} … {most})"


def slower_without_aim(rows: Rows) -> list[str]:
    """Return where a peer of a frontend is faster and no aim says that it must not be."""
    return [
        f"{row['task'].replace(' frontend', '', 1)}, beside {row['system']} (×{row['times'][0]:.2f}"
        + (f"; {row['note']})" if row.get("note") else ")")
        for row in rows
        if "frontend" in row["task"] and row.get("times") and "least" not in row and row["times"][0] < 1
    ]


def verdicts(rows: Rows) -> list[tuple[bool | None, str]]:
    """Return the sentence of each whole task, then that of all frontends.

    A frontend reaches its aim by the whole of its interval, as a verdict is one; else it is undecided.
    """
    found: list[tuple[bool | None, str]]
    found = [verdict(task, some) for task, some in by_task(rows).items() if judged(some)]
    aims = [row for row in rows if "reached" in row]
    if aims:
        short, open_ = (
            "; ".join(_aim(row) for row in aims if row["reached"] is reached) for reached in (False, None)
        )
        said = [f"short of it: {short}"] if short else []
        said += [f"{UNDECIDED}: {open_}"] if open_ else []
        said = said or [f"all {len(aims)} reached"]
        said += [f"without an aim and slower: {text}" for text in slower_without_aim(rows)]
        found.append((False if short else None if open_ else True, f"{FRONTENDS}: {'; '.join(said)}"))
    return found


def _aim(row: Mapping[str, Any]) -> str:
    """Say which peer, where, and by how much it is slower of how much it must be."""
    middle, low, high = row["times"]
    return f"{row['system']} at {row['task']} (×{middle:.2f} ({low:.2f} … {high:.2f}) of {row['least']:g})"
