"""Evaluation of speech: clips by speaker and gender, the labels a set has, words of data sets, evidence."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_recognizer
import float_text
import numpy as np
import pytest
import small_voice
from fake_recognizer import FakeRecognizer

from edgeemo import Recognizer
from edgeemo.cli import main
from edgeemo.data.clips import read_audio
from edgeemo.data.leaks_voice import write_seen_voice
from edgeemo.data.manifest import Example, write_manifest
from edgeemo.errors import DataError, InputError, LeakError, RuntimeUnavailableError, SourceError
from edgeemo.evaluation import Report, evaluate, pictures, tables
from edgeemo.evaluation.label_sets import choose
from edgeemo.frontends import VoiceFrontend, VoiceSpec

pytest.importorskip("soundfile", reason="needs edgeemo[voice]")


def measured(examples: list[Example], path: Path | None = None, **options: Any) -> Report:
    reader: Any = FakeRecognizer(path)
    return evaluate(reader, examples, **({"resamples": 200} | options))


def said(folder: Path, rows: list[tuple[str, str, str, str]]) -> list[Example]:
    """Write clips: speaker, gender, the label whose tone is heard, the label that is given."""
    return [
        Example(
            path=fake_recognizer.write(folder / f"{i}.wav", fake_recognizer.tone(heard, 0.4 + 0.01 * i)),
            labels=(given,), speaker=speaker, gender=gender,
        )
        for i, (speaker, gender, heard, given) in enumerate(rows)
    ]  # fmt: skip


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Six speakers; the women's anger is heard as sadness."""
    rows = []
    for i in range(6):
        gender = "fm"[i % 2]
        rows += [(f"s{i}", gender, "calm", "calm"), (f"s{i}", gender, "sadness", "sadness")]
        rows += [(f"s{i}", gender, "anger" if gender == "m" else "sadness", "anger")]
    return said(tmp_path / "clips", rows)


def test_clips_are_measured_and_whole_speakers_drawn(examples: list[Example]) -> None:
    report = measured(examples)
    assert report.n == report.n_labelled == 18
    assert report.metrics["uar"].value == pytest.approx(5 / 6)
    assert report.metrics["uar"].low < 5 / 6 < report.metrics["uar"].high
    assert report.bootstrap["by"] == "speaker"
    assert report.bootstrap["units"] == 6
    assert {"accuracy", "macro_f1", "ece"} <= set(report.metrics)


def test_each_speaker_and_gender_is_measured(examples: list[Example]) -> None:
    groups = measured(examples).to_dict()["groups"]
    assert list(groups["speaker"]) == [f"s{i}" for i in range(6)]
    assert groups["speaker"]["s0"]["uar"]["value"] == pytest.approx(2 / 3)
    assert groups["speaker"]["s1"]["uar"]["value"] == 1
    assert groups["speaker"]["s1"]["n"] == 3
    assert {name: row["n"] for name, row in groups["gender"].items()} == {"f": 9, "m": 9}
    assert groups["gap"]["uar"]["value"] == pytest.approx(2 / 3 - 1)
    assert groups["gap"]["uar"]["high"] < 0


def test_one_speaker_is_no_group(examples: list[Example]) -> None:
    assert measured(examples[:3]).groups == {}


def test_probabilities_are_divided_by_their_sum_over_the_labels_a_set_has(tmp_path: Path) -> None:
    # the second clip is heard as calm, which the set does not have
    rows = said(
        tmp_path, [("a", "", "sadness", "sadness"), ("a", "", "calm", "anger"), ("a", "", "anger", "anger")]
    )
    report = measured(rows)
    level = report.levels[0]
    assert level.labels == ("sadness", "anger")
    assert np.array(level.confusion).shape == (2, 2)
    assert "The manifest has 2 of the model's 5 labels (sadness, anger)" in report.notes[0]
    assert sum(level.reliability["count"]) == 3
    assert (
        min(c for c, n in zip(level.reliability["confidence"], level.reliability["count"], strict=True) if n)
        >= 0.5
    )


def test_a_set_with_all_labels_is_not_narrowed(tmp_path: Path) -> None:
    report = measured(fake_recognizer.clips(tmp_path, {label: label for label in fake_recognizer.LABELS}))
    assert report.levels[0].labels == fake_recognizer.LABELS
    assert not any("divided" in note for note in report.notes)


def test_a_narrowed_space_without_any_probability_is_even(tmp_path: Path) -> None:
    space = choose(fake_recognizer.card(), [Example(labels=("sadness",)), Example(labels=("anger",))])[
        0
    ].narrowed([Example(labels=("sadness",)), Example(labels=("anger",))])
    assert space.probability(np.eye(5)[:1], np.zeros((1, 8))).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("labels", "space"),
    [
        (["happy", "sad", "angry"], "fine"),
        (["happy", "calm"], "fine"),
        (["joy"], "fine"),
        (["happiness", "surprised"], "emotions"),
        (["fearful", "disgusted", "afraid"], "emotions"),
    ],
)
def test_words_of_data_sets_are_understood(labels: list[str], space: str) -> None:
    rows = [Example(labels=(label,)) for label in labels]
    found = choose(fake_recognizer.card(), rows)[0]
    assert found.name == space
    assert found.truth(rows).sum() == len(rows)


def test_words_that_are_not_understood_are_named(examples: list[Example]) -> None:
    strange = [replace(examples[0], labels=("furious",)), *examples]
    with pytest.raises(DataError, match="1 of the manifest's labels: furious"):
        measured(strange)


def test_silent_clips_are_counted(tmp_path: Path, examples: list[Example]) -> None:
    silent = Example(
        path=fake_recognizer.write(tmp_path / "s.wav", np.zeros(8000, np.float32)),
        labels=("calm",),
        speaker="s0",
    )
    report = measured([*examples, silent])
    assert report.evidence == {"mean": pytest.approx(18 / 19), "none": 1}
    assert report.groups["speaker"]["s0"]["evidence"] == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("example", "match"),
    [
        (Example(text="words", labels=("calm",)), "no path"),
        (Example(path=Path("none.wav"), labels=("calm",)), "There is no clip none.wav"),
        (Example(path=Path(__file__), labels=("calm",)), "is not audio that libsndfile reads"),
    ],
)
def test_a_clip_that_cannot_be_read_is_named(example: Example, match: str) -> None:
    with pytest.raises((DataError, SourceError), match=match):
        measured([example])


def test_without_soundfile_it_says_how_to_get_it(
    examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(RuntimeUnavailableError, match=r"pip install 'edgeemo\[voice\]'"):
        measured(examples)


def test_speakers_of_the_training_are_refused_and_can_be_dropped(
    tmp_path: Path, examples: list[Example]
) -> None:
    write_seen_voice(tmp_path / "fake.seen", examples[:3])
    with pytest.raises(LeakError, match="1 of 6 test speakers"):
        measured(examples, tmp_path / "fake.tflite")
    report = measured(examples, tmp_path / "fake.tflite", leaks="drop")
    assert report.n == 15
    assert report.to_dict()["leaks"]["speakers"] == ["s0"]
    write_seen_voice(tmp_path / "fake.seen", examples)
    with pytest.raises(DataError, match="All 18 test clips or their speakers"):
        measured(examples, tmp_path / "fake.tflite", leaks="drop")


def test_tables_and_pictures_show_the_speakers(examples: list[Example], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from rich.console import Console

    report = measured(examples)
    console = Console(width=120, file=io.StringIO())
    console.print(tables.render(report))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "By speaker" in shown
    assert "By gender" in shown
    assert "UAR of f minus m: -0.333" in shown
    names = {path.name for path in pictures.write(report, tmp_path / "pictures")}
    assert {"fine-confusion.png", "fine-reliability.png", "speakers.png"} <= names


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recognizer, "open", lambda *_, **__: FakeRecognizer())


@pytest.mark.usefixtures("opened")
def test_the_command_line_measures_speech(
    examples: list[Example], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(tmp_path / "clips.csv", examples)
    arguments = [
        "evaluate",
        "voice",
        str(tmp_path / "clips.csv"),
        "--bootstrap",
        "50",
        "--robustness",
        "--json",
    ]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["labels"] == "fine"
    assert found["leaks"]["checked"] is False
    assert len(found["robustness"]["conditions"]) == 9


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--noise", "."], "--robustness"),
        (["--peer", "tfidf", "--train", "clips.csv"], "--peer is for a text bundle"),
    ],
)
def test_wrong_usage_is_told(
    options: list[str], match: str, examples: list[Example], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_manifest("clips.csv", examples)
    assert main(["evaluate", "voice", "clips.csv", *options]) == 2
    assert match in capsys.readouterr().err


def test_a_voice_bundle_is_measured_on_files(tmp_path: Path) -> None:
    rows = [
        Example(
            path=fake_recognizer.write(tmp_path / f"{i}{label}.wav", small_voice.voice(label, 1 + 0.1 * i)),
            labels=(word,),
        )
        for i in range(2)
        for label, word in (("sadness", "sad"), ("neutral", "neutral"), ("anger", "angry"))
    ]
    rows.append(
        Example(path=fake_recognizer.write(tmp_path / "s.wav", small_voice.silence(1)), labels=("neutral",))
    )
    with Recognizer.open(small_voice.write(tmp_path)) as recognizer:
        report = evaluate(recognizer, rows, resamples=50)
    assert report.metrics["accuracy"].value == 1
    assert report.evidence["none"] == 1
    assert report.levels[0].labels == ("neutral", "sadness", "anger")


def test_text_has_no_robustness(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = str(float_text.write(tmp_path))
    (tmp_path / "x.csv").touch()
    assert main(["evaluate", words, str(tmp_path / "x.csv"), "--robustness"]) == 2
    assert "--robustness is for voice and face bundles; tiny is a text bundle" in capsys.readouterr().err


def floats(path: Path, pcm: Any, rate_hz: int = fake_recognizer.RATE) -> Path:
    import soundfile

    soundfile.write(path, pcm, rate_hz, subtype="FLOAT")
    return path


@pytest.mark.parametrize("worst", [np.nan, np.inf, -np.inf, 8.5])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_clip_with_a_sample_that_is_no_sound_is_named_with_the_sample(
    tmp_path: Path, worst: float, channels: int
) -> None:
    pcm = np.zeros((9_000, channels), np.float32)
    pcm[7_654, -1] = worst
    path = floats(tmp_path / "broken.wav", pcm)
    with pytest.raises(DataError, match=rf"broken\.wav: sample 7654 is {worst}.*drop the row"):
        measured([Example(path=path, labels=("anger",), speaker="s")])
    with pytest.raises(DataError, match=r"broken\.wav: sample 7654"):
        write_seen_voice(tmp_path / "model.seen", [Example(path=path)])


@pytest.mark.parametrize(
    ("rate_hz", "channels", "says"),
    [
        (7_999, 1, "has 7999 Hz"),
        (4_000, 1, "has 4000 Hz"),
        (192_001, 1, "has 192001 Hz"),
        (8_000, 33, "33 ch"),
    ],
)
def test_a_clip_that_the_frontend_refuses_is_named(
    tmp_path: Path, rate_hz: int, channels: int, says: str
) -> None:
    pcm = np.zeros((9_000, channels), np.float32)
    with pytest.raises(InputError):
        VoiceFrontend(VoiceSpec()).compute(pcm, rate_hz)
    path = floats(tmp_path / "odd.wav", pcm, rate_hz)
    with pytest.raises(DataError, match=rf"odd\.wav .*{says}"):
        read_audio(path)
    with pytest.raises(DataError, match=says):
        measured([Example(path=path, labels=("anger",), speaker="s")])


@pytest.mark.parametrize("rate_hz", [8_000, 192_000])
def test_clips_at_the_borders_are_read_by_the_frontend(tmp_path: Path, rate_hz: int) -> None:
    path = floats(tmp_path / "odd.wav", np.full((rate_hz, 32), 8, np.float32), rate_hz)
    assert len(VoiceFrontend(VoiceSpec()).compute(*read_audio(path)))
