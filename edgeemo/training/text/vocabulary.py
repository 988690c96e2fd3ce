"""The vocabulary of a recipe: WordPiece (Schuster and Nakajima 2012) on the words the frontend cuts."""

from __future__ import annotations

from collections.abc import Sequence

from ...frontends import TextFrontend, TextSpec

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def train_vocabulary(texts: Sequence[str], spec: TextSpec, size: int) -> list[str]:
    """Return at most ``size`` pieces, ``[PAD]`` first.

    Every text is cut into words by the frontend itself, so that training and device agree on what a word is.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    special = SPECIAL if spec.special_tokens else SPECIAL[:2]
    cutter = TextFrontend(spec, list(SPECIAL))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    lines = [" ".join(cutter.words(text)) for text in texts]
    # the trainer numbers inner letters in the order of a hash map, and numbers break ties between merges:
    # naming them beforehand makes the same texts give the same pieces
    inner = sorted({f"##{letter}" for line in lines for word in line.split() for letter in word[1:]})
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=2, special_tokens=[*special, *inner], show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer, len(lines))
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)
