"""The voice frontend beside librosa, kaldi-native-fbank and pymicro-features, in the same run, on one thread.

Run with ``pytest benchmarks/bench_voice_frontend.py``; `benchmarks.peers.voice_frontend` says what is timed.
BLAS gets one thread.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # comes with librosa

from benchmarks.peers.voice_frontend import (
    AT_LEAST,
    PEERS,
    RATE,
    SOUND,
    assert_equal,
    like_micro,
    pushed,
    pushed_to_micro,
    voice_like,
)
from benchmarks.timing import interleaved_ratio
from edgeemo.frontends import VoiceFrontend, VoiceSpec

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import reference_voice as oracle


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("peer", PEERS)
def test_edgeemo_is_faster_by(peer: str) -> None:
    spec, _, calls = PEERS[peer]
    ours = partial(VoiceFrontend(spec).frames, SOUND, RATE)
    assert_equal(peer)
    for call in calls:
        ours_us, theirs_us, ratio = interleaved_ratio(ours, call)
        print(f"edgeemo {ours_us:.0f} us, {peer} ({call.__name__}) {theirs_us:.0f} us, {ratio:.1f} times")
        assert ratio >= AT_LEAST[peer]


@pytest.mark.parametrize("peer", PEERS)
def test_peer(benchmark: Any, peer: str) -> None:
    spec, frames, _ = PEERS[peer]
    np.testing.assert_allclose(benchmark(frames), VoiceFrontend(spec).frames(SOUND, RATE), atol=1e-4)


def test_pymicro_features(benchmark: Any) -> None:
    """It makes as many frames as ours of the same chunks."""
    pytest.importorskip("pymicro_features", reason="pymicro_features not installed: make peers")
    frontend = like_micro("pcen")
    assert benchmark(pushed_to_micro) == pushed(frontend) == 298
    _, _, benchmark.extra_info["ratio"] = interleaved_ratio(partial(pushed, frontend), pushed_to_micro)


@pytest.mark.parametrize("rate_hz", [16000, 8000, 44100, 44101, 48000, 192000])
def test_edgeemo_spans(benchmark: Any, rate_hz: int) -> None:
    """Three seconds, resampled where needed, to normalised spans."""
    frontend, sound = VoiceFrontend(VoiceSpec()), voice_like(rate_hz)
    spans = benchmark(frontend.compute, sound, rate_hz)
    rows = frontend.frames(sound, rate_hz)
    expected_rows = oracle.frames(sound[:rate_hz], rate_hz, frontend.spec)[
        :-5
    ]  # a second; the end is its own
    loud = expected_rows > np.log(1e-6)  # far below that is what resampling in single precision leaves
    assert loud.mean() > 0.4
    np.testing.assert_allclose(rows[: len(loud)][loud], expected_rows[loud], atol=2e-3, rtol=0)
    expected = oracle.spans(rows.astype(np.float64), frontend.spec)
    assert spans.start_frames.tolist() == expected.start_frames
    np.testing.assert_allclose(spans.features, expected.features, atol=1e-4)


@pytest.mark.parametrize("chunk", [160, 480, 4096])
def test_edgeemo_stream(benchmark: Any, chunk: int) -> None:
    """Three seconds pushed in chunks."""
    frontend = VoiceFrontend(VoiceSpec())
    chunks = [SOUND[i : i + chunk] for i in range(0, len(SOUND), chunk)]

    def run() -> list[Any]:
        stream = frontend.stream(RATE)
        return [*(stream.push(part) for part in chunks), stream.flush()]

    heard, whole = benchmark(run), frontend.compute(SOUND, RATE)
    np.testing.assert_array_equal(np.concatenate([spans.features for spans in heard]), whole.features)
    expected = oracle.spans(oracle.frames(SOUND, RATE, frontend.spec), frontend.spec)
    np.testing.assert_allclose(whole.features, expected.features, atol=1e-4)
