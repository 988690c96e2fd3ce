"""Look into the caller's recording for somebody who speaks, and for wrong numbers."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import EdgeemoError, RuntimeUnavailableError
from .context import Context, Finding, Skipped, error, warning
from .model_runs import AT_MOST_S, evidence_in, failure
from .samples import Samples
from .sound import MODEL_HZ, SHORT_S, broken, channels, level

RATES_HZ = (8000, 192_000)
"""The rates that `edgeemo.VoiceRecognizer` takes."""


def recording(context: Context) -> Iterator[Finding]:
    """The recording given by --recording."""
    if context.recording is None:
        raise Skipped("no --recording was given")
    name = context.recording.name
    try:
        sound = Samples.read(context.recording, AT_MOST_S)
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
    yield from _rate(context, name, sound)
    if not RATES_HZ[0] <= sound.rate_hz <= RATES_HZ[1]:
        return
    for look in (broken, level, channels):
        found = list(look(name, sound))
        yield from found
        if any(finding.severity == "error" for finding in found):
            return
    if sound.seconds < SHORT_S:
        return
    try:
        spans, least = evidence_in(context.recording)
    except EdgeemoError as reason:
        yield failure("recording", context.recording, reason)
        return
    best = max(spans, default=0.0)  # the mean would count pauses
    if best <= least:
        yield warning(
            "recording-no-speech",
            f"Nobody seems to speak in {name}.",
            f"the shipped bundle voice: evidence {best:.2f} at most within the first {sound.seconds:.0f} s",
            "Listen to it; come nearer to the microphone, and lower the noise. If you hear a voice, the rate "
            "may be wrong.",
        )


def _rate(context: Context, name: str, sound: Samples) -> Iterator[Finding]:
    rate_hz, (lowest, highest) = sound.rate_hz, RATES_HZ
    if context.rate_hz and context.rate_hz != rate_hz:
        yield error(
            "sample-rate-mismatch",
            f"Your product assumes {context.rate_hz} Hz, and {name} has {rate_hz} Hz: voices come out "
            f"{'lower and slower' if context.rate_hz < rate_hz else 'higher and faster'} than they are.",
            f"the file's header against --rate {context.rate_hz}",
            f"Pass the file's own rate: `recognizer.predict(pcm, rate_hz={rate_hz})`; edgeemo resamples.",
        )
    if not lowest <= rate_hz <= highest:
        yield error(
            "sample-rate-unsupported",
            f"{name} has {rate_hz} Hz: edgeemo reads {lowest} to {highest} Hz.",
            "the file's header",
            "If the header is right: `ffmpeg -i FILE -ar 16000 voice.wav`; if it is wrong, correct the "
            "program that makes the file.",
        )
    elif rate_hz < MODEL_HZ:
        yield warning(
            "sample-rate-low",
            f"{name} has {rate_hz} Hz, and models read {MODEL_HZ} Hz: the upper band is missing.",
            "the file's header",
            "Record at 16 kHz or more; a conversion afterwards brings nothing back.",
        )
