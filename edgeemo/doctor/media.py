"""What the shipped models see in a picture and hear in a recording, in a process of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import FaceDetector, Recognizer
from ..bundle import Bundle, shipped
from ..faces import Face
from ..runtime import Runtime
from . import child
from .case import Skipped
from .litert import trial
from .samples import Samples

AT_MOST_S = 60.0
"""So much of a recording is heard."""


def faces_in(picture: Path) -> tuple[list[list[Face]], str]:
    """Return the faces of a picture as it is and turned to the left by a quarter, twice and three times.

    Raises:
        Skipped: the shipped detector does not run here, whatever the picture.

    Returns:
        Four lists; or none, and why it does not run on this picture.
    """
    said, why = _asked("face-detector", picture)
    return [[Face(*face) for face in faces] for faces in said.get("faces", ())], why


def evidence_in(recording: Path) -> tuple[list[float], float, str]:
    """Return the evidence of each span of a recording's first minute, and the least that counts.

    Raises:
        Skipped: the shipped bundle for voices does not run here, whatever the recording.

    Returns:
        Both; or none, and why it does not run on this recording.
    """
    said, why = _asked("voice", recording)
    return said.get("evidence", []), said.get("least", 0.0), why


def _asked(name: str, file: Path) -> tuple[dict[str, Any], str]:
    outcome = next((tried for tried in trial() if tried.bundle == str(shipped().get(name))), None)
    if outcome is None:
        raise Skipped(f"no bundle {name} came with this edgeemo: what is in {file.name} is not known")
    if not outcome.ran:
        raise Skipped(f"the shipped {name} does not run here: {outcome.error}")
    said, end = child.run(__name__, name, str(file))
    return (said[0], str(said[0].get("error", ""))) if said else ({}, end)


# --- in the child ---


def main(asked: Sequence[str]) -> None:
    """Tell of one file: ``face-detector PICTURE`` or ``voice RECORDING``."""
    name, file = asked
    try:
        found = _seen(Path(file)) if name == "face-detector" else _heard(Path(file))
    except Exception as error:  # whatever it is, the parent names it
        found = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
    print(json.dumps(found), flush=True)


def _seen(picture: Path) -> dict[str, Any]:
    from ..sources.photos import read_photo

    image, bundle = read_photo(picture), Bundle.open("face-detector")
    with FaceDetector(bundle, Runtime(bundle.flatbuffer)) as detector:
        views = [detector.detect(np.ascontiguousarray(np.rot90(image, turns))) for turns in range(4)]
    return {"faces": [[(face.box, face.eyes, face.score) for face in faces] for faces in views]}


def _heard(recording: Path) -> dict[str, Any]:
    sound, bundle = Samples.read(recording, AT_MOST_S), Bundle.open("voice")
    with Recognizer(bundle, Runtime(bundle.flatbuffer)) as recognizer:
        spans = recognizer.timeline(np.ascontiguousarray(sound.pcm), rate_hz=sound.rate_hz)
        least = recognizer.card.evidence.get("least", 0.0)
    return {"evidence": [span.evidence for span in spans], "least": least}
