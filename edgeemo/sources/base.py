"""The base of all sources, and the queue between a capture that never waits and a slow consumer."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy.typing as npt

if TYPE_CHECKING:
    from typing_extensions import Self

Block: TypeAlias = tuple[npt.NDArray[Any], int]
"""Samples and the time of the first one in ms, or a frame and the time of the frame in ms.

Samples are int16 or float32, ``(samples,)`` or ``(samples, channels)``. A frame is uint8
``(height, width, 3)``.
"""


class Source:
    """An iterator of `Block` and a context manager."""

    @property
    def drops(self) -> int:
        """How many blocks were lost because the consumer or the machine was slow; 0 for files and pipes."""
        return 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Block:
        raise StopIteration

    def close(self) -> None:
        """Stop the source; the iterator then ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AudioSource(Source):
    """A source of samples.

    Attributes:
        rate_hz, channels: rate and channels of the samples.
    """

    rate_hz: int
    channels: int


class FrameSource(Source):
    """A source of frames.

    Attributes:
        color: the order of the bytes of a pixel, ``"rgb"`` or ``"bgr"``.
    """

    color: Literal["rgb", "bgr"]


class Latest:
    """A queue of the latest ``limit`` blocks: `put` never waits, but drops the oldest block and counts it."""

    def __init__(self, limit: int) -> None:
        self._blocks: deque[Block] = deque()
        self._limit = limit
        self._changed = Condition()
        self._woken = False
        self.drops = 0

    def put(self, block: Block) -> None:
        """Add a block."""
        with self._changed:
            if len(self._blocks) >= self._limit:
                self._blocks.popleft()
                self.drops += 1
            self._blocks.append(block)
            self._changed.notify()

    def get(self, timeout_s: float) -> Block | None:
        """Return the oldest block, or None after ``timeout_s`` or a `wake` without one."""
        with self._changed:
            self._changed.wait_for(lambda: self._blocks or self._woken, timeout_s)
            if self._blocks:
                return self._blocks.popleft()
            self._woken = False
            return None

    def calm(self) -> None:
        """Forget an earlier `wake`."""
        with self._changed:
            self._woken = False

    def wake(self) -> None:
        """Let `get` return as soon as the queue is empty."""
        with self._changed:
            self._woken = True
            self._changed.notify()
