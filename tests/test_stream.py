"""Stream: any chunking is the whole, gaps are gaps, reset is a fresh start, memory stays flat."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import small_voice
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo import Bundle, Runtime, Stream, VoiceRecognizer
from edgeemo.backends import NativeBackend
from edgeemo.errors import InferenceError, InputError, InputTypeError
from edgeemo.types import EmotionResult

RATE = small_voice.RATE
HOP_MS = small_voice.HOP * 10
CLIP = np.concatenate(
    [
        small_voice.voice("sadness", 1.3),
        small_voice.noise(0.7),
        small_voice.voice("anger", 1),
        small_voice.silence(0.41),
    ]
)


@pytest.fixture(scope="module")
def reader() -> Iterator[VoiceRecognizer]:
    bundle = small_voice.bundle()
    with VoiceRecognizer(bundle, Runtime(bundle.flatbuffer)) as opened:
        yield opened


def feed(
    stream: Stream, clip: npt.NDArray[Any], cuts: Iterable[int], start_ms: int = 0
) -> list[EmotionResult]:
    """Push a clip cut at these samples, each piece with its time."""
    edges = [0, *sorted(cuts), len(clip)]
    results = []
    for begin, end in pairwise(edges):
        results += stream.push(clip[begin:end], start_ms + 1000 * begin // stream.rate_hz)
    return results


# --- any chunking is the whole ---


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, len(CLIP)), max_size=12),
    rate_hz=st.sampled_from([8_000, 16_000, 22_050, 44_100]),
    channels=st.sampled_from([1, 2, 7]),
    as_float=st.booleans(),
)
def test_any_chunking_is_the_timeline(
    reader: VoiceRecognizer, cuts: list[int], rate_hz: int, channels: int, as_float: bool
) -> None:
    clip: npt.NDArray[Any] = (CLIP / 32768).astype(np.float32) if as_float else CLIP
    if channels > 1:
        clip = np.ascontiguousarray(np.repeat(clip[:, np.newaxis], channels, 1))
    stream = reader.stream(rate_hz, channels)
    assert feed(stream, clip, cuts) + stream.flush() == reader.timeline(clip, rate_hz)
    assert stream.summary() == reader.predict(clip, rate_hz)


@pytest.mark.parametrize("size", [1, 7, 159, 160, 161, 1_000])
def test_chunks_of_one_size_are_the_timeline(reader: VoiceRecognizer, size: int) -> None:
    clip = CLIP[: 1_000 * size]
    stream = reader.stream(RATE)
    assert feed(stream, clip, range(size, len(clip), size)) + stream.flush() == reader.timeline(clip, RATE)


def test_a_result_comes_with_the_last_sample_of_its_span(reader: VoiceRecognizer) -> None:
    stream = reader.stream(RATE)
    span = 400 + 160 * (small_voice.SPAN - 1)
    assert stream.push(CLIP[: span - 1], 0) == []
    (first,) = stream.push(CLIP[span - 1 : span], 1000 * (span - 1) // RATE)
    assert (first.start_ms, first.end_ms) == (0, 1000 * span // RATE)


def test_streams_share_a_recognizer_and_nothing_else(reader: VoiceRecognizer) -> None:
    one, other = reader.stream(RATE), reader.stream(RATE)
    high, low = small_voice.voice("anger", 2), small_voice.voice("sadness", 2)
    found: tuple[list[EmotionResult], list[EmotionResult]] = ([], [])
    for begin in range(0, len(high), 1_600):
        found[0].extend(one.push(high[begin : begin + 1_600], begin // 16))
        found[1].extend(other.push(low[begin : begin + 1_600], begin // 16))
    assert found[0] + one.flush() == reader.timeline(high, RATE)
    assert found[1] + other.flush() == reader.timeline(low, RATE)


# --- time ---


def test_results_stand_on_the_callers_clock(reader: VoiceRecognizer) -> None:
    start = 86_400_123
    stream = reader.stream(RATE)
    results = feed(stream, CLIP, [5_000, 9_999], start) + stream.flush()
    for moved, still in zip(results, reader.timeline(CLIP, RATE), strict=True):
        assert (moved.start_ms - start, moved.end_ms - start) == (still.start_ms, still.end_ms)
        assert moved.scores.tolist() == still.scores.tolist()
    whole = stream.summary()
    assert (whole.start_ms, whole.end_ms) == (start, start + 1000 * len(CLIP) // RATE)


@pytest.mark.parametrize("t_ms", [0, -5, 10**9])
@pytest.mark.parametrize("empty", [np.zeros(0, np.int16), np.zeros((0, 1), np.float32)])
def test_an_empty_chunk_is_a_no_op_whatever_its_time(
    reader: VoiceRecognizer, empty: npt.NDArray[Any], t_ms: int
) -> None:
    stream = reader.stream(RATE)
    assert stream.push(empty, t_ms) == []
    results = stream.push(CLIP[:20_000], 0)
    assert stream.push(empty, t_ms) == []
    results += stream.push(CLIP[20_000:], 1250)
    assert results + stream.flush() == reader.timeline(CLIP, RATE)


@pytest.mark.parametrize("jitter", [-HOP_MS, -40, 40, HOP_MS])
def test_a_time_off_by_a_hop_or_less_is_jitter(reader: VoiceRecognizer, jitter: int) -> None:
    stream = reader.stream(RATE)
    results = stream.push(CLIP[:20_000], 0)
    results += stream.push(CLIP[20_000:], 1250 + jitter)
    assert results + stream.flush() == reader.timeline(CLIP, RATE)


@pytest.mark.parametrize("jump", [-3_000, -HOP_MS - 1, HOP_MS + 1, 3_600_000])
def test_a_jump_of_more_than_a_hop_is_a_gap(reader: VoiceRecognizer, jump: int) -> None:
    """The stream finishes the earlier sound first, then starts again at the new time."""
    before, after = CLIP[:20_000], CLIP[20_000:]
    stream = reader.stream(RATE)
    results = stream.push(before, 0)
    results += stream.push(after, 1250 + jump)
    results += stream.flush()
    fresh = reader.stream(RATE)
    expected = reader.timeline(before, RATE) + fresh.push(after, 1250 + jump) + fresh.flush()
    assert results == expected
    whole, end = stream.summary(), 1250 + jump + 1000 * len(after) // RATE
    assert (whole.start_ms, whole.end_ms) == (min(0, 1250 + jump), max(1250, end))


def test_a_clock_that_jumps_back_leaves_a_summary_that_ends_after_it_began(reader: VoiceRecognizer) -> None:
    stream = reader.stream(RATE)
    for t_ms in (-70_000, -90_000):
        stream.push(CLIP[:8_000], t_ms)
        assert (stream.summary().start_ms, stream.summary().end_ms) == (t_ms, -69_500)
    stream.flush()
    assert (stream.summary().start_ms, stream.summary().end_ms) == (-90_000, -69_500)


def test_no_result_spans_a_gap(reader: VoiceRecognizer) -> None:
    stream = reader.stream(RATE)
    results = stream.push(small_voice.voice("anger", 1), 0)
    results += stream.push(small_voice.voice("sadness", 1), 5_000)
    results += stream.flush()
    assert all(r.end_ms <= 1_000 and r.label == "anger" for r in results[:4])
    assert all(r.start_ms >= 5_000 and r.label == "sadness" for r in results[4:])


def test_the_clock_is_counted_on_by_samples(reader: VoiceRecognizer) -> None:
    """Jitter does not add up: a delay of 100 ms each time leaves no gap."""
    stream = reader.stream(RATE)
    results: list[EmotionResult] = []
    for i, begin in enumerate(range(0, len(CLIP), 1_600)):
        results += stream.push(CLIP[begin : begin + 1_600], 100 * i + (100 if i else 0))
    assert results + stream.flush() == reader.timeline(CLIP, RATE)


# --- flush and reset ---


def test_flush_gives_the_tail_once(reader: VoiceRecognizer) -> None:
    stream = reader.stream(RATE)
    pushed = stream.push(CLIP[:7_000], 0)
    tail = stream.flush()
    assert pushed + tail == reader.timeline(CLIP[:7_000], RATE)
    assert len(tail) == 1
    assert stream.flush() == []
    assert reader.stream(RATE).flush() == []


def test_after_a_flush_the_next_chunk_begins_afresh(reader: VoiceRecognizer) -> None:
    stream = reader.stream(RATE)
    stream.push(CLIP[:7_000], 0)
    stream.flush()
    fresh = reader.stream(RATE)
    assert stream.push(CLIP, 438) + stream.flush() == fresh.push(CLIP, 438) + fresh.flush()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, len(CLIP)), st.booleans())
def test_reset_equals_a_fresh_stream(reader: VoiceRecognizer, cut: int, flushed: bool) -> None:
    stream = reader.stream(RATE)
    stream.push(CLIP[:cut], 77)
    if flushed:
        stream.flush()
    stream.reset()
    assert stream.summary() == reader.stream(RATE).summary()
    assert feed(stream, CLIP, [cut]) + stream.flush() == reader.timeline(CLIP, RATE)
    assert stream.summary() == reader.predict(CLIP, RATE)


def test_a_summary_so_far_speaks_of_what_was_pushed(reader: VoiceRecognizer) -> None:
    stream = reader.stream(RATE)
    assert (stream.summary().label, stream.summary().evidence) == ("neutral", 0.0)
    stream.push(small_voice.voice("anger", 1), 500)
    so_far = stream.summary()
    assert (so_far.label, so_far.start_ms, so_far.end_ms) == ("anger", 500, 1_500)


# --- what is refused changes nothing ---

WRONG = {
    "NaN": np.full(160, np.nan, np.float32),
    "float64": np.zeros(160),
    "two channels": np.zeros((160, 2), np.int16),
    "int16 as float": np.full(160, 5_000, np.float32),
    "a list": [0] * 160,
    "with gaps": np.zeros(320, np.int16)[::2],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("jump", [0, 9_000], ids=["in time", "behind a gap"])
def test_a_chunk_that_is_refused_leaves_the_stream_as_it_was(
    reader: VoiceRecognizer, wrong: Any, jump: int
) -> None:
    stream = reader.stream(RATE)
    results = stream.push(CLIP[:20_000], 0)
    with pytest.raises(InputError):
        stream.push(wrong, 1250 + jump)
    results += stream.push(CLIP[20_000:], 1250)
    assert results + stream.flush() == reader.timeline(CLIP, RATE)


@pytest.mark.parametrize("wrong", [1.5, "0", None, np.float64(3)])
def test_time_is_whole_milliseconds(reader: VoiceRecognizer, wrong: Any) -> None:
    with pytest.raises(InputTypeError, match="whole milliseconds"):
        reader.stream(RATE).push(CLIP, wrong)
    assert reader.stream(RATE).push(CLIP, np.int64(5))[0].start_ms == 5  # type: ignore[arg-type]


@pytest.mark.parametrize("far", [2**52 + 1, -(2**52) - 1, 2**63 - 1, -(2**63), 2**70, 10**30])
def test_a_time_that_floats_do_not_hold_is_refused(reader: VoiceRecognizer, far: int) -> None:
    stream = reader.stream(RATE)
    with pytest.raises(InputError, match=rf"must be within 2\^52 ms of 0, got {far};"):
        stream.push(CLIP, far)
    assert stream.push(CLIP, 2**52)[0].start_ms == 2**52
    with pytest.raises(InputError, match="must be within 2"):
        stream.push(CLIP, far)  # behind a gap, too


@pytest.mark.parametrize(("rate_hz", "channels"), [(0, 1), (7_999, 1), (192_001, 1), (RATE, 0), (RATE, 33)])
def test_a_stream_of_another_shape_is_refused(reader: VoiceRecognizer, rate_hz: int, channels: int) -> None:
    with pytest.raises(InputError):
        reader.stream(rate_hz, channels)


def test_a_stream_of_a_closed_recognizer_ends(reader: VoiceRecognizer) -> None:
    bundle = small_voice.bundle()
    with VoiceRecognizer(bundle, Runtime(bundle.flatbuffer)) as mine:
        stream = mine.stream(RATE)
        stream.push(CLIP, 0)
    with pytest.raises(InferenceError, match="was closed"):
        stream.flush()


class FailingBackend:
    """The model of a bundle, which refuses to run where its caller says so."""

    def __init__(self, bundle: Bundle) -> None:
        self._native = NativeBackend(bundle.flatbuffer)
        self.name, self.delegate = "failing", "cpu"
        self.inputs, self.outputs = self._native.inputs, self._native.outputs
        self.runs, self.fails_from, self.fails_to = 0, 0, 0

    def fail(self, first: int, last: int) -> None:
        """Fail the runs from ``first`` to ``last``, counted from here."""
        self.fails_from, self.fails_to = self.runs + first, self.runs + last

    def invoke(self, *inputs: Any) -> list[Any]:
        self.runs += 1
        if self.fails_from <= self.runs <= self.fails_to:
            raise InferenceError("The interpreter refused.")
        return self._native.invoke(*inputs)


@pytest.fixture
def failing(reader: VoiceRecognizer) -> tuple[VoiceRecognizer, FailingBackend]:
    backend = FailingBackend(reader.bundle)
    return VoiceRecognizer(reader.bundle, Runtime(b"", backend=backend)), backend


@pytest.mark.parametrize("gap", [True, False])
def test_after_a_model_that_failed_the_stream_goes_on_afresh(
    reader: VoiceRecognizer, failing: tuple[VoiceRecognizer, FailingBackend], gap: bool
) -> None:
    recognizer, backend = failing
    stream = recognizer.stream(RATE)
    stream.push(CLIP[:7_000], 0)
    backend.fail(1, 1)
    with pytest.raises(InferenceError, match="refused"):
        stream.push(CLIP, 9_000) if gap else stream.flush()
    fresh = reader.stream(RATE)
    assert stream.push(CLIP, 9_000) + stream.flush() == fresh.push(CLIP, 9_000) + fresh.flush()
    assert (stream.summary().start_ms, stream.summary().end_ms) == (0, 9_000 + len(CLIP) // 16)


def test_of_a_chunk_whose_model_fails_midway_what_was_read_before_waits(
    reader: VoiceRecognizer, failing: tuple[VoiceRecognizer, FailingBackend]
) -> None:
    """The spans from there on are lost; the next chunk is read as if nothing had happened."""
    recognizer, backend = failing
    stream = recognizer.stream(RATE)
    expected = reader.timeline(np.concatenate([CLIP, CLIP]), RATE)
    n = len(reader.stream(RATE).push(CLIP, 0))
    assert n > 3
    backend.fail(3, 3)
    with pytest.raises(InferenceError, match="refused"):
        stream.push(CLIP, 0)
    results = stream.push(CLIP, len(CLIP) // 16) + stream.flush()
    assert results == expected[:2] + expected[n:]
    assert stream.summary().end_ms == 2 * len(CLIP) // 16


# --- an hour of it ---


def growth_of(reader: VoiceRecognizer, seconds: int, rate_hz: int) -> tuple[int, int]:
    """Return by how many bytes memory grew over so many seconds of audio, and the number of results."""
    stream, second = reader.stream(rate_hz), small_voice.voice("anger", 1, rate_hz)
    n, before = 0, 0
    tracemalloc.start()
    try:
        for t in range(10 + seconds):
            if t == 10:  # once it is running
                gc.collect()
                before = tracemalloc.get_traced_memory()[0]
            n += len(stream.push(second, 1000 * t))
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    return grown, n


@pytest.mark.parametrize(
    ("seconds", "rate_hz"), [(60, 44_100), pytest.param(3_600, RATE, marks=pytest.mark.slow)]
)
def test_memory_stays_flat(reader: VoiceRecognizer, seconds: int, rate_hz: int) -> None:
    resident = resident_kb()
    grown, results = growth_of(reader, seconds, rate_hz)
    assert results == pytest.approx((10 + seconds) * 1000 / HOP_MS, abs=5)
    assert grown < 64 * 1024
    assert resident_kb() - resident < 16 * 1024


def resident_kb() -> int:
    """Memory of this process, with that of the native engine; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4
    except OSError:
        return 0
