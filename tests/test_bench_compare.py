"""Now against then: verdicts, what cannot be compared, and files that are not what they should be."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench_results import HERE, result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgeemo.bench import comparison, report
from edgeemo.bench.comparison import CANNOT, FASTER, SAME, SLOWER, exceeds, read_results
from edgeemo.errors import DataError


@pytest.mark.parametrize(
    ("now", "verdict"), [(50.0, SAME), (51.0, SAME), (52.5, SLOWER), (47.5, FASTER), (49.2, SAME)]
)
def test_the_verdict_is_by_effect_size(now: float, verdict: str) -> None:
    found = comparison.compare(result(now), [result(50.0)])
    assert found["verdict"] == verdict
    assert found["ratio"] == pytest.approx(now / 50, abs=0.002)
    assert found["low"] <= found["ratio"] <= found["high"]


def test_a_difference_within_the_scatter_is_none() -> None:
    wild = [30.0 + i for i in range(40)]
    assert (
        comparison.compare(result(blocks_us=[x + 2 for x in wild]), [result(blocks_us=wild)])["verdict"]
        == SAME
    )


def condition(**after: list[str]) -> dict[str, Any]:
    mood: dict[str, Any] = result()["condition"]["after"]
    whole = {**mood, **after}
    return {"before": {**whole, "throttled": []}, "after": whole}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"machine": {**HERE, "cores": 2}}, "another machine (cores 4 then, 2 now)"),
        ({"sha256": "c" * 64}, "another artefact"),
        ({"input_sha256": "d" * 16}, "another input"),
        ({"runs": {"backend": "litert", "delegate": "cpu"}}, "another backend ran ('native/cpu' then)"),
        ({"noisy": True}, "too noisy now: see noise"),
        (
            {"condition": condition(governors=["powersave"])},
            "another governor ('ondemand' then, 'powersave' now)",
        ),
        ({"condition": condition(throttled=["under-voltage"])}, "slowed down now (under-voltage)"),
        ({"threads": 2}, "it was not measured then"),
        ({"total_us": None}, "it could not run now"),
    ],
)
def test_what_cannot_be_compared_is_told(changes: dict[str, Any], why: str) -> None:
    found = comparison.compare(result(**changes), [result()])
    assert found["verdict"] == CANNOT
    assert why in found["why"]
    assert exceeds(found, 0.05)


def test_what_takes_as_long_as_is_allowed_passes() -> None:
    found = comparison.compare(result(53.0), [result(50.0)])
    assert found["verdict"] == SLOWER
    assert exceeds(found, 0.05)
    assert not exceeds(found, 0.07)
    assert not exceeds({"verdict": SLOWER, "ratio": 1.5}, 0.5)  # no more than the limit
    assert not exceeds({"verdict": SAME, "ratio": 1.9}, 0.5)
    assert not exceeds(comparison.compare(result(40.0), [result(50.0)]), 0.0)


def test_a_governor_that_is_not_known_is_no_other() -> None:
    """In a container nobody tells it."""
    found = comparison.compare(result(60.0, condition=condition(governors=[])), [result(50.0)])
    assert found["verdict"] == SLOWER


def test_versions_that_differ_are_named() -> None:
    now = {"edgeemo": "0.1.0", "tflite-runtime": "2.14.0", "python": "3.12.1", "bundle": "1.0.0"}
    found = comparison.compare(result(60.0, versions=now), [result(50.0)])
    assert found["verdict"] == SLOWER
    assert found["versions"] == {
        "litert": ["2.3.0", "none"],
        "python": ["3.11.7", "3.12.1"],
        "tflite-runtime": ["none", "2.14.0"],
    }
    assert "(litert 2.3.0 then, none now; python 3.11.7 then, 3.12.1 now; " in report.verdict(found)
    assert "versions" not in comparison.compare(result(), [result()])


# --- files --------------------------------------------------------------------------------------------------


def told_of(old: Any, folder: Path) -> str:
    """Return the line that a user reads when edgeemo compares with an old file: a refusal or a verdict."""
    path = folder / "old.json"
    path.write_text(json.dumps(old), "utf-8")
    try:
        then = read_results(path)
    except DataError as error:
        return str(error)
    found = comparison.compare(result(), then)
    json.dumps(found, allow_nan=False)
    said = report.verdict(found)
    assert said.startswith((FASTER, SLOWER, SAME, CANNOT))
    return said


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"blocks_us": "123"}, "blocks_us is of type str, not list"),
        ({"blocks_us": {"1": 2}}, "blocks_us is of type dict, not list"),
        ({"blocks_us": ["1", "2"]}, "blocks_us holds something other than times from 0.001 to 1e+10 µs"),
        ({"blocks_us": [10**400]}, "blocks_us holds something other than times"),
        ({"blocks_us": [float("inf")] * 9}, "blocks_us holds something other than times"),
        ({"blocks_us": [float("nan")] * 9}, "blocks_us holds something other than times"),
        ({"blocks_us": [5e-324] * 9}, "blocks_us holds something other than times"),
        ({"blocks_us": [True] * 9}, "blocks_us holds something other than times"),
        ({"blocks_us": []}, "blocks_us has 0 times, expected 1 … 1,000"),
        ({"blocks_us": [1] * 1001}, "blocks_us has 1,001 times, expected 1 … 1,000"),
        ({"blocks_us": [1] * 2_000_000}, "it has more than 4,194,304 bytes"),
        ({"sha256": 5}, "sha256 is of type int, not str"),
        ({"sha256": None}, "sha256 is of type NoneType, not str"),
        ({"noisy": 0}, "noisy is of type int, not bool"),
        ({"date": "2026-01-02\x1b03:04:05"}, "date holds something other than plain text"),
        ({"date": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
        ({"condition": None}, "condition.before.governors is of type NoneType, not list"),
        ({"versions": {"python": 3}}, "versions holds something other than plain text"),
        ({"input": "x" * 5000}, "input holds something other than plain text of at most 4,096 characters"),
    ],
)
def test_what_a_file_must_not_hold_is_told(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    assert why in told_of({"results": [result(**changes)]}, tmp_path)


NASTY: list[Any] = [
    *(None, True, -1, 0, 1e-320, 1e300, float("nan"), float("inf"), 10**400, 2**63),
    *("", "123", "\x1b[2J", "\ud800", [], {}, [[]], ["1"], {"1": 2}, [10**400], [None], [{}]),
]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from places(part, (*at, key))


VALID: dict[str, Any] = {"machine": HERE, "results": [result()]}
PLACES = list(places(VALID))
mutation = st.tuples(st.sampled_from(PLACES[1:]), st.none() | st.sampled_from(NASTY).map(lambda x: (x,)))


@settings(max_examples=400, deadline=None)
@example([((("results", 0, "runs")), ("x",))])
@given(st.lists(mutation, min_size=1, max_size=3))
def test_a_file_that_was_damaged_anywhere_gives_a_refusal_or_a_verdict(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[tuple[Any, ...], tuple[Any] | None]]
) -> None:
    old = copy.deepcopy(VALID)
    for (*way, last), value in changes:
        inside: Any = old
        try:
            for key in way:
                inside = inside[key]
            if value is None:
                del inside[last]
            else:
                inside[last] = copy.deepcopy(value[0])  # later changes must not reach NASTY itself
        except (KeyError, IndexError, TypeError):  # an earlier change took it away
            continue
    told_of(old, tmp_path_factory.getbasetemp())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.binary(max_size=4), st.integers(0, 4))
def test_bytes_that_were_damaged_anywhere_do_too(
    tmp_path_factory: pytest.TempPathFactory, at: int, by: bytes, instead: int
) -> None:
    data = json.dumps(VALID).encode()
    at %= len(data)
    path = tmp_path_factory.getbasetemp() / "bytes.json"
    path.write_bytes(data[:at] + by + data[at + instead :])
    try:
        then = read_results(path)
    except DataError:
        return
    json.dumps(comparison.compare(result(), then), allow_nan=False)


@pytest.mark.parametrize(
    ("made", "says"),
    [("a pipe", "a pipe or a device"), ("a device", "a pipe or a device"), ("a folder", "Is a directory")],
)
def test_only_regular_files_are_read(made: str, says: str, tmp_path: Path) -> None:
    path = (
        tmp_path / "old.json" if made == "a pipe" else Path("/dev/zero") if made == "a device" else tmp_path
    )
    if made == "a pipe":
        os.mkfifo(path)
    with pytest.raises(DataError, match=says):
        read_results(path)
