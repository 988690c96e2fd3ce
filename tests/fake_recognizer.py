"""A fake voice recognizer without a model, and clips whose answers are known.

The recognizer knows one tone for each label. It reads noise as anger, and finds no evidence in silence.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import ModelCard
from edgeemo.card import Calibration, DataSource
from edgeemo.data.manifest import Example
from edgeemo.types import EMOTIONS, EmotionResult

RATE = 16_000
LABELS = ("neutral", "calm", "happiness", "sadness", "anger")
TONES = {"neutral": 200.0, "calm": 300.0, "happiness": 400.0, "sadness": 500.0, "anger": 600.0}
Samples = npt.NDArray[np.float32]


def card() -> ModelCard:
    return ModelCard(
        name="fake",
        version="0.1.0",
        modality="voice",
        labels=LABELS,
        multi_label=False,
        emotions={
            "neutral": ("neutral", "calm"),
            "happiness": ("happiness",),
            "sadness": ("sadness",),
            "anger": ("anger",),
        },
        calibration=Calibration((1.0,) * 5, (0.0,) * 5),
        thresholds=dict.fromkeys(LABELS, 0.5),
        affect=dict.fromkeys(LABELS, (0.0, 0.0)),
        outputs={"labels": "labels"},
        spec={},
        spec_digest="",
        licence="Apache-2.0",
        commercial="cleared",
        data=(DataSource("tones", "CC0", "weights"),),
    )


class FakeRecognizer:
    """A `VoiceRecognizer` as evaluation sees one."""

    def __init__(self, path: Path | None = None) -> None:
        self.card = card()
        self.bundle = SimpleNamespace(path=path, flatbuffer=b"", card=self.card)
        self.runtime = SimpleNamespace(info=SimpleNamespace(backend="fake", delegate="cpu"))

    def __enter__(self) -> FakeRecognizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def predict(self, pcm: Samples, rate_hz: int) -> EmotionResult:
        samples = pcm if pcm.ndim == 1 else pcm.mean(1)
        power = np.abs(np.fft.rfft(samples)) ** 2
        hz = np.arange(len(power)) * rate_hz / max(len(samples), 1)
        heard = np.array([power[np.abs(hz - tone) < 30].sum() for tone in TONES.values()]) + 1e-12
        if power[hz > 2000].sum() > 0.05 * power.sum():
            heard[LABELS.index("anger")] += 10 * heard.sum()
        evidence = float(np.abs(samples).max(initial=0.0) > 1e-3)
        share = heard / heard.sum() if evidence else np.eye(5)[0]
        scores = np.zeros(len(EMOTIONS))
        for emotion, members in self.card.emotions.items():
            scores[EMOTIONS.index(emotion)] = sum(share[LABELS.index(label)] for label in members)
        return EmotionResult(
            "voice", scores.astype(np.float32), LABELS, share.astype(np.float32),
            np.full(5, 0.5, np.float32), 0.0, 0.0, evidence,
        )  # fmt: skip


def tone(label: str, seconds: float = 0.5, rate_hz: int = RATE) -> Samples:
    """Return the tone that the recognizer reads as this label."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(0.3 * np.sin(2 * np.pi * TONES[label] * t), np.float32)


def utterance(seed: int, seconds: float = 2.0, rate_hz: int = RATE) -> Samples:
    """Return a sound that changes as speech does: a buzz under formants that jump every 80 to 200 ms."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate_hz)
    t = np.arange(n) / rate_hz
    pitch = 120 * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * t + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    knots = np.cumsum(rng.uniform(0.08, 0.2, round(seconds / 0.08)))
    formants = [
        np.interp(t, knots, rng.uniform(low, high, len(knots))) for low, high in ((250, 900), (900, 2600))
    ]
    loud = np.interp(t, knots, rng.uniform(0, 1, len(knots)) ** 2)
    found = np.zeros(n)
    for k in range(1, 24):
        gain = sum(np.exp(-(((k * pitch - f) / 200) ** 2)) for f in formants)
        found += gain * np.sin(k * phase)
    return np.asarray(0.1 * loud * found, np.float32)


def write(path: Path, pcm: npt.NDArray[Any], rate_hz: int = RATE) -> Path:
    """Write a clip."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, pcm, rate_hz)
    return path


def clips(folder: Path, said: dict[str, str], **columns: Any) -> list[Example]:
    """Write a clip for each name, with the tone of its label, by a speaker of that name."""
    return [
        Example(path=write(folder / f"{name}.wav", tone(label)), labels=(label,), speaker=name, **columns)
        for name, label in said.items()
    ]
