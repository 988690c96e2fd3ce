"""Text: one text in, one `EmotionResult` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from .errors import InferenceError, InputTypeError
from .frontends import TextFrontend
from .recognizer import Recognizer
from .runtime import CLOSED
from .types import EmotionResult


class TextRecognizer(Recognizer, modality="text"):
    """Reads the emotion a text expresses.

    >>> import edgeemo
    >>> with edgeemo.Recognizer.open("text") as recognizer:
    ...     recognizer.predict_batch(["What a day!", ""])[1].evidence
    0.0
    """

    frontend: TextFrontend

    def predict(self, text: str | bytes) -> EmotionResult:
        """Read one text (``bytes`` are UTF-8; invalid bytes count as U+FFFD).

        Text of which nothing was understood gives evidence 0, neutral 1, valence and arousal 0.

        Raises:
            InputTypeError: neither ``str`` nor ``bytes``.
        """
        if not isinstance(text, str | bytes):
            raise InputTypeError(
                f"Expected str or bytes, got {type(text).__name__}; pass one text at a time."
            )
        encoding = self.frontend.encode(text)
        readout = self._readout
        if encoding.n_understood:
            reading = readout(self.runtime.run(encoding.ids[np.newaxis]))
            evidence = encoding.n_understood / encoding.n_words
        else:  # the model is not asked
            if self.runtime.closed:
                raise InferenceError(CLOSED)
            reading, evidence = readout.neutral, 0.0
        return EmotionResult(
            "text",
            reading.scores,
            self.card.labels,
            reading.probabilities,
            readout.thresholds,
            reading.valence,
            reading.arousal,
            evidence,
            encoding.truncated,
            exclusive=readout.exclusive,
        )

    def predict_batch(self, texts: Iterable[str | bytes]) -> list[EmotionResult]:
        """Read several texts; the same results as `predict` one by one.

        Raises:
            InputTypeError: a text is neither ``str`` nor ``bytes``, or ``texts`` is itself one text, or a
                mapping.
        """
        if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
            remedy = "pass its values" if isinstance(texts, Mapping) else "use predict for one text"
            raise InputTypeError(f"Expected a list of texts, got {type(texts).__name__}; {remedy}.")
        results = []
        for i, text in enumerate(texts):
            if not isinstance(text, str | bytes):
                raise InputTypeError(f"Text {i}: expected str or bytes, got {type(text).__name__}.")
            results.append(self.predict(text))
        return results
