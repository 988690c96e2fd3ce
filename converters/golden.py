"""Golden inputs: their answers go into the card, so that any machine can check that the bundle works as here.

They are nobody's voice and nobody's face: signals and drawings of whole numbers, equal to the bit everywhere.
C++ makes them (``edgeemo/golden.h``), because delegates are tried on them there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import _core
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


def signal(name: str) -> Pcm:
    """Return a signal of `SIGNALS`: three seconds of int16 at 16 kHz."""
    return _core.golden_signal(name)


def drawing(name: str) -> Picture:
    """Return a face of `MOUTHS` drawn as a child would: gray, `SIDE` pixels square."""
    return _core.golden_drawing(name)


def scene(name: str) -> Picture:
    """Return that face in a larger picture, for a detector to find."""
    return np.pad(drawing(name), SIDE // 2, constant_values=90)


def answer(result: EmotionResult) -> dict[str, Any]:
    """Return what a result says, rounded as it stands on a card."""
    found: dict[str, Any] = {
        "scores": [round(x, 4) for x in result.scores.tolist()],
        "valence": round(result.valence, 4),
        "arousal": round(result.arousal, 4),
    }
    if result.modality != "text":
        found["evidence"] = round(result.evidence, 4)
    if result.bursts is not None:
        found["bursts"] = {label: round(p, 4) for label, p in result.bursts.items()}
    return found
