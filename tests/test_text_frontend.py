"""The text frontend against Hugging Face, against its slow twin, and at its borders."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import reference
import unicodedata2 as ucd
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, processors, trainers

from edgeemo import _core
from edgeemo.errors import BundleError, BundleMismatchError, InputTypeError, SpecError
from edgeemo.frontends import Encoding, TextFrontend, TextSpec, frontend_for

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
PIECES = (
    "happy un ##happy ##ness hap a b ##a ##b i ##i ##ı so the straße strasse café cafe "
    "이 한국 日 本 か ##な радость 😀 👍 ! ? . , '"
)
SMALL = SPECIAL + PIECES.split()
GOLDEN = Path(__file__).parent / "golden" / "text_frontend.json"
SCRIPT = Path(__file__).parent.parent / "cpp" / "tools" / "make_unicode_tables.py"
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


def assert_same(ours: Encoding, twin: reference.Encoding) -> None:
    assert ours.ids.tolist() == twin.ids
    assert (ours.n_ids, ours.n_words) == (twin.n_ids, twin.n_words)
    assert (ours.n_understood, ours.truncated) == (twin.n_understood, twin.truncated)


def pieces_of(frontend: TextFrontend, text: str | bytes) -> list[str]:
    encoding = frontend.encode(text)
    return [SMALL[i] for i in encoding.ids[: encoding.n_ids]]


# --- identity with Hugging Face ------------------------------------------------------------------------


def real_lines(folder: Path, most: int = 6000) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for path in sorted(folder.glob("xed/projections/*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines[path.name[:2]] = [line.split("\t")[0] for line in file][:most]
    for path in sorted(folder.glob("brighter/track_a/train/*.gz")):
        rows = csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode("utf-8")))
        lines.setdefault(path.name[:3], []).extend(row["text"] for row in rows)
    with gzip.open(folder / "goemotions" / "train.tsv.gz", "rt", encoding="utf-8") as file:
        lines["goemotions"] = [line.split("\t")[0] for line in file][:20000]
    return lines


@pytest.fixture(scope="module")
def lines(data_dir: Callable[[str], Path]) -> dict[str, list[str]]:
    return real_lines(data_dir("text"))


@pytest.fixture(scope="module")
def multilingual(lines: dict[str, list[str]]) -> list[str]:
    """60,000 pieces trained on the lines."""
    tokenizer = hugging_face(SPECIAL, TextSpec(normalization="bert"))
    trainer = trainers.WordPieceTrainer(
        vocab_size=60_000, special_tokens=SPECIAL, show_progress=False, limit_alphabet=8000
    )
    tokenizer.train_from_iterator((line for group in lines.values() for line in group), trainer)
    return [piece for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]


def test_ids_are_those_of_hugging_face_on_real_lines_of_many_languages(
    lines: dict[str, list[str]], multilingual: list[str], record_property: Callable[[str, object], None]
) -> None:
    spec = TextSpec(normalization="bert", unknown="word", length=512)
    ours, theirs = TextFrontend(spec, multilingual), hugging_face(multilingual, spec)
    total, unknown = 0, 0
    for group in lines.values():
        for line, expected in zip(group, theirs.encode_batch_fast(group), strict=True):
            encoding = ours.encode(line)
            assert encoding.ids[: encoding.n_ids].tolist() == expected.ids[:512], ascii(line)
            total += len(expected.ids)
            unknown += expected.ids.count(1)
    count = sum(map(len, lines.values()))
    record_property("lines", count)
    record_property("languages", len(lines))
    record_property("unknown", unknown / total)
    assert count >= 50_000
    assert len(lines) >= 15
    assert unknown / total <= 0.02


@given(texts)
@settings(max_examples=300, deadline=None)
def test_ids_are_those_of_hugging_face_on_any_text(text: str) -> None:
    for spec in BERT:
        spec = TextSpec.from_dict(spec.to_dict() | {"unknown": "word", "length": 4096})
        encoding = TextFrontend(spec, SMALL).encode(text)
        theirs = hugging_face(SMALL, spec).encode(reference.to_str(text))
        assert encoding.ids[: encoding.n_ids].tolist() == theirs.ids


@pytest.mark.parametrize("spec", BERT, ids=described)
def test_bert_normalization_is_that_of_hugging_face_for_every_code_point(spec: TextSpec) -> None:
    """There is no exception: unassigned and private code points included."""
    frontend, normalizer = TextFrontend(spec, SMALL), reference.bert_normalizer(spec)
    step = 1000  # joined by letters, so that every character stands inside a word
    for start in range(0, len(CHARACTERS), step):
        text = "a".join(CHARACTERS[start : start + step])
        normal = normalizer.normalize_str(text)
        assert frontend.normalize(text) == normal, f"U+{ord(CHARACTERS[start]):04X} …"
        assert frontend.words(text) == [word for word, _ in reference.BERT_CUT.pre_tokenize_str(normal)]


@given(texts)
@settings(max_examples=500, deadline=None)
def test_bert_normalization_is_that_of_hugging_face_on_any_text(text: str) -> None:
    for spec in BERT:
        frontend = TextFrontend(spec, SMALL)
        assert frontend.normalize(text) == reference.normalize(text, spec)
        assert frontend.words(text) == reference.words(text, spec)


@pytest.mark.parametrize("length", [3, 4, 7, 64])
@pytest.mark.parametrize("text", ["", "happy", "unhappyness so so the", "unhappyness zzz unhappyness"])
def test_special_tokens_and_truncation_are_those_of_hugging_face(text: str, length: int) -> None:
    spec = TextSpec(normalization="bert", unknown="word", special_tokens=True, length=length)
    theirs = hugging_face(SMALL, spec)
    theirs.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    theirs.enable_truncation(length)
    theirs.enable_padding(length=length, pad_id=0, pad_token="[PAD]")
    assert TextFrontend(spec, SMALL).compute(text).tolist() == theirs.encode(text).ids


# --- identity with the twin ----------------------------------------------------------------------------


@tables_match
@pytest.mark.parametrize("spec", NFKC, ids=described)
def test_nfkc_words_are_those_of_the_twin_for_every_code_point(spec: TextSpec) -> None:
    frontend = TextFrontend(spec, SMALL)
    step = 1000
    for start in range(0, len(CHARACTERS), step):
        text = "x".join(CHARACTERS[start : start + step])
        assert frontend.words(text) == reference.words(text, spec), f"U+{ord(CHARACTERS[start]):04X} …"


@tables_match
@given(texts)
@settings(max_examples=1000, deadline=None)
def test_nfkc_words_are_those_of_the_twin_on_any_text(text: str) -> None:
    for spec in NFKC:
        assert TextFrontend(spec, SMALL).words(text) == reference.words(text, spec)


@tables_match
@given(
    st.one_of(texts, word_like, st.binary(max_size=40)),
    st.sampled_from(SWITCHES),
    st.sampled_from(["character", "word"]),
    st.booleans(),
    st.integers(3, 20),
)
@settings(max_examples=1500, deadline=None)
def test_ids_and_counts_are_those_of_the_twin(
    text: str | bytes, switches: TextSpec, unknown: str, special_tokens: bool, length: int
) -> None:
    more = {"unknown": unknown, "special_tokens": special_tokens, "length": length}
    spec = TextSpec.from_dict(switches.to_dict() | more)
    assert_same(TextFrontend(spec, SMALL).encode(text), reference.encode(text, spec, SMALL))


@tables_match
def test_long_words_give_what_the_twin_gives() -> None:
    """Longer than the buffer in which a word is cut."""
    rng = random.Random(0)
    for _ in range(20):
        text = "".join(rng.choice(["happy", "hap", "a", "ж", "ness", "́"]) for _ in range(4000))
        spec = TextSpec(length=4096, strip_accents=False)
        assert_same(TextFrontend(spec, SMALL).encode(text), reference.encode(text, spec, SMALL))


@given(texts)
@settings(max_examples=1000, deadline=None)
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    for spec in NFKC:
        frontend = TextFrontend(spec, SMALL)
        once = frontend.normalize(text)
        assert frontend.normalize(once) == once
        assert once.split(" ") == (frontend.words(text) or [""])


# --- what the words mean -------------------------------------------------------------------------------


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
        ("[CLS]", ["[UNK]"] * 5),  # written in a text it is no special token
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


# --- ill-formed, enormous and hostile texts ------------------------------------------------------------

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
def test_ten_megabytes_finish_promptly(kind: str, unknown: str, strip_accents: bool) -> None:
    frontend, text = small(unknown=unknown, strip_accents=strip_accents), ten_megabytes(kind)
    start = time.perf_counter()
    encoding = frontend.encode(text)
    assert time.perf_counter() - start < 2.0
    assert encoding.truncated or encoding.n_ids == 1


@pytest.mark.parametrize("kind", ["one word", "unknown word", "words", "emoji", "ligatures"])
def test_work_stops_when_the_ids_are_full(kind: str) -> None:
    text, seconds = ten_megabytes(kind), []
    for _ in range(5):
        start = time.perf_counter()
        assert small().encode(text).truncated
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.001


@pytest.mark.slow
def test_the_tables_are_what_their_script_writes() -> None:
    found = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    if found.returncode == 2:
        pytest.skip(found.stdout.strip())
    assert found.returncode == 0, found.stdout + found.stderr


# --- threads -------------------------------------------------------------------------------------------


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


# --- spec and vocabulary -------------------------------------------------------------------------------


def test_a_spec_is_a_value() -> None:
    spec = TextSpec(length=32, unknown="word")
    assert spec == TextSpec.from_dict(spec.to_dict())
    assert spec != TextSpec()
    assert len({spec, TextSpec(length=32, unknown="word"), TextSpec()}) == 2
    assert repr(spec) == (
        "TextSpec(length=32, lowercase=True, normalization='nfkc', special_tokens=False, strip_accents=True, "
        "unknown='word')"
    )
    assert spec.output == ((32,), "int32")
    with pytest.raises(AttributeError):
        spec.length = 3  # type: ignore[misc]


def test_digests_tell_all_specs_apart() -> None:
    specs = [
        TextSpec.from_dict(s.to_dict() | {"unknown": u, "special_tokens": t, "length": n})
        for s, u, t, n in product(SWITCHES, ("character", "word"), (False, True), (47, 48))
    ]
    assert len({spec.digest for spec in specs}) == len(specs)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"length": 0}, r"length must be in \[1, 4096\], got 0"),
        ({"length": 4097}, "got 4097"),
        ({"length": 10**30}, "length"),
        ({"length": True}, "length must be an int, got bool"),
        ({"length": 48.0}, "length must be an int, got float"),
        ({"length": 2, "special_tokens": True}, r"\[3, 4096\] with special_tokens"),
        ({"lowercase": 1}, "lowercase must be a bool, got int"),
        ({"normalization": "nfc"}, "normalization must be 'nfkc' or 'bert', got 'nfc'"),
        ({"normalization": None}, "normalization must be a str, got NoneType"),
        ({"unknown": "piece"}, "unknown must be 'character' or 'word'"),
        ({"lenght": 48}, "unknown key 'lenght' in a TextSpec; the keys are length, lowercase"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(fields: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        TextSpec(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=says):
        TextSpec.from_dict(fields)


@pytest.mark.parametrize(
    ("vocab", "says"),
    [
        ([], "empty"),
        (["[UNK]", "a"], r"no \[PAD\]"),
        (["[PAD]", "a"], r"no \[UNK\]"),
        (["[PAD]", "[UNK]", "a", "a"], "'a' stands twice"),
        (["[PAD]", "[UNK]", "##a", "##a"], "'##a' stands twice"),
        (["[PAD]", "[UNK]", ""], "piece 2 is empty"),
        (["[PAD]", "[UNK]", "\ud800"], "piece 2 is not valid UTF-8"),
        (["[PAD]", "[UNK]", "a" * 1025], "1025 bytes"),
        (list(map(str, range(1_000_001))), "1000001 pieces"),
    ],
    ids=str,
)
def test_a_bad_vocabulary_says_what_is_wrong(vocab: list[str], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        TextFrontend(TextSpec(), vocab)


def test_special_tokens_must_be_in_the_vocabulary() -> None:
    TextFrontend(TextSpec(), ["[PAD]", "[UNK]"])
    with pytest.raises(SpecError, match=r"no \[CLS\]"):
        TextFrontend(TextSpec(special_tokens=True), ["[PAD]", "[UNK]", "[SEP]"])


@pytest.mark.parametrize("wrong", [None, 3, ["a"], bytearray(b"a"), np.str_])
def test_what_is_no_text_is_refused(wrong: object) -> None:
    frontend = small()
    for method in (frontend.compute, frontend.encode, frontend.normalize, frontend.words):
        with pytest.raises(InputTypeError, match="expected str or bytes, got"):
            method(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["one text", b"one text", None, {"a"}])
def test_what_is_no_batch_is_refused(wrong: object) -> None:
    for method in (small().compute_batch, small().encode_batch):
        with pytest.raises(InputTypeError, match="expected a sequence of str or bytes, got"):
            method(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected str or bytes, got int"):
        small().compute_batch(["a", 1])  # type: ignore[list-item]


def test_a_card_makes_a_frontend() -> None:
    spec, assets = TextSpec(length=5).to_dict(), {"vocab.txt": "\n".join([*SMALL, ""]).encode()}
    frontend = frontend_for("text", spec, assets)
    assert (frontend.vocab_size, frontend.spec.length) == (len(SMALL), 5)
    np.testing.assert_array_equal(frontend.compute("so 日"), small(length=5).compute("so 日"))
    with pytest.raises(BundleError, match=r"no vocab\.txt"):
        frontend_for("text", spec, {})
    with pytest.raises(BundleError, match="not UTF-8"):
        frontend_for("text", spec, {"vocab.txt": b"\xff"})
    with pytest.raises(SpecError, match="carriage returns"):
        frontend_for("text", spec, {"vocab.txt": b"[PAD]\r\n[UNK]\r\n"})
    with pytest.raises(SpecError, match="empty"):
        frontend_for("text", spec, {"vocab.txt": b""})
    with pytest.raises(BundleMismatchError, match="'voice'"):
        frontend_for("voice", spec, assets)


# --- the committed answers -----------------------------------------------------------------------------


def test_goldens_hold() -> None:
    """Ids and digests that releases have given; a change here is a change of TEXT_FRONTEND_VERSION."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["version"] == _core.TEXT_FRONTEND_VERSION
    for case in golden["cases"]:
        spec = TextSpec.from_dict(case["spec"])
        assert spec.digest == case["digest"]
        frontend = TextFrontend(spec, golden["vocab"])
        assert frontend.compute_batch(golden["texts"]).tolist() == case["ids"]
