"""Vocabulary, specs and texts that the tests of the text frontend share."""

from __future__ import annotations

import sys
from itertools import product

import pytest
import reference_text as reference
import unicodedata2 as ucd
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from edgeemo import _core
from edgeemo.frontends import TextFrontend, TextSpec

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
PIECES = (
    "happy un ##happy ##ness hap a b ##a ##b i ##i ##ı so the straße strasse café cafe "
    "이 한국 日 本 か ##な радость 😀 👍 ! ? . , '"
)
SMALL = SPECIAL + PIECES.split()
CHARACTERS = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
SWITCHES = [
    TextSpec.from_dict({"normalization": n, "lowercase": low, "strip_accents": strip})
    for n, low, strip in product(("nfkc", "bert"), (True, False), (True, False))
]
NFKC = [spec for spec in SWITCHES if spec.normalization == "nfkc"]
BERT = [spec for spec in SWITCHES if spec.normalization == "bert"]

tables_match = pytest.mark.skipif(
    ucd.unidata_version != _core.UNICODE_VERSION,
    reason=f"the tables are of Unicode {_core.UNICODE_VERSION}, unicodedata2 is of {ucd.unidata_version}",
)

# Any characters, with those that combine, join, disappear or break more often than chance would have it.
difficult = st.sampled_from(
    "\x00\t\n\x85\xad\u0300\u0301\u0323\u0327\u0338\u0345\u0301\u05b0\u0653\u093c\u09be\u09c7\u0b56\u1100\u1161\u11a8"
    "가각\u200d\u200e\u20e3\u302e\u3099\ufe0f\ufffd\U0001d165\U0001d157\U0001f3fd😀👍🏽=<>´¨½ﬁﷺẞßİıŉΐΣς①日ｶﾞ豈"
)
texts = st.one_of(
    st.text(difficult, max_size=12),
    st.text(st.one_of(difficult, st.characters(), st.characters(max_codepoint=0x17F)), max_size=40),
)
word_like = st.text(st.sampled_from("abi ısohpynetu!.,😀日か́\u0301¨x"), max_size=60)


def described(spec: TextSpec) -> str:
    return f"{spec.normalization}-{'lower' * spec.lowercase}-{'strip' * spec.strip_accents}"


def small(**fields: object) -> TextFrontend:
    return TextFrontend(TextSpec(**fields), SMALL)  # type: ignore[arg-type]


def hugging_face(pieces: list[str], spec: TextSpec) -> Tokenizer:
    ids = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = reference.bert_normalizer(spec)
    tokenizer.pre_tokenizer = reference.BERT_CUT
    return tokenizer
