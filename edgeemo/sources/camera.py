"""A camera, through OpenCV. Capture never waits; a camera that comes back records on."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import Any

from ..data.faces import opencv
from ..errors import InputError, SourceError
from .base import Block, FrameSource, Latest

_BACK_OFF_S = (0.25, 5.0)
_STALL_S = 10.0  # a camera that gives neither a frame nor an error for so long is gone


class Camera(FrameSource):
    """Records from a camera, as BGR uint8 ``(height, width, 3)``. Recording begins at once.

    The clock is monotonic and begins at 0 with the first frame. A slow consumer gets the latest frame:
    `Camera` drops older frames and counts them in `drops`. If somebody unplugs the camera, `Camera` opens the
    same index again as soon as the camera is back.

    Args:
        index: 0 is the first camera.
        width, height, fps: wishes; a camera takes its nearest values. By default its own.
        patience_s: how long to wait for a camera that went away.

    Raises:
        InputError: ``index`` is negative or not a whole number.
        SourceError: there is no such camera, the camera is busy, or the user may not use it. While iterating:
            the camera went away for more than ``patience_s``.
        RuntimeUnavailableError: OpenCV is not installed.
    """

    color = "bgr"

    def __init__(
        self,
        index: int = 0,
        *,
        width: int | None = None,
        height: int | None = None,
        fps: float | None = None,
        patience_s: float = 30.0,
    ) -> None:
        if isinstance(index, bool) or not isinstance(index, int) or index < 0:
            raise InputError(f"index is {index!r}: expected 0 for the first camera, 1 for the next …")
        self._cv2 = cv2 = opencv()
        self.index = index
        wishes = {
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_FPS: fps,
        }
        self._wishes = {name: value for name, value in wishes.items() if value is not None}
        self._patience_s = patience_s
        self._queue = Latest(1)
        self._closed = Event()
        self._failed: SourceError | None = None
        self._origin_s: float | None = None
        camera = self._open()
        if camera is None:
            raise SourceError(
                f"Camera {index} cannot be used. Check that it is plugged in, that you may use it (on Linux: "
                "group 'video'), that no other program holds it, and its index."
            )
        self._thread = Thread(target=self._record, args=(camera,), name=f"camera {index}", daemon=True)
        self._thread.start()

    @property
    def drops(self) -> int:
        """How many frames `Camera` dropped because the consumer was slow."""
        return self._queue.drops

    def __next__(self) -> Block:
        deadline = time.monotonic() + self._patience_s + _STALL_S
        while not self._closed.is_set():
            block = self._queue.get(max(deadline - time.monotonic(), 0.0))
            if block is not None:
                return block
            if self._closed.is_set():
                break
            if self._failed is not None or time.monotonic() >= deadline:
                self.close()
                raise self._failed or self._gone()
        raise StopIteration

    def close(self) -> None:
        """Stop recording; the iterator then ends. May be called from any thread."""
        self._closed.set()
        self._queue.wake()
        self._thread.join(timeout=1.0)  # a thread that hangs in the driver stays behind

    def _open(self) -> Any:
        """Return the camera, open, or None."""
        try:
            camera = self._cv2.VideoCapture(self.index)
            if camera.isOpened():
                for name, value in self._wishes.items():
                    camera.set(name, value)
                return camera
            camera.release()
        except self._cv2.error:
            pass
        return None

    def _record(self, camera: Any) -> None:
        """Keep the latest frame until closed; runs in a thread."""
        while camera is not None and not self._closed.is_set():
            frame = self._frame(camera)
            if frame is not None:
                self._keep(frame)
                continue
            camera.release()
            camera = self._reopened()
        if camera is not None:
            camera.release()
        self._queue.wake()

    def _frame(self, camera: Any) -> Any:
        try:
            there, frame = camera.read()
        except self._cv2.error:
            return None
        return frame if there and frame is not None and frame.size else None

    def _keep(self, frame: Any) -> None:
        now_s = time.monotonic()
        if self._origin_s is None:
            self._origin_s = now_s
        self._queue.put((frame, int(1000 * (now_s - self._origin_s))))

    def _reopened(self) -> Any:
        """Wait with growing pauses until the camera gives frames; return the camera, or None."""
        pause, longest = _BACK_OFF_S
        deadline = time.monotonic() + self._patience_s
        while not self._closed.wait(pause):
            camera = self._open()
            if camera is not None:
                frame = self._frame(camera)
                if frame is not None:
                    self._keep(frame)
                    return camera
                camera.release()
            if time.monotonic() > deadline:
                self._failed = self._gone()
                return None
            pause = min(2 * pause, longest)
        return None

    def _gone(self) -> SourceError:
        return SourceError(
            f"Camera {self.index} went away and did not come back within {self._patience_s:g} s. "
            "Plug it in and start again."
        )
