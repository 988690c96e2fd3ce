"""From samples to results: what a stream costs of the time it hears, and how late its results are.

Run with ``pytest benchmarks/bench_voice_pipeline.py``. The bundle is the shipped ``voice`` where it is there,
else the small voice bundle of the tests. One thread reads a minute of made-up voice, noise and silence.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgeemo import Bundle, Runtime, VoiceRecognizer
from edgeemo.bundle import shipped
from edgeemo.types import EmotionResult

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import small_voice

TARGET_SHARE = 0.01  # of one core
TARGET_MS = 5.0
SECONDS = 60
CHUNK_S = 0.05  # as a microphone gives them


@pytest.fixture(scope="module")
def recognizer() -> VoiceRecognizer:
    bundle = Bundle.open("voice") if "voice" in shipped() else small_voice.bundle()
    return VoiceRecognizer(bundle, Runtime(bundle.flatbuffer))


def audio(rate_hz: int, channels: int) -> npt.NDArray[np.int16]:
    parts = [
        small_voice.voice("sadness", 4, rate_hz),
        small_voice.noise(1, rate_hz),
        small_voice.voice("anger", 4, rate_hz),
    ]
    clip = np.tile(np.concatenate([*parts, small_voice.silence(1, rate_hz)]), SECONDS // 10)
    return np.ascontiguousarray(np.repeat(clip[:, np.newaxis], channels, 1)) if channels > 1 else clip


def listen(
    recognizer: VoiceRecognizer, clip: npt.NDArray[np.int16], rate_hz: int
) -> tuple[list[EmotionResult], list[float]]:
    """Return all results of a clip in small chunks, and the ms each chunk with a result took."""
    stream = recognizer.stream(rate_hz, 1 if clip.ndim == 1 else clip.shape[1])
    size = round(CHUNK_S * rate_hz)
    results: list[EmotionResult] = []
    late: list[float] = []
    for begin in range(0, len(clip), size):
        start = time.perf_counter()
        found = stream.push(clip[begin : begin + size], 1000 * begin // rate_hz)
        if found:
            late.append((time.perf_counter() - start) * 1e3)
        results += found
    return results + stream.flush(), late


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (44_100, 2), (48_000, 1)])
def test_a_stream_beside_the_time_it_hears(
    recognizer: VoiceRecognizer, rate_hz: int, channels: int, benchmark: Any, capsys: Any
) -> None:
    clip = audio(rate_hz, channels)
    results, late = benchmark.pedantic(
        listen, (recognizer, clip, rate_hz), rounds=5, iterations=1, warmup_rounds=1
    )
    assert results == recognizer.timeline(clip, rate_hz)
    share = benchmark.stats.stats.min / SECONDS
    median, worst = statistics.median(late), max(late)
    benchmark.extra_info.update(
        bundle=recognizer.card.name, share=share, late_ms=median, worst_ms=worst, results=len(results)
    )
    with capsys.disabled():
        print(
            f"\n{recognizer.card.name}, {rate_hz} Hz × {channels}: {share:.4f} of real time (at most "
            f"{TARGET_SHARE}), late by {median:.2f} ms, once by {worst:.2f} (at most {TARGET_MS})"
        )


def test_a_short_clip(recognizer: VoiceRecognizer, benchmark: Any) -> None:
    clip = small_voice.voice("anger", 3)
    result = benchmark(recognizer.predict, clip, small_voice.RATE)
    assert (result.modality, result.end_ms) == ("voice", 3_000)


def test_where_the_time_of_a_span_goes(recognizer: VoiceRecognizer, benchmark: Any, capsys: Any) -> None:
    """The model alone, on a span ready made; the rest of a stream's time is frontend and results."""
    spans = recognizer.frontend.compute(small_voice.voice("anger", 4), small_voice.RATE)
    span = spans.features[:1]
    outputs = benchmark(recognizer.runtime.run, span)
    assert set(outputs) == set(recognizer.card.outputs.values())
