"""A camera gives its latest frame, may vanish and come back; without hardware, by a stand-in for OpenCV."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import fake_cv2
import numpy as np
import pytest
from fake_cv2 import Capture, frame, paced

from edgeemo.errors import InputError, RuntimeUnavailableError, SourceError
from edgeemo.sources import Camera, camera


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_BACK_OFF_S", (0.01, 0.05))
    monkeypatch.setattr(camera, "_STALL_S", 0.2)


def plug(monkeypatch: pytest.MonkeyPatch, *captures: Capture) -> list[Any]:
    """Let OpenCV open these one after the other, then nothing more; return what was asked for."""
    left, asked = iter(captures), []

    def make(index: Any) -> Capture:
        asked.append(index)
        return next(left, None) or Capture(iter(()), opened=False)

    monkeypatch.setitem(sys.modules, "cv2", fake_cv2.module(make))
    return asked


def forever(every_s: float = 0.002) -> Iterator[fake_cv2.Pixels | None]:
    for i in itertools.count():
        time.sleep(every_s)
        yield frame(i)


def test_frames_come_in_order_with_the_time_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = plug(monkeypatch, Capture(forever()))
    with Camera(3) as source:
        found = [next(source) for _ in range(8)]
        assert source.color == "bgr"
    assert asked == [3]
    assert found[0][1] < 1000
    assert all(a[1] <= b[1] for a, b in pairwise(found))
    values = [int(f[0, 0, 0]) for f, _ in found]
    assert values == sorted(set(values))


def test_a_slow_consumer_gets_the_latest_frame_and_sees_the_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Capture(forever()))
    with Camera() as source:
        first, _ = next(source)
        while source.drops < 20:
            time.sleep(0.005)
        before = source.drops
        latest, t_ms = next(source)
        assert int(latest[0, 0, 0]) - int(first[0, 0, 0]) > before  # every frame between them was dropped
        assert t_ms > 0


def test_a_camera_queues_no_frame_beside_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 40 frames that nobody fetched, the next frame is the last of them, and 39 were dropped."""
    all_kept, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def frames() -> Iterator[fake_cv2.Pixels | None]:
        yield from map(frame, range(40))
        all_kept.set()
        go_on.wait(20)
        yield frame(40)
        ended.wait(20)

    plug(monkeypatch, Capture(frames()))
    with Camera() as source:
        assert all_kept.wait(20)
        assert next(source)[0][0, 0, 0] == 39
        assert source.drops == 39
        go_on.set()
        assert next(source)[0][0, 0, 0] == 40
        assert source.drops == 39
        ended.set()


def test_wishes_reach_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture(forever())
    plug(monkeypatch, capture)
    Camera(width=1280, fps=30).close()
    assert capture.wishes == {fake_cv2.WIDTH: 1280, fake_cv2.FPS: 30}


def test_closing_ends_the_iterator_and_frees_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture(forever())
    plug(monkeypatch, capture)
    source = Camera()
    next(source)
    source.close()
    assert capture.released
    assert list(source) == []
    source.close()


def test_another_thread_may_close_it_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_STALL_S", 120.0)
    let_go = threading.Event()
    waited_in_vain: list[bool] = []

    def stuck() -> Iterator[fake_cv2.Pixels | None]:
        yield frame(0)
        waited_in_vain.append(not let_go.wait(60))

    plug(monkeypatch, Capture(stuck()))
    source = Camera()
    next(source)
    threading.Timer(0.05, source.close).start()
    assert list(source) == []
    assert not waited_in_vain, "the loop ended because the camera gave up, not because it was closed"
    let_go.set()


def test_a_camera_that_vanishes_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """First there is no such device, then one that opens and says nothing, then it is back."""
    lost, mute = Capture(paced(3)), Capture(iter(()))
    asked = plug(monkeypatch, lost, Capture(iter(()), opened=False), mute, Capture(forever()))
    with Camera(1, patience_s=30) as source:
        times: list[int] = []
        while len(asked) < 4 or len(times) < 8:
            times.append(next(source)[1])
        assert times == sorted(times)
    assert asked == [1] * 4
    assert lost.released
    assert mute.released


def test_an_error_of_the_driver_is_a_camera_that_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> Iterator[fake_cv2.Pixels | None]:
        yield frame(0)
        raise fake_cv2.CvError("select() timeout")

    asked = plug(monkeypatch, Capture(failing()), Capture(forever()))
    with Camera() as source:
        for _ in range(3):
            next(source)
    assert len(asked) == 2


def test_a_camera_that_stays_away_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = plug(monkeypatch, Capture(paced(3)))
    source = Camera(2, patience_s=0.1)
    with pytest.raises(
        SourceError, match=r"Camera 2 went away and did not come back within 0\.1 s\. Plug it in"
    ):
        for _ in source:
            pass
    assert len(asked) > 2
    assert list(source) == []


def test_a_camera_that_hangs_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def stuck() -> Iterator[fake_cv2.Pixels | None]:
        yield frame(0)
        let_go.wait(20)

    plug(monkeypatch, Capture(stuck()))
    source = Camera(patience_s=0.1)
    next(source)
    with pytest.raises(SourceError, match="Camera 0 went away"):
        next(source)
    let_go.set()


def test_no_camera_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    with pytest.raises(SourceError, match=r"Camera 7 cannot be used\. Check that it is plugged in"):
        Camera(7)


@pytest.mark.parametrize("index", [-1, "0", 1.0, True, None])
def test_an_index_is_a_whole_number(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    with pytest.raises(InputError, match="index is"):
        Camera(index)


def test_without_opencv_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(RuntimeUnavailableError, match=r"pip install 'edgeemo\[face\]'"):
        Camera()


def test_empty_frames_are_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Capture(iter([np.zeros((0, 0, 3), np.uint8)]))
    asked = plug(monkeypatch, empty, Capture(forever()))
    with Camera() as source:
        assert next(source)[0].size
    assert len(asked) == 2
