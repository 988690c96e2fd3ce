"""Stands in for OpenCV's capture: cameras and videos that do what a test wants."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
FPS, POS_MSEC, WIDTH, HEIGHT = 5, 0, 3, 4
"""OpenCV's own numbers of properties."""


class CvError(Exception):
    """As ``cv2.error``."""


def frame(n: int) -> Pixels:
    """A small frame that says its number."""
    return np.full((6, 8, 3), n % 256, np.uint8)


class Capture:
    """A fake ``cv2.VideoCapture``: ``reads`` yields a frame or None (no frame came), or raises."""

    def __init__(self, reads: Iterator[Pixels | None], *, opened: bool = True, fps: float = 25.0) -> None:
        self._reads, self._opened, self._fps = reads, opened, fps
        self.released = False
        self.wishes: dict[int, float] = {}
        self.times: Iterator[float] = iter(())

    def isOpened(self) -> bool:  # noqa: N802
        return self._opened

    def read(self) -> tuple[bool, Pixels | None]:
        assert not self.released
        found = next(self._reads, None)
        return found is not None, found

    def get(self, what: int) -> float:
        return self._fps if what == FPS else next(self.times, 0.0)

    def set(self, what: int, value: float) -> bool:
        self.wishes[what] = value
        return True

    def release(self) -> None:
        self.released = True


def paced(n: int, every_s: float = 0.005) -> Iterator[Pixels | None]:
    """n frames, one each few milliseconds, then none."""
    for i in range(n):
        time.sleep(every_s)
        yield frame(i)


def module(make: Callable[[Any], Capture]) -> Any:
    """A module ``cv2`` whose captures ``make`` makes of what is opened."""
    return SimpleNamespace(
        VideoCapture=make, error=CvError, CAP_PROP_FPS=FPS, CAP_PROP_POS_MSEC=POS_MSEC,
        CAP_PROP_FRAME_WIDTH=WIDTH, CAP_PROP_FRAME_HEIGHT=HEIGHT,
    )  # fmt: skip
