"""Documented modes of the voice frontend give the numbers of librosa and kaldi-native-fbank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeemo.frontends import VoiceFrontend, VoiceSpec

librosa = pytest.importorskip("librosa", reason="needs librosa")
knf = pytest.importorskip("kaldi_native_fbank", reason="needs kaldi-native-fbank")

Floats = NDArray[np.float32]
LOUD = 1e-8  # power from which logarithms are compared
RATE = 16000

LIBROSA = VoiceSpec(remove_dc=False, preemphasis=0, normalization="none")
KALDI = VoiceSpec(
    sample_scale=32768,
    window_shape="povey",
    mel_scale="kaldi",
    floor=float(np.finfo(np.float32).eps),
    normalization="none",
)


def of(spec: VoiceSpec, **changes: Any) -> VoiceSpec:
    return VoiceSpec.from_dict(spec.to_dict() | changes)


def chirp(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sin(2 * np.pi * (50 * t + 1200 * t**2)))


def sounds(rate_hz: int = RATE) -> dict[str, Floats]:
    rng = np.random.default_rng(0)
    t = np.arange(3 * rate_hz) / rate_hz
    noise = rng.standard_normal(len(t))
    pulses = (np.sin(2 * np.pi * (120 * t + 3 * np.sin(5 * t))) > 0.9) * (1 + np.sin(2 * np.pi * 3 * t))
    made = {
        "noise": 0.1 * noise,
        "quiet noise": 1e-3 * noise,
        "brown noise": 1e-3 * np.cumsum(noise),
        "pulses": 0.3 * pulses + 0.003 * noise,
        "tone": 0.9 * np.sin(2 * np.pi * 1000 * t) + 1e-4 * noise,
        "chirp": 0.5 * chirp(t),
        "steps": np.repeat(rng.uniform(-1, 1, len(t) // 50 + 1), 50)[: len(t)],
    }
    return {name: np.asarray(x, np.float32) for name, x in made.items()}


def librosa_power(x: Floats, spec: VoiceSpec) -> NDArray[np.float64]:
    """librosa centres a window shorter than its FFT: half the difference goes before the first sample."""
    before = (spec.fft - spec.window) // 2
    power = librosa.feature.melspectrogram(
        y=np.pad(x, (before, spec.fft - spec.window - before)),
        sr=spec.rate_hz,
        n_fft=spec.fft,
        hop_length=spec.hop,
        win_length=spec.window,
        n_mels=spec.mels,
        fmin=spec.low_hz,
        fmax=spec.high_hz,
        htk=spec.mel_scale == "htk",
        norm="slaney" if spec.mel_norm == "area" else None,
        center=False,
        window="hann",
    )
    return np.asarray(power.T, np.float64)


def kaldi_frames(x: Floats, spec: VoiceSpec) -> NDArray[np.float64]:
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = True
    options.frame_opts.samp_freq = spec.rate_hz
    options.frame_opts.frame_length_ms = 1000 * spec.window / spec.rate_hz
    options.frame_opts.frame_shift_ms = 1000 * spec.hop / spec.rate_hz
    options.frame_opts.window_type = spec.window_shape
    options.frame_opts.preemph_coeff = spec.preemphasis
    options.frame_opts.remove_dc_offset = spec.remove_dc
    options.mel_opts.num_bins = spec.mels
    options.mel_opts.low_freq = spec.low_hz
    options.mel_opts.high_freq = spec.high_hz
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(spec.rate_hz, x * np.float32(spec.sample_scale))
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)]).astype(np.float64)


LIBROSA_MODES = {
    "htk": LIBROSA,
    "slaney, area": of(LIBROSA, mel_scale="slaney", mel_norm="area", mels=80, low_hz=0),
    "htk, area, 40 bands, window of the FFT": of(LIBROSA, mel_norm="area", mels=40, window=512, hop=128),
    "slaney, 1024 points": of(LIBROSA, mel_scale="slaney", mels=128, window=1024, fft=1024, hop=256),
    "8 kHz": of(LIBROSA, rate_hz=8000, window=200, hop=80, fft=256, high_hz=4000, mels=40),
    "48 kHz": of(LIBROSA, rate_hz=48000, window=1200, hop=480, fft=2048, high_hz=20000, low_hz=50),
}


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("mode", LIBROSA_MODES)
def test_log_mel_is_that_of_librosa(mode: str) -> None:
    spec = LIBROSA_MODES[mode]
    for name, x in sounds(spec.rate_hz).items():
        power = librosa_power(x, spec)
        ours = VoiceFrontend(spec).frames(x, spec.rate_hz)
        assert ours.shape == power.shape
        loud = power > LOUD
        assert loud.mean() > 0.1, name
        assert np.abs(ours - np.log(np.maximum(power, spec.floor)))[loud].max() < 1e-5, name


@pytest.mark.parametrize("scale", [1.0, 2.0**31])
def test_pcen_is_that_of_librosa(scale: float) -> None:
    """Its usual scale is that of 32-bit audio; here the samples carry the root of it."""
    spec = of(LIBROSA, compression="pcen", sample_scale=scale**0.5)
    for name, x in sounds().items():
        theirs = librosa.pcen(librosa_power(x, LIBROSA).T * scale, sr=RATE, hop_length=160).T
        np.testing.assert_allclose(
            VoiceFrontend(spec).frames(x, RATE), theirs, atol=1e-5, rtol=2e-5, err_msg=name
        )


KALDI_MODES = {
    "kaldi": KALDI,
    "80 bands": of(KALDI, mels=80, high_hz=7600),
    "40 bands, hamming": of(KALDI, mels=40, window_shape="hamming"),
    "no pre-emphasis": of(KALDI, preemphasis=0, mels=23),
    "8 kHz": of(KALDI, rate_hz=8000, window=200, hop=80, fft=256, high_hz=4000, mels=23),
}


# Its FFT is in single precision: bands far below the loudest of their frame hold its rounding errors. Sounds
# that fill the spectrum have no such bands; of the others, what lies within 50 dB is compared.
FULL = ("noise", "quiet noise", "brown noise", "pulses", "steps")


def audible(theirs: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((theirs > np.log(LOUD)) & (theirs > theirs.max(axis=1, keepdims=True) + np.log(1e-5)))


@pytest.mark.parametrize("mode", KALDI_MODES)
def test_log_mel_is_that_of_kaldi(mode: str) -> None:
    spec = KALDI_MODES[mode]
    for name, x in sounds(spec.rate_hz).items():
        theirs = kaldi_frames(x, spec)
        ours = VoiceFrontend(spec).frames(x, spec.rate_hz)
        assert ours.shape == theirs.shape
        compared = theirs > np.log(LOUD) if name in FULL else audible(theirs)
        assert compared.mean() > (0.99 if name in FULL else 0.05), name
        assert np.abs(ours - theirs)[compared].max() < 1e-4, name


def speech(folder: Path, most: int) -> list[Floats]:
    soundfile = pytest.importorskip("soundfile", reason="needs soundfile to read speech")
    paths = sorted(folder.rglob("*.opus"))
    clips = []
    for path in paths[:: max(1, len(paths) // most)]:
        x, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
        mono = np.ascontiguousarray(x[:: rate_hz // RATE, 0])  # aliases do not matter here
        clips.append(np.asarray(mono / 32768, np.float32))
    return clips


def test_speech_gives_the_numbers_of_both(data_dir: Callable[[str], Path]) -> None:
    for x in speech(data_dir("voice"), 12):
        power = librosa_power(x, LIBROSA)
        ours = VoiceFrontend(LIBROSA).frames(x, RATE)
        assert np.abs(ours - np.log(np.maximum(power, LIBROSA.floor)))[power > LOUD].max() < 1e-5
        theirs = kaldi_frames(x, KALDI)
        away = np.abs(VoiceFrontend(KALDI).frames(x, RATE) - theirs)
        assert away[audible(theirs)].max() < 1e-4
