"""Probes that go wrong by no fault of the delegate, and machines with odd folders: nothing wrong is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def own_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def helper(tmp_path: Path, lines: str) -> str:
    """A program in place of edgeemo-probe, which leaves its number in the file "child"."""
    path = tmp_path / "helper"
    path.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/part && mv {tmp_path}/part {tmp_path}/child\n{lines}\n")
    path.chmod(0o700)
    return str(path)


def number_in(file: Path) -> int:
    for _ in range(600):
        if file.exists():
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError(f"{file} was never written")


def is_gone(number: int) -> bool:
    for _ in range(100):
        try:
            if ") Z " in Path(f"/proc/{number}/stat").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


# --- interrupted ---


def test_ctrl_c_ends_a_probe_and_keeps_no_verdict(
    tmp_path: Path, own_records: Path, pocket_path: Path
) -> None:
    program = helper(tmp_path, "echo at loading the model on the GPU\nsleep 60")
    command = [sys.executable, "-m", "edgeemo.cli", "delegates", str(pocket_path)]
    asked = subprocess.Popen(
        [*command, "--option", f"probe_program={program}"], cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    child = number_in(tmp_path / "child")
    os.killpg(asked.pid, signal.SIGINT)  # as a terminal does
    begin = time.monotonic()
    _, said = asked.communicate(timeout=30)
    assert time.monotonic() - begin < 5
    assert asked.returncode == 130, said
    assert is_gone(child)
    assert not list(own_records.rglob("*.probe"))
