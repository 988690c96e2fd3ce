"""Hugging Face tokenizers beside the text frontend: BERT's normalizer and WordPiece, the same ids.

The pieces are trained on the sentences of this file. The peer is timed at its fastest: `encode_batch_fast`
of one text, without truncation, padding or conversion of the result. This function leaves out the offsets,
which takes a sixth less time than `encode`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
AT_LEAST = {"english": 10.0, "multilingual": 10.0}
"""How many times as long theirs must take, in processor time."""


def tokenizer(model: models.WordPiece) -> Tokenizer:
    made = Tokenizer(model)
    made.normalizer = normalizers.BertNormalizer(strip_accents=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def trained_pieces() -> list[str]:
    """Return 1,200 pieces of all sentences, in the order of their ids."""
    trained = tokenizer(models.WordPiece(unk_token="[UNK]"))
    trainer = trainers.WordPieceTrainer(vocab_size=1200, special_tokens=SPECIAL, show_progress=False)
    trained.train_from_iterator(ENGLISH + MULTILINGUAL, trainer)
    return [piece for piece, _ in sorted(trained.get_vocab().items(), key=lambda item: item[1])]


def their_encode(pieces: list[str]) -> Callable[[str], Any]:
    """Return `Tokenizer.encode_batch_fast` of one text, with these pieces."""
    ids = {piece: i for i, piece in enumerate(pieces)}
    encode = tokenizer(
        models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100)
    ).encode_batch_fast
    return lambda text: encode([text])[0]


def our_frontend(pieces: list[str]) -> TextFrontend:
    """Return the frontend that is BERT's."""
    return TextFrontend(TextSpec(normalization="bert", unknown="word", length=LENGTH), pieces)


def assert_equal(ours: TextFrontend, theirs: Callable[[str], Any], texts: list[str]) -> None:
    """Both give the same ids of every text."""
    for text in texts:
        ids = theirs(text).ids
        assert ours.compute(text).tolist() == ids + [0] * (LENGTH - len(ids)), text


def each_of(function: Callable[[str], object], texts: list[str]) -> Callable[[], None]:
    """Return a call that goes through all texts once."""

    def call() -> None:
        for text in texts:
            function(text)

    return call
