"""Inputs whose answers go into the card, to see on any machine that the bundle works as it did here.

Nobody's voice and nobody's face: signals and drawings of whole numbers, the same to the bit everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo.recognizer import Recognizer
from edgeemo.types import EmotionResult

TEXTS = (
    "What a wonderful surprise, thank you so much!",
    "I miss her every single day.",
    "This is the third time the machine ate my card, I am furious.",
    "Please don't leave me alone in the dark.",
    "Ugh, there is mould all over the bread.",
    "Wait, you can do that? I had no idea!",
    "The train leaves at nine from platform four.",
    "😂😂 best day ever",
)
RATE_HZ, SECONDS = 16_000, 3
Pcm = npt.NDArray[np.int16]


def golden(recognizer: Recognizer) -> tuple[dict[str, Any], ...]:
    """Return inputs and what the recognizer says of them."""
    reader: Any = recognizer
    if recognizer.card.modality == "text":
        return tuple(
            {
                "text": text,
                "ids": reader.frontend.compute(text).tolist()[: reader.frontend.encode(text).n_ids],
                **_answer(reader.predict(text)),
            }
            for text in TEXTS
        )
    if recognizer.card.modality == "face":
        box = (0, 0, SIDE, SIDE)
        return tuple(
            {"drawing": name, **_answer(reader.predict(drawing(name), "gray", [box]))} for name in MOUTHS
        )
    return tuple(
        {"signal": name, "rate_hz": RATE_HZ, **_answer(reader.predict(signal(name), rate_hz=RATE_HZ))}
        for name in SIGNALS
    )


def signal(name: str) -> Pcm:
    """Return a signal of `SIGNALS`: three seconds of int16 at 16 kHz."""
    return SIGNALS[name](np.arange(SECONDS * RATE_HZ, dtype=np.int64))


def _silence(t: npt.NDArray[np.int64]) -> Pcm:
    return np.zeros(len(t), np.int16)


def _hiss(t: npt.NDArray[np.int64]) -> Pcm:
    """White noise from a linear congruential generator (Numerical Recipes' constants), −30 dB."""
    found, x = np.empty(len(t), np.int16), 1
    for i in range(len(t)):
        x = (1664525 * x + 1013904223) % 2**32
        found[i] = x // 2**21 - 1024
    return found


def _hum(pitch_hz: int, syllables_hz: int) -> Callable[[npt.NDArray[np.int64]], Pcm]:
    """A sawtooth that swells and fades like syllables, its pitch rising and falling by a tenth."""

    def make(t: npt.NDArray[np.int64]) -> Pcm:
        slow = np.abs((t * 3) % RATE_HZ - RATE_HZ // 2) - RATE_HZ // 4  # a triangle, ± a quarter of the rate
        phase = np.cumsum(pitch_hz * 10 + pitch_hz * slow // (RATE_HZ // 4)) // 10
        saw = (phase % RATE_HZ) * 16384 // RATE_HZ - 8192
        swell = np.abs((t * syllables_hz) % RATE_HZ - RATE_HZ // 2) * 2
        return np.asarray(saw * swell // RATE_HZ, np.int16)

    return make


SIGNALS: dict[str, Callable[[npt.NDArray[np.int64]], Pcm]] = {
    "silence": _silence,
    "hiss": _hiss,
    "low hum": _hum(110, 3),
    "high hum": _hum(220, 5),
}


SIDE = 96
MOUTHS = {"level": 0, "smile": 1, "frown": -1, "open": 2}
Picture = npt.NDArray[np.uint8]


def drawing(name: str) -> Picture:
    """Return a face of `MOUTHS` as a child draws it: gray, `SIDE` pixels square."""
    y, x = np.mgrid[:SIDE, :SIDE] * 2 + 1 - SIDE  # from the middle, in half pixels
    found = np.full((SIDE, SIDE), 60)
    found[x * x * 3 + y * y * 2 < 3 * 80 * 80] = 180
    found[(np.abs(x) - 34) ** 2 + (y + 20) ** 2 < 100] = 30
    bend = MOUTHS[name]
    if bend == 2:
        found[x * x + (y - 44) ** 2 < 300] = 30
    else:
        found[(np.abs(x) < 32) & (np.abs(y - 44 + bend * (x * x // 64 - 8)) < 5)] = 30
    return np.asarray(found, np.uint8)


def scene(name: str) -> Picture:
    """Return that face in a picture, for a detector to find."""
    return np.pad(drawing(name), SIDE // 2, constant_values=90)


def _answer(result: EmotionResult) -> dict[str, Any]:
    found = {
        "scores": [round(x, 4) for x in result.scores.tolist()],
        "valence": round(result.valence, 4),
        "arousal": round(result.arousal, 4),
    }
    return found if result.modality == "text" else found | {"evidence": round(result.evidence, 4)}
