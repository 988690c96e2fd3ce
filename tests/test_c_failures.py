"""The C ABI where things go wrong: a model that fails in a stream, as in Python; sizes that cannot be."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable, Iterator
from ctypes import byref, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Any

import float_text
import numpy as np
import pytest
import small_voice

from edgeemo import Bundle, Runtime, Stream, VoiceRecognizer, errors
from edgeemo.backends import NativeBackend
from edgeemo.errors import InferenceError

c = pytest.importorskip(
    "c_abi", exc_type=errors.RuntimeUnavailableError, reason="built without libedgeemo.so"
)

Fail = Callable[[int, int], None]


@pytest.fixture
def fail(stand_in: Path) -> Fail:
    """Let runs first … first + n - 1, counted from now on, fail in C and in Python."""
    found: Fail = ctypes.CDLL(str(stand_in)).stand_in_fail
    return found


@pytest.fixture
def stream(stand_in: Path, small_voice_path: Path) -> Iterator[Stream]:
    bundle = Bundle.open(small_voice_path)
    with VoiceRecognizer(
        bundle, Runtime(b"", backend=NativeBackend(bundle.flatbuffer, library=str(stand_in)))
    ) as opened:
        yield opened.stream(16_000)


def pushed(work: Callable[[], list[Any]]) -> list[Any] | None:
    """Return the answer; None where the model failed."""
    try:
        return work()
    except (InferenceError, ValueError) as error:
        if "could not run the model" not in str(error):
            raise
        return None


@pytest.mark.parametrize("seed", range(8))
def test_a_model_that_fails_is_survived_as_in_python(
    seed: int, fail: Fail, stream: Stream, stand_in: Path, small_voice_path: Path
) -> None:
    """Long chunks, short ones and gaps: what fails, what waits and what comes later are the same."""
    choose = random.Random(seed)
    pcm = np.concatenate(
        [small_voice.voice("anger", 4), small_voice.noise(3), small_voice.voice("sadness", 5)]
    )
    with c.opened(small_voice_path, library=str(stand_in).encode()) as handle:
        ours, at, t_ms, heard, failed = c.Stream(handle, 16_000), 0, 0, 0, 0
        while at < len(pcm):
            chunk = pcm[at : at + choose.choice((700, 5000, 9000, 40_000))]
            now = t_ms + choose.choice((0, 0, 0, 0, 5000))
            first, n = choose.choice(((0, 0), (0, 1), (1, 1), (0, 9), (2, 3)))
            fail(first, n)
            theirs = pushed(lambda: stream.push(chunk, now))  # noqa: B023
            fail(first, n)
            got = pushed(lambda: ours.push(chunk, now))  # noqa: B023
            fail(0, 0)
            assert (got is None) == (theirs is None)
            heard += compare(got, theirs)
            failed += got is None
            assert ours.summary() == pytest.approx(c.numbers_of(stream.summary()), abs=1e-6)
            at, t_ms = at + len(chunk), now + len(chunk) // 16
        heard += compare(ours.flush(), stream.flush())
        assert heard > 3
        assert failed > 0
        ours.close()


def compare(ours: list[list[float]] | None, theirs: list[Any] | None) -> int:
    assert len(ours or []) == len(theirs or [])
    for a, b in zip(ours or [], theirs or [], strict=True):
        assert a == pytest.approx(c.numbers_of(b), abs=1e-6)
    return len(ours or [])


HUGE = [2**64 - 1, 2**63, 2**63 - 1, 2**62]


@pytest.mark.parametrize("channels", [0, 2, 32])
@pytest.mark.parametrize("samples", HUGE)
def test_more_samples_than_memory_holds_are_refused(
    samples: int, channels: int, small_voice_path: Path
) -> None:
    """As a read() that failed counts them, and as a product with channels that wraps to nothing."""
    one, result, stream = np.zeros(32, np.float32), c.Result(), c_void_p()
    with c.opened(small_voice_path) as handle:
        assert c.LIB.edgeemo_stream_open(handle, 16_000, channels, byref(stream)) == c.OK
        for kind in ("int16", "float32"):
            pcm = c.Pcm(channels=channels, samples=samples, **{kind: one.ctypes.data})
            assert c.LIB.edgeemo_predict_pcm(handle, byref(pcm), 16_000, byref(result)) == c.INPUT
            assert f"samples is {samples}, more than memory holds" in c.error()
            assert c.LIB.edgeemo_stream_push(stream, byref(pcm), c_int64(0)) == c.INPUT
            assert "more than memory holds" in c.error()
        c.LIB.edgeemo_stream_close(stream)


@pytest.mark.parametrize("size", HUGE[:2])
def test_a_text_longer_than_memory_is_refused(size: int, tmp_path: Path) -> None:
    with c.opened(float_text.write(tmp_path)) as handle:
        code = c.LIB.edgeemo_predict_text(handle, b"so happy", c_size_t(size), byref(c.Result()))
        assert code == c.INPUT
        assert f"size is {size}, more than memory holds" in c.error()


def test_no_channels_are_one_in_a_stream_as_in_a_clip(small_voice_path: Path) -> None:
    pcm = small_voice.voice("anger", 2)
    with c.opened(small_voice_path) as handle:
        none, one = c.Stream(handle, 16_000, 0), c.Stream(handle, 16_000, 1)
        assert none.push(pcm, 0) == one.push(pcm, 0) != []
        stream = c_void_p(1)
        for wrong in (-1, 33):
            assert c.LIB.edgeemo_stream_open(handle, 16_000, wrong, byref(stream)) == c.INPUT
            assert f"got {wrong}" in c.error()
        none.close()
        one.close()
