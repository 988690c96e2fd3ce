"""The text frontend beside Hugging Face tokenizers: the same ids, in the same run.

Run with ``pytest benchmarks/bench_frontends.py``. The pieces are trained on the sentences of this
file. Theirs is timed at its lightest: `encode` without truncation, padding or conversion of the result.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from edgeemo.frontends import TextFrontend, TextSpec

ENGLISH = [
    "I can't believe how kind everybody was to me yesterday; it made my whole week, and I keep smiling "
    "when I think of the little cake they had baked.",
    "Honestly, I'm furious: three phone calls, two letters, and still nobody at the office can tell me "
    "where my parcel went or when it will come back.",
    "We sat by the window until midnight, not saying much, and I understood for the first time that she"
    " would not be coming home with us this winter.",
    "What a match! Our goalkeeper stopped the last penalty with one hand, the whole street was singing,"
    " and my grandfather cried like a small child.",
    "There was a noise in the cellar again last night, and although I know it is only the old pipes, I "
    "lay awake with the light on until it was six.",
    "The meeting starts at 10:30 in room 214; please bring the printed agenda, the figures for March "
    "and April, and a pen, because we will vote on it.",
]
MULTILINGUAL = [
    "Ich kann kaum glauben, wie schön das gestern war – danke für alles! 😀",
    "Je suis vraiment déçu, ça fait déjà trois fois que le train est annulé.",
    "Это был лучший день в моей жизни, спасибо вам огромное за подарок!",
    "今日はとても悲しい一日でした。早く家に帰りたいです。",
    "오늘은 정말 행복한 하루였어요, 모두 고마워요!",
    "أنا سعيد جدا بهذا الخبر، شكرا لكم جميعا",
    "मुझे आज बहुत गुस्सा आ रहा है, कोई भी मेरी बात नहीं सुनता।",
    "Bugün çok mutluyum, çünkü kardeşim nihayet eve döndü.",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
SAMPLES = {"english": ENGLISH, "multilingual": MULTILINGUAL}
LENGTH = 64
AT_LEAST = 10.0  # times faster than tokenizers on English sentences


def tokenizer(model: models.WordPiece) -> Tokenizer:
    made = Tokenizer(model)
    made.normalizer = normalizers.BertNormalizer(strip_accents=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


@pytest.fixture(scope="module")
def pieces() -> list[str]:
    trained = tokenizer(models.WordPiece(unk_token="[UNK]"))
    trainer = trainers.WordPieceTrainer(vocab_size=1200, special_tokens=SPECIAL, show_progress=False)
    trained.train_from_iterator(ENGLISH + MULTILINGUAL, trainer)
    return [piece for piece, _ in sorted(trained.get_vocab().items(), key=lambda item: item[1])]


@pytest.fixture(scope="module")
def theirs(pieces: list[str]) -> Callable[[str], Any]:
    ids = {piece: i for i, piece in enumerate(pieces)}
    encode = tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100)).encode
    return encode


@pytest.fixture(scope="module")
def frontend(pieces: list[str]) -> TextFrontend:
    return TextFrontend(TextSpec(normalization="bert", unknown="word", length=LENGTH), pieces)


def seconds_a_call(call: Callable[[str], object], texts: list[str], calls: int = 300) -> float:
    start = time.perf_counter()
    for _, text in zip(range(calls), cycle(texts), strict=False):
        call(text)
    return (time.perf_counter() - start) / calls


def interleaved_ratio(
    ours: Callable[[str], object], theirs: Callable[[str], object], texts: list[str]
) -> tuple[float, float, float]:
    """Median microseconds of both and the median of the ratios of neighbouring rounds."""
    rounds = [(seconds_a_call(ours, texts), seconds_a_call(theirs, texts)) for _ in range(15)]
    us = [statistics.median(column) * 1e6 for column in zip(*rounds, strict=True)]
    return us[0], us[1], statistics.median(b / a for a, b in rounds)


@pytest.mark.parametrize("sample", SAMPLES)
def test_edgeemo_bert(
    benchmark: Any, frontend: TextFrontend, theirs: Callable[[str], Any], sample: str
) -> None:
    texts = SAMPLES[sample]
    for text in texts:
        ids = theirs(text).ids
        assert frontend.compute(text).tolist() == ids + [0] * (LENGTH - len(ids))
    _, _, ratio = interleaved_ratio(frontend.compute, theirs, texts)
    benchmark.extra_info["times faster than tokenizers"] = round(ratio, 1)
    source = cycle(texts)
    benchmark(lambda: frontend.compute(next(source)))


@pytest.mark.parametrize("sample", SAMPLES)
def test_edgeemo_nfkc(benchmark: Any, pieces: list[str], sample: str) -> None:
    frontend = TextFrontend(TextSpec(length=LENGTH), pieces)
    source = cycle(SAMPLES[sample])
    assert frontend.encode(SAMPLES[sample][0]).n_understood > 5
    benchmark(lambda: frontend.encode(next(source)))


@pytest.mark.parametrize("sample", SAMPLES)
def test_tokenizers(benchmark: Any, theirs: Callable[[str], Any], sample: str) -> None:
    source = cycle(SAMPLES[sample])
    assert 1 not in theirs(SAMPLES[sample][0]).ids
    benchmark(lambda: theirs(next(source)))


@pytest.mark.parametrize(("sample", "at_least"), [("english", AT_LEAST), ("multilingual", 1.0)])
def test_edgeemo_is_faster_by(
    frontend: TextFrontend, theirs: Callable[[str], Any], sample: str, at_least: float
) -> None:
    ours_us, theirs_us, ratio = interleaved_ratio(frontend.compute, theirs, SAMPLES[sample])
    print(f"{sample}: edgeemo {ours_us:.2f} us, tokenizers {theirs_us:.1f} us, {ratio:.1f} times")
    assert ratio >= at_least
