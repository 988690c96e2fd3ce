"""Files as people have them: of any kind, by any name, cut off; and closed standard streams."""

from __future__ import annotations

import json
import os
import re
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import float_text
import pytest
import small_text
import small_voice

from edgeemo.cli import main
from edgeemo.data.kinds import KINDS, is_text, kind_of

NOISE = bytes(range(256)) * 2
ISO = b"\0\0\0\x18ftyp%s\0\0\0\0"


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    return ["--bundle", str(float_text.write(tmp_path)), "--json"]


REFUSED: list[tuple[str, bytes, str]] = [  # name, content, what the error says
    ("b.pdf", b"%PDF-1.7\n" + NOISE, "is a PDF document, .* Save its text"),
    ("c.docx", b"PK\3\4" + NOISE, "is an Office document, .* Save its text"),
    ("c.zip", b"PK\3\4" + NOISE, "is a ZIP archive, .* Unpack it"),
    ("c", b"PK\3\4" + NOISE, "is a ZIP archive, .* Unpack it"),
    ("d.csv.gz", b"\x1f\x8b\x08" + NOISE, "is a gzip archive, .* Unpack it"),
    ("e.txt", "so happy".encode("utf-16"), "is UTF-16 text, .* `iconv -f UTF-16"),
    ("f.tflite", b"\x1c\0\0\0TFL3" + NOISE, "is a TensorFlow Lite model, .* --bundle"),
    ("g.bin", NOISE, "holds no text in UTF-8"),
    ("g.txt", b"so\0happy", "holds no text in UTF-8"),
    ("h.txt", "Мне очень грустно".encode("cp1251"), "holds no text in UTF-8"),
]


@pytest.mark.parametrize(("name", "content", "says"), REFUSED, ids=[name for name, *_ in REFUSED])
def test_a_file_that_holds_no_text_is_not_read_as_texts(
    name: str, content: bytes, says: str, texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["predict", str(tmp_path / name), *texts]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.search(f"{name} {says}", printed.err), printed.err


UNREAD: list[tuple[str, bytes, str]] = [
    ("memo.m4a", ISO % b"M4A " + NOISE, "is M4A sound, .* `ffmpeg -i memo.m4a memo.wav`"),
    ("memo.m4a", ISO % b"isom" + NOISE, "is M4A sound, .* `ffmpeg -i memo.m4a memo.wav`"),
    ("memo.wav", ISO % b"M4A " + NOISE, "is M4A sound, .* `ffmpeg"),
    ("memo.amr", b"#!AMR\n" + NOISE, "is AMR sound, .* `ffmpeg"),
    ("memo.aac", b"\xff\xf1" + NOISE, "is AAC sound, .* `ffmpeg"),
    ("memo.wma", b"0&\xb2u\x8ef\xcf\x11" + NOISE, "is Windows Media sound, .* `ffmpeg"),
    ("photo.heic", ISO % b"heic" + NOISE, "is a HEIC picture, .* `magick photo.heic photo.png`"),
    ("photo.jpg", ISO % b"mif1" + NOISE, "is a HEIC picture, .* `magick"),
    ("my photo.jxl", b"\xff\n" + NOISE, "is a JPEG XL picture, .* `magick 'my photo.jxl'"),
    ("photo.avif", ISO % b"avif" + NOISE, "is an AVIF picture that is damaged, or"),
]


@pytest.mark.parametrize(("name", "content", "says"), UNREAD, ids=[name for name, *_ in UNREAD])
def test_sound_and_pictures_that_no_library_reads_are_named(
    name: str,
    content: bytes,
    says: str,
    small_face_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("PIL", reason="needs edgeemo[face]")
    pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    bundle = small_face_path if "picture" in says else small_voice.write(tmp_path)
    (tmp_path / name).write_bytes(content)
    assert main(["predict", str(tmp_path / name), "--bundle", str(bundle)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.search(says, printed.err), printed.err


def test_texts_that_begin_as_other_files_do_stay_texts(
    texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("caffeine makes me happy", "BM is happy", "ID3 is happy", "Rar happy", "II happy", "schön happy")
    for line in (*lines, "\ufeffhappy"):
        for name in ("a", "a.txt", "a.doc"):
            (tmp_path / name).write_text(line, "utf-8")
            assert main(["predict", str(tmp_path / name), *texts]) == 0
            assert json.loads(capsys.readouterr().out)["text"] == line


def test_standard_input_of_a_picture_is_no_text(texts: list[str]) -> None:
    command = [sys.executable, "-m", "edgeemo", "predict", *texts]
    done = subprocess.run(command, input=b"\x89PNG\r\n\x1a\n" + NOISE, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"standard input is a PNG picture and no lines of text" in done.stderr


def test_each_kind_is_known_by_its_ending_and_no_ending_is_known_twice() -> None:
    endings = [suffix for kind in KINDS for suffix in kind.suffixes]
    assert len(endings) == len(set(endings))
    for kind in KINDS:
        for suffix in kind.suffixes:
            assert kind_of(b"", f"a{suffix.upper()}") is kind


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", True), (b"so happy", True), ("ça va très bien".encode("latin1"), True), (b"a\x1b[1mb", True),
        (b"\0", False), (b"\x01\x02ab", False), ("Привет".encode("koi8-r"), False), ("声".encode(), True),
    ],
)  # fmt: skip
def test_text_is_mostly_utf_8(head: bytes, expected: bool) -> None:
    assert is_text(head) is expected


@pytest.mark.parametrize("noise", [b"so\0happy\n", b"\xff\xfe\xfd\n" * 2000], ids=["NUL", "FF"])
def test_what_is_not_text_behind_the_first_blocks_is_refused(
    noise: bytes, texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "long.txt").write_bytes(b"so happy today\n" * 2000 + noise)
    assert main(["predict", str(tmp_path / "long.txt"), *texts]) == 1
    printed = capsys.readouterr()
    assert 2000 <= printed.out.count("\n") < 3500
    assert "long.txt holds no text in UTF-8" in printed.err


# --- names that are not UTF-8 ---


@pytest.fixture
def odd(tmp_path: Path) -> bytes:
    return os.path.join(os.fsencode(tmp_path), b"lat\xe9")  # noqa: PTH118


def test_sound_by_a_name_that_is_not_utf_8(
    odd: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sf = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    with open(odd + b".wav", "wb") as file:
        sf.write(file, small_voice.voice("anger", 1.1), small_voice.RATE, format="WAV")
    bundle = str(small_voice.write(tmp_path))
    assert main(["predict", os.fsdecode(odd + b".wav"), "--bundle", bundle, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["label"] == "anger"


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}])
@pytest.mark.parametrize("name", [b"lat\xe9.tflite", "té.tflite".encode()])
def test_a_bundle_by_any_name(name: bytes, locale: dict[str, str], tmp_path: Path) -> None:
    data = small_text.bundle().to_bytes()
    path, cut = (os.path.join(os.fsencode(tmp_path), begin + name) for begin in (b"", b"cut"))  # noqa: PTH118
    for place, content in ((path, data), (cut, data[:-1])):
        with open(place, "wb") as file:
            file.write(content)

    def run(*words: bytes | str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "edgeemo", *words]
        return subprocess.run(command, capture_output=True, timeout=60, env={**os.environ, **locale})

    assert run("inspect", path).returncode == 0
    assert run("predict", "so happy", "--bundle", path).returncode == 0
    refused = run("inspect", cut)
    assert (refused.returncode, refused.stderr.count(b"\n")) == (1, 1), refused.stderr


@pytest.mark.parametrize("name", [b"lat\xe9.avi", b"12:30.avi", b"100%d.avi"])
def test_a_video_by_any_name(name: bytes, small_face_path: Path, tmp_path: Path) -> None:
    """In a process of its own: OpenCV crashed."""
    cv2 = pytest.importorskip("cv2", reason="needs edgeemo[face]")
    video = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(3):
        video.write(cv2.UMat(48, 64, cv2.CV_8UC3))
    video.release()
    os.rename(tmp_path / "a.avi", os.path.join(os.fsencode(tmp_path), name))  # noqa: PTH104, PTH118

    def watched(source: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "edgeemo", "watch", os.fsdecode(source), "--json"]
        command += ["--bundle", str(small_face_path)]
        return subprocess.run(command, capture_output=True, timeout=60, cwd=tmp_path)

    done, missing = watched(name), watched(name + b"x")
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 3), done.stderr
    assert (missing.returncode, b"No such file" in missing.stderr) == (1, True)


# --- a header that states a wrong length ---


def test_a_wrong_length_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sf = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    sf.write(tmp_path / "a.wav", small_voice.voice("anger", 1.1), small_voice.RATE)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    struct.pack_into("<I", data, data.index(b"data") + 4, 0)
    (tmp_path / "a.wav").write_bytes(data)
    bundle = str(small_voice.write(tmp_path))
    assert main(["predict", str(tmp_path / "a.wav"), "--bundle", bundle, "--json"]) == 0
    printed = capsys.readouterr()
    assert (said := json.loads(printed.out.splitlines()[0]))["label"] == "anger"
    assert said["end_ms"] == 1100
    assert "edgeemo: note: " in printed.err
    assert "the header states 0 bytes of sound, the file holds 35,200" in printed.err


# --- closed standard streams ---


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "<&- 2>&-"])
def test_an_answer_comes_with_closed_streams(closed: str, texts: list[str]) -> None:
    command = shlex.join([sys.executable, "-m", "edgeemo", "predict", "so happy", *texts])
    done = subprocess.run(["bash", "-c", f"{command} {closed}"], capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["label"] == "happiness"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("closed", "argument", "says"),
    [(">&-", "happy", "standard output is closed"), ("<&-", "-", "Standard input is closed")],
)
def test_a_stream_that_is_needed_and_closed_is_an_error(
    closed: str, argument: str, says: str, texts: list[str]
) -> None:
    command = shlex.join([sys.executable, "-m", "edgeemo", "predict", argument, *texts])
    done = subprocess.run(["bash", "-c", f"{command} {closed}"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"edgeemo: error: {says}")
