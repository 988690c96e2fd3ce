"""Every reader of sound takes the rate from the file or the caller; nobody assumes 16,000 Hz."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_recognizer
import numpy as np
import pytest
import small_voice
from fake_recognizer import FakeRecognizer

from edgeemo import VoiceRecognizer
from edgeemo.cli import main
from edgeemo.data.manifest import Example
from edgeemo.evaluation import evaluate
from edgeemo.sources import AudioFile

sf = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")

RATES = pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000])


def clip(rate_hz: int) -> Any:
    return np.concatenate(
        [small_voice.voice("sadness", 1.3, rate_hz), small_voice.voice("neutral", 0.9, rate_hz)]
    )


@RATES
def test_an_audio_file_knows_its_rate_and_its_clock_follows(tmp_path: Path, rate_hz: int) -> None:
    sf.write(tmp_path / "clip.wav", clip(rate_hz), rate_hz)
    with AudioFile(tmp_path / "clip.wav") as source:
        assert source.rate_hz == rate_hz
        blocks = list(source)
    starts = np.cumsum([0, *(len(samples) for samples, _ in blocks)])[:-1]
    assert len(blocks) > 2
    assert [t_ms for _, t_ms in blocks] == (1000 * starts // rate_hz).tolist()
    assert sum(len(samples) for samples, _ in blocks) == len(clip(rate_hz))


@RATES
def test_predict_reads_a_file_at_its_rate(
    tmp_path: Path,
    small_voice_path: Path,
    voice: VoiceRecognizer,
    capsys: pytest.CaptureFixture[str],
    rate_hz: int,
) -> None:
    path = tmp_path / "clip.wav"
    sf.write(path, clip(rate_hz), rate_hz)
    assert main(["predict", str(path), "--bundle", str(small_voice_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[0])
    timeline = [one.to_dict() for one in voice.timeline(clip(rate_hz), rate_hz)]
    assert result.pop("timeline") == timeline
    assert (result["rate_hz"], result["end_ms"]) == (rate_hz, 2_200)
    assert [timeline[0]["label"], timeline[-1]["label"]] == ["sadness", "neutral"]


@RATES
def test_listen_reads_raw_samples_at_the_given_rate(
    small_voice_path: Path, voice: VoiceRecognizer, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], rate_hz: int,
) -> None:  # fmt: skip
    stdin = SimpleNamespace(buffer=io.BytesIO(clip(rate_hz).tobytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    arguments = ["--stdin", "s16le", "--rate", str(rate_hz), "--json", "--bundle", str(small_voice_path)]
    assert main(["listen", *arguments]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    results = [row for row in rows if row["kind"] == "span"]
    wanted = voice.timeline(clip(rate_hz), rate_hz)
    assert [one["end_ms"] for one in results] == [one.end_ms for one in wanted]
    assert [one["scores"] for one in results] == [one.to_dict()["scores"] for one in wanted]


@RATES
def test_evaluation_reads_clips_at_their_rates(tmp_path: Path, rate_hz: int) -> None:
    """A tone that is read at another rate is the tone of another label, or of none."""
    examples = [
        Example(
            path=fake_recognizer.write(
                tmp_path / f"{label}.wav", fake_recognizer.tone(label, rate_hz=rate_hz), rate_hz
            ),
            labels=(label,),
            speaker=label,
        )
        for label in ("calm", "happiness", "sadness", "anger")
    ]
    reader: Any = FakeRecognizer()
    assert evaluate(reader, examples, resamples=20).metrics["uar"].value == 1
