"""`Stream` and `FaceStream`: all state of one voice, or of one camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .types import EmotionResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._core import FaceWatcher, VoiceListener
    from .faces import Pixels
    from .frontends import VoiceSpec


class Stream:
    """Reads one voice as it comes; made by `VoiceRecognizer.stream`.

    >>> from edgeemo.sources import Microphone
    >>> with Microphone() as microphone:  # doctest: +SKIP
    ...     stream = recognizer.stream(microphone.rate_hz, source="front-door")
    ...     for chunk, t_ms in microphone:
    ...         for result in stream.push(chunk, t_ms):
    ...             print(result)

    The caller may cut chunks anywhere: the same samples give the same results. Results speak of overlapping
    spans and come as soon as the last sample of a span is there. Memory does not grow. The clock is that of
    the first chunk; samples count it on. One thread at a time; several streams may share a recognizer.

    Attributes:
        rate_hz, channels: of the chunks. hop_ms: time from one span to the next.
        source: the stream's name, which its results carry.
    """

    def __init__(
        self, native: VoiceListener, spec: VoiceSpec, rate_hz: int, channels: int, source: str | None
    ) -> None:
        """Wrap a native stream; callers want `VoiceRecognizer.stream`."""
        self._native = native
        self.rate_hz, self.channels, self.source = rate_hz, channels, source
        self.hop_ms = spec.hop_frames * spec.hop * 1000 / spec.rate_hz

    def push(self, chunk: npt.NDArray[Any], t_ms: int) -> list[EmotionResult]:
        """Take the next samples and return what became known.

        Args:
            chunk: int16, or float32 with full scale ±1; shape (samples,) or (samples, channels). An empty
                chunk changes nothing, whatever its ``t_ms``.
            t_ms: time of the chunk's first sample, in whole milliseconds on the caller's clock. A time that
                differs from the expected one by more than ``hop_ms`` (forwards or backwards) means that
                samples are missing. The stream then finishes what came before, as `flush` does, and returns
                those results first. It starts afresh at ``t_ms``. Smaller differences change nothing.

        Raises:
            InputError, InputTypeError: the chunk cannot be used, or ``t_ms`` is beyond 2^52. The stream is as
                it was before.
            InferenceError: the recognizer was closed, or the model failed. The spans of this chunk from there
                on are lost. What was read before comes with the next results, and later chunks at their
                time. If the part before a gap failed, the stream did not take the chunk: push it again.
        """
        return self._native.push(chunk, t_ms)

    def flush(self) -> list[EmotionResult]:
        """Return what the samples after the last span say. The next chunk begins afresh, at its time.

        Raises:
            InferenceError: the recognizer was closed, or the model failed. The next chunk begins afresh then,
                too.
        """
        return self._native.flush()

    def reset(self) -> None:
        """Forget everything: the stream then equals a new one exactly."""
        self._native.reset()

    def summary(self) -> EmotionResult:
        """Return one result for all that was read since the stream was made or reset.

        It is the mean over the spans, each weighted by its evidence and its length. The mean is weighed once
        more by the evidence of the whole, so mostly silence is neutral. The result reaches from the earliest
        to the latest time. Call `flush` before, if the input has ended.
        """
        return self._native.summary()


class FaceStream:
    """Reads the faces of one camera or video as frames come; made by `FaceRecognizer.stream`.

    >>> from edgeemo.sources import Camera
    >>> with Camera(0) as camera:  # doctest: +SKIP
    ...     stream = recognizer.stream(source="front-door")
    ...     for frame, t_ms in camera:
    ...         for result in stream.push(frame, t_ms, camera.color):
    ...             print(result.track_id, result)

    Each face has a track, and each track has its own mean of scores, probabilities, valence and arousal. A
    frame weighs by its evidence, by the time it stands for and by exp(−age / ``smooth_ms``). Frames may come
    at any rate and with gaps; the same frames at the same times give the same results. Memory does not grow.
    One thread at a time; several streams may share a recognizer.

    Attributes:
        source: the stream's name, which its results carry.
    """

    def __init__(self, native: FaceWatcher, open_detector: Callable[[], object], source: str | None) -> None:
        """Wrap a native stream; callers want `FaceRecognizer.stream`."""
        self._native, self._open_detector, self.source = native, open_detector, source

    def push(self, frame: Pixels, t_ms: int, color: Any = "rgb") -> list[EmotionResult]:
        """Take the next frame and return one result for each face that the stream follows, by ``track_id``.

        The stream follows a face from the second frame that shows it (see `edgeemo.faces.TrackerSpec`).
        While no frame shows the face, its result stays what it was and its evidence falls. ``face`` is then
        where the stream expects it, with score 0. After ``most_gap_ms`` (600) the track ends; a face that
        comes back later is a new track. Up to 5 s may lie between two frames of a slow camera.

        Args:
            frame, color: as `FaceRecognizer.predict` takes them. Size and color may change between frames.
            t_ms: when the frame was taken, in whole milliseconds on the caller's clock. A second frame at
                the same time changes places, not scores.

        Returns:
            Results with ``start_ms`` (the first frame that showed the face) and ``end_ms`` (this frame).

        Raises:
            InputError, InputTypeError: the frame cannot be used, or ``t_ms`` is before the last one. Where a
                video begins anew, call `reset`. The stream is as it was before.
            InferenceError: the recognizer was closed, or a model failed. The stream goes on as before.
        """
        self._open_detector()
        return self._native.push(frame, t_ms, color)

    def flush(self) -> list[EmotionResult]:
        """Return what still waits: nothing, as the stream answers every frame at once."""
        return []

    def reset(self) -> None:
        """Forget everything: the stream then equals a new one exactly."""
        self._native.reset()
