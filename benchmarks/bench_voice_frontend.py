"""The voice frontend beside librosa and kaldi-native-fbank: the same numbers, in the same run, on one thread.

Run with ``pytest benchmarks/bench_voice_frontend.py``. Three seconds of 16 kHz sound become the log-mel
frames of each peer's own mode. librosa is timed as documented, and with its filter bank ready-made;
kaldi-native-fbank is timed with and without reading the frames back. BLAS gets one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import kaldi_native_fbank as knf
import librosa
import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # comes with librosa

from edgeemo.frontends import VoiceFrontend, VoiceSpec

Floats = NDArray[np.float32]

RATE = 16000
LIBROSA = VoiceSpec(remove_dc=False, preemphasis=0, window=512, mels=64, normalization="none")
KALDI = VoiceSpec(
    sample_scale=32768,
    window_shape="povey",
    mel_scale="kaldi",
    floor=float(np.finfo(np.float32).eps),
    normalization="none",
)
AT_LEAST = {"librosa": 4.0, "kaldi-native-fbank": 12.0}


def voice_like(rate_hz: int) -> Floats:
    t = np.arange(3 * rate_hz) / rate_hz
    pulses = (np.sin(2 * np.pi * (120 * t + 3 * np.sin(5 * t))) > 0.9) * (1 + np.sin(2 * np.pi * 3 * t))
    noise = np.random.default_rng(0).standard_normal(len(t))
    return np.asarray(0.3 * pulses + 0.003 * noise, np.float32)


SOUND = voice_like(RATE)
BANK = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=64, fmin=20, fmax=8000, htk=True, norm=None)


def with_librosa() -> Floats:
    """What melspectrogram and a logarithm do, without building the filter bank each time."""
    power = np.abs(librosa.stft(SOUND, n_fft=512, hop_length=160, window="hann", center=False)) ** 2
    return np.asarray(np.log(np.maximum(BANK @ power, np.float32(1e-10))).T, np.float32)


def with_melspectrogram() -> Floats:
    """As its documentation has it: the filter bank is built in each call."""
    power = librosa.feature.melspectrogram(
        y=SOUND, sr=RATE, n_fft=512, hop_length=160, n_mels=64, fmin=20, htk=True, norm=None, center=False
    )
    return np.asarray(np.log(np.maximum(power, np.float32(1e-10))).T, np.float32)


def kaldi_options() -> Any:
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = 64
    return options


OPTIONS = kaldi_options()
SCALED = SOUND * np.float32(32768)


def kaldi_fbank() -> Any:
    fbank = knf.OnlineFbank(OPTIONS)
    fbank.accept_waveform(RATE, SCALED)
    fbank.input_finished()
    return fbank


def with_kaldi() -> Floats:
    fbank = kaldi_fbank()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


# mode: spec, their frames, the calls that count as theirs
PEERS: dict[str, tuple[VoiceSpec, Callable[[], Floats], list[Callable[[], Any]]]] = {
    "librosa": (LIBROSA, with_librosa, [with_librosa, with_melspectrogram]),
    "kaldi-native-fbank": (KALDI, with_kaldi, [with_kaldi, kaldi_fbank]),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def seconds_a_call(call: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def interleaved_ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float, float]:
    """Median microseconds of both and the median of the ratios of neighbouring rounds."""
    rounds = [(seconds_a_call(ours, 30), seconds_a_call(theirs, 4)) for _ in range(25)]
    us = [statistics.median(column) * 1e6 for column in zip(*rounds, strict=True)]
    return us[0], us[1], statistics.median(b / a for a, b in rounds)


@pytest.mark.parametrize("peer", PEERS)
def test_edgeemo_is_faster_by(peer: str) -> None:
    spec, frames, calls = PEERS[peer]
    ours = partial(VoiceFrontend(spec).frames, SOUND, RATE)
    assert ours().shape == frames().shape
    assert np.abs(ours() - frames()).max() < 1e-4
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
