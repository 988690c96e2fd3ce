"""`Stream` and `FaceStream` hold the state of one voice, or of one camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ._core import VoiceStreamSpec
from .types import EmotionResult

__all__ = ["FaceStream", "Stream", "VoiceStreamSpec"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._core import FaceWatcher, VoiceListener
    from .faces import Pixels
    from .frontends import VoiceSpec


class Stream:
    """Reads one voice live; `VoiceRecognizer.stream` makes it.

    Examples:
        >>> from edgeemo.sources import Microphone
        >>> with Microphone() as microphone:  # doctest: +SKIP
        ...     stream = recognizer.stream(microphone.rate_hz, source="front-door")
        ...     for chunk, t_ms in microphone:
        ...         for result in stream.push(chunk, t_ms):
        ...             print(result)

    The caller may cut chunks anywhere: the same samples give the same results. A result describes what its
    ``kind`` says:

    - ``"span"``: a span of fixed length; spans overlap. The result comes with the last sample of its span.
    - ``"utterance"``: what somebody said between two pauses, from about 0.2 s on. The result comes
      about 0.3 s after the end, later with a longer ``hang_over_ms`` (see `VoiceStreamSpec`). Its evidence
      describes the utterance alone.
    - ``"partial"``: an utterance that still lasts, once a hop.

    Each `push` orders its own results by ``end_ms``. The first chunk sets the clock, and samples count on.
    Memory does not grow. Use one thread at a time; several streams may share a recognizer.

    Attributes:
        rate_hz, channels: rate and channels of the chunks. hop_ms: time from one span to the next.
        source: the stream's name, which its results carry.
    """

    def __init__(
        self, native: VoiceListener, spec: VoiceSpec, rate_hz: int, channels: int, source: str | None
    ) -> None:
        """Wrap a native stream; use `VoiceRecognizer.stream` to make one."""
        self._native = native
        self.rate_hz, self.channels, self.source = rate_hz, channels, source
        self.hop_ms = spec.hop_frames * spec.hop * 1000 / spec.rate_hz

    def push(self, chunk: npt.NDArray[Any], t_ms: int) -> list[EmotionResult]:
        """Take the next samples and return the new results.

        Args:
            chunk: int16, or float32 with full scale ±1; shape (samples,) or (samples, channels). An empty
                chunk changes nothing, whatever its ``t_ms``.
            t_ms: time of the chunk's first sample, in whole milliseconds on the caller's clock. A time that
                differs from the expected one by more than ``hop_ms`` (forwards or backwards) means that
                samples are missing. The stream then finishes what came before, as `flush` does, and returns
                those results first. The new spans start at ``t_ms``. Smaller differences change nothing.

        Raises:
            InputError, InputTypeError: the chunk cannot be used, or ``t_ms`` is beyond 2^52. The stream is as
                it was before.
            InferenceError: the recognizer was closed, or the model failed. The stream loses the later spans
                of this chunk. The next call returns the results before the failure. If the part before a
                gap failed, the stream did not take the chunk: push the chunk again.
        """
        return self._native.push(chunk, t_ms)

    def flush(self) -> list[EmotionResult]:
        """Return the results of the samples after the last span. The next chunk starts new spans.

        Raises:
            InferenceError: the recognizer was closed, or the model failed. The next chunk starts new spans.
        """
        return self._native.flush()

    def reset(self) -> None:
        """Forget everything; the stream is then as new."""
        self._native.reset()

    def mute(self, start_ms: int, end_ms: int) -> None:
        """Take silence in the place of the samples from ``start_ms`` to ``end_ms``.

        So the stream does not hear the product's own loudspeaker. Call this before you push the samples;
        add the delay and the echo of the room to ``end_ms``.

        Raises:
            InputError, InputTypeError: a time is not a whole number, or the end does not follow the start. Or
                the stream has heard all these samples.
        """
        self._native.mute(start_ms, end_ms)

    def summary(self) -> EmotionResult:
        """Return one result for everything since the stream began or was reset.

        The result is the mean over the spans, weighted by evidence and length. The evidence of the whole
        weighs the mean once more, so mostly silence is neutral. The result covers the time from the earliest
        to the latest sample. Call `flush` before if the input has ended.
        """
        return self._native.summary()


class FaceStream:
    """Reads the faces of one camera or video live; `FaceRecognizer.stream` makes it.

    Examples:
        >>> from edgeemo.sources import Camera
        >>> with Camera(0) as camera:  # doctest: +SKIP
        ...     stream = recognizer.stream(source="front-door")
        ...     for frame, t_ms in camera:
        ...         for result in stream.push(frame, t_ms, camera.color):
        ...             print(result.track_id, result)

    Each face has a track, and each track has its own mean of scores, probabilities, valence and arousal. A
    frame weighs by its evidence, its duration and exp(−age / ``smooth_ms``). Frames may come at any rate and
    with gaps. The same frames at the same times give the same results. Memory does not grow. Use one thread
    at a time; several streams may share a recognizer.

    Attributes:
        source: the stream's name, which its results carry.
    """

    def __init__(self, native: FaceWatcher, open_detector: Callable[[], object], source: str | None) -> None:
        """Wrap a native stream; use `FaceRecognizer.stream` to make one."""
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
                video starts again, call `reset`. The stream is as it was before.
            InferenceError: the recognizer was closed, or a model failed. The stream goes on as before.
        """
        self._open_detector()
        return self._native.push(frame, t_ms, color)

    def flush(self) -> list[EmotionResult]:
        """Return an empty list: the stream answers every frame at once."""
        return []

    def reset(self) -> None:
        """Forget everything; the stream is then as new."""
        self._native.reset()
