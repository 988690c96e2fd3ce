"""A slow, clear reference of the text frontend and of the int8 rule, written from the definitions.

The module uses `unicodedata2` instead of our tables. The reference of `bert` normalisation is Hugging Face
`tokenizers`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import unicodedata2 as ucd
from numpy.typing import NDArray
from tokenizers import normalizers, pre_tokenizers

from edgeemo.frontends import TextSpec

SPACES = "\t\n\v\f\r\x85\u2028\u2029"
EMOJI_MODIFIERS = {
    *map(chr, range(0x1F3FB, 0x1F400)),  # skin tones
    *map(chr, range(0xFE00, 0xFE10)),  # variation selectors
    *map(chr, range(0xE0100, 0xE01F0)),
    "\u20e3",  # keycap
}
BERT_LOWER = normalizers.BertNormalizer(
    clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=True
)
BERT_CUT = pre_tokenizers.BertPreTokenizer()


def to_str(text: str | bytes) -> str:
    """The characters of a text; ill-formed bytes are U+FFFD, one for each maximal subpart."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "replace")


def is_space(c: str) -> bool:
    return c in SPACES or ucd.category(c) == "Zs"


def is_dropped(c: str) -> bool:
    if is_space(c):
        return False
    return ucd.category(c) in ("Cc", "Cf", "Co", "Cs") or c in EMOJI_MODIFIERS or c == "\ufffd"


def is_punctuation(c: str) -> bool:
    return str(ucd.category(c)).startswith("P")


def stands_alone(c: str) -> bool:
    """Punctuation, symbols, what Unicode has not assigned yet (the next emoji), ideographs."""
    ideograph = ucd.name(c, "").startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH"))
    return ucd.category(c)[0] in "PS" or ucd.category(c) == "Cn" or ideograph


def fold(c: str) -> str:
    """Full case folding, of letters younger than this Python by `tokenizers`."""
    return c.casefold() if unicodedata.category(c) != "Cn" else str(BERT_LOWER.normalize_str(c))


@cache
def expanded(c: str, lowercase: bool, strip_accents: bool) -> str:
    """One character decomposed, cleaned and folded, until nothing changes."""
    result = ""
    for d in ucd.normalize("NFKD", c):
        if not is_dropped(d) and not (strip_accents and ucd.category(d) == "Mn"):
            result += fold(d) if lowercase else d
    return result if result == c else "".join(expanded(d, lowercase, strip_accents) for d in result)


def nfkc_words(text: str, spec: TextSpec) -> list[str]:
    kept = (expanded(c, spec.lowercase, spec.strip_accents) for c in text if not is_dropped(c))
    composed = ucd.normalize("NFC", "".join(kept))
    apart = "".join(" " if is_space(c) else f" {c} " if stands_alone(c) else c for c in composed)
    return [word for word in apart.split(" ") if word]


def bert_normalizer(spec: TextSpec) -> normalizers.Normalizer:
    return normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=True,
        strip_accents=spec.strip_accents,
        lowercase=spec.lowercase,
    )


def words(text: str | bytes, spec: TextSpec) -> list[str]:
    if spec.normalization == "nfkc":
        return nfkc_words(to_str(text), spec)
    normal = bert_normalizer(spec).normalize_str(to_str(text))
    return [word for word, _ in BERT_CUT.pre_tokenize_str(normal)]


def normalize(text: str | bytes, spec: TextSpec) -> str:
    if spec.normalization == "nfkc":
        return " ".join(words(text, spec))
    return str(bert_normalizer(spec).normalize_str(to_str(text)))


def wordpiece(word: str, vocab: dict[str, int], unknown: str) -> list[str]:
    """Greedy longest match."""
    if unknown == "word" and len(word) > 100:
        return ["[UNK]"]
    longest = max(map(len, vocab))
    pieces, at = [], 0
    while at < len(word):
        prefix = "##" if at else ""
        for size in range(min(longest, len(word) - at), 0, -1):
            if prefix + word[at : at + size] in vocab:
                pieces.append(prefix + word[at : at + size])
                at += size
                break
        else:
            if unknown == "word":
                return ["[UNK]"]
            pieces.append("[UNK]")
            at += 1
    return pieces


def has_content(piece: str, spec: TextSpec) -> bool:
    punctuation = is_punctuation if spec.normalization == "nfkc" else is_bert_punctuation
    return any(ucd.category(c)[0] != "M" and not punctuation(c) for c in piece.removeprefix("##"))


def is_bert_punctuation(c: str) -> bool:
    return len(BERT_CUT.pre_tokenize_str(f"a{c}b")) == 3


def is_understood(word: str, kept: list[str], spec: TextSpec) -> bool:
    if "[UNK]" in kept or not any(has_content(piece, spec) for piece in kept):
        return False
    return len(word) == 1 or any(len(piece.removeprefix("##")) > 1 for piece in kept)


@dataclass
class Encoding:
    ids: list[int]
    n_ids: int
    n_words: int
    n_understood: int
    truncated: bool


def encode(text: str | bytes, spec: TextSpec, pieces: list[str]) -> Encoding:
    vocab = {piece: i for i, piece in enumerate(pieces)}
    room = spec.length - 2 if spec.special_tokens else spec.length
    result = Encoding([], 0, 0, 0, False)
    for word in words(text, spec):
        cut = wordpiece(word, vocab, spec.unknown)
        kept = cut[: room - len(result.ids)]
        result.ids += [vocab[piece] for piece in kept]
        punctuation = is_punctuation if spec.normalization == "nfkc" else is_bert_punctuation
        if kept and not all(map(punctuation, word)):
            result.n_words += 1
            result.n_understood += is_understood(word, kept, spec)
        if len(kept) < len(cut):
            result.truncated = True
            break
    if spec.special_tokens:
        result.ids = [vocab["[CLS]"], *result.ids, vocab["[SEP]"]]
    result.n_ids = len(result.ids)
    result.ids += [vocab["[PAD]"]] * (spec.length - result.n_ids)
    return result


def quantize(x: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[np.int8]:
    with np.errstate(over="ignore"):
        steps = np.rint(np.asarray(x, np.float32) / np.float32(scale))  # rint rounds half to even
    return np.asarray(np.clip(steps.astype(np.float64) + zero_point, -128, 127), np.int8)
