"""Readers of the public text sets.

The data page shows the folder layout: ``goemotions/train.tsv.gz``, ``xed/en-annotated.tsv.gz``,
``brighter/track_a/train/eng.csv.gz``, ``emobank/emobank.csv.gz``, ``imdb/train.jsonl.gz``.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from ..card import DataSource
from .dataset import Dataset
from .manifest import Example

GOEMOTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment", "excitement",
    "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism",
    "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip
PLUTCHIK = ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust")
BRIGHTER = ("anger", "fear", "joy", "sadness", "surprise")
SENTIMENT = ("negative", "positive")


def _lines(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.rstrip("\n").split("\t")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _goemotions(data: Path, split: str) -> Iterator[Example]:
    for text, labels, *_ in _lines(data / "goemotions" / f"{split}.tsv.gz"):
        yield Example(text=text, labels=tuple(GOEMOTIONS[int(i)] for i in labels.split(",")))


def _xed(data: Path, split: str) -> Iterator[Example]:
    for text, labels in _lines(data / "xed" / "en-annotated.tsv.gz"):
        yield Example(text=text, labels=tuple(PLUTCHIK[int(i) - 1] for i in labels.split(",")))
    for _, text, *_ in _lines(data / "xed" / "neu_en.txt.gz"):
        yield Example(text=text, labels=("neutral",))


def _brighter(data: Path, split: str) -> Iterator[Example]:
    for row in _rows(data / "brighter" / "track_a" / split / "eng.csv.gz"):
        found = tuple(label for label in BRIGHTER if float(row[label]) > 0)
        yield Example(text=row["text"], labels=found or ("neutral",))


def _emobank(data: Path, split: str) -> Iterator[Example]:
    for row in _rows(data / "emobank" / "emobank.csv.gz"):
        if row["split"] == split:  # its 1 … 5 to our −1 … 1
            yield Example(
                text=row["text"], valence=(float(row["V"]) - 3) / 2, arousal=(float(row["A"]) - 3) / 2
            )


def _imdb(data: Path, split: str) -> Iterator[Example]:
    with gzip.open(data / "imdb" / f"{split}.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            yield Example(text=row["text"], labels=(SENTIMENT[row["label"]],))


TEXT: dict[str, Dataset] = {
    "goemotions": Dataset(
        GOEMOTIONS,
        DataSource("GoEmotions (Demszky et al. 2020)", "CC BY 4.0", "28 labels", "https://github.com/google-research/google-research/tree/master/goemotions"),
        "cleared", ("train", "dev"), _goemotions,
    ),
    "xed": Dataset(
        PLUTCHIK,
        DataSource("XED, English (Öhman et al. 2020)", "CC BY 4.0", "auxiliary labels of the teacher", "https://github.com/Helsinki-NLP/XED"),
        "cleared", ("train",), _xed,
    ),
    "brighter": Dataset(
        BRIGHTER,
        DataSource(
            "BRIGHTER, English (Muhammad et al. 2025)", "CC BY 4.0", "auxiliary labels of the teacher", "https://arxiv.org/abs/2502.11926"
        ),
        "cleared", ("train", "dev"), _brighter,
    ),
    "emobank": Dataset(
        (),
        DataSource("EmoBank (Buechel and Hahn 2017)", "CC BY-SA 4.0", "valence and arousal", "https://github.com/JULIELab/EmoBank"),
        "cleared", ("train", "dev"), _emobank,
    ),
    "imdb": Dataset(
        SENTIMENT,
        DataSource("Large Movie Review Dataset (Maas et al. 2011)", "no formal licence", "sentiment", "https://ai.stanford.edu/~amaas/data/sentiment/"),
        "unclear", ("train", "test_even"), _imdb,
    ),
}  # fmt: skip
"""Every text set that recipes can name."""

MINILM = DataSource(
    "all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019)",
    "Apache-2.0",
    "teacher, not shipped",
    "https://arxiv.org/abs/2002.10957",
)
