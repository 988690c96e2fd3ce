"""Results of an earlier ``edgeemo bench --json``: a file may hold anything, so it is checked whole first."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files import open_regular

_TEXTS = (
    *("bundle", "delegate", "sha256", "input", "input_sha256", "date", "runs.backend", "runs.delegate"),
    *("machine.board", "machine.cpu", "machine.architecture"),
)
_MOODS = tuple(
    f"condition.{when}.{what}" for when in ("before", "after") for what in ("governors", "throttled")
)
_KINDS: dict[str, type] = {  # of all that `compare` reads of a result that ran
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(("threads", "batch", "machine.cores"), int),
    **dict.fromkeys(("blocks_us", *_MOODS), list),
    **{"total_us": dict, "versions": dict, "noisy": bool},
}
_FILE_LIMIT = 4 * 1024 * 1024  # bytes; a result takes about 5,000
_TEXT_LIMIT = 4096
_BLOCKS_LIMIT = 1000  # a measurement has 40
_LEAST_US, _MOST_US = 1e-3, 1e10  # a nanosecond; nearly three hours


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the results that ``edgeemo bench --json`` wrote.

    Raises:
        DataError: the file cannot be read, or is none of that kind: a regular file whose results have all
            that `compare` reads, of the right types and in sane ranges.
    """
    again = f"Write one by `edgeemo bench … --json > {path}`."
    try:
        found = json.loads(_bounded(path))
        results: list[dict[str, Any]] = found["results"]
        if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
            raise ValueError("results is no list of objects")
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


def _bounded(path: Path) -> bytes:
    """Read a file that ends, and soon."""
    with open_regular(path) as file:
        data = file.read(_FILE_LIMIT + 1)
    if len(data) > _FILE_LIMIT:
        raise ValueError(f"it has more than {_FILE_LIMIT:,} bytes")
    return data


def _check(result: Mapping[str, Any]) -> None:
    """Raise ValueError for what `compare` reads and is missing, of the wrong kind, or out of range."""
    found = {place: _at(result, place.split(".")) for place in _KINDS}
    for place, kind in _KINDS.items():
        if type(found[place]) is not kind:
            raise ValueError(f"{place} is of type {type(found[place]).__name__}, not {kind.__name__}")
    for place in _TEXTS:
        if len(found[place]) > _TEXT_LIMIT:
            raise ValueError(f"{place} has {len(found[place]):,} characters")
    shown = {place: found[place] for place in _MOODS}
    shown |= {key: [found[key]] for key in ("date", "sha256")}
    shown |= {"versions": [*found["versions"], *found["versions"].values()]}
    for place, texts in shown.items():
        if not all(type(text) is str and len(text) <= _TEXT_LIMIT and text.isprintable() for text in texts):
            raise ValueError(f"{place} holds what is no plain text")
    datetime.datetime.fromisoformat(found["date"])
    times = found["blocks_us"]
    if not 1 <= len(times) <= _BLOCKS_LIMIT:
        raise ValueError(f"blocks_us has {len(times):,} times, expected 1 … {_BLOCKS_LIMIT:,}")
    if not all(type(us) in (int, float) and _LEAST_US <= us <= _MOST_US for us in times):
        raise ValueError(f"blocks_us holds what is no time from {_LEAST_US:g} to {_MOST_US:g} µs")


def _at(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
