"""The readers of voice sets: labels, people and recordings, on tiny folders; the real sets by count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("soundfile", reason="needs edgeemo[voice]")

import soundfile

from edgeemo.data import catalog
from edgeemo.data.folds import who
from edgeemo.data.manifest import Example
from edgeemo.data.voice_sets import VOICE
from edgeemo.errors import DataError


def write_table(folder: Path, *rows: str, header: str = "path,speaker,gender,age,emotion") -> None:
    folder.mkdir(parents=True)
    (folder / "metadata.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def write_sound(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(seconds * 8000), np.float32), 8000)


def load(name: str, folder: Path) -> list[Example]:
    return catalog.load(name, folder, "train")


def test_bursts_have_words_of_their_own(tmp_path: Path) -> None:
    write_table(tmp_path / "emogator", "1/a.ogg,eg1,,,Surprise (Positive)", "1/b.ogg,eg1,,,Anger")
    first, second = load("emogator", tmp_path)
    assert first.labels == ("surprise_positive",)
    assert second.labels == ("anger",)
    assert first.speaker == "emogator/eg1"
    assert first.path == tmp_path / "emogator" / "1" / "a.ogg"


def test_clips_without_an_emotion_are_left_out_unless_they_are_read_speech(tmp_path: Path) -> None:
    write_table(tmp_path / "indian_commands", "a.ogg,x,,,none", "b.ogg,x,,,calm", "c.ogg,y,,,fearful")
    write_table(tmp_path / "speechocean", "a.ogg,7,f,9,none (read speech)")
    assert [e.labels for e in load("indian_commands", tmp_path)] == [("calm",), ("fear",)]
    (child,) = load("speechocean", tmp_path)
    assert (child.labels, child.age, child.gender) == (("neutral",), "9", "f")


def test_a_table_without_ages_is_read(tmp_path: Path) -> None:
    write_table(tmp_path / "ravdess", "a.ogg,01,m,happy", header="path,speaker,gender,emotion")
    assert [(e.labels, e.age) for e in load("ravdess", tmp_path)] == [(("happiness",), "")]


def test_emodb_full_has_each_take_once_and_the_people_of_emodb(tmp_path: Path) -> None:
    write_table(tmp_path / "emodb_original", "03a.ogg,03,m,,angry", "08b.ogg,08,f,,sad")
    write_table(tmp_path / "emodb", "03/03a.opus,03,m,31,angry", "03/03c.opus,03,m,31,bored")
    found = load("emodb_full", tmp_path)
    assert [e.path.name for e in found if e.path] == ["03a.ogg", "08b.ogg", "03c.opus"]
    assert {who(e) for e in found} == {"emodb/03", "emodb/08"}
    assert {who(e) for e in load("emodb", tmp_path)} <= {who(e) for e in found}


@pytest.mark.parametrize(
    ("name", "folder", "speaker"),
    [
        ("prompts_en", "background/asterisk_speech/en", "prompts_en/allison"),
        ("prompts_fr", "prompts/fr", "prompts_fr/june"),
    ],
)
def test_prompts_are_words_of_one_calm_voice(tmp_path: Path, name: str, folder: str, speaker: str) -> None:
    place = tmp_path / folder
    for file, seconds in {"hello": 0.5, "digits/1": 0.45, "beep": 1, "silence/3": 3, "is": 0.3}.items():
        write_sound(place / f"{file}.wav", seconds)
    found = load(name, tmp_path)
    assert [e.path for e in found] == [place / "digits" / "1.wav", place / "hello.wav"]
    assert {(e.speaker, e.labels) for e in found} == {(speaker, ("neutral",))}


def test_a_damaged_prompt_is_named(tmp_path: Path) -> None:
    write_sound(tmp_path / "prompts" / "ru" / "a.wav", 0.5)
    (tmp_path / "prompts" / "ru" / "b.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"prompts_ru .*b\.wav is not audio"):
        load("prompts_ru", tmp_path)


@pytest.mark.parametrize(("name", "label"), [("ambience", "noise"), ("rir", "room")])
def test_sounds_are_recordings(tmp_path: Path, name: str, label: str) -> None:
    for file in ("rain.wav", "city.wav"):
        write_sound(tmp_path / name / file, 0.1)
    found = load(name, tmp_path)
    assert [(e.group, e.labels) for e in found] == [(f"{name}/city", (label,)), (f"{name}/rain", (label,))]


@pytest.mark.parametrize("name", ["emodb_full", "prompts_es", "rir"])
def test_an_absent_set_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"{name} is not below .* is missing"):
        load(name, tmp_path)


def test_verdicts_follow_the_licences() -> None:
    assert (
        catalog.commercial(["emodb", "emodb_full", "emogator", "speechocean", "ambience", "rir"]) == "cleared"
    )
    assert catalog.commercial([f"prompts_{language}" for language in ("en", "es", "fr", "ru")]) == "cleared"
    assert catalog.commercial(["emodb_full", "korean"]) == catalog.commercial(["indian_commands"]) == "no"


COUNTS = {  # people or recordings, clips
    "ravdess": (18, 1079), "nemo": (7, 3492), "emodb": (8, 418), "emodb_full": (8, 418),
    "emogator": (154, 1812), "korean": (9, 180), "indian_commands": (70, 1534), "speechocean": (184, 818),
    "prompts_en": (1, 293), "ambience": (11, 11), "rir": (47, 47),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_the_real_sets_are_as_their_page_says(data_dir: Callable[[str], Path], name: str) -> None:
    found = load(name, data_dir("voice"))
    assert (len({who(e) for e in found}), len(found)) == COUNTS[name]
    assert {label for e in found for label in e.labels} == set(VOICE[name].labels)
    assert all(e.path and e.path.is_file() for e in found)
