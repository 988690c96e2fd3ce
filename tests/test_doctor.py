"""The doctor names each drawn fault, alone and beside every other, and nothing where all is well."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board import FAULTS, ICD, Board, Fault, every_core, portrait, voice

from edgeemo.doctor import CHECKS, Checked, Context, Finding, examine

PAIRS = [(i, j) for i, j in combinations(range(len(FAULTS)), 2) if FAULTS[i].stands_with(FAULTS[j])]
Plant = Callable[..., Context]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return Board(tmp_path_factory.mktemp("board"))


@pytest.fixture
def plant(board: Board, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    """Give the board faults for one test."""
    yield partial(board.with_faults, monkeypatch)
    board.heal()


@pytest.fixture(scope="module")
def seen_by(board: Board) -> dict[int, str]:
    """Which check names a fault that is alone, by the fault's place in `FAULTS`."""
    known: dict[int, str] = {}
    for i, fault in enumerate(FAULTS):
        with pytest.MonkeyPatch.context() as patch:
            checked = examine(board.with_faults(patch, fault))
        board.heal()
        known[i] = next((c.name for c in checked if fault.id in [f.id for f in c.findings]), "")
    return known


def found_in(checked: list[Checked]) -> list[Finding]:
    return [finding for check in checked for finding in check.findings]


def summary(checked: list[Checked]) -> str:
    return "\n".join(f"{check.name}: {check.state} {check.reason} {check.findings}" for check in checked)


def test_on_a_healthy_board_nothing_is_found(plant: Plant, tmp_path: Path) -> None:
    asked = Context(picture=portrait(tmp_path), recording=voice(tmp_path), rate_hz=16_000, threads=4)
    checked = examine(plant(context=asked))
    assert found_in(checked) == [], summary(checked)
    assert "failed" not in {check.state for check in checked}, summary(checked)
    assert [check.name for check in checked] == [name for checks in CHECKS.values() for name in checks]
    assert {check.name for check in checked if check.state == "skipped"} <= {
        "legacy",
        "power",
        "delegates",
    }, summary(checked)


def test_on_a_server_without_devices_nothing_is_found(plant: Plant) -> None:
    devices = ("dev/snd/pcmC0D0c", "dev/video0", "dev/dri/renderD128", ICD)
    nobody = {"edgeemo.sources.microphones": list}
    checked = examine(plant(Fault("", dict.fromkeys(devices), patches=nobody)))
    assert found_in(checked) == [], summary(checked)
    reasons = {check.name: check.reason or check.note for check in checked}
    assert "no device records" in reasons["microphone"]
    assert "no camera" in reasons["camera"]
    assert "no Vulkan driver" in reasons["gpu"]


def test_powersave_of_a_driver_that_adapts_is_noted_and_no_fault(plant: Plant) -> None:
    files = every_core("cpufreq/scaling_governor", "powersave")
    files |= every_core("cpufreq/scaling_driver", "intel_pstate")
    (checked,) = examine(plant(Fault("", files)), only={"governor"})
    assert checked.findings == ()
    assert "intel_pstate" in checked.note


def test_licences_are_noted_and_no_fault(plant: Plant) -> None:
    (checked,) = examine(plant(), only={"licences"})
    assert checked.findings == ()
    closed = [
        card.name
        for card in (bundle.card for bundle in plant().intact.values())
        if card.commercial != "cleared"
    ]
    assert closed
    assert all(name in checked.note for name in closed)


def test_speech_and_then_a_long_silence_is_speech(plant: Plant, tmp_path: Path) -> None:
    def pause(pcm: Any) -> Any:
        return np.append(pcm, 1e-4 * np.random.default_rng(0).standard_normal(8 * len(pcm))).astype("f4")

    checked = examine(plant(context=Context(recording=voice(tmp_path, pause))), only={"recording"})
    assert found_in(checked) == [], summary(checked)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_each_fault_is_named(fault: Fault, plant: Plant) -> None:
    checked = examine(plant(fault))
    assert fault.id in [finding.id for finding in found_in(checked)], summary(checked)
    assert "failed" not in {check.state for check in checked}, summary(checked)


@pytest.mark.parametrize("i", range(len(FAULTS)), ids=lambda i: FAULTS[i].id)
def test_a_fault_and_every_other_are_both_named(i: int, board: Board, seen_by: dict[int, str]) -> None:
    missed = []
    for j in (j for first, j in PAIRS if first == i):
        # the two checks alone: checks know nothing of each other, and there are thousands of pairs
        with pytest.MonkeyPatch.context() as patch:
            checked = examine(board.with_faults(patch, FAULTS[i], FAULTS[j]), only={seen_by[i], seen_by[j]})
        board.heal()
        both = {FAULTS[i].id, FAULTS[j].id} <= {finding.id for finding in found_in(checked)}
        if not both or "failed" in {check.state for check in checked}:
            missed.append(f"{FAULTS[i].id} with {FAULTS[j].id}: {summary(checked)}")
    assert not missed, "\n\n".join(missed)


@pytest.mark.parametrize("seed", range(10))
def test_many_faults_at_once_are_all_named(seed: int, plant: Plant) -> None:
    chosen: list[Fault] = []
    for fault in random.Random(seed).sample(FAULTS, len(FAULTS)):
        if all(fault.stands_with(other) for other in chosen):
            chosen.append(fault)
    assert len(chosen) > 20
    checked = examine(plant(*chosen))
    assert {fault.id for fault in chosen} <= {finding.id for finding in found_in(checked)}, summary(checked)


def test_the_old_name_of_context_still_works() -> None:
    with pytest.warns(DeprecationWarning, match="Case is now called Context"):
        from edgeemo.doctor import Case
    assert Case is Context
