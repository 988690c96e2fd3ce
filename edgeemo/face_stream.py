"""`FaceStream`: all state of one camera or video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from ._core import SMOOTH_MS as _SMOOTH_MS
from ._core import FaceFollower
from .errors import InputTypeError
from .face_reader import FaceReader, Pixels
from .faces import Face, TrackerSpec
from .types import EmotionResult

SMOOTH_MS: float = _SMOOTH_MS
"""Age at which a frame counts for 1 / e, unless the caller says otherwise."""


class FaceStream:
    """Reads the faces of one camera or video as frames come; made by `FaceRecognizer.stream`.

    >>> from edgeemo.sources import Camera
    >>> with Camera(0) as camera:  # doctest: +SKIP
    ...     stream = recognizer.stream()
    ...     for frame, t_ms in camera:
    ...         for result in stream.push(frame, t_ms, camera.color):
    ...             print(result.track_id, result)

    Each face has a track, and each track its own mean: scores, probabilities, valence and arousal of its
    frames, weighed by evidence, by the time they stand for and by exp(−age / ``smooth_ms``). Frames may come
    at any rate and with gaps; the same frames at the same times give the same results. Memory does not grow.
    One thread at a time; several streams may share a recognizer.
    """

    def __init__(
        self,
        reader: FaceReader,
        detect: Callable[[Pixels, Any], Sequence[Face]],
        *,
        smooth_ms: float = SMOOTH_MS,
        tracker: TrackerSpec | None = None,
    ) -> None:
        """Open a stream; callers want `FaceRecognizer.stream`.

        Raises:
            SpecError: ``smooth_ms`` is out of range.
        """
        self._reader, self._detect = reader, detect
        self._follower = FaceFollower(reader.size, smooth_ms, tracker or TrackerSpec())

    def push(self, frame: Pixels, t_ms: int, color: Any = "rgb") -> list[EmotionResult]:
        """Take the next frame and return one result for each face that is followed, by ``track_id``.

        A face is followed from the second frame that shows it (see `TrackerSpec`). While it is not found,
        its result stays what it was with falling evidence; ``face`` is then where it is expected, with score
        0. After ``most_gap_ms`` (600) the track ends; a face that comes back later is a new track. Of slow
        cameras, too: up to 5 s may lie between two frames that show it.

        Args:
            frame, color: as `FaceRecognizer.predict` takes them. Size and color may change between frames.
            t_ms: when it was taken, in whole milliseconds on the caller's clock. A second frame at the same
                time changes places, not scores.

        Returns:
            Results with ``start_ms`` (the face was first found) and ``end_ms`` (this frame).

        Raises:
            InputError, InputTypeError: the frame cannot be used, or ``t_ms`` is before the last one (where a
                video begins anew, call `reset`); the stream is as it was before.
            InferenceError: the recognizer was closed, or a model failed; the stream follows as it did before.
        """
        t_ms = _whole(t_ms)
        faces = self._reader.usable(self._detect(frame, color), frame, color)
        rows = np.empty((len(faces), self._reader.size), np.float32)
        for row, face in zip(rows, faces, strict=True):
            row[:] = self._reader.read(frame, color, face, found=True)
        return [
            self._reader.result(
                mean, evidence, track.face, track_id=track.id, start_ms=track.first_ms, end_ms=t_ms
            )
            for track, mean, evidence in self._follower.update(faces, rows, t_ms)
        ]

    def flush(self) -> list[EmotionResult]:
        """Return what still waits: nothing, as every frame is answered at once. Changes nothing."""
        return []

    def reset(self) -> None:
        """Forget everything: equals a new stream exactly."""
        self._follower.reset()


def _whole(t_ms: int) -> int:
    try:
        return index(t_ms)
    except TypeError:
        raise InputTypeError(
            f"t_ms is {t_ms!r}: expected whole milliseconds; use int(round(seconds * 1000))."
        ) from None
