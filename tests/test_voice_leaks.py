"""Leaks of speech: copies are found however they were made, other takes are not; speakers are known again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fake_recognizer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeemo.data import fingerprint
from edgeemo.data.leaks import write_seen
from edgeemo.data.leaks_voice import check_leaks_voice, read_seen_voice, write_seen_voice
from edgeemo.data.manifest import Example, write_manifest
from edgeemo.errors import DataError, LeakError
from edgeemo.evaluation import sounds

soundfile = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")

RATE = fake_recognizer.RATE
Heard = tuple[fake_recognizer.Samples, int]


def wav(pcm: fake_recognizer.Samples) -> Heard:
    file = io.BytesIO()
    soundfile.write(file, pcm, RATE, format="WAV", subtype="PCM_16")
    file.seek(0)
    return read(file)


def read(file: Any) -> Heard:
    pcm, rate_hz = soundfile.read(file, dtype="float32")
    return pcm, rate_hz


CHANGES: dict[str, Callable[[fake_recognizer.Samples], Heard]] = {
    "another file": wav,
    "20 dB quieter": lambda x: (x * np.float32(0.1), RATE),
    "clipped": lambda x: (np.clip(x * 2, -0.5, 0.5), RATE),
    "stereo": lambda x: (np.stack([x, x], 1), RATE),
    "7 ms later": lambda x: (x[round(0.007 * RATE) :], RATE),
    "beginning trimmed": lambda x: (x[round(0.1 * RATE) :], RATE),
    "silence before": lambda x: (np.pad(x, (RATE // 2, 0)), RATE),
    "another rate": lambda x: (sounds.resample(x, RATE, 44_100), 44_100),
    "Opus": lambda x: sounds.through_codec(x, RATE, "Opus")[:2],
    "Vorbis": lambda x: sounds.through_codec(x, RATE, "Vorbis")[:2],
    "MP3": lambda x: sounds.through_codec(x, RATE, "MP3")[:2],
    "telephone": lambda x: sounds.through_telephone(x, RATE)[:2],
}


def alike(pcm: fake_recognizer.Samples, rate_hz: int, known: fingerprint.Signs) -> fake_recognizer.Samples:
    return fingerprint.likeness(fingerprint.shifted(pcm, rate_hz), fingerprint.unit(known))


@pytest.fixture(scope="module")
def known() -> fingerprint.Signs:
    return np.stack([fingerprint.code(fake_recognizer.utterance(seed), RATE) for seed in range(12)])


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_is_found_and_nothing_else(change: str, known: fingerprint.Signs) -> None:
    for seed in (3, 8):
        found = alike(*CHANGES[change](fake_recognizer.utterance(seed)), known)
        assert np.flatnonzero(found >= fingerprint.SAME).tolist() == [seed]


def test_other_voices_are_not_alike(known: fingerprint.Signs) -> None:
    assert max(alike(fake_recognizer.utterance(seed), RATE, known).max() for seed in range(100, 108)) < 0.5


@pytest.mark.parametrize("pcm", [np.zeros(0), np.zeros(RATE), np.full(RATE, 0.5), np.eye(1, 800)[0]])
def test_silence_is_a_copy_of_nothing(pcm: fake_recognizer.Samples) -> None:
    pcm = pcm.astype(np.float32)
    assert alike(pcm, RATE, fingerprint.code(pcm, RATE)[None]).max() < fingerprint.SAME


@given(arrays(np.int8, (3, fingerprint.CELLS), elements=st.integers(-1, 1)))
@settings(deadline=None, max_examples=20)
def test_packed_codes_are_unpacked_equal(codes: fingerprint.Signs) -> None:
    assert fingerprint.pack(codes).shape == (3, fingerprint.BYTES)
    assert np.array_equal(fingerprint.unpack(fingerprint.pack(codes)), codes)


def test_real_takes_are_told_apart_and_real_copies_found(data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("voice") / "ravdess"
    with (folder / "metadata.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["speaker"] == "23" and row["emotion"] != "calm"][
            :26
        ]
    clips = [read(folder / row["path"]) for row in rows]
    codes = np.stack([fingerprint.code(*clip) for clip in clips])
    for i, clip in enumerate(clips):
        found = alike(*clip, codes)
        assert found[i] == pytest.approx(1, abs=1e-4)
        assert np.delete(found, i).max() < fingerprint.SAME, rows[i]["path"]
    for change in ("Opus", "MP3", "telephone", "beginning trimmed", "20 dB quieter"):
        assert alike(*CHANGES[change](clips[5][0]), codes)[5] >= fingerprint.SAME


def test_the_known_duplicate_of_ravdess_is_found(data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("voice") / "ravdess" / "07"
    first, second = (folder / f"03-01-03-01-02-0{take}-07.opus" for take in (1, 2))
    code = fingerprint.code(*read(first))
    assert alike(*read(second), code[None])[0] > 0.95


def clip(folder: Path, seed: int, speaker: str = "") -> Example:
    return Example(
        path=fake_recognizer.write(folder / f"{speaker}-{seed}.wav", fake_recognizer.utterance(seed, 1)),
        labels=("anger",),
        speaker=speaker,
    )


@pytest.fixture
def train(tmp_path: Path) -> list[Example]:
    return [clip(tmp_path / "train", seed, speaker) for seed, speaker in enumerate(["a", "a", "b", ""])]


@pytest.fixture
def trial(tmp_path: Path) -> list[Example]:
    """Clips 0 and 3 of training under other names, one more by speaker b, and one of two strangers."""
    clips = [(0, "x"), (3, "x"), (50, "B "), (51, "y"), (51, "z")]
    return [clip(tmp_path / "test", seed, speaker) for seed, speaker in clips]


def test_what_was_heard_is_read_back_and_its_order_tells_nothing(
    tmp_path: Path, train: list[Example]
) -> None:
    write_seen_voice(tmp_path / "a.seen", train)
    write_seen_voice(tmp_path / "b.seen", train[::-1])
    assert (tmp_path / "a.seen").read_bytes() == (tmp_path / "b.seen").read_bytes()
    assert (tmp_path / "a.seen").stat().st_size == 24 + 2 * 8 + 4 * fingerprint.BYTES
    seen = read_seen_voice(tmp_path / "a.seen")
    assert len(seen.speakers) == 2
    codes = [fingerprint.code(fake_recognizer.utterance(seed, 1), RATE) for seed in range(4)]
    assert (fingerprint.unit(np.array(codes)) @ fingerprint.unit(seen.codes).T).max(1) == pytest.approx(
        1, abs=0.05
    )


@pytest.mark.parametrize(
    "content", [b"", b"EDGEVOIC", b"EDGEVOIC" + bytes(15), b"EDGEVOIC\1" + bytes(15), b"no" * 20]
)
def test_a_damaged_list_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.seen").write_bytes(content)
    with pytest.raises(DataError, match="--train"):
        read_seen_voice(tmp_path / "x.seen")


def test_a_list_of_texts_is_no_list_of_clips(tmp_path: Path) -> None:
    write_seen(tmp_path / "x.seen", ["a text"])
    with pytest.raises(DataError, match="not a list of training clips"):
        read_seen_voice(tmp_path / "x.seen")


@pytest.mark.parametrize("by", ["train.csv", "tiny.seen"])
def test_known_speakers_and_copies_are_refused_with_the_remedy(
    tmp_path: Path, train: list[Example], trial: list[Example], by: str
) -> None:
    manifest = None
    if by == "train.csv":
        manifest = tmp_path / by
        write_manifest(manifest, train)
    else:
        write_seen_voice(tmp_path / by, train)
    said = r"1 of 4 test speakers .*\('B '\); 2 of 5 clips are copies .*x-0\.wav, x-3\.wav.*--leaks drop"
    with pytest.raises(LeakError, match=said):
        check_leaks_voice(trial, tmp_path / "tiny.tflite", train=manifest)


@pytest.mark.parametrize(("policy", "left", "word"), [("drop", 2, "dropped"), ("keep", 5, "kept")])
def test_leaks_are_dropped_or_kept_openly(
    tmp_path: Path, train: list[Example], trial: list[Example], policy: str, left: int, word: str
) -> None:
    write_seen_voice(tmp_path / "tiny.seen", train)
    kept, check = check_leaks_voice(trial, tmp_path / "tiny.tflite", policy=policy)  # type: ignore[arg-type]
    assert len(kept) == left
    assert check.to_dict() == {
        "checked": True, "by": "tiny.seen", "n": 3, "repeated": 1, "speakers": ["B "], "copies": 2, word: 3,
    }  # fmt: skip


def test_strangers_pass(tmp_path: Path, train: list[Example], trial: list[Example]) -> None:
    write_seen_voice(tmp_path / "tiny.seen", train)
    kept, check = check_leaks_voice(trial[3:], tmp_path / "tiny.tflite")
    assert kept == trial[3:]
    assert (check.checked, check.n, check.action) == (True, 0, "none")


def test_without_anything_to_check_against_it_says_so(trial: list[Example]) -> None:
    kept, check = check_leaks_voice(trial, None)
    assert kept == trial
    assert (check.checked, check.repeated) == (False, 1)
    assert "--train" in check.by
