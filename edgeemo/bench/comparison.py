"""Compare results with those of an earlier ``edgeemo bench --json``, where a comparison is possible."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files import open_regular
from .block_statistics import LEAST_EFFECT, effect

FASTER, SLOWER, SAME = "faster", "slower", "no difference seen"
CANNOT = "cannot be compared"

_SETUP = ("bundle", "delegate", "threads", "batch")
_MACHINE = ("board", "cpu", "architecture", "cores")
_CONDITIONS = tuple(
    f"condition.{when}.{what}" for when in ("before", "after") for what in ("governors", "throttled")
)
_TEXTS = ("bundle", "delegate", "sha256", "input", "input_sha256", "date", "runs.backend", "runs.delegate")
_TYPES: dict[str, type] = {  # of all fields that `compare` reads
    **dict.fromkeys((*_TEXTS, *(f"machine.{part}" for part in _MACHINE[:3])), str),
    **dict.fromkeys(("threads", "batch", "machine.cores"), int),
    **dict.fromkeys(("blocks_us", *_CONDITIONS), list),
    **{"total_us": dict, "versions": dict, "noisy": bool},
}
_FILE_LIMIT = 4 * 1024 * 1024  # bytes; a result takes about 5,000
_TEXT_LIMIT = 4096
_BLOCKS_LIMIT = 1000  # a measurement has 40
_LEAST_US, _MOST_US = 1e-3, 1e10  # a nanosecond; nearly three hours


def compare(result: Mapping[str, Any], old: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the verdict on a result, compared with the first of the old results with the same setup.

    Returns:
        ``verdict``, and ``why`` if the results cannot be compared.
        ``ratio``, ``low``, ``high``: the new time over the old one, with a 95 % bootstrap interval over
        blocks. The result is slower or faster if the interval leaves out 1 and the ratio differs from 1 by
        at least 3 % (`LEAST_EFFECT`).
        ``versions``: those that differ, then and now, by what they belong to.
    """
    same = [one for one in old if all(one.get(key) == result[key] for key in _SETUP)]
    if not same:
        return {"verdict": CANNOT, "why": "it was not measured then"}
    then = next((one for one in same if one.get("sha256") == result.get("sha256")), same[0])
    for when, one in (("now", result), ("then", then)):
        if one["total_us"] is None:
            return {"verdict": CANNOT, "why": f"it could not run {when}"}
    found = effect(result["blocks_us"], then["blocks_us"])
    numbers: dict[str, Any] = {"date": then["date"], **found.to_dict()}
    versions = [one["versions"] for one in (then, result)]
    changed = {
        tool: [of.get(tool, "none") for of in versions] for tool in sorted({*versions[0], *versions[1]})
    }
    if changed := {tool: pair for tool, pair in changed.items() if pair[0] != pair[1]}:
        numbers["versions"] = changed
    if why := _why_not(result, then):
        return {"verdict": CANNOT, "why": why, **numbers}
    clear = not found.low <= 1 <= found.high and abs(found.ratio - 1) >= LEAST_EFFECT
    return {"verdict": SAME if not clear else SLOWER if found.ratio > 1 else FASTER, **numbers}


def exceeds(verdict: Mapping[str, Any], limit: float) -> bool:
    """Return whether a result is slower by more than ``limit`` (a share), or cannot be compared."""
    if verdict["verdict"] == CANNOT:
        return True
    return bool(verdict["verdict"] == SLOWER and verdict["ratio"] > 1 + limit)


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the results that ``edgeemo bench --json`` wrote.

    Raises:
        DataError: the file cannot be read, or a field that `compare` reads is missing, of another type or
            out of range.
    """
    again = f"Write one by `edgeemo bench … --json > {path}`."
    try:
        with open_regular(path) as file:
            data = file.read(_FILE_LIMIT + 1)
        if len(data) > _FILE_LIMIT:
            raise ValueError(f"it has more than {_FILE_LIMIT:,} bytes")
        results: list[dict[str, Any]] = json.loads(data)["results"]
        if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
            raise ValueError("results is not a list of objects")
        for result in results:
            if result["total_us"] is not None:
                _check(result)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {again}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} holds no results of edgeemo bench ({type(error).__name__}: {error}). {again}"
        ) from error
    return results


def _check(result: Mapping[str, Any]) -> None:
    """Raise ValueError for a field that is missing, of another type, or out of range."""
    found: dict[str, Any] = {}
    for place in _TYPES:
        value: Any = result
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        found[place] = value
    for place, kind in _TYPES.items():
        if type(found[place]) is not kind:
            raise ValueError(f"{place} is of type {type(found[place]).__name__}, not {kind.__name__}")
    texts = {place: [text] for place, text in found.items() if isinstance(text, str)}
    texts |= {place: found[place] for place in _CONDITIONS}
    texts |= {"versions": [*found["versions"], *found["versions"].values()]}
    for place, all_of in texts.items():
        shown = place in (*_CONDITIONS, "date", "sha256", "versions")
        for text in all_of:
            if type(text) is not str or len(text) > _TEXT_LIMIT or (shown and not text.isprintable()):
                raise ValueError(
                    f"{place} holds something other than plain text of at most {_TEXT_LIMIT:,} characters"
                )
    datetime.datetime.fromisoformat(found["date"])
    times = found["blocks_us"]
    if not 1 <= len(times) <= _BLOCKS_LIMIT:
        raise ValueError(f"blocks_us has {len(times):,} times, expected 1 … {_BLOCKS_LIMIT:,}")
    if not all(type(us) in (int, float) and _LEAST_US <= us <= _MOST_US for us in times):
        raise ValueError(f"blocks_us holds something other than times from {_LEAST_US:g} to {_MOST_US:g} µs")


def _why_not(now: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    """Return why two results cannot be compared, ``""`` if they can."""
    for part in _MACHINE:
        if now["machine"][part] != then["machine"][part]:
            return f"another machine ({part} {then['machine'][part]!r} then, {now['machine'][part]!r} now)"
    if any(now["runs"][key] != then["runs"][key] for key in ("backend", "delegate")):
        return "another backend ran ({!r} then)".format("{backend}/{delegate}".format(**then["runs"]))
    if now["sha256"] != then["sha256"]:
        return f"another artefact (SHA-256 {then['sha256'][:12]}… then, {now['sha256'][:12]}… now)"
    if now["input_sha256"] != then["input_sha256"]:
        return f"another input ({then['input']!r} then, {now['input']!r} now)"
    governors = [_conditions(result, "governors") for result in (then, now)]
    if all(governors) and governors[0] != governors[1]:
        return "another governor ({!r} then, {!r} now)".format(*governors)
    both = (("then", then), ("now", now))
    for when, result in both:
        if throttled := _conditions(result, "throttled"):
            return f"slowed down {when} ({throttled})"
    noisy = " and ".join(when for when, result in both if result["noisy"])
    return f"too noisy {noisy}: see noise; measure longer, or on a quieter machine" if noisy else ""


def _conditions(result: Mapping[str, Any], what: str) -> str:
    return ", ".join(sorted({one for when in ("before", "after") for one in result["condition"][when][what]}))
