"""The field protocol: rooms and lines, calm speech, words live, sounds without a voice, and its command."""

from __future__ import annotations

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

from edgeemo import Runtime, VoiceRecognizer
from edgeemo.card import Calibration
from edgeemo.cli import main
from edgeemo.data.leaks_voice import write_seen_voice
from edgeemo.data.manifest import Example, write_manifest
from edgeemo.data.sounds import Samples
from edgeemo.errors import DataError
from edgeemo.evaluation import calm, field, live_voice, made_sounds, sounds
from edgeemo.evaluation.bootstrap import Draw, Ratio, intervals
from edgeemo.evaluation.field_report import FieldReport, FieldRow
from edgeemo.evaluation.label_sets import FINE, label_sets_of

pytest.importorskip("soundfile", reason="needs edgeemo[voice]")

RATE = fake_recognizer.RATE
HOW: Any = {"resamples": 50}


def word(label: str, seconds: float = 1.0) -> Samples:
    return np.asarray(small_voice.voice(label, seconds) / 32768, np.float32)


def quiet(seconds: float) -> Samples:
    return np.random.default_rng(1).normal(0, 1e-4, round(seconds * RATE)).astype(np.float32)


def opened() -> VoiceRecognizer:
    bundle = small_voice.bundle()
    return VoiceRecognizer(bundle, Runtime(bundle.flatbuffer))


def by_name(rows: list[FieldRow] | tuple[FieldRow, ...]) -> dict[tuple[str, str], FieldRow]:
    return {(row.name, row.unit): row for row in rows}


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Six speakers who say three labels each, which the small bundle reads right."""
    return [
        Example(
            path=fake_recognizer.write(tmp_path / "clips" / f"{speaker}-{label}.wav", word(label, 1.2)),
            labels=(label,), speaker=f"own/{speaker}",
        )
        for speaker in range(6)
        for label in small_voice.VOICES
    ]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder with calm speech, an angry child, a room, a hall and noises."""
    folder, rng = tmp_path / "data", np.random.default_rng(0)
    for name, loud in (("rain", 0.05), ("city", 0.02)):
        fake_recognizer.write(folder / "ambience" / f"{name}.wav", rng.normal(0, loud, 2 * RATE))
    for name, seconds in (("kitchen", 0.3), ("hall", 2.0)):
        decay = rng.normal(0, 0.1, 2 * RATE) * 10 ** (-3 * np.arange(2 * RATE) / RATE / seconds)
        fake_recognizer.write(folder / "rir" / f"{name}.wav", np.concatenate([[0, 0, 0.9], decay]))
    esc10 = folder / "background" / "esc10"
    fake_recognizer.write(esc10 / "001_-_Rain" / "1-7-A.wav", quiet(3))
    fake_recognizer.write(esc10 / "004_-_Baby_cry" / "1-8-A.wav", word("anger"))
    (esc10 / "001_-_Rain" / "2-9-A.wav").write_bytes(b"RIFF")
    rows = ["path,speaker,gender,age,emotion"]
    for i in range(6):
        label = "anger" if i == 0 else "neutral"
        fake_recognizer.write(folder / "speechocean" / f"{i}.wav", word(label))
        rows.append(f"{i}.wav,{i},f,{9 if i < 2 else 30},none (read speech)")
    (folder / "speechocean" / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


# --- rooms and conditions ---


def test_a_room_leaves_the_direct_sound_and_the_power_in_their_place() -> None:
    clip = np.zeros(RATE, np.float32)
    clip[4000:8000] = np.random.default_rng(0).normal(0, 0.1, 4000)
    impulse = np.zeros(3000, np.float32)
    impulse[[500, 2500]] = 0.5, 0.25
    wet = sounds.in_room(clip, RATE, impulse)
    assert len(wet) == len(clip)
    assert not np.abs(wet[:4000]).max() > 1e-6
    lags = np.correlate(wet, clip[4000:8000], "valid")
    assert lags.argmax() == 4000
    assert lags[6000] / lags[4000] == pytest.approx(0.5, abs=0.05)
    assert sounds.active_power(wet, RATE) == pytest.approx(sounds.active_power(clip, RATE))


def test_a_room_without_reverberation_changes_nothing() -> None:
    clip = fake_recognizer.tone("calm")
    assert sounds.in_room(clip, RATE, np.array([0.2], np.float32)) == pytest.approx(clip, abs=1e-5)
    assert not sounds.in_room(np.zeros(100, np.float32), RATE, np.ones(5, np.float32)).any()


@pytest.mark.parametrize("seconds", [0.3, 2.0])
def test_the_reverberation_time_is_that_of_the_decay(seconds: float) -> None:
    t = np.arange(3 * RATE) / RATE
    decay = np.random.default_rng(0).normal(0, 1, len(t)) * 10 ** (-3 * t / seconds)
    assert sounds.reverberation_s(decay.astype(np.float32), RATE) == pytest.approx(seconds, rel=0.1)
    assert sounds.reverberation_s(np.zeros(0, np.float32), RATE) == 0


def test_every_condition_is_what_its_name_says(data: Path) -> None:
    played = field.FieldSounds.read(data)
    clip = fake_recognizer.tone("calm", 1)
    found = {name: (x, hz) for name, x, hz, _ in field.field_conditions(played, 0)(clip, RATE, 3)}
    assert list(found)[:2] == ["clean", "10 dB of white or pink noise"]
    assert np.array_equal(found["clean"][0], clip)
    assert {name for name, (x, _) in found.items() if x.ndim == 2} == {"stereo", "stereo, one side silent"}
    assert not found["stereo, one side silent"][0][:, 1].any()
    for name, hz in (("8 kHz", 8000), ("22.05 kHz", 22_050), ("44.1 kHz", 44_100), ("48 kHz", 48_000)):
        assert found[name][1] == hz
        assert len(found[name][0]) == hz
    near, far = (sounds.active_power(found[name][0], RATE) for name in ("small room", "far speaker"))
    assert 10 * np.log10(near / far) == pytest.approx(20, abs=1)
    assert not np.allclose(found["small room"][0], found["hall"][0])


def test_a_folder_without_rooms_is_named(data: Path) -> None:
    for path in (data / "rir").iterdir():
        path.unlink()
    (data / "rir").rmdir()
    with pytest.raises(DataError, match=r"rir is not below .* Check --data"):
        field.FieldSounds.read(data)


# --- labels ---


def test_clips_without_a_label_of_the_card_are_left_out_and_calm_is_neutral() -> None:
    labels = ("neutral", "anger")
    without_calm = small_voice.card(
        labels=labels,
        emotions={label: (label,) for label in labels},
        calibration=Calibration((1.0, 1.0), (0.0, 0.0)),
        thresholds=dict.fromkeys(labels, 0.5),
        affect=dict.fromkeys(labels, (0.0, 0.0)),
    )
    rows = [Example(labels=(label,)) for label in ("calm", "anger", "boredom")]
    space, known = field.shared(without_calm, rows)
    assert [e.labels for e in known] == [("neutral",), ("anger",)]
    assert space.labels == ("neutral", "anger")
    assert [e.labels for e in field.shared(fake_recognizer.card(), rows)[1]] == [("calm",), ("anger",)]
    with pytest.raises(DataError, match=r"the clips are labelled boredom: give clips"):
        field.shared(without_calm, rows[2:])


# --- calm speech ---


def test_alarms_are_counted_by_clip_hour_child_and_set(tmp_path: Path) -> None:
    said = [("a/1", "9", "anger"), ("a/2", "40", "calm"), ("b/1", "", "neutral"), ("b/2", "", "happiness")]
    clips = [
        Example(
            path=fake_recognizer.write(tmp_path / f"{i}.wav", fake_recognizer.tone(heard, 0.9)),
            labels=("neutral",), speaker=speaker, age=age,
        )
        for i, (speaker, age, heard) in enumerate(said)
    ]  # fmt: skip
    rows = by_name(calm.calm_rows(FakeRecognizer(), clips, resamples=50))
    assert rows["alarms, all", "share"].score.value == 0.25
    assert rows["alarms, all", "an hour"].score.value == pytest.approx(1000)
    assert rows["neutral, all", "share"].score.value == 0.5
    assert rows["alarms, children", "share"].score.value == rows["alarms, children", "share"].n == 1
    assert rows["alarms, b", "share"].score.value == 0
    assert rows["neutral, a", "share"].n == 2


def test_calm_speech_that_trained_the_bundle_is_left_out(data: Path, tmp_path: Path) -> None:
    clips = calm.calm_speech(data)
    assert {e.speaker for e in clips} == {f"speechocean/{i}" for i in range(6)}
    assert calm.strangers(clips, None) == calm.strangers(clips, tmp_path / "new.tflite") == clips
    write_seen_voice(tmp_path / "old.seen", clips[:2])
    assert calm.strangers(clips, tmp_path / "old.tflite") == clips[2:]


# --- live ---


def test_the_spoken_part_is_the_middle_second_between_silences() -> None:
    clip = np.concatenate([quiet(0.7), fake_recognizer.tone("calm", 2), quiet(1.5)])
    clip[round(1.7 * RATE)] = 0.9
    part = live_voice.spoken_part(clip)
    assert len(part) == RATE
    assert part.argmax() == pytest.approx(RATE // 2, abs=200)
    assert len(live_voice.spoken_part(fake_recognizer.tone("calm", 0.4))) == round(0.4 * RATE)
    assert not live_voice.spoken_part(np.zeros(5 * RATE, np.float32)).any()


@pytest.mark.parametrize("noise", [None, 0.1])
def test_a_scene_has_its_word_where_it_says(noise: float | None) -> None:
    rng = np.random.default_rng(2)
    hiss = None if noise is None else rng.normal(0, noise, 8 * RATE).astype(np.float32)
    scene = live_voice.Scene.of(word("anger"), hiss, 10, rng)
    assert len(scene.pcm) == 8 * RATE
    start, end = (round(ms * RATE / 1000) for ms in (scene.start_ms, scene.end_ms))
    assert end - start == RATE
    inside, outside = (float((x**2).mean()) for x in (scene.pcm[start:end], scene.pcm[:start]))
    if noise is None:
        assert 10 * np.log10(outside) == pytest.approx(-65, abs=0.5)
    else:
        assert 10 * np.log10((inside - outside) / outside) == pytest.approx(10, abs=0.5)


class Told:
    """A recognizer whose stream gives set results: sample from which a result comes, start, end, label."""

    def __init__(self, *results: tuple[int, int, int, str]) -> None:
        self.results = list(results)

    def stream(self, rate_hz: int, results: tuple[str, ...]) -> Told:
        assert (rate_hz, results) == (RATE, ("utterance",))
        return self

    def push(self, chunk: Samples, t_ms: int) -> list[Any]:
        end = t_ms * RATE // 1000 + len(chunk)
        due, self.results = (
            [r for r in self.results if r[0] <= end],
            [r for r in self.results if r[0] > end],
        )
        return [self.result(*r) for r in due]

    def flush(self) -> list[Any]:
        return [self.result(*r) for r in self.results]

    def result(self, _: int, start: int, end: int, label: str) -> Any:
        said = FakeRecognizer().predict(fake_recognizer.tone(label), RATE)
        return replace(said, start_ms=start, end_ms=end)


def test_the_longest_utterance_over_the_word_counts_with_its_times() -> None:
    scene = live_voice.Scene(np.zeros(8 * RATE, np.float32), 3500.0, 4500.0)
    elsewhere, short = (RATE, 500, 900, "calm"), (4 * RATE, 3600, 3900, "calm")
    long = (round(4.79 * RATE), 3950, 4600, "anger")
    found = live_voice.hear(Told(elsewhere, short, long), scene)
    assert found is not None
    assert found.result.label == "anger"
    assert found.onset_ms == 100
    assert found.late_ms == pytest.approx(300)
    assert live_voice.hear(Told(elsewhere), scene) is None


def test_words_live_are_found_and_compared_with_the_whole_clip(examples: list[Example], data: Path) -> None:
    recognizer = opened()
    space = label_sets_of(recognizer.card)[FINE]
    noise = sounds.Noise(data / "ambience")
    rows = by_name(live_voice.words_live(recognizer, examples, space, noise, seed=0, resamples=50))
    assert rows["found, quiet room", "share"].score.value == 1
    assert rows["found, quiet room", "share"].n == len(examples)
    assert rows["label right, quiet room", "of whole"].score.value == pytest.approx(1)
    assert 0 < rows["result after the end, median, quiet room", "ms"].score.value < 1000
    assert ("found, 10 dB of ambience", "share") in rows


def test_false_utterances_are_counted_by_time(data: Path, tmp_path: Path) -> None:
    recognizer = opened()
    noises = field.FieldSounds.read(data).noises
    assert [e.path.name for e in noises if e.path] == ["city.wav", "rain.wav", "1-7-A.wav", "2-9-A.wav"]
    spoken = np.concatenate([quiet(2), word("anger"), quiet(3)])
    heard = Example(path=fake_recognizer.write(tmp_path / "a.wav", spoken), group="heard/a")
    rows = by_name(live_voice.false_utterances(recognizer, [*noises, heard], seed=0, resamples=50))
    assert rows["false utterances, heard", "in ten minutes"].score.value == pytest.approx(100)
    assert rows["false utterances, esc10", "in ten minutes"].score.value == 0
    assert rows["false utterances, esc10", "in ten minutes"].n == 1, "the damaged recording is left out"
    assert rows["false utterances, all", "in ten minutes"].n == 4 + live_voice.PIECES


def test_made_sounds_are_loud_and_within_full_scale() -> None:
    kinds = made_sounds.steady_sounds()
    assert list(kinds) == ["tones", "saws", "chords", "telephone lines"]
    pieces = [x for own in kinds.values() for x in own]
    pieces.append(made_sounds.music(np.random.default_rng(0), 5))
    assert all(x.dtype == np.float32 and 0.05 < np.abs(x).max() <= 1 for x in pieces)
    assert len(pieces[-1]) == 5 * RATE
    power = np.abs(np.fft.rfft(kinds["tones"][0])) ** 2
    assert power.argmax() / made_sounds.SECONDS == 100


# --- the whole ---


def test_a_ratio_is_of_sums() -> None:
    found = intervals([Ratio([1, 0, 1], [2, 4, 4])], Draw(3, 50))["ratio"]
    assert found.value == 0.2
    assert found.low < 0.2 < found.high
    assert intervals([Ratio([1], [0])], Draw(1, 50)) == {}


def measured(examples: list[Example], data: Path, clips: int = 20) -> FieldReport:
    recognizer = opened()
    played = field.FieldSounds.read(data)
    unknown = replace(examples[-1], labels=())
    speech = [*examples, unknown, *calm.calm_speech(data)]
    return field.field(recognizer, examples, speech, played, clips=clips, **HOW)


def test_the_protocol_measures_every_part_and_repeats_itself(examples: list[Example], data: Path) -> None:
    strange = Example(path=examples[0].path, labels=("boredom",), speaker="own/0")
    report = measured([*examples, strange], data)
    assert report == measured([*examples, strange], data)
    assert list(dict.fromkeys(row.part for row in report.rows)) == ["clips", "calm", "live", "sounds"]
    rows = by_name(report.rows)
    clean = rows["clean", "UAR"]
    assert (clean.score.value, clean.cost, clean.n) == (1, None, len(examples))
    stereo = rows["stereo", "UAR"].cost
    assert stereo is not None
    assert stereo.value == 0
    assert rows["alarms, speechocean", "share"].score.value == pytest.approx(1 / 6)
    assert rows["alarms, children", "share"].score.value == 0.5
    assert rows["alarms, own", "share"].n == 6, "neutral clips count, anger and unlabelled ones do not"
    assert report.notes == ("1 clips have no label that the card knows.",)
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["clips"] == 20
    assert plain["rows"][0]["score"]["value"] == 1
    assert plain["rows"][1]["cost"].keys() == {"value", "low", "high"}


def test_few_clips_are_drawn_and_always_the_same(examples: list[Example], data: Path) -> None:
    report = measured(examples, data, clips=3)
    assert {row.n for row in report.rows if row.part == "clips"} == {3}
    assert by_name(report.rows)["found, quiet room", "share"].n == 2, "one clip of each label, one is neutral"
    assert by_name(report.rows)["alarms, speechocean", "share"].n == 3


def test_a_sample_of_a_set_has_many_speakers() -> None:
    people = [Example(path=Path(f"{i}.wav"), speaker=f"s/{i // 10:02}") for i in range(400)]
    drawn = calm.of_each_set([*people, Example(path=Path("x.wav"), group="t/x")], 20)
    assert len(drawn) == 21
    assert len({e.speaker for e in drawn if e.speaker}) > 12
    assert drawn[:20] == calm.of_each_set(people[::-1], 20)


def test_the_command_prints_the_table(
    examples: list[Example],
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    bundle = small_voice.write(tmp_path)
    write_seen_voice(bundle.with_suffix(".seen"), calm.calm_speech(data))
    write_manifest(tmp_path / "own.csv", examples)
    options = ["--field", str(data), "--clips", "20", "--bootstrap", "50", "--leaks", "keep"]
    assert main(["evaluate", str(bundle), str(tmp_path / "own.csv"), *options]) == 0
    shown = capsys.readouterr().out
    assert "telephone line" in shown
    assert "false utterances, made music" in shown
    assert "Calm speech that trained the bundle is left out: speechocean." in shown
    assert main(["evaluate", str(bundle), str(tmp_path / "own.csv"), *options, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["field"]["rows"]
    assert rows[0]["name"] == "clean"
    assert {row["name"] for row in rows if row["part"] == "calm"} == {
        "alarms, all", "neutral, all", "alarms, own", "neutral, own",
    }  # fmt: skip


def test_the_field_is_for_voices(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = float_text.write(tmp_path)
    (tmp_path / "own.csv").write_text("text,labels\nhello,joy\n", encoding="utf-8")
    assert main(["evaluate", str(bundle), str(tmp_path / "own.csv"), "--field", str(data)]) == 2
    assert "--field is for a voice bundle" in capsys.readouterr().err


def test_the_number_of_clips_belongs_to_the_field(
    examples: list[Example], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(tmp_path / "own.csv", examples)
    bundle = small_voice.write(tmp_path)
    assert main(["evaluate", str(bundle), str(tmp_path / "own.csv"), "--clips", "30"]) == 2
    assert "--clips is how many clips --field measures" in capsys.readouterr().err


def test_without_calm_or_emotional_speech_the_other_parts_remain(examples: list[Example], data: Path) -> None:
    played = replace(field.FieldSounds.read(data), noises=())
    calm_only = [e for e in examples if e.labels == ("neutral",)]
    report = field.field(opened(), calm_only, [], played, **HOW)
    assert {row.part for row in report.rows} == {"clips", "live", "sounds"}
    assert {row.name for row in report.rows if row.part == "live"} == {
        "false utterances, all", "false utterances, made music",
    }  # fmt: skip
