"""``edgeemo predict`` on several files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import small_face
from small_face import Pixels

pytest.importorskip("PIL", reason="needs edgeemo[face]")
pytest.importorskip("cv2", reason="needs edgeemo[face]")
import cv2

from edgeemo.cli import main

EMOTIONS = ("happiness", "anger", "sadness")


@pytest.fixture
def faces(tmp_path: Path, small_face_path: Path) -> list[str]:
    """Three photographs, each a face, and how to read them."""
    return [
        save(tmp_path / f"{emotion}.png", small_face.scene([(emotion, 0, 0, 240)])) for emotion in EMOTIONS
    ]


@pytest.fixture
def how(small_face_path: Path) -> list[str]:
    return ["--bundle", str(small_face_path), "--whole"]


def save(path: Path, rgb: Pixels) -> str:
    cv2.imwrite(str(path), rgb[:240, :240, ::-1])
    return str(path)


def test_photographs_are_read_one_after_the_other(
    faces: list[str], how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *faces, *how, "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["file"], one["label"]) for one in said] == list(zip(faces, EMOTIONS, strict=True))


def test_each_table_stands_under_its_file(
    faces: list[str], how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *faces, *how]) == 0
    blocks = [block.splitlines() for block in capsys.readouterr().out.split("\n\n")]
    assert [name for name, _, _ in blocks] == faces
    assert [row.split()[5] for _, _, row in blocks] == list(EMOTIONS)


def test_what_cannot_be_read_is_told_and_passed_over(
    faces: list[str], how: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged.jpg").write_bytes(b"no picture")
    odd = [str(tmp_path / "damaged.jpg"), str(tmp_path / "absent.jpg")]
    assert main(["predict", faces[0], *odd, faces[1], *how, "--json"]) == 1
    printed = capsys.readouterr()
    assert [json.loads(line)["file"] for line in printed.out.splitlines()] == faces[:2]
    damaged, absent, summary = printed.err.splitlines()
    assert "damaged.jpg is not a picture that Pillow reads" in damaged
    assert "absent.jpg cannot be read: No such file" in absent
    assert summary == "edgeemo: error: 2 of 4 files could not be read."


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["I", "am", "happy"], "Give one text in quotes"),
        (["face.jpg", "voice.wav"], "several files of one kind"),
        (["one.jpg", "two.jpg", "--picture", "drawn.png"], "--picture draws one file"),
        (["one.jpg", "two.jpg", "--text", "well"], "Give either TEXT_OR_FILE or --text"),
    ],
)
def test_several_arguments_that_are_not_files_of_one_kind_are_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *words]) == 2
    assert says in capsys.readouterr().err
