"""Inputs whose answers go into the card, to see on any machine that the bundle works as it did here.

Nobody's voice and nobody's face: signals and drawings of whole numbers, the same to the bit everywhere. They
are made in C++ (``edgeemo/golden.h``), where delegates are tried on them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import _core
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
RATE_HZ = 16_000
SIGNALS = ("silence", "hiss", "low hum", "high hum")
SIDE = 96
MOUTHS = ("level", "smile", "frown", "open")
Pcm = npt.NDArray[np.int16]
Picture = npt.NDArray[np.uint8]


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
    return _core.golden_signal(name)


def drawing(name: str) -> Picture:
    """Return a face of `MOUTHS` as a child draws it: gray, `SIDE` pixels square."""
    return _core.golden_drawing(name)


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
