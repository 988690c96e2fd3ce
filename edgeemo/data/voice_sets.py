"""The voice sets that recipes can name, with their licences, and manifests of yours.

`voice_readers` reads the sets and knows their folders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..card import DataSource
from ..errors import DataError, SpecError
from .dataset import Dataset
from .manifest import Example, read_manifest
from .voice_readers import emodb_full, label_of, prompts, sounds, table

__all__ = ["MANIFEST", "NOISE", "ROOM", "SPEECH", "VOICE", "VOICE_LABELS", "from_manifest", "label_of"]

VOICE_LABELS = (
    "neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "boredom",
)  # fmt: skip
NOISE, SPEECH, ROOM = "noise", "speech", "room"
"""The labels of background sounds, of speech to detect, and of impulse responses of rooms."""
MANIFEST = "manifest:"
"""The prefix of a data set's name that is the file name of a manifest."""

_KEYS = {"name", "licence", "url", "commercial", "rename", "speakers"}


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


def _prompts(code: str, language: str, voice: str, licence: str) -> Dataset:
    name = f"Asterisk core sounds, {language}, {voice}"
    source = DataSource(name, licence, "calm speech, prompts", "https://www.asterisk.org")
    return Dataset(("neutral",), source, "cleared", ("train",), prompts(code, voice))


def _emotions(*without: str) -> tuple[str, ...]:
    return tuple(label for label in VOICE_LABELS if label not in without)


VOICE: dict[str, Dataset] = {
    "ravdess": Dataset(
        _emotions("boredom"),
        DataSource("RAVDESS (Livingstone and Russo 2018)", "CC BY-NC-SA 4.0", "labels; English, acted", "https://zenodo.org/records/1188976"),
        "no", ("train",), table("ravdess"),
    ),
    "nemo": Dataset(
        _emotions("calm", "disgust", "boredom"),
        DataSource("nEMO (Christop 2024)", "CC BY-NC-SA 4.0", "labels; Polish, acted", "https://github.com/amu-cai/nEMO"),
        "no", ("train",), table("nemo"),
    ),
    "emodb": Dataset(
        _emotions("calm", "surprise"),
        DataSource(
            "EmoDB (Burkhardt et al. 2005), processed copy", "CC0 1.0", "labels; German, acted, cut to 2 s",
            "https://github.com/audeering/emodb",
        ),
        "cleared", ("train",), table("emodb"),
    ),
    "emodb_full": Dataset(
        _emotions("calm", "surprise"),
        DataSource("EmoDB (Burkhardt et al. 2005)", "CC0 1.0", "labels; German, acted", "https://github.com/audeering/emodb"),
        "cleared", ("train",), emodb_full,
    ),
    "emogator": Dataset(
        (
            "neutral", "amusement", "elation", "sadness", "distress", "pain", "anger", "contempt", "fear",
            "disgust", "surprise_positive", "surprise_negative",
        ),
        DataSource("EmoGator (Buhl 2023)", "Apache-2.0", "labels; sounds without words, acted", "https://github.com/fredbuhl/EmoGator"),
        "cleared", ("train",), table("emogator"),
    ),
    "korean": Dataset(
        ("neutral", "happiness", "sadness", "anger"),
        DataSource("Korean acted speech, nine speakers", "no commercial use", "labels; Korean, acted"),
        "no", ("train",), table("korean"),
    ),
    "indian_commands": Dataset(
        ("calm", "happiness", "anger", "fear"),
        DataSource("Indian one-word commands", "CC BY-NC-SA 4.0", "labels; Hindi, English, acted"),
        "no", ("train",), table("indian_commands"),
    ),
    "speechocean": Dataset(
        ("neutral",),
        DataSource(
            "speechocean762 (Zhang et al. 2021)", "free for commercial and non-commercial purposes (owner)",
            "calm speech; English, read by children and adults", "https://www.openslr.org/101",
        ),
        "cleared", ("train",), table("speechocean"),
    ),
    "prompts_en": _prompts("en", "English", "Allison Smith", "CC BY-SA 3.0"),
    "prompts_es": _prompts("es", "Spanish", "Allison Smith", "CC BY-SA 3.0"),
    "prompts_fr": _prompts("fr", "French", "June Wallack", "CC BY-SA 3.0"),
    "prompts_ru": _prompts("ru", "Russian", "IvrvoiceRU", "CC BY 3.0"),
    "esc10": Dataset(
        (NOISE,),
        DataSource("ESC-10 (Piczak 2015)", "CC BY 3.0", "background sounds", "https://github.com/karolpiczak/ESC-50"),
        "cleared", ("train",), sounds("esc10", "background/esc10", NOISE),
    ),
    "speech_commands": Dataset(
        (NOISE,),
        DataSource("Speech Commands, background noise (Warden 2018)", "CC BY 4.0", "background sounds", "https://arxiv.org/abs/1804.03209"),
        "cleared", ("train",), sounds("speech_commands", "background/speech_commands", NOISE),
    ),
    "asterisk": Dataset(
        (SPEECH,),
        DataSource("Asterisk core sounds, English", "CC BY-SA 3.0", "speech to detect", "https://www.asterisk.org"),
        "cleared", ("train",), sounds("asterisk", "background/asterisk_speech", SPEECH),
    ),
    "ambience": Dataset(
        (NOISE,),
        DataSource(
            "Ambience by kvgarlic, Falcet, gezortenplotz, stephan, ezwa, alex36917, Lisa Redfern, "
            "Digifish music, SDLx, Luftrum and felix.blume",
            "public domain, CC0, CC BY, CC BY 3.0", "background sounds",
        ),
        "cleared", ("train",), sounds("ambience", "ambience", NOISE),
    ),
    "rir": Dataset(
        (ROOM,),
        DataSource("Impulse responses of rooms", "Apache-2.0", "rooms"),
        "cleared", ("train",), sounds("rir", "rir", ROOM),
    ),
}  # fmt: skip
"""Every voice set that recipes can name without a manifest."""
WHISPER = DataSource(
    "Whisper-base (Radford et al. 2022)",
    "MIT",
    "teacher: features of two lower layers",
    "https://github.com/openai/whisper",
)
