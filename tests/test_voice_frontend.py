"""The voice frontend turns sound into frames and spans: chunks, resampling, bad input, threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import reference_voice as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeemo.errors import InputError, InputTypeError
from edgeemo.frontends import Spans, VoiceFrontend, VoiceSpec

RATES = [8000, 11025, 22050, 44100, 48000, 44101, 96000, 192000]
SMALL = VoiceSpec(span_frames=12, hop_frames=5, mels=20)
FRONTEND = VoiceFrontend(SMALL)
USUAL = VoiceFrontend(VoiceSpec(normalization="none"))
Pcm = NDArray[np.int16] | NDArray[np.float32]


def sound(n: int, channels: int = 0, seed: int = 0) -> NDArray[np.float32]:
    """Noise of changing loudness on a tone."""
    rng = np.random.default_rng(seed)
    shape = (n, channels) if channels else (n,)
    tone = np.sin(np.arange(n) * 0.13) * np.sin(np.arange(n) * 0.0007)
    noise = rng.standard_normal(shape) * 0.05
    return np.asarray(noise + 0.4 * (tone[:, None] if channels else tone), np.float32)


def same(a: Spans, b: Spans) -> None:
    np.testing.assert_array_equal(a.start_frames, b.start_frames)
    np.testing.assert_array_equal(a.n_frames, b.n_frames)
    assert a.features.tobytes() == b.features.tobytes()
    assert a.features.shape == b.features.shape


def in_chunks(frontend: VoiceFrontend, pcm: Pcm, rate_hz: int, cuts: list[int]) -> list[Spans]:
    stream = frontend.stream(rate_hz, 1 if pcm.ndim == 1 else pcm.shape[1])
    parts = [stream.push(np.ascontiguousarray(part)) for part in np.split(pcm, cuts)]
    return [*parts, stream.flush()]


def joined(parts: list[Spans]) -> dict[str, Any]:
    names = ("features", "start_frames", "n_frames")
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}


def assert_chunks_give_the_whole(frontend: VoiceFrontend, pcm: Pcm, rate_hz: int, cuts: list[int]) -> None:
    whole = frontend.compute(pcm, rate_hz)
    for name, values in joined(in_chunks(frontend, pcm, rate_hz, cuts)).items():
        expected = getattr(whole, name)
        assert (values.dtype, values.shape) == (expected.dtype, expected.shape)
        assert values.tobytes() == expected.tobytes()


# --- against the reference ---

SPECS = [
    VoiceSpec(),
    VoiceSpec(remove_dc=False, preemphasis=0, fft=1024, mel_scale="slaney", mel_norm="area", mels=80),
    VoiceSpec(sample_scale=32768, window_shape="povey", mel_scale="kaldi", normalization="mean_std"),
    VoiceSpec(rate_hz=8000, window=201, hop=77, fft=256, high_hz=3800, window_shape="hamming", mels=30),
    VoiceSpec(compression="pcen", sample_scale=2.0**31 / 32768, normalization="mean", gain=0.25),
    VoiceSpec(rate_hz=48000, window=1200, hop=480, fft=2048, low_hz=0, high_hz=24000, normalization="none"),
    VoiceSpec(window=4096, fft=4096, hop=1024, mels=256),
    VoiceSpec(window=32, hop=32, fft=32, mels=4),
    VoiceSpec(range_db=12.0, normalization="mean_std", span_frames=40, hop_frames=20),
]


@pytest.mark.parametrize("spec", SPECS, ids=range(len(SPECS)))
@pytest.mark.parametrize("kind", ["float32", "int16", "7 channels"])
def test_frames_and_spans_are_those_of_the_reference(spec: VoiceSpec, kind: str) -> None:
    pcm: Pcm = sound(spec.rate_hz // 2 + 5000, 7 if kind == "7 channels" else 0)
    if kind == "int16":
        pcm = np.asarray(pcm * 30000, np.int16)
    frontend = VoiceFrontend(spec)
    ours, theirs = frontend.frames(pcm, spec.rate_hz), reference.frames(pcm, spec.rate_hz, spec)
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=2e-6)
    spans, expected = frontend.compute(pcm, spec.rate_hz), reference.spans(theirs, spec)
    assert spans.features.shape == expected.features.shape == (len(spans), *spec.output[0])
    assert spans.start_frames.dtype == np.int64
    assert spans.n_frames.dtype == np.int32
    assert spans.start_frames.tolist() == expected.start_frames
    assert spans.n_frames.tolist() == expected.n_frames
    np.testing.assert_allclose(spans.features, expected.features, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rate_hz", RATES)
def test_frames_of_other_rates_are_those_of_the_reference(rate_hz: int) -> None:
    pcm = sound(rate_hz // 10)
    ours, theirs = USUAL.frames(pcm, rate_hz), reference.frames(pcm, rate_hz, USUAL.spec)
    assert ours.shape == theirs.shape
    loud = theirs > np.log(1e-6)
    assert loud.mean() > 0.4
    assert np.abs(ours - theirs)[loud].max() < 2e-3


@pytest.mark.parametrize("normalization", ["none", "level", "mean", "mean_std"])
def test_what_lies_below_the_range_of_a_span_is_raised(normalization: str) -> None:
    quiet, pcm = VoiceSpec(normalization="none", span_frames=64), sound(16000)
    pcm[8000:] *= np.float32(1e-4)
    plain = VoiceFrontend(quiet).compute(pcm, 16000).features[0]
    raised = np.maximum(plain, plain.max() - np.float32(30 * np.log(10) / 10))
    assert (raised > plain).mean() > 0.2
    spec = VoiceSpec.from_dict(quiet.to_dict() | {"normalization": normalization, "range_db": 30.0})
    expected = reference.normalized(raised.astype(np.float64), spec)
    np.testing.assert_allclose(VoiceFrontend(spec).compute(pcm, 16000).features[0], expected, atol=2e-5)


@pytest.mark.parametrize("normalization", ["none", "level", "mean", "mean_std"])
@pytest.mark.parametrize("n_frames", [0, 1, 11, 12, 13, 16, 17, 18, 40])
def test_spans_hold_every_frame_once_whole(n_frames: int, normalization: str) -> None:
    spec = VoiceSpec.from_dict(SMALL.to_dict() | {"normalization": normalization})
    pcm = sound(400 + 160 * (n_frames - 1) + 7 if n_frames else 399)
    frontend = VoiceFrontend(spec)
    rows, spans = frontend.frames(pcm, 16000), frontend.compute(pcm, 16000)
    assert len(rows) == n_frames
    expected = reference.spans(rows.astype(np.float64), spec)
    assert spans.start_frames.tolist() == expected.start_frames
    assert spans.n_frames.tolist() == expected.n_frames
    np.testing.assert_allclose(spans.features, expected.features, atol=1e-5)
    held = {
        k
        for start, n in zip(spans.start_frames, spans.n_frames, strict=True)
        for k in range(start, start + n)
    }
    assert held == set(range(n_frames))


# --- chunks ---


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_chunks_give_the_whole_bit_for_bit(data: st.DataObject) -> None:
    rate_hz = data.draw(st.sampled_from([16000, *RATES]))
    n = data.draw(st.integers(0, rate_hz // 4))
    channels = data.draw(st.sampled_from([0, 1, 2, 7]))
    pcm: Pcm = sound(n, channels, seed=n)
    if data.draw(st.booleans()):
        pcm = np.asarray(pcm * 30000, np.int16)
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=30)))
    assert_chunks_give_the_whole(FRONTEND, pcm, rate_hz, cuts)


@pytest.mark.parametrize("size", [1, 7, 160, 333, 8192])
@pytest.mark.parametrize("rate_hz", [16000, 44100, 44101])
def test_chunks_of_one_size_give_the_whole(rate_hz: int, size: int) -> None:
    pcm = sound(3 * 4000 if size == 1 else rate_hz)
    assert_chunks_give_the_whole(FRONTEND, pcm, rate_hz, list(range(size, len(pcm), size)))


@pytest.mark.parametrize("compression", ["log", "pcen"])
def test_reset_gives_a_fresh_stream(compression: str) -> None:
    frontend = VoiceFrontend(VoiceSpec.from_dict(SMALL.to_dict() | {"compression": compression}))
    stream = frontend.stream(44100)
    pcm = sound(44100)
    for stop in (0, 100, 10_000, 44_100):
        stream.push(pcm[:stop])
        if stop == 10_000:
            stream.flush()
        stream.reset()
        assert stream.n_frames == 0
    parts = [stream.push(pcm), stream.flush()]
    assert joined(parts)["features"].tobytes() == frontend.compute(pcm, 44100).features.tobytes()


def test_a_stream_hands_spans_over_as_soon_as_they_are_whole() -> None:
    stream, pcm = FRONTEND.stream(16000), sound(400 + 160 * 17)
    assert len(stream.push(pcm[: 400 + 160 * 11 - 1])) == 0
    assert stream.n_frames == 11
    first = stream.push(pcm[400 + 160 * 11 - 1 : 400 + 160 * 11])
    assert first.start_frames.tolist() == [0]
    assert stream.push(pcm[400 + 160 * 11 :]).start_frames.tolist() == [5]
    assert stream.flush().start_frames.tolist() == [6]
    assert len(stream.flush()) == 0
    assert (stream.rate_hz, stream.channels, stream.n_frames) == (16000, 1, 18)
    with pytest.raises(InputError, match=r"flushed; call reset\(\)"):
        stream.push(pcm)


def test_a_stream_outlives_its_frontend() -> None:
    stream = VoiceFrontend(SMALL).stream(44100)
    assert len(stream.push(sound(44100))) > 0


# --- resampling ---


def bank_of_tone(hz: float, rate_hz: int, amplitude: float = 1.0) -> NDArray[np.float32]:
    """Frames well inside one second of a tone: (n, mels)."""
    spec = VoiceSpec(remove_dc=False, preemphasis=0, window=1024, fft=1024, floor=1e-30, normalization="none")
    t = np.arange(rate_hz) / rate_hz
    rows = VoiceFrontend(spec).frames(np.asarray(amplitude * np.sin(2 * np.pi * hz * t), np.float32), rate_hz)
    return rows[8:-12]


@pytest.mark.parametrize("rate_hz", RATES)
def test_the_pass_band_is_flat(rate_hz: int) -> None:
    """Within 0.002 dB up to 0.43 of the lower rate, beside the same tone sampled at 16 kHz."""
    lower = min(rate_hz, 16000)
    for share in (0.005, 0.0314, 0.11, 0.25, 0.35, 0.42, 0.43):
        hz = share * lower
        ours, exact = bank_of_tone(hz, rate_hz), bank_of_tone(hz, 16000)
        strongest = exact[0].argmax()
        assert np.abs(ours - exact)[:, strongest].max() * 10 / np.log(10) < 0.002, hz


@pytest.mark.parametrize("rate_hz", [r for r in RATES if r > 16000])
def test_what_the_model_cannot_hold_is_gone(rate_hz: int) -> None:
    """96 dB below the same tone in the pass band, from the Nyquist frequency of 16 kHz on."""
    inside = bank_of_tone(1000, rate_hz).max()
    for hz in np.linspace(8000, rate_hz / 2, 12)[:-1]:
        assert (bank_of_tone(float(hz), rate_hz).max() - inside) * 10 / np.log(10) < -96, hz


@pytest.mark.parametrize("rate_hz", [8000, 11025])
def test_no_image_appears_above_the_nyquist_frequency_of_the_source(rate_hz: int) -> None:
    for hz in (500, 2000, 0.43 * rate_hz):
        rows = bank_of_tone(hz, rate_hz)
        low, high = reference.hz_to_mel(np.array([20.0, 8000.0]), "htk")
        mels = reference.mel_to_hz(np.linspace(low, high, 66), "htk")[1:-1]
        above = rows[:, mels > rate_hz - 0.43 * rate_hz]
        assert (above.max() - rows.max()) * 10 / np.log(10) < -90


@pytest.mark.parametrize("rate_hz", [*RATES, 16001, 191999])
def test_a_click_stays_where_it_was(rate_hz: int) -> None:
    """Linear phase, the delay taken off: the energy lies evenly around the time of the click."""
    pcm = np.zeros(rate_hz, np.float32)
    pcm[rate_hz // 2] = 1
    spec = VoiceSpec(window=32, hop=1, fft=32, mels=1, remove_dc=False, preemphasis=0, window_shape="hann")
    power = np.exp(VoiceFrontend(spec).frames(pcm, rate_hz).astype(np.float64)[:, 0])
    centre = (power * (np.arange(len(power)) + 16)).sum() / power.sum()
    assert centre == pytest.approx(8000 * (rate_hz // 2) / (rate_hz / 2), abs=0.02)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 44100, 44101, 192000])
@pytest.mark.parametrize("n", [0, 1, 441, 4410, 4411])
def test_the_number_of_frames_follows_the_number_of_samples(rate_hz: int, n: int) -> None:
    at_model_rate = -(-n * 16000 // rate_hz)
    frames = 0 if at_model_rate < 400 else 1 + (at_model_rate - 400) // 160
    assert USUAL.frames(np.zeros(n, np.float32), rate_hz).shape == (frames, 64)


@pytest.mark.parametrize(("rate_hz", "n"), [(22_050, 551), (44_100, 1_102), (11_025, 275), (48_000, 1_198)])
def test_a_part_of_a_sample_at_the_end_counts_as_one(rate_hz: int, n: int) -> None:
    """At the rate of the model these clips have more than 399 samples, so a whole window."""
    assert len(USUAL.compute(sound(n), rate_hz)) == 1
    assert len(USUAL.compute(sound(n - 3), rate_hz)) == 0


# --- what may come ---


@pytest.mark.parametrize("n", [0, 1, 399])
@pytest.mark.parametrize("channels", [0, 2])
def test_less_than_a_window_gives_nothing(n: int, channels: int) -> None:
    for pcm in (sound(n, channels), np.asarray(sound(n, channels) * 30000, np.int16)):
        assert USUAL.frames(pcm, 16000).shape == (0, 64)
        spans = USUAL.compute(pcm, 16000)
        assert len(spans) == 0
        assert spans.features.shape == (0, 256, 64)


def test_silence_is_the_floor_and_nothing_after_normalisation() -> None:
    for pcm in (np.zeros(16000, np.int16), np.zeros(16000, np.float32), -np.zeros(16000, np.float32)):
        np.testing.assert_allclose(USUAL.frames(pcm, 16000), np.log(1e-10), rtol=1e-6)
        for normalization in ("level", "mean", "mean_std"):
            spans = VoiceFrontend(VoiceSpec(normalization=normalization)).compute(pcm, 16000)
            assert np.abs(spans.features).max() < 1e-5
    pcen = VoiceFrontend(VoiceSpec(compression="pcen")).frames(np.zeros(16000, np.int16), 16000)
    assert np.abs(pcen).max() == 0


@pytest.mark.parametrize("offset", [0.01, 0.5, 5.0])
def test_an_offset_changes_nothing(offset: float) -> None:
    pcm = sound(16000)
    shifted = USUAL.frames(np.asarray(pcm + np.float32(offset), np.float32), 16000)
    loud = USUAL.frames(pcm, 16000)
    assert np.abs(shifted - loud).max() < 0.01  # the sum in float32 rounds the sound itself


def test_clipped_and_too_loud_sound_has_numbers() -> None:
    clipped = np.asarray(np.clip(sound(16000) * 100, -1, 1), np.float32)
    full_scale = np.tile(np.array([-32768, 32767], np.int16), 8000)
    for pcm in (clipped, full_scale, np.full(16000, 8, np.float32), np.asarray(clipped * 8, np.float32)):
        rows = USUAL.frames(pcm, 16000)
        assert np.isfinite(rows).all()
    louder = USUAL.frames(np.asarray(clipped * 8, np.float32), 16000) - USUAL.frames(clipped, 16000)
    np.testing.assert_allclose(louder, 2 * np.log(8), atol=1e-5)  # nothing is clipped on the way


def test_int16_is_float_times_32768() -> None:
    pcm = np.asarray(sound(16000, 7) * 30000, np.int16)
    as_float = np.asarray(pcm / 32768, np.float32)
    for rate_hz in (16000, 44100):
        same(FRONTEND.compute(pcm, rate_hz), FRONTEND.compute(as_float, rate_hz))


def test_channels_are_averaged() -> None:
    two = sound(16000, 2)
    mean = np.asarray((two[:, 0] + two[:, 1]) / 2, np.float32)
    same(FRONTEND.compute(two, 16000), FRONTEND.compute(mean, 16000))
    same(FRONTEND.compute(mean[:, None], 16000), FRONTEND.compute(mean, 16000))
    assert len(FRONTEND.compute(sound(16000, 32), 16000)) > 0


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.nan, "sample 700 is NaN"),
        (np.inf, "sample 700 is infinite"),
        (-np.inf, "sample 700 is infinite"),
        (8.1, "looks like int16 passed as float: divide by 32768"),
        (-3000, "looks like int16 passed as float: divide by 32768"),
    ],
)
def test_bad_samples_are_named_and_leave_the_stream_as_it_was(value: float, says: str) -> None:
    good, bad = sound(16000), sound(1000)
    bad[700] = value
    for call in (FRONTEND.frames, FRONTEND.compute):
        with pytest.raises(InputError, match=says):
            call(bad, 16000)
    stream = FRONTEND.stream(16000)
    parts = [stream.push(good[:5000])]
    with pytest.raises(InputError, match=says):
        stream.push(bad)
    parts += [stream.push(good[5000:]), stream.flush()]
    assert joined(parts)["features"].tobytes() == FRONTEND.compute(good, 16000).features.tobytes()
    stereo = sound(1000, 2)
    stereo[700, 1] = value
    with pytest.raises(InputError, match="sample 700 of channel 1"):
        FRONTEND.frames(stereo, 16000)


def test_int16_passed_as_float_is_told() -> None:
    with pytest.raises(InputError, match="divide by 32768"):
        FRONTEND.compute(np.asarray(sound(16000) * 30000, np.float32), 16000)


def test_float_cast_to_int16_is_next_to_silence() -> None:
    rows = USUAL.frames(sound(16000).astype(np.int16), 16000)
    np.testing.assert_allclose(rows, np.log(1e-10), rtol=1e-6)


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "int8", "uint8", "int32", "int64", ">f4", ">i2", "bool", "c8"]
)
def test_other_dtypes_are_refused(dtype: str) -> None:
    for call in (FRONTEND.frames, FRONTEND.compute):
        with pytest.raises(InputTypeError, match="pass audio as int16 or float32"):
            call(np.zeros(1000, dtype), 16000)
    with pytest.raises(TypeError, match="expected an int16 or float32 array, got"):
        FRONTEND.stream(16000).push(np.zeros(1000, dtype))


@pytest.mark.parametrize("pcm", [None, [0.0] * 1000, b"\0" * 1000, 3])
def test_what_is_no_array_is_refused(pcm: Any) -> None:
    with pytest.raises(InputTypeError, match="expected a numpy array, got"):
        FRONTEND.compute(pcm, 16000)


def test_arrays_with_gaps_are_refused() -> None:
    gaps = [sound(1000)[::2], sound(1000)[::-1], sound(1000, 2).T[:1].T, np.asfortranarray(sound(1000, 2))]
    odd = np.frombuffer(bytes(4001), np.uint8)[1:].view(np.float32)
    for pcm in [*gaps, odd]:
        with pytest.raises(InputTypeError, match=r"numpy\.ascontiguousarray"):
            FRONTEND.compute(pcm, 16000)


@pytest.mark.parametrize("shape", [(), (10, 2, 2), (1, 1, 1, 1)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"expected \(samples,\) or \(samples, channels\)"):
        FRONTEND.compute(np.zeros(shape, np.float32), 16000)


@pytest.mark.parametrize("shape", [(100, 0), (100, 33), (2, 16000)])
def test_channels_out_of_range_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=r"channels must be in \[1, 32\].*\(samples, channels\)"):
        FRONTEND.compute(np.zeros(shape, np.float32), 16000)
    with pytest.raises(InputError, match="channels must be in"):
        FRONTEND.stream(16000, shape[1])


@pytest.mark.parametrize("rate_hz", [0, -16000, 7999, 192001, 2**40, 10**30, -(10**30)])
def test_rates_out_of_range_are_refused(rate_hz: int) -> None:
    for call in (FRONTEND.frames, FRONTEND.compute):
        with pytest.raises(InputError, match=rf"rate_hz must be in \[8000, 192000\], got {rate_hz};"):
            call(sound(1000), rate_hz)
    with pytest.raises(InputError, match="rate_hz must be in"):
        FRONTEND.stream(rate_hz)


@pytest.mark.parametrize("rate_hz", [16000.0, "16000", None, True])
def test_rates_are_integers(rate_hz: Any) -> None:
    with pytest.raises(InputTypeError, match="expected an int as rate_hz, got"):
        FRONTEND.compute(sound(1000), rate_hz)
    assert len(FRONTEND.compute(sound(16000), np.int64(16000))) > 0  # type: ignore[arg-type]


def test_a_stream_keeps_its_channels() -> None:
    stream = FRONTEND.stream(16000, channels=2)
    with pytest.raises(InputError, match="the stream has 2 channels, the chunk 1"):
        stream.push(sound(1000))
    assert len(stream.push(sound(16000, 2))) > 0


# --- threads ---


def test_threads_share_a_frontend() -> None:
    cases = [(sound(rate_hz // 2, seed=rate_hz), rate_hz) for rate_hz in [16000, *RATES]]
    expected = [VoiceFrontend(SMALL).compute(pcm, rate_hz) for pcm, rate_hz in cases]
    shared = VoiceFrontend(SMALL)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(2):
            for ours, whole in zip(
                pool.map(lambda case: shared.compute(*case), cases), expected, strict=True
            ):
                same(ours, whole)


def test_threads_that_share_a_stream_by_mistake_wait_for_each_other() -> None:
    stream, pcm = FRONTEND.stream(16000), sound(160 * 50)
    threads = [threading.Thread(target=lambda: [stream.push(pcm) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stream.n_frames == 1 + (40 * 8000 - 400) // 160
