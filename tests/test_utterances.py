"""Utterances of a voice stream: what is found, when, and what is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import c_abi as c
import numpy as np
import numpy.typing as npt
import pytest
import small_voice
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo import Runtime, VoiceRecognizer
from edgeemo.backends import FakeBackend, TensorInfo
from edgeemo.errors import BundleMismatchError, InferenceError, InputError, InputTypeError, SpecError
from edgeemo.frontends import VoiceSpec
from edgeemo.stream import VoiceStreamSpec
from edgeemo.types import EmotionResult

RATE = small_voice.RATE
LOUD = -12.0
"""Mean log power of a block from which the fake model hears speech."""
SPEC = VoiceSpec(
    span_frames=small_voice.SPAN,
    hop_frames=small_voice.HOP,
    mels=small_voice.MELS,
    preemphasis=0.0,
    normalization="none",
)
FLOAT = np.dtype(np.float32)
Sound = npt.NDArray[np.int16]


def by_loudness(features: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """Hear speech in loud blocks, anger in high sounds and sadness in deep ones."""
    blocks = features[0].reshape(-1, small_voice.BLOCK, small_voice.MELS).mean((1, 2))
    high = features[0].mean(0).argmax() > small_voice.MELS // 2
    labels = [0, 0, 0, 20] if high else [0, 0, 20, 0]
    return [np.array([labels], np.float32), np.where(blocks > LOUD, 9, -9)[np.newaxis].astype(np.float32)]


def recognizer(model: Any = by_loudness) -> VoiceRecognizer:
    blocks = small_voice.SPAN // small_voice.BLOCK
    backend = FakeBackend(
        model,
        [TensorInfo("features", (1, small_voice.SPAN, small_voice.MELS), FLOAT, 0.0, 0)],
        [
            TensorInfo("labels", (1, len(small_voice.LABELS)), FLOAT, 0.0, 0),
            TensorInfo("speech", (1, blocks), FLOAT, 0.0, 0),
        ],
    )
    bundle = small_voice.bundle(spec=SPEC.to_dict(), spec_digest=SPEC.digest)
    return VoiceRecognizer(bundle, Runtime(b"", backend=backend))


def said(label: str, seconds: float, rate_hz: int = RATE) -> Sound:
    """Return a voice in a hiss, which is loud in all bands."""
    hiss = np.random.default_rng(4).normal(0, 300, round(seconds * rate_hz))
    return np.clip(small_voice.voice(label, seconds, rate_hz) + hiss, -32768, 32767).astype(np.int16)


def quiet(seconds: float, rate_hz: int = RATE) -> Sound:
    return np.random.default_rng(3).normal(0, 1, round(seconds * rate_hz)).astype(np.int16)


def heard(
    sound: Sound,
    kinds: Sequence[str] = ("utterance",),
    chunk: int = 160,
    rate_hz: int = RATE,
    **spec: Any,
) -> list[tuple[int, EmotionResult]]:
    """Return the results of a stream, each with the time at which the stream gave the result."""
    stream = recognizer().stream(rate_hz, results=kinds, spec=VoiceStreamSpec(**spec))
    found = []
    for at in range(0, len(sound), chunk):
        part = sound[at : at + chunk]
        now = (at + len(part)) * 1000 // rate_hz
        found += [(now, result) for result in stream.push(part, at * 1000 // rate_hz)]
    return found + [(len(sound) * 1000 // rate_hz, result) for result in stream.flush()]


def only(found: Iterable[tuple[int, EmotionResult]]) -> list[EmotionResult]:
    return [result for _, result in found]


# --- what is found ---


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("seconds", [0.25, 0.4, 0.7, 3.0])
def test_a_word_between_silences_is_heard(seconds: float, rate_hz: int) -> None:
    sound = np.concatenate([quiet(2, rate_hz), said("sadness", seconds, rate_hz), quiet(2, rate_hz)])
    ((known_ms, result),) = heard(sound, rate_hz=rate_hz, chunk=rate_hz // 100)
    end_ms = 2000 + seconds * 1000
    assert abs(result.start_ms - 2000) <= 100
    assert abs(result.end_ms - end_ms) <= 100
    assert known_ms - end_ms <= 350
    assert (result.kind, result.label, result.evidence) == ("utterance", "sadness", 1.0)


def test_each_utterance_is_read_alone() -> None:
    sound = np.concatenate([quiet(1), said("anger", 0.6), quiet(0.6), said("sadness", 0.9), quiet(1)])
    first, second = only(heard(sound))
    assert (first.label, second.label) == ("anger", "sadness")
    assert first.end_ms < second.start_ms


def test_an_utterance_of_many_spans_forgets_the_one_before() -> None:
    sound = np.concatenate([quiet(1), said("sadness", 3), quiet(1), said("anger", 3), quiet(1)])
    first, second = only(heard(sound))
    assert first.fine["sadness"] > 0.99
    assert second.fine["anger"] > 0.99


def test_a_short_pause_does_not_end_an_utterance() -> None:
    sound = np.concatenate([quiet(1), said("anger", 0.5), quiet(0.16), said("anger", 0.5), quiet(1)])
    assert len(heard(sound)) == 1
    assert len(heard(sound, hang_over_ms=64)) == 2


def test_a_word_that_began_before_the_stream_is_heard() -> None:
    (result,) = only(heard(np.concatenate([said("sadness", 0.5), quiet(1)])))
    assert result.start_ms <= 50
    assert abs(result.end_ms - 500) <= 100


def test_the_end_of_the_stream_ends_an_utterance() -> None:
    (result,) = only(heard(np.concatenate([quiet(1), said("sadness", 0.5)])))
    assert abs(result.end_ms - 1500) <= 100


def test_partial_results_tell_of_an_utterance_that_lasts() -> None:
    sound = np.concatenate([quiet(1), said("sadness", 2), quiet(1)])
    found = only(heard(sound, ("utterance", "partial")))
    partials, (whole,) = found[:-1], found[-1:]
    hop_ms = SPEC.hop_frames * SPEC.hop * 1000 / SPEC.rate_hz
    assert {result.kind for result in partials} == {"partial"}
    assert 2000 / hop_ms - 3 <= len(partials) <= 2000 / hop_ms + 3
    assert {result.start_ms for result in partials} == {whole.start_ms}
    assert {result.label for result in partials} == {"sadness"}


def test_spans_are_the_same_with_and_without_utterances() -> None:
    sound = np.concatenate([quiet(1), said("sadness", 2), quiet(1)])
    found = only(heard(sound, ("span", "utterance", "partial"), chunk=len(sound)))
    assert [result for result in found if result.kind == "span"] == only(heard(sound, ("span",)))
    assert [result.end_ms for result in found] == sorted(result.end_ms for result in found)


def test_recordings_have_the_same_utterances() -> None:
    sound = np.concatenate([quiet(1), said("anger", 0.6), quiet(40), said("sadness", 0.9)])
    assert recognizer().utterances(sound, RATE) == only(heard(sound))
    assert recognizer().utterances(quiet(3), RATE) == []
    assert recognizer().predict(sound, RATE).kind == "clip"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 30_000), max_size=30), st.integers(0, 5))
def test_chunks_do_not_matter(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [quiet(0.5)]
    for label in rng.choice(["sadness", "anger"], 3):
        parts += [said(label, float(rng.uniform(0.2, 1.5))), quiet(float(rng.uniform(0.3, 0.8)))]
    sound = np.concatenate(parts)
    stream, found, at = recognizer().stream(RATE, results=("utterance", "partial")), [], 0
    for size in [*sizes, len(sound)]:
        found += stream.push(sound[at : at + size], at * 1000 // RATE)
        at += size
    assert found + stream.flush() == only(heard(sound, ("utterance", "partial"), chunk=len(sound)))


# --- what is not, and what ends ---


def test_clicks_are_no_utterances() -> None:
    for ms in (1, 20, 50):
        click = np.concatenate([quiet(1), said("anger", ms / 1000), quiet(1)])
        assert heard(click) == [], ms
    assert heard(quiet(30), chunk=RATE) == []


def test_an_utterance_without_end_is_cut() -> None:
    found = only(heard(said("sadness", 31), chunk=RATE, most_ms=5000))
    assert len(found) == 7
    assert all(result.end_ms - result.start_ms <= 5100 for result in found)
    assert all(abs(b.start_ms - a.end_ms) <= 200 for a, b in pairwise(found))


def test_a_long_utterance_is_cut_at_a_short_pause() -> None:
    parts = [said("sadness", 4), quiet(0.16), said("sadness", 1), quiet(1)]
    assert len(heard(np.concatenate(parts))) == 1
    first, _ = only(heard(np.concatenate(parts), most_ms=6000))
    assert abs(first.end_ms - 4000) <= 120


def test_lost_samples_end_an_utterance() -> None:
    stream = recognizer().stream(RATE, results=("utterance",))
    found = stream.push(said("sadness", 1), 0)
    found += stream.push(said("anger", 1), 3000)
    found += stream.push(quiet(1), 4000)
    assert [result.label for result in found] == ["sadness", "anger"]
    assert found[1].start_ms >= 3000


def test_a_model_that_fails_loses_no_later_utterance() -> None:
    fails = [True]

    def model(features: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        if fails[0]:
            raise InferenceError("no")
        return by_loudness(features)

    stream = recognizer(model).stream(RATE, results=("utterance",))
    with pytest.raises(InferenceError):
        stream.push(quiet(1), 0)
    fails[0] = False
    assert stream.push(np.concatenate([said("sadness", 0.5), quiet(1)]), 1000)[0].label == "sadness"


# --- mute ---


def test_muted_samples_are_silence() -> None:
    sound = np.concatenate([quiet(1), said("anger", 1), quiet(1), said("sadness", 1), quiet(1)])
    stream = recognizer().stream(RATE, results=("utterance",))
    stream.mute(900, 2100)
    found = [r for i in range(0, len(sound), 800) for r in stream.push(sound[i : i + 800], i // 16)]
    assert [result.label for result in found] == ["sadness"]
    zeroed = sound.copy()
    zeroed[900 * 16 : 2100 * 16] = 0
    both = ("span", "utterance")
    whole = recognizer().stream(RATE, results=both)
    whole.mute(900, 1500)
    whole.mute(1500, 2100)
    assert whole.push(sound, 0) + whole.flush() == only(heard(zeroed, both, chunk=len(zeroed)))


def test_what_was_heard_cannot_be_muted_and_reset_forgets_mutes() -> None:
    stream = recognizer().stream(RATE, results=("utterance",))
    stream.push(quiet(1), 0)
    with pytest.raises(InputError, match="heard"):
        stream.mute(200, 1000)
    stream.mute(900, 5000)
    stream.reset()
    assert len(stream.push(np.concatenate([quiet(1), said("anger", 1), quiet(1)]), 0)) == 1


def test_mute_takes_several_channels_and_floats() -> None:
    sound = np.concatenate([said("anger", 1), quiet(1)]).astype(np.float32) / 32768
    stream = recognizer().stream(RATE, 2, results=("utterance",))
    stream.mute(0, 1100)
    assert stream.push(np.stack([sound, sound], 1), 0) == []


@pytest.mark.parametrize("times", [(5, 5), (10, 5), (0, 2**53)])
def test_mute_refuses_times_without_sense(times: tuple[int, int]) -> None:
    stream = recognizer().stream(RATE)
    with pytest.raises(InputError):
        stream.mute(*times)
    with pytest.raises(InputTypeError):
        stream.mute(0.5, 2)  # type: ignore[arg-type]


# --- what may be asked for ---


@pytest.mark.parametrize(
    ("results", "error"),
    [((), InputError), (("clip",), InputError), ("span", InputTypeError), (3, InputTypeError)],
)
def test_unknown_results_are_refused(results: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"span.*utterance"):
        recognizer().stream(RATE, results=results)


@pytest.mark.parametrize(
    "fields",
    [{"onset": 1.0}, {"end": 0.0}, {"least_ms": -1}, {"hang_over_ms": 63}, {"most_ms": 999}, {"most": 1}],
)
def test_a_spec_out_of_range_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=next(iter(fields))):
        recognizer().stream(RATE, spec=VoiceStreamSpec(**fields))


# --- C ---


def test_c_gives_the_same_utterances(tmp_path: Path) -> None:
    path = small_voice.write(tmp_path)
    sound = np.concatenate(
        [small_voice.noise(1), small_voice.voice("sadness", 1), small_voice.noise(1)]
    ).astype(np.int16)
    kinds = ("span", "utterance", "partial")
    with VoiceRecognizer.open(path) as opened:
        stream = opened.stream(RATE, results=kinds)
        expected = stream.push(sound, 0) + stream.flush()
    with c.opened(path) as handle:
        options = c.VoiceOptions(results=1 << 2 | 1 << 3 | 1 << 4, least_ms=150)
        found = c.stream_results(handle, sound, RATE, options)
    for ours, theirs in zip(found, expected, strict=True):  # in C the evidence has single precision
        assert ours.numbers() == pytest.approx(c.numbers_of(theirs), abs=1e-7)
    assert [("", "clip", *kinds)[result.kind] for result in found] == [result.kind for result in expected]
    assert {"span", "utterance"} <= {result.kind for result in expected}


def test_c_refuses_unknown_results_and_other_streams(tmp_path: Path) -> None:
    path = small_voice.write(tmp_path)
    with c.opened(path) as handle:
        for results in (1, 2, 1 << 5):
            with pytest.raises(InputError, match="unknown bits"):
                c.stream_results(handle, quiet(1), RATE, c.VoiceOptions(results=results))
    assert BundleMismatchError.code == c.MISMATCH
