"""librosa and kaldi-native-fbank beside the voice frontend: the same log-mel frames in each peer's own mode.

Three seconds of 16 kHz sound. librosa is timed as documented, and with its filter bank ready-made;
kaldi-native-fbank with and without reading the frames back. pymicro-features gets chunks of 10 ms. Its
features are different (noise reduction and PCAN, which is close to PCEN), so the benchmark counts frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import kaldi_native_fbank as knf
import librosa
import numpy as np
from numpy.typing import NDArray

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


def voice_like(rate_hz: int) -> Floats:
    t = np.arange(3 * rate_hz) / rate_hz
    pulses = (np.sin(2 * np.pi * (120 * t + 3 * np.sin(5 * t))) > 0.9) * (1 + np.sin(2 * np.pi * 3 * t))
    noise = np.random.default_rng(0).standard_normal(len(t))
    return np.asarray(0.3 * pulses + 0.003 * noise, np.float32)


SOUND = voice_like(RATE)
BANK = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=64, fmin=20, fmax=8000, htk=True, norm=None)


def with_librosa() -> Floats:
    """Compute melspectrogram and a logarithm, without building the filter bank each time."""
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

PCM = np.round(SOUND * 32767).astype(np.int16)
CHUNKS = [PCM[i : i + 160] for i in range(0, len(PCM), 160)]
AS_BYTES = [chunk.tobytes() for chunk in CHUNKS]


def like_micro(compression: Literal["log", "pcen"]) -> VoiceFrontend:
    """Return our frontend with windows and bands as pymicro-features has them."""
    return VoiceFrontend(
        VoiceSpec(
            window=480, mels=40, low_hz=125, high_hz=7500, compression=compression, normalization="none"
        )
    )


def pushed(frontend: VoiceFrontend) -> int:
    """Push all chunks into ours; returns how many frames they made."""
    stream = frontend.stream(RATE)
    for chunk in CHUNKS:
        stream.push(chunk)
    return stream.n_frames


def pushed_to_micro() -> int:
    """Push all chunks into pymicro-features; returns how many frames they made."""
    from pymicro_features import MicroFrontend  # type: ignore[import-not-found,unused-ignore]

    micro = MicroFrontend()
    return sum(bool(micro.process_samples(chunk).features) for chunk in AS_BYTES)


AT_LEAST = {"librosa": 4.0, "kaldi-native-fbank": 12.0, "pymicro-features": 1.0}
"""How many times as long theirs must take, in processor time."""


def assert_equal(peer: str) -> float:
    """Both give the same frames; returns the greatest difference of their logarithms."""
    spec, frames, _ = PEERS[peer]
    ours, theirs = VoiceFrontend(spec).frames(SOUND, RATE), frames()
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    away = float(np.abs(ours - theirs).max())
    assert away < 1e-4, away
    return away
