"""A recording of the caller's: is somebody heard, and is nothing wrong with the numbers?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import EdgeemoError, RuntimeUnavailableError
from .case import Case, Finding, Skipped, error, warning
from .media import AT_MOST_S, evidence_in, failure
from .samples import Samples
from .sound import MODEL_HZ, SHORT_S, broken, channels, level

RATES_HZ = (8000, 192_000)
"""What `edgeemo.VoiceRecognizer` takes."""


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
    lowest, highest = RATES_HZ
    if not lowest <= sound.rate_hz <= highest:
        return
    for look in (broken, level, channels):
        found = list(look(name, sound))
        yield from found
        if any(finding.severity == "error" for finding in found):
            return
    if sound.seconds >= SHORT_S:
        try:
            yield from _speech(name, case.recording, sound)
        except EdgeemoError as reason:
            yield failure("recording", case.recording, reason)


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
    lowest, highest = RATES_HZ
    if not lowest <= sound.rate_hz <= highest:
        yield error(
            "sample-rate-unsupported",
            f"{name} has {sound.rate_hz} Hz: edgeemo reads {lowest} to {highest} Hz.",
            "the file's header",
            "If the header is right: `ffmpeg -i FILE -ar 16000 voice.wav`; if it is wrong, correct it where "
            "the file is made.",
        )
    elif sound.rate_hz < MODEL_HZ:
        yield warning(
            "sample-rate-low",
            f"{name} has {sound.rate_hz} Hz, models read {MODEL_HZ} Hz: the upper band is missing.",
            "the file's header",
            "Record at 16 kHz or more; enlarging the rate afterwards brings nothing back.",
        )


def _speech(name: str, file: Path, sound: Samples) -> Iterator[Finding]:
    spans, least = evidence_in(file)
    if max(spans, default=0.0) <= least:  # their mean would count pauses
        yield warning(
            "recording-no-speech",
            f"In {name} nobody is heard to speak.",
            f"the shipped bundle voice: evidence {max(spans, default=0.0):.2f} at most within the first "
            f"{sound.seconds:.0f} s",
            "Listen to it; come nearer to the microphone, lower the noise. If you hear a voice, the rate "
            "may be wrong.",
        )
