"""Probes that go wrong by no fault of the delegate, and machines with odd folders: nothing wrong is kept."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeemo import Bundle, Recognizer
from edgeemo.delegates import records_folder, survey
from edgeemo.errors import DelegateError, InputError

PATIENT = {"probe_most_ratio": 1e6}
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


def test_what_a_driver_says_in_no_utf_8_is_told_all_the_same(tmp_path: Path, pocket_path: Path) -> None:
    program = helper(tmp_path, "echo at loading the model on the GPU\nprintf 'not \\303 there\\n'")
    report = survey(Bundle.open(pocket_path), delegate_options={"probe_program": program})[1]
    assert report.reason == "\ufffd there"
    with Recognizer.open(pocket_path) as recognizer:
        assert "the GPU is not used: \ufffd there" in recognizer.runtime.info.reason


def test_a_record_that_is_no_utf_8_is_not_believed(
    tmp_path: Path, own_records: Path, pocket_path: Path
) -> None:
    program = helper(tmp_path, "echo at loading the model on the GPU\necho not here")
    survey(Bundle.open(pocket_path), delegate_options={"probe_program": program})
    (record,) = own_records.rglob("*.probe")
    record.write_bytes(record.read_bytes().replace(b"here", b"h\xffre"))
    with Recognizer.open(pocket_path) as recognizer:
        assert recognizer.runtime.info.delegate == "cpu"
        assert "is damaged" in recognizer.runtime.info.reason


# --- odd names ---


@pytest.mark.parametrize("odd", [b"\xff", b"a\nprobe_program = /bin/sh", b"a\rb"])
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_where_the_folder_has_no_plain_name_nothing_is_kept(
    variable: str, odd: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pocket_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv(variable, os.fsdecode(os.fsencode(tmp_path) + b"/" + odd))
    assert records_folder() == ""
    with Recognizer.open(pocket_path) as recognizer:
        assert recognizer.runtime.info.delegate == "cpu"


def test_options_of_odd_bytes_are_refused_plainly(pocket_path: Path) -> None:
    odd = os.fsdecode(b"/tmp/r\xff")
    with pytest.raises(InputError, match="does not fit into a line key = value of UTF-8"):
        Recognizer.open(pocket_path, delegate_options={"probe_records": odd})


def test_a_delegate_of_an_odd_name_works(external: str, tmp_path: Path, pocket_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/d\xff.so")
    shutil.copy(external, odd)
    with Recognizer.open(pocket_path, delegate=odd, delegate_options=PATIENT) as recognizer:
        assert recognizer.runtime.info.delegate == odd
    with pytest.raises(DelegateError, match="there is no such device") as error:
        Recognizer.open(pocket_path, delegate=odd, delegate_options={"fault": "refuse"})
    str(error.value).encode()
