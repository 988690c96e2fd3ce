"""The doctor names each drawn fault, alone and beside every other, and nothing where all is well."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from board import FAULTS, Fault, draw, portrait, voice

from edgeemo.doctor import Case, Checked, Finding, examine

PAIRS = [(a, b) for a, b in combinations(FAULTS, 2) if a.stands_with(b)]


def found_in(checked: list[Checked]) -> list[Finding]:
    return [finding for check in checked for finding in check.findings]


def told(checked: list[Checked]) -> str:
    return "\n".join(f"{check.name}: {check.state} {check.reason} {check.findings}" for check in checked)


def test_a_healthy_board_gets_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(picture=portrait(tmp_path), recording=voice(tmp_path), rate_hz=16_000, threads=4)
    checked = examine(draw(case, tmp_path, monkeypatch))
    assert [f for f in found_in(checked) if f.severity != "info"] == []
    assert {check.state for check in checked} <= {"done", "skipped"}, told(checked)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_each_fault_is_named(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = examine(draw(Case(), tmp_path, monkeypatch, fault))
    assert fault.id in [finding.id for finding in found_in(checked)], told(checked)
    assert "failed" not in {check.state for check in checked}, told(checked)


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda fault: fault.id)
def test_two_faults_are_both_named(
    a: Fault, b: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = examine(draw(Case(), tmp_path, monkeypatch, a, b))
    assert {a.id, b.id} <= {finding.id for finding in found_in(checked)}, told(checked)
    assert "failed" not in {check.state for check in checked}, told(checked)
