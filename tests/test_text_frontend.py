"""The text frontend turns texts into words, pieces and counts; hostile texts; threads; committed answers."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import reference_text as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from text_material import (
    SMALL,
    small,
)
from unreadable import reading_all_but_the_beginning_kills

from edgeemo import _core
from edgeemo.frontends import TextFrontend, TextSpec

GOLDEN = Path(__file__).parent / "golden" / "text_frontend.json"


def pieces_of(frontend: TextFrontend, text: str | bytes) -> list[str]:
    encoding = frontend.encode(text)
    return [SMALL[i] for i in encoding.ids[: encoding.n_ids]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Happy birthday", ["happy", "birthday"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("naïve café", ["naive", "cafe"]),
        ("ﬁne ＦＵＬＬ ①", ["fine", "full", "1"]),
        ("I❤you", ["i", "❤", "you"]),
        ("👍🏽👍", ["👍", "👍"]),
        ("👨‍👩‍👧 ❤️ 2️⃣", ["👨", "👩", "👧", "❤", "2"]),
        ("$5 + ^_^", ["$", "5", "+", "^", "_", "^"]),
        ("don't!!", ["don", "'", "t", "!", "!"]),
        ("日本語です", ["日", "本", "語", "てす"]),
        ("한국어", ["한국어"]),
        ("\u1112\u1161\u11ab", ["한"]),
        ("a\x00b\u200ec\ufffdd\u00ade", ["abcde"]),
        ("a\u00a0b\u3000c\u2028d\te", ["a", "b", "c", "d", "e"]),
        ("a\ud800b", ["ab"]),
        ("", []),
        ("\u200d\ufe0f", []),
        (b"\xffa\xc3", ["a"]),
    ],
)
def test_nfkc_words(text: str | bytes, words: list[str]) -> None:
    assert small().words(text) == words
    assert small().normalize(text) == " ".join(words)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("happy", ["happy"]),
        ("unhappyness", ["un", "##happy", "##ness"]),
        ("happyzb", ["happy", "[UNK]", "##b"]),
        ("zi", ["[UNK]", "##i"]),
        ("日本!", ["日", "本", "!"]),
        ("I'm so HAPPY 😀", ["i", "'", "[UNK]", "so", "happy", "😀"]),
        ("[CLS]", ["[UNK]"] * 5),  # a text cannot write a special token
        ("##a", ["[UNK]", "[UNK]", "a"]),
    ],
)
def test_an_unknown_character_is_one_unknown_piece(text: str, pieces: list[str]) -> None:
    assert pieces_of(small(), text) == pieces


def test_a_mark_reaches_its_letter_over_dropped_characters() -> None:
    frontend = small(strip_accents=False)
    assert frontend.words("e\x00\u0301 e\u200d\x01\u0301") == ["é", "é"]
    assert small().words("\u1112\u1161\u0301\u11ab") == ["한"]


def test_an_unknown_word_is_one_unknown_piece_with_unknown_word() -> None:
    frontend = small(unknown="word")
    assert pieces_of(frontend, "happyzb so") == ["[UNK]", "so"]
    assert pieces_of(frontend, "a" * 100)[:2] == ["a", "##a"]
    assert pieces_of(frontend, "a" * 101) == ["[UNK]"]


@pytest.mark.parametrize(
    ("text", "n_words", "n_understood"),
    [
        ("so happy", 2, 2),
        ("so happy!!!", 2, 2),
        ("...?!", 0, 0),
        ("", 0, 0),
        ("so zzz", 2, 1),
        ("happyz", 1, 0),
        ("😀😀", 2, 2),
        ("😡", 1, 0),
        ("ab ba abab", 3, 0),  # cut into single letters: not understood
        ("a i", 2, 2),
        ("日本", 2, 2),
    ],
)
def test_words_are_counted_and_understood(text: str, n_words: int, n_understood: int) -> None:
    encoding = small().encode(text)
    assert (encoding.n_words, encoding.n_understood) == (n_words, n_understood)


def test_a_text_is_cut_and_says_so() -> None:
    frontend = small(length=3)
    exact, cut, padded = frontend.encode("so so so  "), frontend.encode("so so so so"), frontend.encode("so")
    assert (exact.n_ids, exact.truncated, exact.n_words) == (3, False, 3)
    assert (cut.n_ids, cut.truncated, cut.n_words) == (3, True, 3)
    assert (padded.n_ids, padded.truncated, padded.ids.tolist()) == (1, False, [SMALL.index("so"), 0, 0])


def test_batches_give_the_same_rows() -> None:
    frontend = small(length=6)
    batch: list[str | bytes] = ["so happy", b"caf\xc3\xa9", "", "日本 a b a b a b"]
    matrix = frontend.compute_batch(batch)
    assert matrix.shape == (4, 6)
    assert matrix.dtype == np.int32
    for row, text, encoding in zip(matrix, batch, frontend.encode_batch(batch), strict=True):
        np.testing.assert_array_equal(row, frontend.compute(text))
        np.testing.assert_array_equal(row, encoding.ids)
    assert frontend.compute_batch([]).shape == (0, 6)


ILL_FORMED = [  # the Unicode standard, chapter 3.9, tables 3-8 to 3-11, and single cases
    (b"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82A", "8A"),
    (b"\xed\xa0\x80\xed\xbf\xbf\xed\xafA", "8A"),
    (b"\xf4\x91\x92\x93\xffA\x80\xbfB", "5A2B"),
    (b"\xe1\x80\xe2\xf0\x91\x92\xf1\xbfA", "4A"),
    (b"\xc2", "1"),
    (b"\xe2\x82", "1"),
    (b"\xf0\x9f\x98", "1"),
    (b"\xf5\x80\x80\x80", "4"),
    (b"\xf8\x88\x80\x80\x80", "5"),
]


@pytest.mark.parametrize(("data", "shape"), ILL_FORMED, ids=lambda value: ascii(value))
def test_ill_formed_bytes_count_as_replacement_characters_and_are_dropped(data: bytes, shape: str) -> None:
    letters = "".join(c for c in shape if c.isalpha())
    assert small(lowercase=False).normalize(data) == letters
    decoded = reference.to_str(data)
    assert decoded.count("\ufffd") == sum(int(c) for c in shape if c.isdigit())
    assert small(lowercase=False).normalize(decoded) == letters


@given(st.binary(max_size=60))
@settings(max_examples=1000, deadline=None)
def test_any_bytes_are_a_text(data: bytes) -> None:
    spec = TextSpec(normalization="bert")
    assert small(normalization="bert").normalize(data) == reference.normalize(data, spec)


TEN_MEGABYTES: dict[str, str | bytes] = {
    "one word": "a",
    "unknown word": "z",
    "words": "so happy ",
    "spaces": " ",
    "zeros": "\x00",
    "marks": "\u0301",
    "unordered marks": "\u0301\u0323",
    "emoji": "😀",
    "ligatures": "ﷺ",
    "jamo": "\u1161",
    "ill-formed": b"\xff",
}


def ten_megabytes(kind: str) -> bytes:
    unit = TEN_MEGABYTES[kind]
    data = unit if isinstance(unit, bytes) else unit.encode()
    return b"a" + data * (10_000_000 // len(data))


@pytest.mark.parametrize("kind", TEN_MEGABYTES)
@pytest.mark.parametrize("strip_accents", [True, False], ids=["strip", "keep"])
@pytest.mark.parametrize("unknown", ["character", "word"])
def test_ten_megabytes_finish(kind: str, unknown: str, strip_accents: bool) -> None:
    """Work that grew with the square of the length would take hours."""
    frontend, text = small(unknown=unknown, strip_accents=strip_accents), ten_megabytes(kind)
    encoding = frontend.encode(text)
    assert encoding.truncated or encoding.n_ids == 1


@pytest.mark.parametrize("kind", ["one word", "unknown word", "words", "emoji", "ligatures"])
def test_work_stops_when_the_ids_are_full(kind: str) -> None:
    frontend, text = small(), ten_megabytes(kind)
    assert frontend.encode(text).truncated
    assert not reading_all_but_the_beginning_kills(frontend.encode, text)


def test_work_that_goes_on_would_be_seen() -> None:
    """Spaces fill no ids, so all of them are read."""
    assert reading_all_but_the_beginning_kills(small().encode, ten_megabytes("spaces"))


def test_eight_threads_get_the_same_answers() -> None:
    frontend = small()
    rng = random.Random(1)
    batch = ["".join(rng.choices("ab so happy ness 😀日本é́", k=60)) for _ in range(500)]
    expected = frontend.compute_batch(batch)
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: frontend.compute_batch(batch), range(40)):
            np.testing.assert_array_equal(result, expected)


def test_other_threads_run_while_it_works() -> None:
    frontend, text = small(), b"\x00" * 40_000_000
    began, done = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        frontend.compute(text)
        done.set()

    thread = threading.Thread(target=work)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        thread.start()
        began.wait()
        turns = 0
        while not done.is_set():
            time.sleep(0)
            turns += 1
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    assert turns > 50  # with the GIL held there would be a handful, before and after the call


def test_goldens_hold() -> None:
    """Ids and digests that releases have given; a change here is a change of TEXT_FRONTEND_VERSION."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["version"] == _core.TEXT_FRONTEND_VERSION
    for case in golden["cases"]:
        spec = TextSpec.from_dict(case["spec"])
        assert spec.digest == case["digest"]
        frontend = TextFrontend(spec, golden["vocab"])
        assert frontend.compute_batch(golden["texts"]).tolist() == case["ids"]
