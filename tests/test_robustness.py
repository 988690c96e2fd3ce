"""Robustness: noise has the ratio asked for, codecs give the clip back, and a drop is measured in pairs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fake_recognizer
import numpy as np
import pytest
from fake_recognizer import FakeRecognizer

from edgeemo.data.manifest import Example
from edgeemo.errors import DataError
from edgeemo.evaluation import Report, evaluate, pictures, sounds, tables
from edgeemo.evaluation.robustness import Robustness

pytest.importorskip("soundfile", reason="needs edgeemo[voice]")

RATE = fake_recognizer.RATE


def decibel(ratio: float) -> float:
    return float(10 * np.log10(ratio))


@pytest.mark.parametrize("snr_db", [20, 5, 0, -5])
@pytest.mark.parametrize("pause", [0.0, 3.0])
def test_noise_has_the_ratio_asked_for_whatever_the_pauses(snr_db: int, pause: float) -> None:
    tone = fake_recognizer.tone("calm", 1)
    clip = np.pad(tone, (0, round(pause * RATE)))
    noise = sounds.Noise(seed=1).piece(0, len(clip), RATE)
    mixed = sounds.mix(clip, noise, RATE, snr_db)
    parts, rest, *_ = np.linalg.lstsq(np.stack([clip, noise], 1).astype(np.float64), mixed, rcond=None)
    assert rest < 1e-6, "the mixture is the clip and the noise and nothing else"
    heard, added = parts[0] * tone, parts[1] * noise
    assert decibel((heard**2).mean() / (added**2).mean()) == pytest.approx(snr_db, abs=0.1)


def test_silence_gets_no_noise_and_silent_noise_adds_nothing() -> None:
    silence, tone = np.zeros(RATE, np.float32), fake_recognizer.tone("calm", 1)
    assert not sounds.mix(silence, tone, RATE, 0).any()
    assert np.array_equal(sounds.mix(tone, silence, RATE, 0), tone)
    assert not len(sounds.mix(silence[:0], silence[:0], RATE, 0))


def test_a_loud_click_in_the_noise_turns_the_mixture_down_instead_of_leaving_full_scale() -> None:
    rng = np.random.default_rng(0)
    voice = (0.3 * rng.standard_normal(RATE)).clip(-1, 1).astype(np.float32)
    click = np.zeros(RATE, np.float32)
    click[100] = 0.5  # all its power in one sample: far above the voice at 0 dB
    mixed = sounds.mix(voice, click, RATE, 0)
    assert np.abs(mixed).max() == pytest.approx(1)
    rest = np.arange(RATE) != 100
    assert np.corrcoef(mixed[rest], voice[rest])[0, 1] == pytest.approx(1)


def test_a_clip_always_gets_the_same_noise_and_another_clip_another() -> None:
    first, again, other = (sounds.Noise(seed=s).piece(4, 999, RATE) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, sounds.Noise().piece(6, 999, RATE))


def test_pink_noise_falls_by_ten_decibels_a_decade() -> None:
    power = np.abs(np.fft.rfft(sounds.Noise().piece(1, 1 << 16, RATE))) ** 2
    assert decibel(power[100:200].mean() / power[1000:2000].mean()) == pytest.approx(10, abs=1)


def test_recordings_are_resampled_repeated_and_silent_ones_passed_over(tmp_path: Path) -> None:
    fake_recognizer.write(tmp_path / "a" / "short.wav", fake_recognizer.tone("calm", 0.25, 8000), 8000)
    fake_recognizer.write(tmp_path / "silent.wav", np.zeros(100, np.float32))
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    noise = sounds.Noise(tmp_path)
    for number in range(6):
        piece = noise.piece(number, RATE, RATE)
        assert len(piece) == RATE
        assert np.abs(np.fft.rfft(piece)).argmax() == pytest.approx(300, abs=3)
    assert noise.name == "3 recordings (2 silent or unreadable)"


def test_noise_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no audio"):
        sounds.Noise(tmp_path)
    fake_recognizer.write(tmp_path / "silent.wav", np.zeros(100, np.float32))
    with pytest.raises(DataError, match="silent or cannot be read"):
        sounds.Noise(tmp_path).piece(0, 100, RATE)


@pytest.mark.parametrize("codec", sounds.CODECS)
@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
def test_a_codec_gives_the_clip_back(codec: str, rate_hz: int) -> None:
    tone = fake_recognizer.tone("sadness", 1, rate_hz)
    heard, heard_hz, size = sounds.through_codec(tone, rate_hz, codec)
    assert len(heard) / heard_hz == pytest.approx(1, abs=0.1)
    assert np.abs(np.fft.rfft(heard)).argmax() * heard_hz / len(heard) == pytest.approx(500, abs=3)
    assert 300 < size < 2 * len(tone)


def test_a_telephone_keeps_its_band_at_eight_kilohertz() -> None:
    low, high = (
        fake_recognizer.tone("sadness", 1),
        np.sin(2 * np.pi * 3700 * np.arange(RATE) / RATE).astype(np.float32),
    )
    heard, rate_hz, size = sounds.through_telephone(low + 0.3 * high, RATE)
    assert (rate_hz, len(heard), size) == (8000, 8000, 8000)
    power = np.abs(np.fft.rfft(heard)) ** 2
    assert decibel(power[500] / power[3700]) > 40
    assert decibel((heard**2).mean() / (low**2).mean()) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("wanted_hz", [8000, 22_050, 48_000])
def test_resampling_keeps_a_tone(wanted_hz: int) -> None:
    found = sounds.resample(fake_recognizer.tone("anger", 1), RATE, wanted_hz)
    assert found == pytest.approx(fake_recognizer.tone("anger", 1, wanted_hz), abs=1e-3)


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    labels = ("calm", "sadness", "happiness", "anger") * 3
    return fake_recognizer.clips(tmp_path, {f"s{i}": label for i, label in enumerate(labels)})


def report(examples: list[Example], seed: int = 0) -> Report:
    reader: Any = FakeRecognizer()
    return evaluate(reader, examples, noise=sounds.Noise(seed=seed), resamples=200)


def test_what_noise_and_codecs_cost_is_measured(examples: list[Example]) -> None:
    found = report(examples).robustness
    assert isinstance(found, Robustness)
    assert found.clean.value == 1
    by = {condition.name: condition for condition in found.conditions}
    assert list(by)[:5] == ["SNR 20 dB", "SNR 15 dB", "SNR 10 dB", "SNR 5 dB", "SNR 0 dB"]
    assert list(by)[5:] == ["Opus", "Vorbis", "MP3", "phone"]
    assert (
        by["SNR 20 dB"].uar.value == 1
    )  # the fake recognizer takes hissing for anger, and pink noise hisses less
    assert by["SNR 10 dB"].uar.value < 1
    assert by["SNR 0 dB"].uar.value <= by["SNR 10 dB"].uar.value
    for condition in found.conditions:
        assert condition.drop.value == pytest.approx(found.clean.value - condition.uar.value)
        assert condition.drop.low <= condition.drop.value <= condition.drop.high
        assert (condition.snr_db is None) == (condition.kind == "codec") == (condition.kbit_s is not None)
    assert by["phone"].kbit_s == pytest.approx(64, abs=1)


def test_the_curve_is_the_same_for_the_same_seed(examples: list[Example]) -> None:
    assert report(examples).to_dict() == report(examples).to_dict()


def test_the_curve_is_shown_and_drawn(examples: list[Example], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from rich.console import Console

    found = report(examples)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))["robustness"]
    assert [c["snr_db"] for c in plain["conditions"][:5]] == [20, 15, 10, 5, 0]
    console = Console(width=120, file=io.StringIO())
    console.print(tables.render(found))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "SNR 10 dB" in shown
    assert "white and pink noise" in shown
    names = [path.name for path in pictures.write(found, tmp_path / "pictures")]
    assert names[-2:] == ["speakers.png", "robustness.png"]


def test_robustness_needs_labels(tmp_path: Path) -> None:
    reader: Any = FakeRecognizer()
    path = fake_recognizer.write(tmp_path / "a.wav", fake_recognizer.tone("calm"))
    with pytest.raises(DataError, match="add the column labels"):
        evaluate(reader, [Example(path=path, valence=0.1)], noise=sounds.Noise())
