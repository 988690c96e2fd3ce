"""``edgeemo doctor``: what it prints, its exit codes, and that nothing makes it crash."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from board import FAULTS, Board, Fault

from edgeemo.cli import main
from edgeemo.doctor import CHECKS, SEVERITIES, Context, Finding, Skipped, examine

Plant = Callable[..., Context]
STEPS = {  # what a remedy without a command begins with
    *(
        "Ask",
        "Check",
        "Clean",
        "Come",
        "Cool",
        "Find",
        "Fetch",
        "Give",
        "Less",
        "Listen",
        "Look",
        "More",
        "Nothing",
    ),
    *("Plug", "Record", "Save", "Take", "Use"),
}
BY_ID = {fault.id: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return Board(tmp_path_factory.mktemp("board"))


@pytest.fixture
def plant(board: Board, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    yield partial(board.with_faults, monkeypatch)
    board.heal()


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], board: Board) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run it on the board; returns the exit code and the JSON."""

    def run(*options: str) -> tuple[int, dict[str, Any]]:
        code = main(["doctor", "--sys-root", str(board.root), "--json", *options])
        return code, json.loads(capsys.readouterr().out)

    return run


def ids(said: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in said["findings"]]


# --- what it prints ---


def test_json_has_checks_and_findings(plant: Plant, doctor: Callable[..., Any]) -> None:
    plant(BY_ID["hot"], BY_ID["bundle-damaged"])
    _, said = doctor("nowhere.tflite")
    assert set(said) == {"checks", "findings"}
    for finding in said["findings"]:
        assert set(finding) == {"id", "severity", "what", "evidence", "remedy"}
        assert finding["severity"] in SEVERITIES
    for check in said["checks"]:
        assert set(check) == {"name", "subject", "state", "reason", "note", "ms", "findings"}
        assert bool(check["reason"]) == (check["state"] != "done")
    assert [(c["subject"], c["name"]) for c in said["checks"]] == [
        (subject, name) for subject, checks in CHECKS.items() for name in checks
    ]
    assert sorted(id for check in said["checks"] for id in check["findings"]) == sorted(ids(said))
    assert {"hot", "bundle-missing"} <= set(ids(said))


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ([], 0),
        (["governor-ondemand"], 0),
        (["governor-powersave"], 4),
        (["litert-needs-glibc"], 3),
        (["governor-powersave", "litert-needs-glibc"], 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst(
    faults: list[str], code: int, plant: Plant, doctor: Callable[..., Any]
) -> None:
    plant(*(BY_ID[name] for name in faults))
    assert doctor()[0] == code


def test_the_table_names_fault_evidence_and_remedy(
    plant: Plant, board: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(BY_ID["governor-powersave"])
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["doctor", "--sys-root", str(board.root)]) == 4
    shown = capsys.readouterr().out
    for text in (
        "governor-powersave",
        "seen: sys/devices",
        "do:   `echo performance",
        "1 warning",
        "no --picture",
    ):
        assert text in shown


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--help"]) == 0
    shown = capsys.readouterr().out
    for text in ("0  nothing", "3  an error", "4  warnings"):
        assert text in shown


@pytest.mark.parametrize("options", [["--threads", "0"], ["--rate", "-1"], ["--sys-root", "/nowhere"]])
def test_wrong_usage(options: list[str]) -> None:
    assert main(["doctor", *options]) == 2


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_finding_says_how_it_was_seen_and_a_step_to_take(fault: Fault, plant: Plant) -> None:
    for finding in (f for check in examine(plant(fault)) for f in check.findings):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", finding.id)
        assert finding.evidence
        assert len(finding.what) > 10
        assert "`" in finding.remedy or finding.remedy.split()[0] in STEPS, finding.remedy


# --- nothing makes it crash ---


@pytest.mark.parametrize("name", [name for checks in CHECKS.values() for name in checks])
def test_a_check_that_raises_is_a_finding(name: str, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(context: Context) -> Iterator[Finding]:
        yield Finding("first", "info", "", "", "")
        raise ZeroDivisionError("of\nthree lines")

    subject = next(subject for subject, checks in CHECKS.items() if name in checks)
    monkeypatch.setitem(CHECKS[subject], name, look)
    (checked,) = examine(plant(), only={name})
    assert (checked.state, checked.reason) == ("failed", "ZeroDivisionError: of three lines")
    first, own = checked.findings
    assert (first.id, own.id, own.severity) == ("first", f"check-failed-{name}", "warning")
    assert "test_doctor_cli.py, line" in own.evidence


def test_a_check_that_cannot_be_done_says_why(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(context: Context) -> Iterator[Finding]:
        yield from ()
        raise Skipped("no such thing")

    monkeypatch.setitem(CHECKS["speed"], "heat", look)
    (checked,) = examine(plant(), only={"heat"})
    assert (checked.state, checked.reason, checked.findings) == ("skipped", "no such thing", ())


@pytest.mark.parametrize("text", ["", "garbage", "\x00\xff", "-1", "99999999999999999999", "1 2 3 4"])
def test_garbage_in_the_system_s_files(text: str, board: Board, plant: Plant, tmp_path: Path) -> None:
    files = {path.relative_to(board.root) for path in board.root.rglob("*") if path.is_file()}
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode("latin-1"))
    context = plant()
    checked = examine(Context(root=tmp_path, threads=context.threads))
    assert "failed" not in {check.state for check in checked}, [c.reason for c in checked if c.reason]


def test_an_empty_root(plant: Plant, tmp_path: Path) -> None:
    plant()
    checked = examine(Context(root=tmp_path, threads=8))
    assert "failed" not in {check.state for check in checked}
    assert "threads-exceed-cores" not in [f.id for check in checked for f in check.findings]
    skipped = {check.name: check.reason for check in checked if check.state == "skipped"}
    assert {"processor", "governor", "heat", "cores", "load", "memory"} <= set(skipped)


def test_an_edgeemo_without_bundles(plant: Plant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("edgeemo.bundle.ZOO", tmp_path)
    checked = examine(plant())
    assert "bundles-none-shipped" in [f.id for check in checked for f in check.findings]
    skipped = {check.name: check.reason for check in checked if check.state == "skipped"}
    assert {"engine", "goldens", "licences"} <= set(skipped)
    assert "failed" not in {check.state for check in checked}


def test_a_shipped_bundle_that_is_damaged(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_text_path: Path
) -> None:
    (tmp_path / "good.tflite").write_bytes(small_text_path.read_bytes())
    (tmp_path / "text.tflite").write_bytes(small_text_path.read_bytes()[:-40])
    monkeypatch.setattr("edgeemo.bundle.ZOO", tmp_path)
    checked = examine(plant())
    (damaged,) = [f for check in checked for f in check.findings if f.severity == "error"]
    assert (damaged.id, "text.tflite" in damaged.what) == ("bundle-damaged", True)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\x89PNG\r\n\x1a\n", bytes(range(256)) * 9])
def test_odd_files(content: bytes, plant: Plant, doctor: Callable[..., Any], tmp_path: Path) -> None:
    plant()
    for name in ("odd.tflite", "odd.png", "odd.wav"):
        (tmp_path / name).write_bytes(content)
    odd = [str(tmp_path / name) for name in ("odd.tflite", "odd.png", "odd.wav")]
    code, said = doctor(odd[0], "--picture", odd[1], "--recording", odd[2])
    assert code == 3
    assert {"bundle-damaged", "picture-unreadable", "recording-unreadable"} <= set(ids(said))
    assert "failed" not in {check["state"] for check in said["checks"]}


def test_folders_in_place_of_files(plant: Plant, doctor: Callable[..., Any], tmp_path: Path) -> None:
    plant()
    code, said = doctor(str(tmp_path), "--picture", str(tmp_path), "--recording", str(tmp_path))
    assert code == 3
    assert {"bundle-missing", "picture-unreadable", "recording-unreadable"} <= set(ids(said))
