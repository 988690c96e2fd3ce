"""Calm speech: how often a voice bundle raises an alarm where nobody is angry, afraid, sad or disgusted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from ..data import catalog
from ..data.clips import read_clip
from ..data.folds import by_hash
from ..data.leaks import SUFFIX
from ..data.leaks_voice import find_speakers, read_seen_voice
from ..data.manifest import Example
from .field_report import FieldRow, Rows
from .predictions import Progress

CALM = frozenset({"neutral", "calm", "none"})
ALARMS = ("anger", "fear", "sadness", "disgust")
CHILD = 15
"""The age of the oldest child, in years."""
_FOLDERS = {
    "speechocean": "speechocean", "prompts_en": "background/asterisk_speech/en",
    "prompts_es": "prompts/es", "prompts_fr": "prompts/fr", "prompts_ru": "prompts/ru",
}  # fmt: skip


def calm_speech(data: Path) -> list[Example]:
    """Return the clips of all sets of calm speech that a data folder has.

    Raises:
        DataError, SourceError: a set is damaged.
    """
    there = [name for name, folder in _FOLDERS.items() if (data / folder).is_dir()]
    return [e for name in there for e in catalog.load(name, data, "train")]


def strangers(examples: Sequence[Example], bundle: Path | None) -> list[Example]:
    """Return the examples whose speakers did not train the bundle, as far as the file beside it knows.

    Raises:
        DataError: the file is damaged.
    """
    seen = None if bundle is None else bundle.with_suffix(SUFFIX)
    if seen is None or not seen.is_file():
        return list(examples)
    known = set(find_speakers(examples, read_seen_voice(seen).speakers))
    return [e for i, e in enumerate(examples) if i not in known]


def calm_rows(
    recognizer: Any, examples: Sequence[Example], *, resamples: int, progress: Progress = iter
) -> list[FieldRow]:
    """Measure alarms and neutral answers: of all clips, of children, and of each set.

    An alarm is a clip whose label is one of `ALARMS`. Hours count the sound of the clips.

    Raises:
        DataError, SourceError: a clip cannot be read.
    """
    said, hours = [], []
    for example in progress(examples):
        pcm, rate_hz = read_clip(example)
        said.append(recognizer.predict(pcm, rate_hz=rate_hz).label)
        hours.append(len(pcm) / rate_hz / 3600)
    alarms, neutral = np.isin(said, ALARMS), np.isin(said, "neutral")
    sets = [set_of(e) for e in examples]
    groups = {"all": [True] * len(examples), "children": [_child(e) for e in examples]}
    groups |= {name: [name == other for other in sets] for name in dict.fromkeys(sets)}
    found = []
    for name, own in groups.items():
        rows = Rows("calm", list(compress(examples, own)), resamples)
        found += rows.ratio(f"alarms, {name}", alarms[own])
        found += rows.ratio(f"alarms, {name}", alarms[own], np.array(hours)[own], "an hour")
        found += rows.ratio(f"neutral, {name}", neutral[own])
    return found


def of_each_set(examples: Sequence[Example], n: int) -> list[Example]:
    """Return at most ``n`` examples of each set, drawn by the hashes of their names."""
    sets = dict.fromkeys(map(set_of, examples))
    return [e for name in sets for e in by_hash((e for e in examples if set_of(e) == name), name_of)[:n]]


def set_of(example: Example) -> str:
    """Return the set of a speaker or recording: what stands before the ``/`` of its name."""
    return (example.speaker or example.group).partition("/")[0]


def name_of(example: Example) -> str:
    """Return a name that does not depend on the folder of the data."""
    return f"{example.speaker}/{(example.path or Path()).name}"


def _child(example: Example) -> bool:
    return example.age.isdecimal() and int(example.age) <= CHILD
