"""A small training set of synthetic voices, in the layout of the public sets."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE = 8000
LABELS = {"ravdess": ("neutral", "calm", "happy", "angry"), "emodb": ("neutral", "angry", "bored")}
SPEAKERS = ("01", "02", "03", "04")
TAKES = 3
_MANNER = {  # word: (pitch, syllables a second, loudness of the upper harmonics)
    "neutral": (1.0, 3.0, 0.3),
    "calm": (0.8, 2.0, 0.1),
    "happy": (1.8, 5.0, 0.5),
    "angry": (1.4, 7.0, 1.0),
    "bored": (0.7, 1.5, 0.2),
}

RECIPE = """
name = "tiny-voice"
version = "0.0.1"
modality = "voice"
title = "For tests"
description = "Knows five manners of buzzing."
licence = "Apache-2.0"
seed = 5
[spec]
rate_hz = 8000
window = 200
hop = 80
fft = 256
mels = 16
high_hz = 4000
span_frames = 32
hop_frames = 16
[data]
labels = ["ravdess", "emodb"]
noises = ["esc10"]
speech = ["asterisk"]
speech_spans = 200
stop = 0
[augment]
copies = 2
codecs = ["mulaw", "telephone"]
room_s = [0.05, 0.1]
mask_frames = 4
mask_mels = 2
mixup = 0.2
[[step]]
name = "speech"
model = "speech_cnn"
epochs = 4
batch = 32
learning_rate = 0.01
options = { channels = [8, 8, 8] }
[[step]]
name = "emotion"
model = "voice_cnn"
epochs = 4
batch = 16
learning_rate = 0.01
patience = 0
options = { channels = [8, 8], width = 16, hidden = 16, dropout = 0.1 }
[emotions]
neutral = ["neutral", "calm", "boredom"]
happiness = ["happiness"]
anger = ["anger"]
[affect]
neutral = [0.0, 0.0]
calm = [0.6, -0.4]
happiness = [0.8, 0.5]
anger = [-0.5, 0.6]
boredom = [-0.6, -0.6]
"""


def buzz(word: str, speaker: int, take: int, seconds: float = 0.6) -> npt.NDArray[np.float32]:
    """Return a synthetic voice: harmonics under an envelope of syllables, with silence at both ends."""
    rng = np.random.default_rng([speaker, take, len(word)])
    pitch, syllables, bright = _MANNER[word]
    t = np.arange(int(seconds * RATE)) / RATE
    base = (90 + 35 * speaker) * pitch * (1 + 0.05 * np.sin(2 * np.pi * 5 * t))
    phase = 2 * np.pi * np.cumsum(base) / RATE
    voice = sum((bright ** (k / 4)) / k * np.sin(k * phase) for k in range(1, 12))
    envelope = (0.2 + np.abs(np.sin(np.pi * syllables * t + rng.uniform(0, 3)))) * np.hanning(len(t)) ** 0.3
    quiet = np.zeros(RATE // 20)
    spoken = np.concatenate([quiet, 0.1 * voice * envelope, quiet])
    return np.asarray(spoken + rng.normal(0, 1e-4, len(spoken)), np.float32)


def write_tiny_voices(folder: Path) -> Path:
    """Write sets like RAVDESS and EmoDB, backgrounds and prompts; ``manifest.csv`` lists the first again."""
    for name, words in LABELS.items():
        rows = []
        for i, speaker in enumerate(SPEAKERS):
            for word in words:
                for take in range(TAKES):
                    path = f"{speaker}/{word}-{take}.wav"
                    _write(folder / name / path, buzz(word, i + (name == "emodb"), take))
                    gender = "mf"[i % 2]
                    rows.append({"path": path, "speaker": speaker, "gender": gender, "emotion": word})
        with (folder / name / "metadata.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    rng = np.random.default_rng(0)
    for i in range(10):
        hiss = rng.normal(0, 0.05, RATE)
        sound = hiss if i % 2 else np.convolve(hiss, np.ones(20) / 5, "same")
        _write(folder / "background" / "esc10" / "001_-_Hiss" / f"1-{100 + i}-A.wav", sound)
        prompt = buzz("neutral", 6 + i % 3, i, 0.4)
        _write(folder / "background" / "asterisk_speech" / "en" / f"prompt{i}.wav", prompt)
    return folder


def _write(path: Path, x: npt.NDArray[np.floating]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, x, RATE, subtype="PCM_16")
