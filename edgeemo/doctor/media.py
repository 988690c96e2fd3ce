"""What the shipped models see in a picture and hear in a recording, in a process of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import FaceDetector, VoiceRecognizer
from ..bundle import Bundle, shipped
from ..errors import EdgeemoError, InferenceError
from ..faces import Face
from ..runtime import Runtime
from . import child
from .case import Finding, Skipped, error
from .litert import trial
from .samples import Samples

AT_MOST_S = 60.0
"""So much of a recording is heard."""


def faces_in(picture: Path) -> list[list[Face]]:
    """Return the faces of a picture as it is and turned to the left by a quarter, twice and three times.

    Raises:
        Skipped: the shipped detector does not run here, whatever the picture.
        InferenceError: it does not run on this one.

    Returns:
        Four lists.
    """
    return [[Face(*face) for face in faces] for faces in _asked("face-detector", picture)["faces"]]


def evidence_in(recording: Path) -> tuple[list[float], float]:
    """Return the evidence of each span of a recording's first minute, and the least that counts.

    Raises:
        Skipped: the shipped bundle for voices does not run here, whatever the recording.
        InferenceError: it does not run on this one.
    """
    said = _asked("voice", recording)
    return said["evidence"], said["least"]


def failure(kind: str, file: Path, reason: EdgeemoError) -> Finding:
    """Return the finding that a picture or a recording was read, and cannot be looked into."""
    return error(
        f"{kind}-fails",
        f"The {kind} {file.name} can be read, and cannot be looked into.",
        " ".join(str(reason).split()),
        f"Give another {kind}; if this one is whole, report it with the output of `edgeemo doctor --json`.",
    )


def _asked(name: str, file: Path) -> dict[str, Any]:
    outcome = next((tried for tried in trial() if tried.bundle == str(shipped().get(name))), None)
    if outcome is None:
        raise Skipped(f"no bundle {name} came with this edgeemo: what is in {file.name} is not known")
    if not outcome.ran:
        raise Skipped(f"the shipped {name} does not run here: {outcome.error}")
    said, end = child.run(__name__, name, str(file))
    if not said or "error" in said[0]:
        raise InferenceError(f"The shipped {name} fails on it: {said[0]['error'] if said else end}.")
    return said[0]


# --- in the child ---


def main(asked: Sequence[str]) -> None:
    """Tell of one file: ``face-detector PICTURE`` or ``voice RECORDING``."""
    name, file = asked
    try:
        found = _seen(Path(file)) if name == "face-detector" else _heard(Path(file))
    except Exception as reason:  # whatever it is, the parent names it
        found = {"error": " ".join(f"{type(reason).__name__}: {reason}".split()).rstrip(".")}
    print(json.dumps(found), flush=True)


def _seen(picture: Path) -> dict[str, Any]:
    from ..sources.photos import read_photo

    image, bundle = read_photo(picture), Bundle.open("face-detector")
    with FaceDetector(bundle, Runtime(bundle.flatbuffer)) as detector:
        views = [detector.detect(np.ascontiguousarray(np.rot90(image, turns))) for turns in range(4)]
    return {"faces": [[(face.box, face.eyes, face.score) for face in faces] for faces in views]}


def _heard(recording: Path) -> dict[str, Any]:
    sound, bundle = Samples.read(recording, AT_MOST_S), Bundle.open("voice")
    with VoiceRecognizer(bundle, Runtime(bundle.flatbuffer)) as recognizer:
        spans = recognizer.timeline(np.ascontiguousarray(sound.pcm), rate_hz=sound.rate_hz)
        least = recognizer.card.evidence.get("least", 0.0)
    return {"evidence": [span.evidence for span in spans], "least": least}
