"""`Stream`: all state of one voice input."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import InputError, InputTypeError
from .spans import Heard, Mean, SpanReader
from .types import EmotionResult

if TYPE_CHECKING:
    from .frontends import Spans, VoiceFrontend

_MOST_MS = 1 << 52  # floats hold the time of every sample


class Stream:
    """Reads one voice as it comes; made by `VoiceRecognizer.stream`.

    >>> from edgeemo.sources import Microphone
    >>> with Microphone() as microphone:  # doctest: +SKIP
    ...     stream = recognizer.stream(microphone.rate_hz)
    ...     for chunk, t_ms in microphone:
    ...         for result in stream.push(chunk, t_ms):
    ...             print(result)

    Chunks may be cut anywhere: the same samples give the same results. Results speak of overlapping spans and
    come as soon as the last sample of a span is there; memory does not grow. The clock is that of the first
    chunk, counted on by samples. One thread at a time; several streams may share a recognizer.
    """

    def __init__(self, reader: SpanReader, frontend: VoiceFrontend, rate_hz: int, channels: int = 1) -> None:
        """Open a stream; callers want `VoiceRecognizer.stream`.

        Raises:
            InputError: a rate or a number of channels out of range.
        """
        self._reader, self._frontend = reader, frontend
        self.rate_hz, self.channels = rate_hz, channels
        spec = frontend.spec
        self._window_ms, self._frame_ms = (1000 * n / spec.rate_hz for n in (spec.window, spec.hop))
        self.hop_ms = spec.hop_frames * self._frame_ms
        self._samples: int
        self._start_ms: int
        self._first_ms: int | None  # the earliest
        self._last_ms: int | None  # the latest of what was finished
        self.reset()

    def push(self, chunk: npt.NDArray[Any], t_ms: int) -> list[EmotionResult]:
        """Take the next samples and return what was understood since.

        Args:
            chunk: int16, or float32 with full scale ±1; shape (samples,) or (samples, channels). An empty
                chunk is a no-op whatever its ``t_ms``.
            t_ms: time of the chunk's first sample, in whole milliseconds on the caller's clock. Where it
                differs from the expected one by more than ``hop_ms`` (forwards or backwards) samples are
                missing: what came before is finished as by `flush`, its results come first, and the stream
                starts afresh at ``t_ms``. Smaller differences are jitter and change nothing.

        Raises:
            InputError, InputTypeError: the chunk cannot be used, or ``t_ms`` is beyond 2^52; the stream is as
                it was before.
            InferenceError: the recognizer was closed, or the model failed: the spans of this chunk from there
                on are lost. What was read before comes with the next results, and what comes later at its
                time. If what failed lies before a gap, the chunk behind it was not taken: push it again.
        """
        if isinstance(chunk, np.ndarray) and not chunk.size:
            return []
        t_ms = _whole(t_ms)
        if self._samples and abs(t_ms - self._now_ms()) > self.hop_ms:
            fresh = self._frontend.stream(self.rate_hz, self.channels)
            spans = fresh.push(chunk)  # first of all: it may be refused
            self._finish()
            self._voice = fresh
        else:
            spans = self._voice.push(chunk)
        if not self._samples:
            self._start_ms = t_ms
            self._first_ms = t_ms if self._first_ms is None else min(self._first_ms, t_ms)
        self._samples += len(chunk)
        self._hear(spans)
        return self._take()

    def flush(self) -> list[EmotionResult]:
        """Return what the samples after the last span say. The next chunk begins afresh, at its time.

        Raises:
            InferenceError: the recognizer was closed, or the model failed; the next chunk begins afresh then,
                too.
        """
        self._finish()
        return self._take()

    def reset(self) -> None:
        """Forget everything: equals a new stream exactly."""
        self._voice = self._frontend.stream(self.rate_hz, self.channels)
        self._mean = Mean(self._reader.size)
        self._waiting: list[EmotionResult] = []  # read, but not yet returned
        self._samples = 0  # since the stream began, or began afresh, at `_start_ms`
        self._start_ms = 0
        self._first_ms = self._last_ms = None

    def summary(self) -> EmotionResult:
        """Return one result for all that was read since the stream was made or reset.

        It is the mean over the spans, each weighted by its evidence and its length, then weighed once more by
        the evidence of the whole: mostly silence is neutral. It reaches from the earliest to the latest time,
        also where the clock jumped backwards. Call `flush` before, if the input has ended.
        """
        begin, end = self._first_ms or 0, self._end_ms() or 0
        return self._reader.result(self._mean.said, self._mean.evidence, begin, end)

    def _end_ms(self) -> int | None:
        """Return the latest time so far, None before there is any."""
        if not self._samples:
            return self._last_ms
        now = int(self._now_ms())
        return now if self._last_ms is None else max(now, self._last_ms)

    def _now_ms(self) -> float:
        return self._start_ms + self._samples * 1000 / self.rate_hz

    def _hear(self, spans: Spans) -> None:
        for heard in self._reader.read(spans):
            self._mean.add(heard)
            self._waiting.append(self._result(heard))

    def _take(self) -> list[EmotionResult]:
        results, self._waiting = self._waiting, []
        return results

    def _finish(self) -> None:
        try:
            self._hear(self._voice.flush())
        finally:
            self._last_ms = self._end_ms()
            self._voice.reset()
            self._samples = 0

    def _result(self, heard: Heard) -> EmotionResult:
        begin = self._start_ms + heard.start_frame * self._frame_ms
        end = begin + (heard.n_frames - 1) * self._frame_ms + self._window_ms
        return self._reader.result(heard.said, heard.evidence, int(begin), int(end))


def _whole(t_ms: int) -> int:
    try:
        whole = index(t_ms)
    except TypeError:
        raise InputTypeError(
            f"t_ms is {t_ms!r}: expected whole milliseconds; use int(round(seconds * 1000))."
        ) from None
    if abs(whole) > _MOST_MS:
        raise InputError(
            f"t_ms must be within 2^52 ms of 0, got {whole}; pass milliseconds of the caller's clock."
        )
    return whole
