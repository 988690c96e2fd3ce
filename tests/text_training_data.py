"""A small training set: a few hundred generated sentences, in the layout of the public data sets."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

_FEELINGS = {
    "joy": ("I love this {}", "what a lovely {}", "so happy with the {}"),
    "sadness": ("I cried over the {}", "I miss the old {}", "the {} is gone and I feel empty"),
    "anger": ("I am furious about the {}", "this {} makes me angry", "how dare they break my {}"),
    "neutral": ("the {} is on the table", "there is a {} in the room", "he bought a {} on monday"),
}
_THINGS = (
    "cup",
    "train",
    "song",
    "game",
    "phone",
    "house",
    "film",
    "cake",
    "coat",
    "letter",
    "dog",
    "garden",
)
_WHEN = ("today", "again", "at last", "they said", "you know")

RECIPE = """
name = "tiny"
version = "0.0.1"
modality = "text"
title = "For tests"
description = "Knows four emotions and twelve things."
licence = "Apache-2.0"
seed = 3
[spec]
length = 16
[vocabulary]
size = 400
[data]
labels = "goemotions"
affect = "emobank"
multi_label = true
dev = "dev"
[[step]]
name = "student"
model = "text_student"
epochs = 2
batch = 32
learning_rate = 0.01
options = { width = 16, channels = 16, hidden = 16, dropout = 0.1 }
[groups.ekman]
anger = ["anger", "annoyance", "disapproval"]
joy = ["joy", "love"]
sadness = ["sadness"]
neutral = ["neutral"]
[emotions]
groups = "ekman"
happiness = "joy"
"""


LEAKS = ("I LOVE this  cup, today.", "note: I love this cup, today.")
"""The first sentence of GoEmotions' dev, written otherwise, and the first of EmoBank's."""


def sentences() -> list[tuple[str, str]]:
    """Return (text, label), the labels taking turns."""
    made = itertools.product(_WHEN, _THINGS, range(3), _FEELINGS)
    return [(f"{_FEELINGS[label][i].format(thing)}, {when}.", label) for when, thing, i, label in made]


def write_tiny_data(folder: Path) -> Path:
    """Write GoEmotions- and EmoBank-like files; every tenth sentence is for development.

    A sentence of each development set also stands in train, to be dropped (`LEAKS`).
    """
    from edgeemo.data.catalog import GOEMOTIONS

    (folder / "goemotions").mkdir(parents=True)
    (folder / "emobank").mkdir()
    for split, wanted in (("train", False), ("dev", True)):
        with gzip.open(folder / "goemotions" / f"{split}.tsv.gz", "wt", encoding="utf-8") as file:
            for i, (text, label) in enumerate(sentences()):
                if (i % 10 == 0) == wanted:
                    file.write(f"{text}\t{GOEMOTIONS.index(label)}\tid{i}\n")
            if split == "train":
                file.writelines(f"{text}\t{GOEMOTIONS.index('neutral')}\tleak\n" for text in LEAKS)
    with gzip.open(folder / "emobank" / "emobank.csv.gz", "wt", encoding="utf-8") as file:
        file.write("id,split,V,A,D,text\n")
        for i, (text, label) in enumerate(sentences()[::7]):
            valence, arousal = {"joy": (4, 4), "sadness": (2, 2), "anger": (2, 4), "neutral": (3, 3)}[label]
            file.write(f'{i},{"dev" if i % 5 == 0 else "train"},{valence},{arousal},3,"note: {text}"\n')
    return folder
