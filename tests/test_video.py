"""A video is read as far as it goes, whatever it says of itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import fake_cv2
import numpy as np
import pytest
from fake_cv2 import Capture, frame

from edgeemo.errors import RuntimeUnavailableError, SourceError
from edgeemo.sources import VideoFile

N = 30


def written(path: Path, n: int = N, fps: float = 10.0) -> Path:
    """Frames that grow lighter, blue a little more than red."""
    cv2 = pytest.importorskip("cv2", reason="needs edgeemo[face]")
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, (64, 48))
    if not out.isOpened():
        pytest.skip("this OpenCV writes no video")
    rng = np.random.default_rng(0)
    for i in range(n):
        picture = np.full((48, 64, 3), (40 + 5 * i, 20 + 5 * i, 5 * i), np.uint8)
        out.write(picture + rng.integers(0, 8, picture.shape, np.uint8))
    out.release()
    return path


def test_frames_and_times_are_those_of_the_file(tmp_path: Path) -> None:
    with VideoFile(written(tmp_path / "a.avi")) as source:
        found = list(source)
    assert (source.color, source.drops, source.frames) == ("bgr", 0, N)
    assert [t for _, t in found] == [100 * i for i in range(N)]
    for i in (0, 10, N - 1):
        means = found[i][0].reshape(-1, 3).mean(0)
        np.testing.assert_allclose(means, np.array([43.5, 23.5, 3.5]) + 5 * i, atol=6)
    assert list(source) == []


def test_a_video_that_is_cut_off_ends_where_it_was_cut(tmp_path: Path) -> None:
    path = written(tmp_path / "a.avi")
    data = path.read_bytes()
    path.write_bytes(data[: int(0.6 * len(data))])
    found = list(VideoFile(path))
    assert N // 5 < len(found) < N
    assert [t for _, t in found] == [100 * i for i in range(len(found))]


@pytest.mark.parametrize("said", [1, 2**31 - 1])
def test_a_video_that_lies_about_its_length_is_read_as_far_as_it_goes(said: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.avi")
    data = bytearray(path.read_bytes())
    main, stream = data.index(b"avih") + 8, data.index(b"strh") + 8
    data[main + 16 : main + 20] = data[stream + 32 : stream + 36] = said.to_bytes(4, "little")
    path.write_bytes(bytes(data))
    assert len(list(VideoFile(path))) == N


def test_closing_ends_the_iterator(tmp_path: Path) -> None:
    source = VideoFile(written(tmp_path / "a.avi"))
    next(source)
    source.close()
    assert list(source) == []
    source.close()


@pytest.mark.parametrize("content", [b"", b"so happy", b"RIFF\x10\0\0\0AVI LIST", bytes(1000)])
def test_what_is_no_video_is_a_named_error(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="needs edgeemo[face]")
    (tmp_path / "a.avi").write_bytes(content)
    with pytest.raises(
        SourceError, match=r"a\.avi is not a video that OpenCV reads, or is damaged\. Convert it"
    ):
        VideoFile(tmp_path / "a.avi")


def test_a_video_without_a_frame_is_a_named_error(tmp_path: Path) -> None:
    path = written(tmp_path / "a.avi")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + 4])
    with pytest.raises(SourceError, match="not a video that OpenCV reads"):
        VideoFile(path)


@pytest.mark.parametrize(
    ("name", "says"), [("none.mp4", "No such file"), (".", "directory"), ("a\0b", "null")]
)
def test_a_file_that_cannot_be_opened(name: str, says: str, tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="needs edgeemo[face]")
    with pytest.raises(SourceError, match=f"cannot be read: .*{says}"):
        VideoFile(f"{tmp_path}/{name}")


def test_without_opencv_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(RuntimeUnavailableError, match=r"pip install 'edgeemo\[face\]'"):
        VideoFile("a.mp4")


# --- times that are not to be believed: a stand-in for OpenCV ---

NAN = float("nan")


@pytest.mark.parametrize(
    ("said", "fps", "times"),
    [
        ([0, 40, 80, 120], 25, [0, 40, 80, 120]),
        ([0, 10, 200, 210], 25, [0, 10, 200, 210]),  # varying
        ([5000, 5040, 5080, 5120], 25, [0, 40, 80, 120]),  # cut out of a longer one
        ([0, 0, 0, 0], 50, [0, 20, 40, 60]),  # none at all
        ([0, 0, 0, 0], 0, [0, 40, 80, 120]),
        ([0, 0, 0, 0], NAN, [0, 40, 80, 120]),
        ([0, 0, 0, 0], 90_000, [0, 40, 80, 120]),
        ([NAN, NAN, float("inf"), -5], 25, [0, 40, 80, 120]),
        ([0, 40, 20, 120], 25, [0, 40, 80, 120]),  # backwards
        ([0, 40, -1e12, 45], 25, [0, 40, 80, 120]),
    ],
)
def test_times_always_rise(
    said: list[float], fps: float, times: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = Capture(iter([frame(i) for i in range(4)]), fps=fps)
    capture.times = iter(said)
    monkeypatch.setitem(sys.modules, "cv2", fake_cv2.module(lambda path: capture))
    (tmp_path / "a.mp4").write_bytes(b"video")
    assert [t for _, t in VideoFile(tmp_path / "a.mp4")] == times
    assert capture.released


def test_a_decoder_that_fails_in_the_middle_ends_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> Iterator[fake_cv2.Pixels | None]:
        yield frame(0)
        yield frame(1)
        raise fake_cv2.CvError("damaged")

    monkeypatch.setitem(sys.modules, "cv2", fake_cv2.module(lambda path: Capture(failing())))
    (tmp_path / "a.mp4").write_bytes(b"video")
    assert len(list(VideoFile(tmp_path / "a.mp4"))) == 2
