"""The command line on faces: photographs, films, cameras, and what it says when something is missing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import fake_cv2
import float_text
import numpy as np
import pytest
import small_face

pytest.importorskip("PIL", reason="needs edgeemo[face]")
pytest.importorskip("cv2", reason="needs edgeemo[face]")
import cv2

from edgeemo import Bundle, FaceRecognizer
from edgeemo.cli import draw, main
from edgeemo.types import RESULT_SCHEMA

pytestmark = pytest.mark.usefixtures("boxes_are_crops")

SCENE = small_face.scene([("happiness", 20, 30, 40), ("anger", 150, 60, 100)])


class FakeDetector(small_face.SquareDetector):
    """A stand-in for `edgeemo.FaceDetector`."""

    @classmethod
    def open(cls, **how: Any) -> FakeDetector:
        return cls()


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeemo.recognizer.FaceDetector", FakeDetector)


@pytest.fixture
def bundle(small_face_path: Path) -> str:
    return str(small_face_path)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    return save(tmp_path / "photo.png", SCENE)


def save(path: Path, rgb: small_face.Pixels) -> str:
    cv2.imwrite(str(path), rgb[..., ::-1])
    return str(path)


@pytest.fixture
def frames(tmp_path: Path) -> str:
    """Half a second at 10 frames a second: one face turns from happiness to anger, another comes."""
    (tmp_path / "frames").mkdir()
    for i in range(5):
        faces = [("happiness" if i < 3 else "anger", 40 + 2 * i, 60, 50)]
        save(tmp_path / "frames" / f"{i}.png", small_face.scene(faces + [("sadness", 200, 60, 50)] * (i > 1)))
    return str(tmp_path / "frames")


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# --- predict ---


def test_a_photograph_gives_one_json_object_with_its_faces(
    photo: str, bundle: str, small_face_recognizer: FaceRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", photo, "--bundle", bundle, "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    said = json.loads(printed.out)
    assert said.pop("faces") == [r.to_dict() for r in small_face_recognizer.predict_all(SCENE)]
    front = small_face_recognizer.predict(SCENE).to_dict()
    assert said == {"file": photo, "width": 320, "height": 240, **front}
    assert front["label"] == "anger"
    assert printed.err == ""


def test_a_photograph_gives_a_row_a_face(photo: str, bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", photo, "--bundle", bundle]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == [
        "face",
        "x0",
        "y0",
        "x1",
        "y1",
        "emotion",
        "valence",
        "arousal",
        "evidence",
    ]
    assert [row.split()[:6] for row in rows] == [
        ["1", "20", "30", "60", "70", "happiness"],
        ["2", "150", "60", "250", "160", "anger"],
    ]
    assert all(len(row) == len(header) for row in rows)
    assert all(row.endswith("0.88") for row in rows)


def test_a_photograph_without_a_face_is_neutral_without_evidence(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = save(tmp_path / "a.png", small_face.scene([]))
    assert main(["predict", empty, "--bundle", bundle, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["label"], said["evidence"], said["faces"]) == ("neutral", 0.0, [])
    assert main(["predict", empty, "--bundle", bundle]) == 0
    assert capsys.readouterr().out == "no face\n"


def test_a_picture_that_is_a_face_is_read_whole(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "edgeemo.face_detector", None)  # not needed
    face = save(tmp_path / "a.png", np.repeat(small_face.face("sadness", 48)[..., None], 3, 2))
    assert main(["predict", face, "--whole", "--bundle", bundle, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["label"], said["face"]["box"]) == ("sadness", [0, 0, 48, 48])


def test_a_photograph_without_a_suffix_is_known_by_its_first_bytes(
    photo: str, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(photo).rename(tmp_path / "at the lake")
    assert main(["predict", str(tmp_path / "at the lake"), "--bundle", bundle, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["modality"] == "face"


def test_the_default_bundle_of_a_photograph_is_face(
    photo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeemo.bundle.ZOO", tmp_path / "zoo")
    (tmp_path / "zoo").mkdir()
    small_face.write(tmp_path / "zoo", "face.tflite")
    float_text.write(tmp_path / "zoo", "text.tflite")
    for argument, modality in ((photo, "face"), ("happy as in this old photo.jpg", "text")):
        assert main(["predict", argument, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["modality"] == modality


def test_a_picture_is_drawn(
    photo: str, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    assert main(["predict", photo, "--bundle", bundle, "--picture", str(out)]) == 0
    assert capsys.readouterr().err == f"edgeemo: wrote {out}\n"
    drawn = cv2.imread(str(out))
    changed = np.any(drawn != SCENE[..., ::-1], axis=2)
    assert changed[60, 150:250].all()  # the upper edge of a box
    assert changed[100, 180]  # an eye
    assert changed[164:200, 150:160].any()  # bars below
    assert not changed[100:140, 190:210].any()  # the middle of the face is left as it was


@pytest.mark.parametrize("name", ["nowhere/a.png", "a.nonsense", "a"])
def test_a_picture_that_cannot_be_written_is_a_named_error(
    name: str, photo: str, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", photo, "--bundle", bundle, "--picture", str(tmp_path / name)]) == 1
    assert re.search(r"cannot be written: .*Give the name of a \.png", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PHOTO", "--bundle", "TEXT"], "reads text, .*photo.png is a photograph"),
        (["so happy", "--bundle", "FACE"], "reads faces: give a photograph"),
        (["-", "--bundle", "FACE"], "reads faces: give a photograph"),
        (["so happy", "--bundle", "TEXT", "--whole"], "--whole is for photographs"),
        (["FILM"], "film.mp4 is a video: `edgeemo watch` reads its faces"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    photo: str, bundle: str, arguments: list[str], message: str, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    names = {
        "PHOTO": photo,
        "FACE": bundle,
        "TEXT": str(float_text.write(tmp_path)),
        "FILM": f"{tmp_path}/film.mp4",
    }
    assert main(["predict", *(names.get(a, a) for a in arguments)]) == 2
    assert re.search(message, " ".join(capsys.readouterr().err.split()))


@pytest.mark.parametrize(
    ("name", "content"), [("missing.jpg", None), ("a.png", b"so happy"), ("b.jpg", b"\xff\xd8\xff")]
)
def test_a_photograph_that_cannot_be_read_is_one_line_and_exit_code_one(
    name: str, content: bytes | None, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["predict", str(tmp_path / name), "--bundle", bundle]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert name in printed.err


# --- drawing ---


def test_drawing_leaves_the_frame_alone_and_takes_any_box(small_face_recognizer: FaceRecognizer) -> None:
    for box in ((-500.0, -500.0, 5000.0, 5000.0), (0.0, 0.0, 1.0, 1.0), (318.0, 238.0, 330.0, 250.0)):
        results = small_face_recognizer.predict_all(SCENE, boxes=[box])
        for color in ("rgb", "bgr"):
            before = SCENE.copy()
            drawn = draw.annotated(SCENE, color, results)
            np.testing.assert_array_equal(SCENE, before)
            assert drawn.shape == SCENE.shape
    np.testing.assert_array_equal(draw.annotated(SCENE, "rgb", []), SCENE[..., ::-1])
    assert draw.annotated(SCENE[:1, :1], "bgr", []).shape == (1, 1, 3)


# --- watch ---


def test_pictures_in_their_order_give_a_json_object_a_frame(
    frames: str, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--fps", "10", "--json", "--smooth", "0", "--bundle", bundle]
    assert main(["watch", frames, *arguments]) == 0
    said = objects(capsys.readouterr().out)
    assert [(row["t_ms"], row["drops"]) for row in said] == [(100 * i, 0) for i in range(5)]
    assert [[(f["track_id"], f["label"]) for f in row["faces"]] for row in said] == [
        [], [(1, "happiness")], [(1, "happiness")], *[[(1, "anger"), (2, "sadness")]] * 2,
    ]  # fmt: skip
    assert said[4]["faces"][0]["face"]["box"][0] == 48
    assert main(["watch", f"{frames}/*.png", *arguments]) == 0
    assert objects(capsys.readouterr().out) == said


def test_without_a_terminal_results_are_rows(
    frames: str, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", frames, "--bundle", bundle]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["seconds", "face", "x0"]
    assert lines[0].endswith("evidence  drops")
    assert lines[1].split()[:7] == ["0.04", "1", "42", "60", "92", "110", "happiness"]


def test_it_stops_after_so_many_seconds(frames: str, bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", frames, "--fps", "10", "--seconds", "0.2", "--json", "--bundle", bundle]) == 0
    assert [row["t_ms"] for row in objects(capsys.readouterr().out)] == [0, 100]


@pytest.mark.parametrize("source", [None, "front-door"])
def test_faces_carry_the_model_and_the_name_of_the_stream(
    source: str | None, frames: str, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--json", "--bundle", bundle, *(["--source", source] if source else [])]
    assert main(["watch", frames, *arguments]) == 0
    rows = objects(capsys.readouterr().out)
    faces = [face for row in rows for face in row["faces"]]
    card = Bundle.open(bundle).card
    who = (card.name, card.version, RESULT_SCHEMA, source)
    assert faces
    assert not all(row["faces"] for row in rows)  # frames without a face name themselves, too
    assert {(f["model"], f["version"], f["schema"], f["source"]) for f in (*rows, *faces)} == {who}


def test_a_video_is_read_to_its_end(bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "a.avi")
    out = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    if not out.isOpened():
        pytest.skip("this OpenCV writes no video")
    for _ in range(6):
        out.write(small_face.scene([("happiness", 20, 30, 40)])[..., ::-1].copy())
    out.release()
    # compressed edges are not those of the drawing: the detector is given them
    assert main(["watch", path, "--json", "--bundle", bundle]) == 0
    assert [row["t_ms"] for row in objects(capsys.readouterr().out)] == [100 * i for i in range(6)]


def test_a_number_is_a_camera(
    bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def make(index: int) -> fake_cv2.Capture:
        asked.append(index)
        return fake_cv2.Capture(fake_cv2.paced(10_000))

    monkeypatch.setitem(sys.modules, "cv2", fake_cv2.module(make))
    assert main(["watch", "3", "--seconds", "0.1", "--json", "--bundle", bundle]) == 0
    said = objects(capsys.readouterr().out)
    assert asked == [3]
    assert said[0]["t_ms"] == 0
    assert all(row["faces"] == [] for row in said)


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("none.mp4", 1, "none.mp4 cannot be read: No such file"),
        ("*.png", 1, "There are no pictures at"),
        ("PHOTO", 2, "is a photograph: `edgeemo predict"),
    ],
)
def test_a_source_that_cannot_be_watched_is_named(
    source: str, code: int, says: str, photo: str, bundle: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert main(["watch", photo if source == "PHOTO" else source, "--bundle", bundle]) == code
    assert says in " ".join(capsys.readouterr().err.split())


def test_a_text_bundle_cannot_watch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--bundle", str(float_text.write(tmp_path))]) == 2
    assert "reads text, not faces" in capsys.readouterr().err


def test_a_window_without_a_display_is_a_named_error(
    frames: str, bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main(["watch", frames, "--window", "--bundle", bundle]) == 1
    assert "There is no display for --window" in capsys.readouterr().err


def test_a_window_of_an_opencv_without_windows_is_a_named_error(
    frames: str, bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", refuse)
    assert main(["watch", frames, "--window", "--bundle", bundle]) == 1
    assert "This OpenCV knows no windows" in capsys.readouterr().err


def test_a_window_shows_every_frame_until_q(
    frames: str, bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[Any] = []
    monkeypatch.setenv("DISPLAY", ":0")
    for name, act in (
        ("namedWindow", lambda *_: None),
        ("imshow", lambda title, picture: shown.append(picture)),
        ("waitKey", lambda ms: ord("q") if len(shown) == 3 else -1),
        ("getWindowProperty", lambda *_: 1.0),
        ("destroyWindow", lambda title: shown.append(None)),
    ):
        monkeypatch.setattr(cv2, name, act)
    assert main(["watch", frames, "--window", "--json", "--bundle", bundle]) == 0
    assert len(objects(capsys.readouterr().out)) == 3
    assert shown[3:] == [None]
    assert all(picture.shape == (240, 320, 3) for picture in shown[:3])


# --- as a process of its own ---

SCRIPT = (
    "import itertools, sys, time\n"
    "import edgeemo.recognizer, fake_cv2, small_face\n"
    "from edgeemo.cli import main\n"
    "class FakeDetector(small_face.SquareDetector):\n"
    "    open = classmethod(lambda cls, **how: cls())\n"
    "def film():\n"
    "    for i in itertools.count():\n"
    "        time.sleep(0.01)\n"
    "        yield small_face.scene([('happiness', 40 + i % 3, 60, 50)])[..., ::-1]\n"
    "edgeemo.recognizer.FaceDetector = FakeDetector\n"
    "sys.modules['cv2'] = fake_cv2.module(lambda index: fake_cv2.Capture(film()))\n"
    "sys.exit(main(['watch', *sys.argv[1:]]))\n"
)


def heed_interrupts() -> None:  # a parent in the background passes on that they are ignored
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent), **more}


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
def test_on_a_terminal_bars_are_drawn_and_an_interrupt_ends_it_cleanly(bundle: str) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "0", "--bundle", bundle],
        stdout=theirs, stderr=subprocess.PIPE, preexec_fn=heed_interrupts,
        env=environment(TERM="xterm-256color", COLUMNS="100"),
    ) as process:  # fmt: skip
        os.close(theirs)
        assert process.stderr is not None
        shown = b""
        while b"happiness  " not in shown or b"drops" not in shown or "█".encode() not in shown:
            shown += os.read(ours, 4096)
        assert b"watching" in shown
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"edgeemo: interrupted\n"
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
    assert process.returncode == 130
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l")  # the cursor is back
    os.close(ours)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_reader_that_leaves_ends_it_quietly(bundle: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "0", "--json", "--bundle", bundle],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
