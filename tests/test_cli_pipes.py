"""Pipes and devices where the command line expects a file: refused or waited for aloud, never in silence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeemo.cli import main
from edgeemo.cli.watch import _source
from edgeemo.files import open_regular


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """A test that hangs fails."""

    def late(*_: object) -> None:
        pytest.fail("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path: Path) -> str:
    os.mkfifo(path)
    return str(path)


@pytest.mark.parametrize("name", ["call.wav", "face.jpg"])
def test_predict_refuses_a_pipe_by_the_name_of_a_recording_or_a_picture(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", pipe(tmp_path / name)]) != 0
    assert "a pipe or a device, and no file" in capsys.readouterr().err


def test_watch_refuses_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cv2", reason="needs edgeemo[face]")
    assert main(["watch", pipe(tmp_path / "film.mp4")]) != 0
    assert "a pipe or a device, and no file" in capsys.readouterr().err


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/null"])
@pytest.mark.parametrize("command", ["predict", "watch"])
def test_a_device_without_end_is_refused(
    command: str, device: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("cv2", reason="needs edgeemo[face]")
    assert main([command, device]) != 0
    assert "a device, and no file" in capsys.readouterr().err


def test_a_pipe_of_texts_is_waited_for_aloud_and_read(tmp_path: Path) -> None:
    texts = pipe(tmp_path / "texts")
    command = [sys.executable, "-m", "edgeemo.cli", "predict", texts, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:
        assert reader.stderr is not None
        said = reader.stderr.readline()
        Path(texts).write_text("Well done!\n")
        out, _ = reader.communicate(timeout=20)
    assert f"waiting for texts from the pipe {texts}" in said
    assert out.count('"text": "Well done!"') == 1


def test_a_shell_s_pipe_of_texts_is_read_without_a_word() -> None:
    script = f"{sys.executable} -m edgeemo.cli predict <(echo 'Well done!') --json"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30)
    assert ('"text": "Well done!"' in done.stdout, "waiting" in done.stderr) == (True, False), done.stderr


def test_a_camera_may_be_named_by_its_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "by-id").touch()
    monkeypatch.setattr("edgeemo.cli.watch.Camera", lambda index: ("camera", index))
    monkeypatch.setattr("os.path.realpath", lambda _: "/dev/video2")
    assert _source(str(tmp_path / "by-id"), 25.0) == ("camera", 2)  # type: ignore[comparison-overlap]


def test_what_is_a_file_is_opened_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"abc"
    for path in (pipe(tmp_path / "pipe"), "/dev/zero", tmp_path, tmp_path / "absent"):
        with pytest.raises(OSError, match=r"no file|directory"):
            open_regular(path)
