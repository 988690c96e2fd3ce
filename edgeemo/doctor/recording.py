"""A recording of the caller's: is somebody heard, and is nothing wrong with the numbers?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .. import Recognizer
from ..bundle import Bundle, shipped
from ..errors import EdgeemoError, RuntimeUnavailableError
from ..runtime import Runtime
from .case import Case, Finding, Skipped, error, warning
from .litert import trial
from .samples import Samples
from .sound import MODEL_HZ, SHORT_S, broken, channels, level

AT_MOST_S = 60.0


def recording(case: Case) -> Iterator[Finding]:
    """The recording given by --recording."""
    if case.recording is None:
        raise Skipped("no --recording was given")
    name = case.recording.name
    try:
        sound = Samples.read(case.recording, AT_MOST_S)
    except EdgeemoError as reason:
        missing = isinstance(reason, RuntimeUnavailableError)
        yield error(
            "recording-unreadable",
            f"The recording {name} cannot be read.",
            " ".join(str(reason).split()),
            "`pip install 'edgeemo[voice]'`"
            if missing
            else "Convert it: `ffmpeg -i FILE -ar 16000 voice.wav`.",
        )
        return
    yield from _rate(case, name, sound)
    for look in (broken, level, channels):
        found = list(look(name, sound))
        yield from found
        if any(finding.severity == "error" for finding in found):
            return
    if sound.seconds >= SHORT_S:
        yield from _speech(name, sound)


def _rate(case: Case, name: str, sound: Samples) -> Iterator[Finding]:
    if case.rate_hz and case.rate_hz != sound.rate_hz:
        yield error(
            "sample-rate-mismatch",
            f"Your product assumes {case.rate_hz} Hz, {name} has {sound.rate_hz} Hz: voices come out "
            f"{'lower and slower' if case.rate_hz < sound.rate_hz else 'higher and faster'} than they are.",
            f"the file's header against --rate {case.rate_hz}",
            f"Pass the file's own rate: `recognizer.predict(pcm, rate_hz={sound.rate_hz})`; edgeemo "
            "resamples.",
        )
    if sound.rate_hz < MODEL_HZ:
        yield warning(
            "sample-rate-low",
            f"{name} has {sound.rate_hz} Hz, models read {MODEL_HZ} Hz: the upper band is missing.",
            "the file's header",
            "Record at 16 kHz or more; enlarging the rate afterwards brings nothing back.",
        )


def _speech(name: str, sound: Samples) -> Iterator[Finding]:
    if "voice" not in shipped() or not any(outcome.ran for outcome in trial()):
        return
    bundle = Bundle.open("voice")
    with Recognizer(bundle, Runtime(bundle.flatbuffer)) as recognizer:
        spans = recognizer.timeline(np.ascontiguousarray(sound.pcm), rate_hz=sound.rate_hz)
    clearest = max((span.evidence for span in spans), default=0.0)  # the mean would count pauses
    if clearest <= recognizer.card.evidence.get("least", 0.0):
        yield warning(
            "recording-no-speech",
            f"In {name} nobody is heard to speak.",
            f"the shipped bundle voice: evidence {clearest:.2f} at most within the first {sound.seconds:.0f} s",
            "Listen to it; come nearer to the microphone, lower the noise. If you hear a voice, the rate "
            "may be wrong.",
        )
