"""Voice: a clip in, one `EmotionResult` or a timeline out; or a stream of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .bundle import Bundle
from .errors import InferenceError, InputError, InputTypeError
from .recognizer import Recognizer
from .runtime import CLOSED, Runtime
from .spans import SpanReader
from .stream import Stream
from .types import EmotionResult

if TYPE_CHECKING:
    from .frontends import VoiceFrontend

_SLICE_S = 30  # of a clip at once, so that memory stays flat
_KEPT = 1 << 20  # bytes; a call takes about a third of that, and gives it back


class VoiceRecognizer(Recognizer, modality="voice"):
    """Reads the emotion a voice expresses: from how it sounds, not from what it says.

    >>> import numpy as np
    >>> silence = np.zeros(16000, np.int16)
    >>> with edgeemo.Recognizer.open("voice") as recognizer:  # doctest: +SKIP
    ...     recognizer.predict(silence, rate_hz=16000).evidence
    0.0

    Audio is int16, or float32 with full scale ±1 (up to ±8 is taken, as microphones and mixes overshoot),
    C-contiguous, of shape (samples,) or (samples, channels ≤ 32), at 8,000 to 192,000 Hz; channels are
    averaged. A wrong ``rate_hz`` cannot be noticed: it is read as a faster or slower, higher or deeper voice.
    Where there is no speech there is no evidence: neutral 1, valence and arousal 0.
    """

    frontend: VoiceFrontend

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        super().__init__(bundle, runtime)
        _keep_what_is_freed()
        self._reader = SpanReader(self.card, runtime, self.frontend.spec, self._readout)

    def predict(self, pcm: npt.NDArray[Any], rate_hz: int) -> EmotionResult:
        """Read a whole clip: the evidence-weighted mean over its spans (see `Stream.summary`).

        A clip too short for one window (the spec's, 25 ms for instance) has evidence 0.

        Raises:
            InputError, InputTypeError: the samples, their shape or their rate cannot be used.
        """
        stream, _ = self._listen(pcm, rate_hz)
        return stream.summary()

    def timeline(self, pcm: npt.NDArray[Any], rate_hz: int) -> list[EmotionResult]:
        """Read a whole clip span by span: what a stream says of it, its time beginning at 0.

        Spans overlap; the last one ends with the clip. No result for a clip too short for one window.

        Raises:
            InputError, InputTypeError: the samples, their shape or their rate cannot be used.
        """
        return self._listen(pcm, rate_hz)[1]

    def stream(self, rate_hz: int, channels: int = 1) -> Stream:
        """Open a stream for audio that comes in chunks.

        Raises:
            InputError: ``rate_hz`` or ``channels`` out of range.
            InferenceError: the recognizer was closed.
        """
        if self.runtime.closed:
            raise InferenceError(CLOSED)
        return Stream(self._reader, self.frontend, rate_hz, channels)

    def _listen(self, pcm: npt.NDArray[Any], rate_hz: int) -> tuple[Stream, list[EmotionResult]]:
        if not isinstance(pcm, np.ndarray):
            raise InputTypeError(
                f"Expected audio as a NumPy array of int16 or float32, got {type(pcm).__name__}."
            )
        if pcm.ndim not in (1, 2):
            raise InputError(f"Expected audio of shape (samples,) or (samples, channels), got {pcm.shape}.")
        stream = self.stream(rate_hz, 1 if pcm.ndim == 1 else pcm.shape[1])
        results = []
        step = _SLICE_S * rate_hz
        try:
            for begin in range(0, len(pcm), step):
                results += stream.push(pcm[begin : begin + step], 1000 * begin // rate_hz)
        except InputError:
            self.frontend.compute(pcm, rate_hz)  # names the sample by its place in the whole clip
            raise
        results += stream.flush()
        return stream, results


def _keep_what_is_freed() -> None:
    """Free a large block once: from then on glibc keeps up to twice as much freed memory for the next call.

    Until a larger block was mapped and freed, it gives back whatever lies free at the end of its heap from
    128 kB on (mallopt(3): the dynamic threshold). In a small program each call would then take its memory
    anew, page by page, and half as long again. The block is never touched: it takes no memory.
    """
    bytearray(_KEPT)
