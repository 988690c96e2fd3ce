"""Video files, through OpenCV. The container's clock counts; this source drops nothing and waits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..data.faces import opencv
from ..data.kinds import kind_of_file, refusal, suffixes
from ..errors import SourceError
from ..files import CHECK, explained, open_regular
from .base import Block, FrameSource

VIDEO_SUFFIXES = suffixes("video")
_FPS, _LEAST_FPS, _MOST_FPS = 25.0, 1.0, 1000.0


class VideoFile(FrameSource):
    """Any video that OpenCV reads, frame by frame, as BGR uint8 ``(height, width, 3)``.

    Needs the extra ``face``. `VideoFile` does not believe the length that a file states: reading ends where
    the frames end. OpenCV turns videos of phones upright, if OpenCV can. The time of a frame is the
    container's, in ms from the first frame, as long as times rise. A frame without a time comes 1 / fps after
    the frame before, or 40 ms if the file states no sane rate.

    Attributes:
        path: as given.
        frames: how many frames were read so far.

    Raises:
        SourceError: the file is absent, forbidden, or holds no frame that OpenCV reads.
        RuntimeUnavailableError: OpenCV is not installed.
    """

    color = "bgr"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._cv2 = opencv()
        with explained(f"{path} cannot be read", SourceError, CHECK):  # OpenCV would not say why
            open_regular(self.path).close()
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
            with _named_in_utf8(self.path) as name:
                video = self._cv2.VideoCapture(name)
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
        except self._cv2.error:  # the file is damaged from here on
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
        kind = kind_of_file(self.path)
        if kind is not None and not kind.read:
            return SourceError(refusal(self.path, kind, "OpenCV"))
        return SourceError(
            f"{self.path} is not a video that OpenCV reads, or is damaged. Convert it to mp4 (H.264), "
            "or fetch it again."
        )


@contextmanager
def _named_in_utf8(path: Path) -> Iterator[str]:
    """Give the whole path in UTF-8 while OpenCV opens the file: OpenCV crashes on other names.

    FFmpeg takes "12:30.mp4" for a protocol, but no path from the root.
    """
    whole = str(path.absolute())
    try:
        whole.encode()
    except UnicodeEncodeError:
        with TemporaryDirectory() as folder:
            link = Path(folder, "video").with_suffix(path.suffix if path.suffix.isascii() else "")
            link.symlink_to(whole)
            yield str(link)
    else:
        yield whole
