"""Readers of voice sets: emotional speech by speaker, background sounds by recording, and manifests of yours.

The data page shows the folder layout: ``ravdess/metadata.csv`` beside the clips, ``nemo/``, ``emodb/``,
``background/esc10/CLASS/*``, ``background/speech_commands/_background_noise_/*``,
``background/asterisk_speech/en/*``.

Speakers carry the name of their set (``ravdess/07``), so that two sets never share one. A background sound
has its recording in ``group``: parts of one recording must not stand on both sides of a split.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..card import DataSource
from ..errors import DataError, SpecError
from .dataset import Dataset
from .manifest import ALIASES, Example, read_manifest

VOICE_LABELS = (
    "neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "boredom",
)  # fmt: skip
NOISE, SPEECH = "noise", "speech"
SOUNDS = (".opus", ".ogg", ".wav", ".flac", ".mp3")
MANIFEST = "manifest:"
"""The prefix of a data set's name that is the file name of a manifest."""

# the same recording under two names; found by the correlation of their energy curves (1.0000)
_TWICE = frozenset({"07/03-01-03-01-02-02-07"})
# prompts without a voice in them
_TONES = frozenset({"ascending-2tone", "descending-2tone", "beep", "beeperr"})
_KEYS = {"name", "licence", "url", "commercial", "rename", "speakers"}


def label_of(word: str, rename: Mapping[str, str] | None = None) -> str:
    """Return our word for a data set's: ``rename`` first, then the common ones (happy → happiness)."""
    word = (rename or {}).get(word, word).strip().lower()
    return ALIASES.get(word, word)


def from_manifest(name: str, details: Mapping[str, Any]) -> Dataset:
    """Return the set that a manifest of clips describes; its file is relative to the data folder.

    The manifest (see `edgeemo.data.manifest`) has ``path``, ``speaker``, ``labels`` and perhaps ``gender``.
    Several labels share the truth evenly.

    Args:
        name: ``manifest:FILE``.
        details: the table ``[manifest."FILE"]`` of the recipe. ``rename`` maps the file's words to labels.
            ``name``, ``licence``, ``url`` and ``commercial`` (by default "unclear") go into the card. With
            ``speakers = "unknown"`` every clip counts as a speaker of its own; scores are then too good.

    Raises:
        SpecError: an unknown key.
    """
    unknown = sorted(set(details) - _KEYS)
    if unknown:
        raise SpecError(
            f"[manifest] of {name}: unknown key {', '.join(unknown)}; expected {', '.join(sorted(_KEYS))}."
        )
    file = name.removeprefix(MANIFEST)
    source = DataSource(
        details.get("name", file), details.get("licence", "not stated"), "labels", details.get("url", "")
    )

    def read(data: Path, split: str) -> Iterator[Example]:
        return _manifest(data / file, file, details)

    return Dataset(VOICE_LABELS, source, details.get("commercial", "unclear"), ("train",), read)


def _manifest(path: Path, file: str, details: Mapping[str, Any]) -> Iterator[Example]:
    name = str(Path(file).with_suffix("")).replace("/", "-")
    anonymous = details.get("speakers") == "unknown"
    for row, e in enumerate(read_manifest(path), 1):
        if not e.speaker and not anonymous:
            raise DataError(
                f"{path.name}, row {row}, has no speaker: without speakers, scores on known voices look like "
                'scores on new ones. Add the column, or say `speakers = "unknown"` in the recipe\'s '
                f'[manifest."{file}"].'
            )
        if e.path is None or not e.labels:
            raise DataError(f"{path.name}, row {row}, needs a path and labels; add them or drop the row.")
        labels = tuple(dict.fromkeys(label_of(word, details.get("rename")) for word in e.labels))
        speaker = e.speaker or e.path.stem
        yield Example(path=e.path, labels=labels, speaker=f"{name}/{speaker}", gender=e.gender)


def _table(name: str) -> Callable[[Path, str], Iterator[Example]]:
    """Return the reader of a folder with ``metadata.csv``: path, speaker, gender, emotion."""

    def read(data: Path, split: str) -> Iterator[Example]:
        folder = data / name
        with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if str(Path(row["path"]).with_suffix("")) in _TWICE and name == "ravdess":
                    continue
                yield Example(
                    path=folder / row["path"],
                    labels=(label_of(row["emotion"]),),
                    speaker=f"{name}/{row['speaker']}",
                    gender=row["gender"],
                )

    return read


def _sounds(name: str, folder: str, label: str) -> Callable[[Path, str], Iterator[Example]]:
    """Return the reader of a folder of sounds; ESC-10's names are fold-recording-take."""

    def read(data: Path, split: str) -> Iterator[Example]:
        root = data / "background" / folder
        if not root.is_dir():
            raise FileNotFoundError(2, "No such folder", str(root))
        for path in sorted(p for p in root.rglob("*") if p.suffix in SOUNDS and p.stem not in _TONES):
            recording = path.stem.split("-")[1] if name == "esc10" else path.stem
            yield Example(path=path, labels=(label,), group=f"{name}/{recording}")

    return read


def _emotions(*without: str) -> tuple[str, ...]:
    return tuple(label for label in VOICE_LABELS if label not in without)


VOICE: dict[str, Dataset] = {
    "ravdess": Dataset(
        _emotions("boredom"),
        DataSource("RAVDESS (Livingstone and Russo 2018)", "CC BY-NC-SA 4.0", "labels; English, acted", "https://zenodo.org/records/1188976"),
        "no", ("train",), _table("ravdess"),
    ),
    "nemo": Dataset(
        _emotions("calm", "disgust", "boredom"),
        DataSource("nEMO (Christop 2024)", "CC BY-NC-SA 4.0", "labels; Polish, acted", "https://github.com/amu-cai/nEMO"),
        "no", ("train",), _table("nemo"),
    ),
    "emodb": Dataset(
        _emotions("calm", "surprise"),
        DataSource(
            "EmoDB (Burkhardt et al. 2005), processed copy", "unclear: said to be CC0, not verified",
            "labels; German, acted", "http://emodb.bilderbar.info",
        ),
        "unclear", ("train",), _table("emodb"),
    ),
    "esc10": Dataset(
        (NOISE,),
        DataSource("ESC-10 (Piczak 2015)", "CC BY 3.0", "background sounds", "https://github.com/karolpiczak/ESC-50"),
        "cleared", ("train",), _sounds("esc10", "esc10", NOISE),
    ),
    "speech_commands": Dataset(
        (NOISE,),
        DataSource("Speech Commands, background noise (Warden 2018)", "CC BY 4.0", "background sounds", "https://arxiv.org/abs/1804.03209"),
        "cleared", ("train",), _sounds("speech_commands", "speech_commands", NOISE),
    ),
    "asterisk": Dataset(
        (SPEECH,),
        DataSource("Asterisk core sounds, English", "CC BY-SA 3.0", "speech to detect", "https://www.asterisk.org"),
        "cleared", ("train",), _sounds("asterisk", "asterisk_speech", SPEECH),
    ),
}  # fmt: skip
"""Every voice set that recipes can name without a manifest."""
