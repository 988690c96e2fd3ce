"""Now against then: a verdict by effect size, where the two may be compared at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError
from .robust import LEAST_EFFECT, effect

FASTER, SLOWER, SAME = "faster", "slower", "no difference seen"
CANNOT = "cannot be compared"

_KEY = ("bundle", "delegate", "threads", "batch")
_MACHINE = ("board", "cpu", "architecture", "cores")


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the results that ``edgeemo bench --json`` wrote.

    Raises:
        DataError: the file cannot be read, or is none of that kind.
    """
    again = f"Write one by `edgeemo bench … --json > {path}`."
    try:
        found = json.loads(path.read_text("utf-8"))
        results = [dict(result) for result in found["results"]]
        for result in results:
            if result["total_us"] is not None:
                _usable(result)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {again}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} holds no results of edgeemo bench ({type(error).__name__}: {error}). {again}"
        ) from error
    return results


def compare(result: Mapping[str, Any], old: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the verdict on a result, beside the first of the old ones of the same case.

    Returns:
        ``verdict``; with a reason ``why`` where it cannot be given. Else ``ratio``, ``low``, ``high``: times
        as long as then, with a 95 % bootstrap interval over blocks. It is slower or faster if the interval
        leaves out 1 and the ratio differs from it by at least 3 % (`LEAST_EFFECT`).
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
    numbers = {"date": then["date"], **found.to_dict()}
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
        return "another backend ran ({backend}/{delegate} then)".format(**then["runs"])
    if now["sha256"] != then["sha256"]:
        return f"another artefact (SHA-256 {then['sha256'][:12]}… then, {now['sha256'][:12]}… now)"
    if now["input_sha256"] != then["input_sha256"]:
        return f"another input ({then['input']} then, {now['input']} now)"
    noisy = [when for when, result in (("then", then), ("now", now)) if result["noisy"]]
    return (
        f"too noisy {' and '.join(noisy)}: see noise; measure longer, or on a quieter machine"
        if noisy
        else ""
    )


def _usable(result: Mapping[str, Any]) -> None:
    """Raise what is missing or of the wrong kind."""
    if not result["blocks_us"] or not all(float(x) > 0 for x in result["blocks_us"]):
        raise ValueError("blocks_us has no times")
    for part in _MACHINE:
        result["machine"][part]
    for key in (*_KEY, "sha256", "input", "input_sha256", "noisy", "date"):
        result[key]
    result["runs"]["backend"], result["runs"]["delegate"]
