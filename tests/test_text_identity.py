"""The text frontend gives the ids of Hugging Face and of the slow reference."""

from __future__ import annotations

import csv
import gzip
import io
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import reference_text as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from text_material import (
    BERT,
    CHARACTERS,
    NFKC,
    SMALL,
    SPECIAL,
    SWITCHES,
    described,
    hugging_face,
    tables_match,
    texts,
    word_like,
)
from tokenizers import processors, trainers

from edgeemo.frontends import Encoding, TextFrontend, TextSpec

SCRIPT = Path(__file__).parent.parent / "cpp" / "tools" / "make_unicode_tables.py"


def assert_same(ours: Encoding, expected: reference.Encoding) -> None:
    assert ours.ids.tolist() == expected.ids
    assert (ours.n_ids, ours.n_words) == (expected.n_ids, expected.n_words)
    assert (ours.n_understood, ours.truncated) == (expected.n_understood, expected.truncated)


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


@tables_match
@pytest.mark.parametrize("spec", NFKC, ids=described)
def test_nfkc_words_are_those_of_the_reference_for_every_code_point(spec: TextSpec) -> None:
    frontend = TextFrontend(spec, SMALL)
    step = 1000
    for start in range(0, len(CHARACTERS), step):
        text = "x".join(CHARACTERS[start : start + step])
        assert frontend.words(text) == reference.words(text, spec), f"U+{ord(CHARACTERS[start]):04X} …"


@tables_match
@given(texts)
@settings(max_examples=1000, deadline=None)
def test_nfkc_words_are_those_of_the_reference_on_any_text(text: str) -> None:
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
def test_ids_and_counts_are_those_of_the_reference(
    text: str | bytes, switches: TextSpec, unknown: str, special_tokens: bool, length: int
) -> None:
    more = {"unknown": unknown, "special_tokens": special_tokens, "length": length}
    spec = TextSpec.from_dict(switches.to_dict() | more)
    assert_same(TextFrontend(spec, SMALL).encode(text), reference.encode(text, spec, SMALL))


@tables_match
def test_long_words_give_what_the_reference_gives() -> None:
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


@pytest.mark.slow
def test_the_tables_are_what_their_script_writes() -> None:
    found = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    if found.returncode == 2:
        pytest.skip(found.stdout.strip())
    assert found.returncode == 0, found.stdout + found.stderr
