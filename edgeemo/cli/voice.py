"""How the command line reads an audio file, and shows what a voice expresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.text import Text

from ..data.sounds import check_samples
from ..recognizer import VoiceRecognizer
from ..sources import AudioFile
from ..types import EmotionResult
from . import console

HEADER = f"{'seconds':<17}{'emotion':<18}valence  arousal  evidence"
_NOTES = {"clip": "the whole", "utterance": "utterance", "partial": "partial"}
_PEAK_MS = 10


class Peaks:
    """The least and the greatest sample of every 10 ms, to draw a waveform."""

    def __init__(self, rate_hz: int) -> None:
        self._size = max(1, rate_hz * _PEAK_MS // 1000)
        self._rest = np.zeros(0, np.float32)
        self._found: list[npt.NDArray[np.float32]] = []
        self.step_s = self._size / rate_hz

    def add(self, chunk: npt.NDArray[Any]) -> None:
        """Add the next float32 samples; several channels count by their mean."""
        mono = chunk if chunk.ndim == 1 else chunk.mean(1, dtype=np.float32)
        samples = np.concatenate((self._rest, mono))
        whole = len(samples) - len(samples) % self._size
        groups = samples[:whole].reshape(-1, self._size)
        self._found.append(np.stack((groups.min(1), groups.max(1)), 1))
        self._rest = samples[whole:]

    def array(self) -> npt.NDArray[np.float32]:
        """Return float32 ``(n, 2)``."""
        return np.concatenate(self._found) if self._found else np.zeros((0, 2), np.float32)


def read_file(recognizer: VoiceRecognizer, path: str, *, as_json: bool, picture: Path | None) -> None:
    """Print what an audio file expresses as a whole and by utterance; draw its spans into ``picture``."""
    drawing = console.need("edgeemo.cli.picture", "eval", "matplotlib.figure") if picture else None
    kinds = ("span", "utterance") if as_json or picture else ("utterance",)
    found: list[EmotionResult] = []
    with console.quiet_libraries(), AudioFile(path) as source:  # the mp3 decoder likes to talk
        stream = recognizer.stream(source.rate_hz, source.channels, results=kinds)
        peaks = Peaks(source.rate_hz)
        n = 0
        for chunk, t_ms in source:
            check_samples(path, chunk, n)
            n += len(chunk)
            found += stream.push(chunk, t_ms)
            if drawing is not None:
                peaks.add(chunk)
        found += stream.flush()
    whole, timeline = stream.summary(), [result for result in found if result.kind == "span"]
    utterances = [result for result in found if result.kind == "utterance"]
    if as_json:
        said = {"file": path, "rate_hz": source.rate_hz, "channels": source.channels, **whole.to_dict()}
        console.print_json({**said, "timeline": [result.to_dict() for result in timeline]}, indent=None)
        for result in utterances:
            console.print_json({"file": path, **result.to_dict()}, indent=None)
    else:
        print("\n".join([HEADER, *(row(result) + note(result) for result in (whole, *utterances))]))
    if drawing is not None and picture is not None:
        drawing.draw(picture, Path(path).name, peaks, timeline, whole.end_ms / 1000)
        console.say(f"wrote {picture}")


def row(result: EmotionResult) -> str:
    """Return a result as a line below `HEADER`."""
    when = f"{result.start_ms / 1000:.2f} – {result.end_ms / 1000:.2f}"
    return f"{when:<17}{console.cells(result)}  {result.evidence:>8.2f}"


def note(result: EmotionResult) -> str:
    """Return the end of a row: what the result describes, unless a span, and the likeliest burst."""
    parts = [_NOTES[result.kind]] if result.kind in _NOTES else []
    if result.bursts:
        label, probability = max(result.bursts.items(), key=lambda burst: burst[1])
        parts += [] if label == "none" else [f"{label} {probability:.2f}"]
    return "".join(f"  {part}" for part in parts)


def bars(result: EmotionResult | None, drops: int) -> Group:
    """Draw the latest result: the emotions as bars, then valence, arousal, evidence, time, drops and note."""
    if result is None:
        return Group(console.bars(None), Text("listening … (Ctrl-C ends it)"))
    facts = f"{console.affect(result)}   {result.end_ms / 1000:.1f} s   drops {drops}{note(result)}"
    return Group(console.bars(result), Text(facts, "" if result.evidence else "dim"))
