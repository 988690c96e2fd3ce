"""Probes that go wrong by no fault of the delegate, and machines with odd folders: nothing wrong is kept."""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeemo import Bundle, Recognizer
from edgeemo.backends import interpreter_file
from edgeemo.cli import main
from edgeemo.delegates import records_folder, survey
from edgeemo.errors import DelegateError, InputError, RuntimeUnavailableError

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


def wait_for(find: Callable[[], str]) -> int:
    for _ in range(600):
        if number := find().strip():
            return int(number)
        time.sleep(0.05)
    raise AssertionError("that never happened")


def number_in(file: Path) -> int:
    return wait_for(lambda: file.read_text() if file.exists() else "")


def trying(parent: int, delegate: str) -> str:
    """The number of that process's child which has the delegate loaded; "" until there is one."""
    try:
        (number, *_) = Path(f"/proc/{parent}/task/{parent}/children").read_text().split() or [""]
        return number if delegate in Path(f"/proc/{number}/maps").read_text() else ""
    except OSError:
        return ""


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
    tmp_path: Path, own_records: Path, small_text_path: Path
) -> None:
    program = helper(tmp_path, "echo at loading the model on the GPU\nsleep 77777")
    command = [sys.executable, "-m", "edgeemo.cli", "delegates", str(small_text_path)]
    asked = subprocess.Popen(
        [*command, "--option", f"probe_program={program}"], cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    child = number_in(tmp_path / "child")
    os.killpg(asked.pid, signal.SIGINT)  # as a terminal does
    _, said = asked.communicate()
    assert asked.returncode == 130, said
    assert is_gone(child)
    assert not list(own_records.rglob("*.probe"))


def test_the_child_that_tries_an_external_delegate_goes_with_its_parent(
    tmp_path: Path, external: str, small_text_path: Path
) -> None:
    options: dict[str, str | int | float] = {"fault": "hang", "probe_timeout_ms": 600_000}
    script = (
        f"import edgeemo; edgeemo.Recognizer.open({str(small_text_path)!r}, delegate={external!r}, "
        f"delegate_options={options})"
    )
    for asked in (signal.SIGKILL, signal.SIGINT):
        parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.DEVNULL)
        child = wait_for(lambda: trying(parent.pid, external))  # noqa: B023
        assert Path(f"/proc/{child}/stat").read_text().split()[4] == str(child)  # a group of its own
        parent.send_signal(asked)
        parent.wait(10)
        assert is_gone(child)


def test_what_an_external_delegate_starts_is_ended_with_it(
    tmp_path: Path, own_records: Path, monkeypatch: pytest.MonkeyPatch, external: str, small_text_path: Path
) -> None:
    program = helper(tmp_path, f"sleep 77777 & echo $! > {tmp_path}/grandchild; exit 3")
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(
        DelegateError, match=rf"\({program}\) ended with code 3 while starting; is that .* a Python"
    ):
        Recognizer.open(small_text_path, delegate=external)
    assert is_gone(number_in(tmp_path / "grandchild"))
    assert not list(own_records.rglob("*.probe"))  # no word on the delegate


def test_a_crash_of_an_external_delegate_leaves_no_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, external: str, small_text_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0 or "|" in (pattern := Path("/proc/sys/kernel/core_pattern").read_text()) or "/" in pattern:
        pytest.skip("this machine leaves no cores in the working folder")
    monkeypatch.chdir(tmp_path)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        with pytest.raises(DelegateError, match="SIGSEGV"):
            Recognizer.open(small_text_path, delegate=external, delegate_options={"fault": "crash"})
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert not list(tmp_path.glob("core*"))


def test_an_external_delegate_that_failed_since_is_noted(
    own_records: Path, monkeypatch: pytest.MonkeyPatch, external: str, small_text_path: Path
) -> None:
    options: dict[str, str | int | float] = {**PATIENT, "fault": "gone"}
    Recognizer.open(small_text_path, delegate=external, delegate_options=options).close()
    (record,) = own_records.rglob("*.probe")
    assert "usable yes" in record.read_text()
    monkeypatch.setenv("DEVICE_IS_GONE", "1")
    with pytest.raises(DelegateError, match=r"cannot be used: litert refuses the model.*Use delegate 'auto'"):
        Recognizer.open(small_text_path, delegate=external, delegate_options=options)
    assert "usable no" in record.read_text()
    assert "reason litert refuses the model" in record.read_text()
    monkeypatch.delenv("DEVICE_IS_GONE")
    Recognizer.open(
        small_text_path, delegate=external, delegate_options=options
    ).close()  # the caller names the delegate: edgeemo tries it again


def test_an_external_delegate_that_ended_its_host_is_not_loaded_again(
    own_records: Path, external: str, small_text_path: Path
) -> None:
    options: dict[str, str | int | float] = {**PATIENT, "fault": "fatal"}
    Recognizer.open(small_text_path, delegate=external, delegate_options=options).close()
    script = (
        f"import edgeemo; edgeemo.Recognizer.open({str(small_text_path)!r}, delegate={external!r}, "
        f"delegate_options={options})"
    )
    environment = {**os.environ, "DEVICE_IS_GONE": "1"}
    host = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=False)
    assert host.returncode == -signal.SIGSEGV
    with pytest.raises(DelegateError, match="the last process that opened it here did not come back"):
        Recognizer.open(small_text_path, delegate=external, delegate_options=options)
    assert survey(Bundle.open(small_text_path), delegate=external, delegate_options=options)[-1].usable
    Recognizer.open(small_text_path, delegate=external, delegate_options=options).close()


def test_another_interpreter_has_records_of_its_own(
    own_records: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, external: str, small_text_path: Path
) -> None:
    def records() -> int:
        Recognizer.open(small_text_path, delegate=external, delegate_options=PATIENT).close()
        return len(list(own_records.rglob("*.probe")))

    assert records() == records() == 1
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99.0")
    assert records() == 2
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_records))
    file, _ = interpreter_file("litert")
    touched = tmp_path / file.name
    touched.write_bytes(file.read_bytes())
    monkeypatch.setattr("edgeemo.external.interpreter_file", lambda name: (touched, "2"))
    assert records() == 3
    touched.write_bytes(file.read_bytes() + b"\n")
    assert records() == 4


def test_an_interpreter_that_is_not_there_has_no_file() -> None:
    with pytest.raises(RuntimeUnavailableError, match="There is no backend 'none'"):
        interpreter_file("none")
    if importlib.util.find_spec("tflite_runtime") is None:
        with pytest.raises(RuntimeUnavailableError, match="tflite-runtime is not usable here"):
            interpreter_file("tflite-runtime")


def test_what_else_lies_in_the_path_of_imports_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, external: str, small_text_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, Path("/tmp"), None])
    with Recognizer.open(small_text_path, delegate=external, delegate_options=PATIENT) as recognizer:
        assert recognizer.runtime.info.delegate == external


def test_what_a_driver_says_in_no_utf_8_is_told_all_the_same(tmp_path: Path, small_text_path: Path) -> None:
    program = helper(tmp_path, "echo at loading the model on the GPU\nprintf 'not \\303 there\\n'")
    report = survey(Bundle.open(small_text_path), delegate_options={"probe_program": program})[1]
    assert report.reason == "\ufffd there"
    with Recognizer.open(small_text_path) as recognizer:
        assert "the GPU is not used: \ufffd there" in recognizer.runtime.info.reason


def test_a_record_that_is_no_utf_8_is_not_believed(
    tmp_path: Path, own_records: Path, small_text_path: Path
) -> None:
    program = helper(tmp_path, "echo at loading the model on the GPU\necho not here")
    survey(Bundle.open(small_text_path), delegate_options={"probe_program": program})
    (record,) = own_records.rglob("*.probe")
    record.write_bytes(record.read_bytes().replace(b"here", b"h\xffre"))
    with Recognizer.open(small_text_path) as recognizer:
        assert recognizer.runtime.info.delegate == "cpu"
        assert "is damaged" in recognizer.runtime.info.reason


# --- odd names ---


@pytest.mark.parametrize("odd", [b"\xff", b"a\nprobe_program = /bin/sh", b"a\rb"])
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_where_the_folder_has_no_plain_name_nothing_is_kept(
    variable: str, odd: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_text_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv(variable, os.fsdecode(os.fsencode(tmp_path) + b"/" + odd))
    assert records_folder() == ""
    with Recognizer.open(small_text_path) as recognizer:
        assert recognizer.runtime.info.delegate == "cpu"


def test_options_of_odd_bytes_are_refused_plainly(small_text_path: Path) -> None:
    odd = os.fsdecode(b"/tmp/r\xff")
    with pytest.raises(InputError, match="does not fit into a line key = value of UTF-8"):
        Recognizer.open(small_text_path, delegate_options={"probe_records": odd})


def test_a_delegate_of_an_odd_name_works(external: str, tmp_path: Path, small_text_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/d\xff.so")
    shutil.copy(external, odd)
    with Recognizer.open(small_text_path, delegate=odd, delegate_options=PATIENT) as recognizer:
        assert recognizer.runtime.info.delegate == odd
    with pytest.raises(DelegateError, match="there is no such device") as error:
        Recognizer.open(small_text_path, delegate=odd, delegate_options={"fault": "refuse"})
    str(error.value).encode()


# --- the commands ---


def test_the_commands_take_a_delegate(
    tmp_path: Path, small_text_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.csv").write_text("text,label\nso happy,happiness\nso sad,sadness\n")
    commands = {
        "predict": ["so happy", "--bundle", str(small_text_path)],
        "listen": ["--stdin", "s16le", "--rate", "16000"],
        "watch": [str(tmp_path)],
        "evaluate": [str(small_text_path), str(tmp_path / "few.csv")],
    }
    for name, arguments in commands.items():
        assert main([name, *arguments, "--delegate", "npu"]) == 1, name
        assert "There is no delegate 'npu'" in capfd.readouterr().err
    assert main(["predict", *commands["predict"], "--json", "--delegate", "cpu"]) == 0
    right = json.loads(capfd.readouterr().out)
    assert right["label"] == "happiness"
    (tmp_path / "plain.so").write_text("no library")
    assert main(["predict", *commands["predict"], "--delegate", str(tmp_path / "plain.so")]) == 1
    assert "is not loaded as a delegate" in capfd.readouterr().err
