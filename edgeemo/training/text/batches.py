"""The data of text recipes: examples, vocabulary, frontend, and batches of ids and targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...data.catalog import DATASETS, load
from ...data.leaks import digest
from ...data.manifest import Example
from ...frontends import TextFrontend, TextSpec
from ...types import FloatArray
from ..batches import Batch, trim_padding
from ..recipe import Recipe

Ids = npt.NDArray[np.int32]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclass(frozen=True)
class TextBatches:
    """Ids ``(n, length)`` padded with 0, and per head a target ``(n, k)`` where NaN means "not annotated".

    With ``vary_length`` texts of similar length share a batch, which is trimmed to the longest of them.
    """

    ids: Ids
    heads: dict[str, FloatArray]
    vary_length: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """See `edgeemo.training.batches.BatchSource`."""
        n = len(self)
        order = np.arange(n) if rng is None else rng.permutation(n)
        if rng is not None and self.vary_length:
            lengths, many = (self.ids != 0).sum(1), size * 40
            parts = np.split(order, range(many, n, many))
            order = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in parts])
        rows = np.split(order, range(size, n, size))
        if rng is not None:
            rng.shuffle(rows)
        for chosen in rows:
            ids = self.ids[chosen]
            yield (
                trim_padding(ids) if self.vary_length else ids,
                {head: target[chosen] for head, target in self.heads.items()},
            )


@dataclass(frozen=True)
class TextData:
    """The examples of a recipe, split, and their frontend.

    ``fit`` and ``valid`` map a data set's name to its examples. ``dev`` and ``test`` belong to the set of the
    labels; ``test`` is empty unless the recipe names a test split. Neither ``fit`` nor ``valid`` holds a text
    of ``dev`` or of the affect set's development part.
    """

    recipe: Recipe
    fit: dict[str, list[Example]]
    valid: dict[str, list[Example]]
    dev: list[Example]
    test: list[Example]
    frontend: TextFrontend
    vocabulary: list[str]

    @property
    def texts(self) -> list[str]:
        """The texts that weights may be fitted to, in the order of `targets`."""
        return [e.text or "" for examples in self.fit.values() for e in examples]

    def heads(self, auxiliary: bool) -> dict[str, int]:
        """Return the size of each head; ``auxiliary`` adds one for every auxiliary set, for a teacher."""
        data = self.recipe.data
        sizes = {"labels": len(DATASETS[data["labels"]].labels)}
        if data.get("affect"):
            sizes["affect"] = 2
        if auxiliary:
            sizes |= {name: len(DATASETS[name].labels) for name in data.get("auxiliary", [])}
        return sizes

    def targets(
        self, part: dict[str, list[Example]], frontend: TextFrontend, heads: dict[str, int]
    ) -> TextBatches:
        """Return ids and targets of one part: each set has targets for its own head; the others are NaN."""
        ids, rows = [], {head: [] for head in heads}  # type: ignore[var-annotated]
        for name, examples in part.items():
            ids.append(frontend.compute_batch([e.text or "" for e in examples]))
            for head, size in heads.items():
                own = head == self._head_of(name)
                unknown = np.full((len(examples), size), np.nan, np.float32)
                rows[head].append(truth(examples, name) if own else unknown)
        return TextBatches(np.concatenate(ids), {head: np.concatenate(r) for head, r in rows.items()})

    def _head_of(self, dataset: str) -> str:
        data = self.recipe.data
        return {data["labels"]: "labels", data.get("affect"): "affect"}.get(dataset, dataset)


def load_texts(recipe: Recipe, data: Path, out: Path) -> TextData:
    """Read the data sets of a recipe and train its vocabulary (kept as ``out/vocab.txt``)."""
    labels, affect = recipe.data["labels"], recipe.data.get("affect")
    dev = load(labels, data, recipe.data.get("dev", "valid"))
    held_out = {digest(e.text or "") for e in dev}
    if affect:
        held_out |= {digest(e.text or "") for e in load(affect, data, "dev")}

    def part(name: str, split: str) -> list[Example]:
        return [e for e in load(name, data, split) if digest(e.text or "") not in held_out]

    fit = {name: part(name, "fit") for name in recipe.datasets}
    valid = {name: part(name, "valid") for name in (labels, affect) if name}
    if "dev" not in recipe.data:  # then one held-out part both stops the training and calibrates
        valid[labels] = dev
    spec = TextSpec.from_dict(dict(recipe.spec))
    path = out / "vocab.txt"
    if not path.is_file():
        texts = [e.text or "" for examples in fit.values() for e in examples]
        pieces = train_vocabulary(texts, spec, recipe.vocabulary["size"])
        path.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    vocabulary = path.read_text(encoding="utf-8").split("\n")[:-1]
    test = load(labels, data, recipe.data["test"]) if "test" in recipe.data else []
    return TextData(recipe, fit, valid, dev, test, TextFrontend(spec, vocabulary), vocabulary)


def truth(examples: Sequence[Example], dataset: str) -> FloatArray:
    """Return what was annotated: 0 or 1 per label, or valence and arousal."""
    labels = DATASETS[dataset].labels
    if not labels:
        return np.array([[e.valence, e.arousal] for e in examples], np.float32)
    index = {label: i for i, label in enumerate(labels)}
    found = np.zeros((len(examples), len(labels)), np.float32)
    for row, example in enumerate(examples):
        for label in example.labels:
            if label in index:  # "neutral" is a row of zeros where a set has no such label
                found[row, index[label]] = 1
    return found


def train_vocabulary(texts: Sequence[str], spec: TextSpec, size: int) -> list[str]:
    """Return at most ``size`` WordPieces (Schuster and Nakajima 2012), ``[PAD]`` first.

    The frontend itself cuts every text into words, so that training and device agree on what a word is.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    special = SPECIAL if spec.special_tokens else SPECIAL[:2]
    cutter = TextFrontend(spec, list(SPECIAL))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    lines = [" ".join(cutter.words(text)) for text in texts]
    # The trainer numbers inner letters in the order of a hash map, and the numbers break ties between merges.
    # With names given beforehand the same texts give the same pieces.
    inner = sorted({f"##{letter}" for line in lines for word in line.split() for letter in word[1:]})
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=2, special_tokens=[*special, *inner], show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer, len(lines))
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)
