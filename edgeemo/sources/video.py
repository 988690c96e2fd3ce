"""Video files, through OpenCV. Their clock is the container's; nothing is dropped: who reads slowly waits."""

from __future__ import annotations

import os
from math import isfinite
from pathlib import Path
from typing import Any

from ..errors import RuntimeUnavailableError, SourceError
from ..files import open_regular
from .base import Block, FrameSource

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv",
)  # fmt: skip
_FPS, _LEAST_FPS, _MOST_FPS = 25.0, 1.0, 1000.0


class VideoFile(FrameSource):
    """Any video that OpenCV reads, frame by frame, as BGR uint8 ``(height, width, 3)``.

    Wants the extra ``face``. What the file says of its length is not believed: it is read as far as it goes,
    so a video that is cut off ends where it was cut. Phones' videos are turned upright where OpenCV does so.
    A frame's time is the container's, in ms from the first frame, as long as times rise; a frame without one
    comes 1 / fps after the one before it, of a file without a sane rate 40 ms.

    Attributes:
        frames: how many were read so far.

    Raises:
        SourceError: there is no such file, it may not be read, or it has no frame that can be read.
        RuntimeUnavailableError: OpenCV is not installed.
    """

    color = "bgr"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._cv2 = opencv()
        try:
            with open_regular(self.path):  # OpenCV would not say why
                pass
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SourceError(f"{path} cannot be read: {reason}. Check the path and its rights.") from error
        self._video: Any = self._captured()
        fps = float(self._video.get(self._cv2.CAP_PROP_FPS))
        self._step_ms = 1000 / (fps if _LEAST_FPS <= fps <= _MOST_FPS else _FPS)  # NaN fails, too
        self.frames = 0
        self._origin_ms = self._last_ms = 0.0
        self._first: Any = self._read()
        if self._first is None:
            self.close()
            raise self._no_video()

    def __next__(self) -> Block:
        frame, self._first = self._first, None
        if frame is None:
            frame = self._read()
        if frame is None:
            self.close()
            raise StopIteration
        return frame, round(self._last_ms)

    def close(self) -> None:
        """Close the file; the iterator then ends."""
        video, self._video, self._first = self._video, None, None
        if video is not None:
            video.release()

    def _captured(self) -> Any:
        try:
            video = self._cv2.VideoCapture(str(self.path))
        except self._cv2.error as error:
            raise self._no_video() from error
        if not video.isOpened():
            raise self._no_video()
        return video

    def _read(self) -> Any:
        if self._video is None:
            return None
        try:
            there, frame = self._video.read()
            said_ms = float(self._video.get(self._cv2.CAP_PROP_POS_MSEC))
        except self._cv2.error:  # damaged from here on
            return None
        if not there or frame is None or not frame.size:
            return None
        if self.frames == 0:
            self._origin_ms = said_ms if isfinite(said_ms) else 0.0
        else:
            since_ms = said_ms - self._origin_ms
            rises = isfinite(since_ms) and since_ms > self._last_ms
            self._last_ms = since_ms if rises else self._last_ms + self._step_ms
        self.frames += 1
        return frame

    def _no_video(self) -> SourceError:
        return SourceError(
            f"{self.path} is no video that OpenCV reads, or damaged. Convert it to mp4 (H.264), or fetch it "
            "again."
        )


def opencv() -> Any:
    """Import OpenCV, or say how to get it.

    Raises:
        RuntimeUnavailableError: it is not installed.
    """
    try:
        import cv2
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise RuntimeUnavailableError(
            f"Cameras and videos need OpenCV ({error}): install it with `pip install 'edgeemo[face]'`."
        ) from error
    return cv2
