"""`FaceStream`: all state of one camera or video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from ._core import Smoother
from .errors import InputTypeError
from .face_reader import FaceReader, Pixels
from .faces import Face, FaceTracker, Track, TrackerSpec
from .types import EmotionResult, FloatArray

SMOOTH_MS = 300.0
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
        self._smoother = Smoother(reader.size, smooth_ms)
        self._tracker = FaceTracker(tracker or TrackerSpec())
        self._nothing = np.zeros(reader.size, np.float32)

    def push(self, frame: Pixels, t_ms: int, color: Any = "rgb") -> list[EmotionResult]:
        """Take the next frame and return one result for each face that is followed, by ``track_id``.

        A face is followed from the second frame that shows it (see `TrackerSpec`). While it is not found,
        its result stays what it was with falling evidence; ``face`` is then where it is expected, with score
        0. After ``most_gap_ms`` the track ends; a face that comes back later is a new track.

        Args:
            frame, color: as `FaceRecognizer.predict` takes them. Size and color may change between frames.
            t_ms: when it was taken, in whole milliseconds on the caller's clock. A second frame at the same
                time changes places, not scores.

        Returns:
            Results with ``start_ms`` (the face was first found) and ``end_ms`` (this frame).

        Raises:
            InputError, InputTypeError: the frame cannot be used, or ``t_ms`` is before the last one (where a
                video begins anew, call `reset`); the stream is as it was before.
            InferenceError: the recognizer was closed.
        """
        t_ms = _whole(t_ms)
        faces = self._reader.usable(self._detect(frame, color), frame, color)
        rows = {face: self._reader.read(frame, color, face, found=True) for face in faces}
        tracks = self._tracker.update(faces, t_ms)
        self._smoother.keep([track.id for track in tracks])
        results = []
        for track in tracks:
            mean, evidence = self._smoothed(track, rows, t_ms)
            if track.confirmed:
                face = track.face if track.face in rows else Face(track.face.box, track.face.eyes, 0.0)
                span = {"start_ms": track.first_ms, "end_ms": t_ms}
                results.append(self._reader.result(mean, evidence, face, track_id=track.id, **span))
        return results

    def flush(self) -> list[EmotionResult]:
        """Return what still waits: nothing, as every frame is answered at once. Changes nothing."""
        return []

    def reset(self) -> None:
        """Forget everything: equals a new stream exactly."""
        self._tracker.reset()
        self._smoother.reset()

    def _smoothed(self, track: Track, rows: dict[Face, FloatArray], t_ms: int) -> tuple[FloatArray, float]:
        row = rows.get(track.face)
        evidence = 0.0 if row is None else min(max(track.face.score, 0.0), 1.0)
        return self._smoother.update(track.id, self._nothing if row is None else row, evidence, t_ms)


def _whole(t_ms: int) -> int:
    try:
        return index(t_ms)
    except TypeError:
        raise InputTypeError(
            f"t_ms is {t_ms!r}: expected whole milliseconds; use int(round(seconds * 1000))."
        ) from None
