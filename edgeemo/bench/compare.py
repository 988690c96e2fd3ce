"""Now against then: a verdict by effect size, where the two may be compared at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .robust import LEAST_EFFECT, effect

FASTER, SLOWER, SAME = "faster", "slower", "no difference seen"
CANNOT = "cannot be compared"

_KEY = ("bundle", "delegate", "threads", "batch")
_MACHINE = ("board", "cpu", "architecture", "cores")


def compare(result: Mapping[str, Any], old: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the verdict on a result, beside the first of the old ones of the same case.

    Returns:
        ``verdict``; with a reason ``why`` where it cannot be given. Else ``ratio``, ``low``, ``high``: times
        as long as then, with a 95 % bootstrap interval over blocks. It is slower or faster if the interval
        leaves out 1 and the ratio differs from it by at least 3 % (`LEAST_EFFECT`). ``versions``, where some
        differ: then and now, by what they are of.
    """
    same = [one for one in old if all(one.get(key) == result[key] for key in _KEY)]
    if not same:
        return {"verdict": CANNOT, "why": "it was not measured then"}
    then = next((one for one in same if one.get("sha256") == result.get("sha256")), same[0])
    if result["total_us"] is None or then["total_us"] is None:
        return {
            "verdict": CANNOT,
            "why": "it could not run " + ("now" if result["total_us"] is None else "then"),
        }
    found = effect(result["blocks_us"], then["blocks_us"])
    numbers: dict[str, Any] = {"date": then["date"], **found.to_dict()}
    changed = _changed(result["versions"], then["versions"])
    if changed:
        numbers["versions"] = changed
    why = _why_not(result, then)
    if why:
        return {"verdict": CANNOT, "why": why, **numbers}
    clear = not found.low <= 1 <= found.high and abs(found.ratio - 1) >= LEAST_EFFECT
    return {"verdict": SAME if not clear else SLOWER if found.ratio > 1 else FASTER, **numbers}


def failed(verdict: Mapping[str, Any], limit: float) -> bool:
    """Tell whether a check against ``limit`` (a share) is not passed: slower by more, or not comparable."""
    if verdict["verdict"] == CANNOT:
        return True
    return bool(verdict["verdict"] == SLOWER and verdict["ratio"] > 1 + limit)


def _why_not(now: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    for part in _MACHINE:
        if now["machine"][part] != then["machine"][part]:
            return f"another machine ({part} {then['machine'][part]!r} then, {now['machine'][part]!r} now)"
    if (
        now["runs"]["backend"] != then["runs"]["backend"]
        or now["runs"]["delegate"] != then["runs"]["delegate"]
    ):
        return "another backend ran ({!r} then)".format("{backend}/{delegate}".format(**then["runs"]))
    if now["sha256"] != then["sha256"]:
        return f"another artefact (SHA-256 {then['sha256'][:12]}… then, {now['sha256'][:12]}… now)"
    if now["input_sha256"] != then["input_sha256"]:
        return f"another input ({then['input']!r} then, {now['input']!r} now)"
    governors = [_mood(result, "governors") for result in (then, now)]
    if all(governors) and governors[0] != governors[1]:
        return "another governor ({!r} then, {!r} now)".format(*governors)
    both = (("then", then), ("now", now))
    for when, result in both:
        if _mood(result, "throttled"):
            return f"slowed down {when} ({_mood(result, 'throttled')})"
    noisy = " and ".join(when for when, result in both if result["noisy"])
    return f"too noisy {noisy}: see noise; measure longer, or on a quieter machine" if noisy else ""


def _mood(result: Mapping[str, Any], what: str) -> str:
    told = (result["condition"][when][what] for when in ("before", "after"))
    return ", ".join(sorted({one for some in told for one in some}))


def _changed(now: Mapping[str, str], then: Mapping[str, str]) -> dict[str, list[str]]:
    tools = sorted({*now, *then})
    return {
        tool: [then.get(tool, "none"), now.get(tool, "none")]
        for tool in tools
        if then.get(tool) != now.get(tool)
    }
