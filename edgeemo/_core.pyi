"""Native engine of edgeemo. Use the names that edgeemo and its modules export."""

from collections.abc import Sequence
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

TEXT_FRONTEND_VERSION: int
"""Goes up when the same TextSpec gives other ids."""

UNICODE_VERSION: str
"""The Unicode version of the "nfkc" tables."""

@final
class TextSpec:
    """How text becomes ids: a read-only value.

    Raises:
        SpecError: an unknown key, a wrong type or a value out of range.
    """

    def __init__(
        self,
        *,
        normalization: Literal["nfkc", "bert"] = "nfkc",
        lowercase: bool = True,
        strip_accents: bool = True,
        unknown: Literal["character", "word"] = "character",
        special_tokens: bool = False,
        length: int = 48,
    ) -> None: ...
    @property
    def normalization(self) -> Literal["nfkc", "bert"]:
        """``"nfkc"`` or ``"bert"``."""
    @property
    def lowercase(self) -> bool:
        """Fold case (``"nfkc"``) or lower it (``"bert"``)."""
    @property
    def strip_accents(self) -> bool:
        """Drop nonspacing marks after decomposition."""
    @property
    def unknown(self) -> Literal["character", "word"]:
        """What becomes [UNK]: one character or the whole word."""
    @property
    def special_tokens(self) -> bool:
        """Put [CLS] before and [SEP] after the ids."""
    @property
    def length(self) -> int:
        """Ids per text, 1 to 4096 (at least 3 with special_tokens)."""
    @property
    def digest(self) -> str:
        """16 hexadecimal digits; equal for equal specs."""
    @property
    def output(self) -> tuple[tuple[int], str]:
        """Shape and dtype of one result: ``((length,), "int32")``."""
    def to_dict(self) -> dict[str, Any]:
        """All fields by name, sorted."""
    @staticmethod
    def from_dict(fields: dict[str, Any]) -> TextSpec:
        """The spec of a dict as to_dict makes it; absent keys have their defaults.

        Raises:
            SpecError: an unknown key, a wrong type or a value out of range.
        """
    def __eq__(self, other: object) -> bool: ...
    def __ne__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Encoding:
    """The ids of one text and what was seen of it up to the cut."""

    @property
    def ids(self) -> NDArray[np.int32]:
        """int32 (length,), padded."""
    @property
    def n_ids(self) -> int:
        """Ids without padding, 0 to length."""
    @property
    def n_words(self) -> int:
        """Words with a piece before the cut; those made only of punctuation do not count."""
    @property
    def n_understood(self) -> int:
        """Of these, the words cut entirely into known pieces.

        A longer word cut entirely into single characters is not understood. A word that crosses the cut is
        judged by the pieces before it.
        """
    @property
    def truncated(self) -> bool:
        """There was more text than length ids can hold."""

@final
class TextFrontend:
    """From text to ids: immutable, thread-safe, without the GIL while it works.

    Texts are ``str`` or UTF-8 ``bytes``; what is ill-formed (lone surrogates, too) is dropped. No text fails;
    anything else raises InputTypeError. ``[CLS]`` and the like written in a text are ordinary characters.
    """

    def __init__(self, spec: TextSpec, vocab: Sequence[str]) -> None:
        """Prepare a vocabulary.

        Args:
            spec: how text becomes ids.
            vocab: pieces in the order of their ids; ``##`` marks continuation. Needs [PAD] and [UNK], with
                special_tokens also [CLS] and [SEP]. At most 1,000,000 pieces of 1,024 bytes.

        Raises:
            SpecError: the vocabulary is unusable; the message says which piece.
            InputTypeError: it is not a sequence of str.
        """
    @property
    def spec(self) -> TextSpec:
        """The spec it was built from."""
    @property
    def vocab_size(self) -> int:
        """Number of pieces."""
    def compute(self, text: str | bytes) -> NDArray[np.int32]:
        """The ids of a text: int32 (length,), cut or padded with [PAD]."""
    def compute_batch(self, texts: Sequence[str | bytes]) -> NDArray[np.int32]:
        """The ids of a sequence of texts: int32 (n, length)."""
    def encode(self, text: str | bytes) -> Encoding:
        """The ids of a text and the counts of its words."""
    def encode_batch(self, texts: Sequence[str | bytes]) -> list[Encoding]:
        """Each text of a sequence encoded."""
    def normalize(self, text: str | bytes) -> str:
        """The whole text after normalisation.

        With ``"bert"`` what BertNormalizer gives, with ``"nfkc"`` the words with one blank between them;
        ``normalize(normalize(x)) == normalize(x)`` with ``"nfkc"``.
        """
    def words(self, text: str | bytes) -> list[str]:
        """The words of the whole text, as WordPiece gets them."""

@final
class ScoreMap:
    """From logits to calibrated probabilities and scores over the emotions. Thread-safe."""

    def __init__(
        self,
        *,
        multi_label: bool,
        scale: Sequence[float],
        bias: Sequence[float],
        groups: Sequence[Sequence[int]],
        temperature: float = 1.0,
    ) -> None:
        """Check and keep the rule.

        Args:
            multi_label: independent labels (sigmoid, max) or exclusive ones (softmax, sum).
            scale: per label.
            bias: per label.
            groups: per emotion, the indices of the labels that express it.
            temperature: of the scores.

        Raises:
            ValueError: sizes, indices or numbers do not fit together.
        """
    def __call__(self, logits: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Map float32 logits (labels,) to (probabilities (labels,), scores (groups,)), both float32.

        Raises:
            ValueError: NaN, or another number of logits.
        """

def quantize(x: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[np.int8]:
    """The one int8 rule: saturate(round_half_even(x / scale) + zero_point).

    Args:
        x: contiguous, any shape. The quotient is taken in float32; infinities saturate.
        scale: finite and > 0 as float32.
        zero_point: -128 to 127.

    Returns:
        int8 of the same shape, -128 to 127.

    Raises:
        InputError: NaN, a bad scale or zero point.
        InputTypeError: another dtype, or not contiguous.
    """

def dequantize(q: NDArray[np.int8], scale: float, zero_point: int) -> NDArray[np.float32]:
    """(q - zero_point) * scale in float32.

    Args:
        q: contiguous, any shape.
        scale: finite and > 0 as float32.
        zero_point: -128 to 127.

    Returns:
        float32 of the same shape.

    Raises:
        InputError: a bad scale or zero point.
        InputTypeError: another dtype, or not contiguous.
    """
