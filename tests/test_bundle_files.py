"""Bundles as files: found or named, written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pytest
import small_text
import small_voice

from edgeemo import Bundle, Recognizer
from edgeemo.bundle import CARD_LIMIT, FILE_LIMIT
from edgeemo.cli import main
from edgeemo.errors import (
    BundleCorruptError,
    BundleError,
    BundleNotFoundError,
    InputTypeError,
    LicenseError,
    LicenseWarning,
)

GOOD = small_text.bundle().to_bytes()
KEPT = Path(__file__).parent / "corpus" / "bundle" / "good-small-text.tflite"


# --- paths ---


@pytest.mark.parametrize(
    "name", ["no-such-bundle", "", "/", ".", "a\0b", "x" * 5_000, Path("nowhere.tflite")]
)
def test_what_is_not_there_is_named_with_what_is(name: str | Path) -> None:
    with pytest.raises(BundleNotFoundError, match="expected a file, or one of"):
        Bundle.open(name)


@pytest.mark.parametrize("name", [5, None, b"text", ["text"]])
def test_only_names_and_paths_can_be_opened(name: object) -> None:
    with pytest.raises(InputTypeError, match="Expected a bundle's name or path"):
        Bundle.open(name)  # type: ignore[arg-type]


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped bundles: ``voice`` and one with a name that edgeemo has never heard of."""
    zoo = tmp_path / "zoo"
    zoo.mkdir()
    for name in ("voice", "voice-research"):
        verdict = "cleared" if name == "voice" else "no"
        small_voice.bundle(name=name, commercial=verdict).write(zoo / f"{name}.tflite")
    monkeypatch.setattr("edgeemo.bundle.ZOO", zoo)
    return zoo


def test_an_old_name_opens_the_renamed_bundle_and_warns(zoo: Path) -> None:
    with (
        pytest.warns(DeprecationWarning, match="The bundle 'voice-emodb' is now 'voice'") as warned,
        Recognizer.open("voice-emodb") as recognizer,
    ):
        assert recognizer.bundle.path == zoo / "voice.tflite"
    assert warned[0].filename == __file__


def test_an_old_name_that_still_has_a_bundle_opens_it(zoo: Path) -> None:
    small_voice.bundle(name="voice-emodb").write(zoo / "voice-emodb.tflite")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Bundle.open("voice-emodb").card.name == "voice-emodb"


def test_an_old_name_without_any_bundle_is_not_found(zoo: Path) -> None:
    (zoo / "voice.tflite").unlink()
    with pytest.raises(BundleNotFoundError, match=r"no bundle 'voice-emodb'.* voice-research"):
        Bundle.open("voice-emodb")


def test_the_command_line_notes_the_new_name(zoo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        assert main(["inspect", "voice-emodb", "--json"]) == 0
    said = capsys.readouterr()
    assert "edgeemo: note: The bundle 'voice-emodb' is now 'voice': open that.\n" in said.err


def test_a_bundle_of_any_name_is_listed_and_opened(zoo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["commercial"] for row in listed} == {"voice": "cleared", "voice-research": "no"}
    with pytest.warns(LicenseWarning), Recognizer.open("voice-research") as recognizer:
        assert recognizer.bundle.card.name == "voice-research"
    with pytest.raises(LicenseError, match="Cleared: voice"):
        Recognizer.open("voice-research", require_commercial=True)


def test_a_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError):
        Bundle.open(tmp_path)


def test_a_link_is_followed_and_a_broken_one_is_not_found(small_text_path: Path, tmp_path: Path) -> None:
    (tmp_path / "link.tflite").symlink_to(small_text_path)
    (tmp_path / "broken.tflite").symlink_to(tmp_path / "gone")
    (tmp_path / "round.tflite").symlink_to(tmp_path / "round.tflite")
    assert Bundle.open(tmp_path / "link.tflite").card.name == "small-text"
    for name in ("broken.tflite", "round.tflite"):
        with pytest.raises(BundleNotFoundError):
            Bundle.open(tmp_path / name)


def as_nobody(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python without root's rights, so that file modes count.

    Everything that edgeemo imports late is imported before: nobody may be unable to read the checkout.
    For the same reason the folder of shipped bundles is one that nobody may read.
    """
    late = f"edgeemo.Bundle.open({str(KEPT)!r}).write(os.devnull + '/none')"
    warm = f"import os, sys, edgeemo, edgeemo.bundle\ntry: {late}\nexcept edgeemo.EdgeemoError: pass\n"
    elsewhere = "from pathlib import Path\nedgeemo.bundle.ZOO = Path(sys.argv[1]).parent / 'zoo'\n"
    drop = "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    return subprocess.run(
        [sys.executable, "-c", f"{warm}{elsewhere}{drop}{script}", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_rights_the_error_says_so(small_text_path: Path) -> None:
    if not os.access("/tmp", os.W_OK):
        pytest.skip("needs /tmp")
    folder = Path("/tmp") / f"edgeemo-rights-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        shutil.copy(small_text_path, folder / "mine.tflite")
        (folder / "mine.tflite").chmod(0)
        (folder / "yours.tflite").write_bytes(GOOD)
        folder.chmod(0o555)
        read = as_nobody("edgeemo.Bundle.open(sys.argv[1])", str(folder / "mine.tflite"))
        assert "BundleError" in read.stderr
        assert "Permission denied. Check the path and its rights" in read.stderr
        copy = "edgeemo.Bundle.open(sys.argv[1]).write(sys.argv[2])"
        write = as_nobody(copy, str(folder / "yours.tflite"), str(folder / "new.tflite"))
        assert "BundleError" in write.stderr
        assert "cannot be written: Permission denied. Nothing was changed" in write.stderr
        assert sorted(p.name for p in folder.iterdir()) == ["mine.tflite", "yours.tflite"]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_file_larger_than_any_bundle_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "big.tflite"
    with path.open("wb") as file:
        file.truncate(FILE_LIMIT + 1)
    with pytest.raises(BundleCorruptError, match="more than the 64 MiB"):
        Bundle.open(path)


# --- writing ---


def test_too_large_a_card_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"The card takes .* shorten it"):
        small_text.bundle(description="x" * CARD_LIMIT).write(tmp_path / "x.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["folder", "file.txt/x.tflite", "none/x.tflite", "x" * 300])
def test_a_place_that_cannot_be_written_ends_in_a_named_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").write_text("here")
    with pytest.raises(BundleError, match=r"cannot be written: .* Nothing was changed"):
        small_text.bundle().write(tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.txt", "folder"]


def no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.tflite"
    small_text.bundle().write(path)
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(BundleError, match=r"No space left on device. Nothing was changed; check space"):
        small_text.bundle(version="2").write(path)
    assert path.read_bytes() == GOOD
    assert [p.name for p in tmp_path.iterdir()] == ["x.tflite"]


def test_a_real_limit_on_file_sizes_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    small_text.bundle().write(path)
    script = (
        "import resource, signal, sys, edgeemo\n"
        "bundle = edgeemo.Bundle.open(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "bundle.write(sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
    assert "BundleError" in done.stderr
    assert "File too large. Nothing was changed" in done.stderr
    assert path.read_bytes() == GOOD
    assert [p.name for p in tmp_path.iterdir()] == ["x.tflite"]


@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.replace"])
def test_a_kill_while_writing_leaves_the_old_file_whole(moment: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    small_text.bundle().write(path)
    module, _, name = moment.rpartition(".")
    script = (
        "import os, pathlib, sys, time, edgeemo\n"
        "bundle = edgeemo.Bundle.open(sys.argv[1])\n"
        "def stop(*_):\n    print('writing', flush=True)\n    time.sleep(60)\n"
        f"{module}.{name} = stop\n"
        "bundle.write(sys.argv[1])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        child.send_signal(signal.SIGKILL)
    assert path.read_bytes() == GOOD
    assert Bundle.open(path).card.name == "small-text"
    assert len(list(tmp_path.iterdir())) == 2, "what was written so far lies beside it"
    small_text.bundle().write(path)
    assert [p.name for p in tmp_path.iterdir()] == ["x.tflite"]


def test_only_what_the_dead_left_of_the_same_file_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        dead = child.pid
    kept = [f".x.tflite.{os.getppid()}.part", f".y.tflite.{dead}.part", f".x.tflite.y.{dead}.part"]
    for name in (f".x.tflite.{dead}.part", *kept):
        (tmp_path / name).write_bytes(b"half")
    small_text.bundle().write(tmp_path / "x.tflite")
    assert {p.name for p in tmp_path.iterdir()} == {"x.tflite", *kept}


def test_writing_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near.tflite").symlink_to(tmp_path / "far" / "x.tflite")
    small_text.bundle().write(tmp_path / "near.tflite")
    assert (tmp_path / "near.tflite").is_symlink()
    assert (tmp_path / "far" / "x.tflite").read_bytes() == GOOD


def test_a_reader_never_sees_half_a_bundle(tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    small_text.bundle().write(path)
    script = (
        "import sys, edgeemo\n"
        "bundle = edgeemo.Bundle.open(sys.argv[1])\n"
        "print('go', flush=True)\n"
        "while True: bundle.write(sys.argv[1])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            assert path.read_bytes() == GOOD
        child.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become a user without rights")
def test_a_folder_of_shipped_bundles_that_may_not_be_read_is_a_bundle_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As nobody: the name of a shipped bundle is an error of ours, a path elsewhere still opens."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    monkeypatch.setattr("edgeemo.bundle.ZOO", closed)
    with tempfile.TemporaryDirectory(prefix="edgeemo-") as folder:
        file = Path(folder) / "small.tflite"
        file.write_bytes(GOOD)
        Path(folder).chmod(0o755)
        Bundle.open(file)  # whatever is imported late is imported now
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                Bundle.open(file)
                Bundle.open("text")
            except BundleError as error:
                os._exit(0 if "cannot be read" in str(error) else 2)
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
