"""The command line: what it prints, where, and with which exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import float_text
import pytest

from edgeemo import cli
from edgeemo.cli import main

DEV = "text,labels,valence,arousal\nso happy,joy,0.9,0.4\nsad,sadness,-0.6,-0.3\nangry sad,anger,-0.5,0.6\n"


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(float_text.write(tmp_path))


@pytest.fixture
def dev(tmp_path: Path) -> str:
    (tmp_path / "dev.csv").write_text(DEV)
    return str(tmp_path / "dev.csv")


def run(*arguments: str, text: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "edgeemo.cli", *arguments]
    return subprocess.run(command, input=text, capture_output=True, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


# --- help ---------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in (
        "predict",
        "evaluate",
        "inspect",
        "list",
        "train",
        "manifest",
        "convert",
        "verify",
        "Exit codes",
    ):
        assert name in shown


@pytest.mark.parametrize("name", list(cli._COMMANDS))
def test_help_of_each_command_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    examples = shown.count(f"  edgeemo {name}")
    assert examples
    assert ("Examples:" if examples > 1 else "Example:") in shown


@pytest.mark.parametrize("name", list(cli._COMMANDS))
def test_every_command_speaks_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from edgeemo import __version__

    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_help_loads_no_framework() -> None:
    code = "import sys; from edgeemo.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr.split()
    assert not {"tensorflow", "keras", "ai_edge_litert", "sklearn", "matplotlib"} & set(loaded)


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["predict", "--frob"],
        ["predict", "a", "--text", "b"],
        ["evaluate"],
        ["evaluate", "a", "b", "--peer", "tfidf"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().out == ""


# --- predict ------------------------------------------------------------------------------------------------


def test_a_sentence_gives_exactly_one_json_object(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "so happy", "--bundle", bundle, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["text"] == "so happy"
    assert said["label"] == "happiness"
    assert {"confidence", "scores", "valence", "arousal", "evidence", "fine", "active", "truncated"} <= set(
        said
    )


def test_a_bare_argument_is_a_file_only_if_it_exists(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sad").write_text("happy\nplain\n")
    (tmp_path / "angry").mkdir()
    for arguments, labels in (
        (["sad"], ["happiness", "neutral"]),
        (["--text", "sad"], ["sadness"]),
        (["angry"], ["anger"]),
        (["x" * 5000], ["neutral"]),
    ):
        assert main(["predict", *arguments, "--bundle", bundle, "--json"]) == 0
        assert [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()] == labels


def test_a_folder_is_not_read_as_a_text(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.JPG").touch()
    (tmp_path / "empty").mkdir()
    for folder in ("photos", "photos/", "./empty", str(tmp_path)):
        assert main(["predict", folder, "--bundle", bundle]) == 2
        assert "edgeemo watch" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "nosuch.txt",
        "./data/nosuch",
        "/nowhere",
        "photo.HEIC",
        "memo.m4a",
        "my memo.m4a",
        "film from last May.mp4",
        "film.avi",
        "a.pdf",
    ],
)
def test_the_name_of_a_file_that_is_not_there_is_not_read_as_a_text(
    name: str,
    bundle: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["predict", name, "--bundle", bundle]) == 1
    assert "--text" in capsys.readouterr().err
    assert main(["predict", "--text", name, "--bundle", bundle]) == 0
    assert main(["predict", "he/she is so happy with notes.txt", "--bundle", bundle]) == 0


def test_lines_into_a_pipe_are_not_broken_at_a_terminals_width() -> None:
    reason = "the native engine is not used: " + "a long reason " * 8
    script = f"from edgeemo.cli import console; console.out().print({reason!r})"
    here = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    command = [sys.executable, "-c", script]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=here).stdout
    assert printed.rstrip() == reason.rstrip()


def test_a_text_is_shown_as_it_was_written(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "so :smile: [bold]happy", "--bundle", bundle]) == 0
    assert "so :smile: [bold]happy" in capsys.readouterr().out


def test_a_closed_standard_input_is_a_usage_error(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["predict", "--bundle", bundle]) == 2


@pytest.mark.parametrize("argument", [[], ["-"]], ids=["none", "dash"])
def test_lines_from_standard_input_give_a_json_line_each(bundle: str, argument: list[str]) -> None:
    done = run(
        "predict", *argument, "--bundle", bundle, "--json", text=b"so happy\r\n\nsad\xff\xe2\x80\xa8angry"
    )
    said = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]
    assert [(x["text"], x["label"]) for x in said] == [
        ("so happy", "happiness"),
        ("", "neutral"),
        ("sad\ufffd\u2028angry", "sadness"),
    ]
    assert done.returncode == 0
    assert done.stderr == b""


def test_a_picture_of_one_sentence(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "so [bold]happy[/]\x1b[31m", "--bundle", bundle]) == 0
    shown = capsys.readouterr().out
    for part in ("so [bold]happy[/]", "happiness", "0.71", "joy 0.88", "+0.63", "█"):
        assert part in shown
    assert "\x1b[31m" not in shown


def test_lines_in_a_table_cannot_command_the_terminal(bundle: str) -> None:
    done = run("predict", "--bundle", bundle, text=b"happy\x1b]0;x\x07\n")
    assert b"\x1b" not in done.stdout
    assert b"happiness" in done.stdout


def test_odd_text_on_an_old_terminal_is_escaped(bundle: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("predict", "happy é", "--bundle", bundle, "--json", env=environment)
    assert json.loads(done.stdout)["text"] == "happy é"


@pytest.mark.parametrize("command", ["predict happy --bundle", "inspect", "list"])
def test_an_ascii_terminal_is_served(command: str, bundle: str) -> None:
    arguments = [*command.split(), *([bundle] if command != "list" else [])]
    done = run(*arguments, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["predict happy --json --bundle", "predict happy --bundle", "inspect"])
def test_a_full_disk_is_an_error_without_a_traceback(command: str, bundle: str) -> None:
    with open("/dev/full", "wb") as full:
        arguments = [sys.executable, "-m", "edgeemo.cli", *command.split(), bundle]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr == b"edgeemo: error: No space left on device. Check free space and rights.\n"


# --- errors -------------------------------------------------------------------------------------------------


def test_our_errors_are_one_line_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "hello", "--bundle", "no-such-bundle"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("edgeemo: error: There is no bundle 'no-such-bundle'")
    assert printed.err.count("\n") == 1


def test_a_licence_warning_is_one_plain_line(tmp_path: Path) -> None:
    path = float_text.write(tmp_path, name="free.tflite", commercial="no")
    done = run("predict", "happy", "--bundle", str(path), "--json")
    assert done.returncode == 0
    assert done.stderr.decode().startswith("edgeemo: note: The bundle 'tiny' (Apache-2.0) is not cleared")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_reader_that_leaves_ends_it_quietly(bundle: str, tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("happy\n" * 50_000)
    command = [sys.executable, "-m", "edgeemo.cli", "predict", str(tmp_path / "many.txt"), "--bundle", bundle]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_ends_it_without_a_traceback(bundle: str) -> None:
    command = [sys.executable, "-m", "edgeemo.cli", "predict", "--bundle", bundle]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    def heed_interrupts() -> None:  # a parent in the background passes on that they are ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(command, preexec_fn=heed_interrupts, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(b"happy\n")
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"edgeemo: interrupted\n"
    assert process.returncode == 130
