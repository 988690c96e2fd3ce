"""The voice frontend beside librosa and kaldi-native-fbank: the same numbers, in the same run, on one thread.

Run with ``pytest benchmarks/bench_voice_frontend.py``; `benchmarks.peers.voice_frontend` says what is timed.
BLAS gets one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from threadpoolctl import threadpool_limits  # comes with librosa

from benchmarks.peers.voice_frontend import PEERS, RATE, SOUND, assert_equal, voice_like
from benchmarks.timing import interleaved_ratio
from edgeemo.frontends import VoiceFrontend, VoiceSpec

AT_LEAST = {"librosa": 4.0, "kaldi-native-fbank": 12.0}


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
    assert len(benchmark(PEERS[peer][1])) > 290


@pytest.mark.parametrize("rate_hz", [16000, 8000, 44100, 44101, 48000, 192000])
def test_edgeemo_spans(benchmark: Any, rate_hz: int) -> None:
    """Three seconds, resampled where needed, to normalised spans."""
    frontend, sound = VoiceFrontend(VoiceSpec()), voice_like(rate_hz)
    spans = benchmark(frontend.compute, sound, rate_hz)
    assert spans.start_frames.tolist() == [0, 42]


@pytest.mark.parametrize("chunk", [160, 480, 4096])
def test_edgeemo_stream(benchmark: Any, chunk: int) -> None:
    """Three seconds pushed in chunks."""
    frontend = VoiceFrontend(VoiceSpec())
    chunks = [SOUND[i : i + chunk] for i in range(0, len(SOUND), chunk)]

    def run() -> int:
        stream = frontend.stream(RATE)
        return sum(len(stream.push(part)) for part in chunks) + len(stream.flush())

    assert benchmark(run) == 2
