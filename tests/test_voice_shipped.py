"""The shipped bundle `voice` ignores tones, raises no alarm in silence, and gives bursts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgeemo import Recognizer
from edgeemo.bundle import shipped
from edgeemo.evaluation.made_sounds import RATE_HZ, steady_sounds
from edgeemo.recognizer import VoiceRecognizer

LEAST = 1 / 3
SOUNDS = [(kind, i, x) for kind, sounds in steady_sounds().items() for i, x in enumerate(sounds)]


@pytest.fixture(scope="module")
def voice() -> Iterator[VoiceRecognizer]:
    if "voice" not in shipped():
        pytest.skip("voice is not in this checkout")
    with Recognizer.open("voice") as recognizer:
        assert isinstance(recognizer, VoiceRecognizer)
        yield recognizer


def test_steady_tones_are_no_speech(voice: VoiceRecognizer) -> None:
    heard = {(kind, i): voice.predict(x, rate_hz=RATE_HZ).evidence for kind, i, x in SOUNDS}
    assert {name: evidence for name, evidence in heard.items() if evidence >= LEAST} == {}


def test_hardly_a_tone_in_noise_is_speech(voice: VoiceRecognizer) -> None:
    noise = np.random.default_rng(0).normal(0, 10 ** (-50 / 20), len(SOUNDS[0][2])).astype(np.float32)
    heard = {(kind, i): voice.predict(x + noise, rate_hz=RATE_HZ).evidence for kind, i, x in SOUNDS}
    assert len([name for name, evidence in heard.items() if evidence >= LEAST]) <= 1, heard


def test_silence_and_noise_raise_no_alarm(voice: VoiceRecognizer) -> None:
    rng = np.random.default_rng(0)
    for deviation in (0.0, 0.001, 0.1):
        x = rng.normal(0, deviation, 4 * RATE_HZ).astype(np.float32)
        assert voice.predict(x, rate_hz=RATE_HZ).label == "neutral"
        assert voice.utterances(x, rate_hz=RATE_HZ) == []


def test_the_bundle_may_be_sold_and_tells_bursts(voice: VoiceRecognizer) -> None:
    assert voice.card.commercial == "cleared"
    assert set(voice.card.outputs) == {"labels", "speech", "embedding", "bursts"}
    result = voice.predict(SOUNDS[0][2], rate_hz=RATE_HZ)
    assert result.bursts is not None
    assert sum(result.bursts.values()) == pytest.approx(1, abs=1e-4)
    found = voice.card.metrics["crossval"]["emodb"]
    assert np.array(found["confusion"]["counts"]).sum() == found["n"]
