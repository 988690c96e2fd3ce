"""What a voice model says of spans, and how much that is worth: the one place where evidence is weighed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .card import ModelCard
from .errors import BundleMismatchError
from .readout import Readout
from .runtime import Runtime
from .types import EmotionResult, FloatArray

if TYPE_CHECKING:
    from .frontends import Spans, VoiceSpec


@dataclass(frozen=True, eq=False)
class Heard:
    """What the model said of one span, before its evidence is weighed.

    Attributes:
        said: float32 row: probabilities, scores, valence, arousal.
        evidence: share of the span's real blocks that are speech.
        start_frame, n_frames: where the span begins in its stream, and its real frames.
    """

    said: FloatArray
    evidence: float
    start_frame: int
    n_frames: int


class SpanReader:
    """Runs the model on spans and makes results of what it says. No state; thread-safe as `Runtime` is.

    The evidence e of a span is the share of its real blocks whose probability of speech is at least the
    card's ``threshold``. (A block is real if it lies wholly in the real frames; the first one always is.)
    With the weight w = clip((e − least) / (enough − least), 0, 1) a result is w · model + (1 − w) · neutral:
    for probabilities, scores, valence and arousal alike. So below ``least`` it is exactly neutral.
    """

    def __init__(self, card: ModelCard, runtime: Runtime, spec: VoiceSpec, readout: Readout) -> None:
        if "speech" not in card.outputs:
            raise BundleMismatchError(f"{card.name}: the card names no speech output. Convert it again.")
        blocks = runtime.outputs[card.outputs["speech"]].shape
        if len(blocks) != 2 or blocks[0] != 1 or not blocks[1] or spec.span_frames % blocks[1]:
            raise BundleMismatchError(
                f"{card.name}: its speech output needs a shape (1, blocks) that divides the span of "
                f"{spec.span_frames} frames, the model's is {blocks}. Convert it again."
            )
        self._card, self._runtime, self._readout = card, runtime, readout
        self._block = spec.span_frames // blocks[1]
        self.size = len(readout.native.neutral())

    def read(self, spans: Spans) -> Iterator[Heard]:
        """Run the model once a span, as they are asked for.

        Raises:
            InferenceError: the model was closed, refuses the input or gives NaN.
        """
        starts, sizes = spans.start_frames.tolist(), spans.n_frames.tolist()
        for span, start, n in zip(spans.features, starts, sizes, strict=True):
            yield self._hear(span[np.newaxis], start, n)

    def _hear(self, span: FloatArray, start_frame: int, n_frames: int) -> Heard:
        outputs = self._runtime.run(span)
        real = max(1, n_frames // self._block)
        evidence = self._readout.speech_share(outputs, real)
        return Heard(self._readout.row(outputs), evidence, start_frame, n_frames)

    def result(self, said: FloatArray, evidence: float, start_ms: int, end_ms: int) -> EmotionResult:
        """Weigh what the model said by its evidence."""
        reading = self._readout.reading(self._readout.native.weigh(evidence, said))
        return EmotionResult(
            "voice",
            reading.scores,
            self._card.labels,
            reading.probabilities,
            self._readout.thresholds,
            reading.valence,
            reading.arousal,
            evidence,
            start_ms=start_ms,
            end_ms=end_ms,
            exclusive=self._readout.exclusive,
        )


class Mean:
    """The running evidence-weighted mean over spans; each weighs its evidence times its real frames.

    ``evidence`` is the mean of the spans' evidence, weighted by their real frames.
    """

    def __init__(self, size: int) -> None:
        self._said, self._weight, self._frames = np.zeros(size), 0.0, 0

    def add(self, heard: Heard) -> None:
        """Take in a further span."""
        weight = heard.evidence * heard.n_frames
        self._said += weight * heard.said.astype(np.float64)
        self._weight += weight
        self._frames += heard.n_frames

    @property
    def said(self) -> FloatArray:
        """The mean of what was said, float32; zeros where there was no evidence at all."""
        return (self._said / (self._weight or 1.0)).astype(np.float32)

    @property
    def evidence(self) -> float:
        """The share of speech in all that was heard, 0 … 1."""
        return min(self._weight / self._frames, 1.0) if self._frames else 0.0
