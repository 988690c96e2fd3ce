"""Readers of voice sets: speech by speaker, prompts by voice, sounds by recording.

The data folder holds one folder a set:

- ``ravdess``, ``nemo``, ``emodb``, ``emodb_original``, ``emogator``, ``korean``, ``indian_commands``,
  ``speechocean``: clips and ``metadata.csv`` (path, speaker, emotion, perhaps gender and age).
- ``background/esc10/CLASS/*``, ``background/speech_commands/_background_noise_/*``, ``ambience/*``,
  ``rir/*``: sounds and impulse responses of rooms.
- ``background/asterisk_speech/en/*``, ``prompts/es/*``, ``prompts/fr/*``, ``prompts/ru/*``: prompts.

Speakers carry the name of their set (``ravdess/07``), so that two sets never share one. Both copies of EmoDB
have the same people, ``emodb/03``. A background sound has its recording in ``group``: parts of one recording
must not stand on both sides of a split.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from .clips import read_audio
from .manifest import ALIASES, Example

Reader: TypeAlias = Callable[[Path, str], Iterator[Example]]

SOUNDS = (".opus", ".ogg", ".wav", ".flac", ".mp3")
SHORTEST_PROMPT_S = 0.4

# the same recording under two names; found by the correlation of their energy curves (1.0000)
_TWICE = frozenset({"07/03-01-03-01-02-02-07"})
# prompts without a voice in them
_TONES = frozenset({"ascending-2tone", "descending-2tone", "beep", "beeperr"})
_WORDS = {
    "none (read speech)": "neutral",
    "surprise (positive)": "surprise_positive",
    "surprise (negative)": "surprise_negative",
}


def label_of(word: str, rename: Mapping[str, str] | None = None) -> str:
    """Return our word for a data set's: ``rename`` first, then the common ones (happy → happiness)."""
    word = (rename or {}).get(word, word).strip().lower()
    return ALIASES.get(word, word)


def table(folder: str, speakers: str = "") -> Reader:
    """Return the reader of a folder with ``metadata.csv``; rows with the emotion "none" are left out.

    ``speakers`` is the set that the speakers belong to, by default the folder.
    """

    def read(data: Path, split: str) -> Iterator[Example]:
        with (data / folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                twice = folder == "ravdess" and str(Path(row["path"]).with_suffix("")) in _TWICE
                label = label_of(row["emotion"].lower(), _WORDS)
                if twice or label == "none":
                    continue
                yield Example(
                    path=data / folder / row["path"],
                    labels=(label,),
                    speaker=f"{speakers or folder}/{row['speaker']}",
                    gender=row["gender"],
                    age=row.get("age", ""),
                )

    return read


def emodb_full(data: Path, split: str) -> Iterator[Example]:
    """Read each take of EmoDB once: the original at full length, else the copy of two seconds."""
    found = set()
    for folder in ("emodb_original", "emodb"):
        for example in table(folder, "emodb")(data, split):
            take = example.path.stem if example.path else ""
            if take not in found:
                found.add(take)
                yield example


def prompts(language: str, voice: str) -> Reader:
    """Return the reader of the prompts of one voice: calm speech, without tones, silence and cut words."""
    folder = "background/asterisk_speech/en" if language == "en" else f"prompts/{language}"
    speaker = f"prompts_{language}/{voice.split()[0].lower()}"

    def read(data: Path, split: str) -> Iterator[Example]:
        for path in _files(data / folder):
            if "silence" in str(path.relative_to(data / folder)):
                continue
            pcm, rate_hz = read_audio(path)
            if len(pcm) >= SHORTEST_PROMPT_S * rate_hz:
                yield Example(path=path, labels=("neutral",), speaker=speaker)

    return read


def sounds(name: str, folder: str, label: str) -> Reader:
    """Return the reader of a folder of sounds; ESC-10's names are fold-recording-take."""

    def read(data: Path, split: str) -> Iterator[Example]:
        for path in _files(data / folder):
            recording = path.stem.split("-")[1] if name == "esc10" else path.stem
            yield Example(path=path, labels=(label,), group=f"{name}/{recording}")

    return read


def _files(folder: Path) -> list[Path]:
    """Return the sounds below a folder, by name, without tones."""
    if not folder.is_dir():
        raise FileNotFoundError(2, "No such folder", str(folder))
    return sorted(p for p in folder.rglob("*") if p.suffix in SOUNDS and p.stem not in _TONES)
