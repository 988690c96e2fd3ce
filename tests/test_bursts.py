"""Bursts: sounds without words have a head and a mapping of their own, and leave the voice's result alone."""

from __future__ import annotations

import ctypes
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import c_abi as c
import numpy as np
import numpy.typing as npt
import pytest
import small_voice
from small_voice import BURSTS, HEARS_BURSTS, RATE, noise, silence, voice

from edgeemo import EMOTIONS, Bundle, EmotionResult, ModelCard, Recognizer, Runtime, VoiceRecognizer
from edgeemo.backends import FakeBackend, TensorInfo
from edgeemo.errors import BundleMismatchError, InferenceError

LABELS = tuple(BURSTS["labels"])
FLOAT = np.dtype(np.float32)
Features = npt.NDArray[np.float32]
SOUND = np.concatenate([noise(1), voice("sadness", 1), noise(0.7), voice("anger", 0.8), noise(1)])
KINDS = ("span", "utterance", "partial")


@pytest.fixture(scope="module")
def hears(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_voice.write(tmp_path_factory.mktemp("bursts"), **HEARS_BURSTS)


@pytest.fixture
def opened(hears: Path) -> Iterator[VoiceRecognizer]:
    with VoiceRecognizer.open(hears) as recognizer:
        yield recognizer


def fake(logits: Callable[[Features], list[float]], speech: float = 9.0, **changes: Any) -> VoiceRecognizer:
    """Return a recognizer whose bundle has an output of its own for bursts, and one for an embedding."""
    blocks = small_voice.SPAN // small_voice.BLOCK

    def model(features: Features) -> list[npt.NDArray[np.float32]]:
        rows = [logits(features), [0.5] * 3, [0, 0, 9, 0], [speech] * blocks]
        return [np.array([row], np.float32) for row in rows]

    sizes = {"bursts": len(LABELS), "embedding": 3, "labels": 4, "speech": blocks}
    outputs = {name: name for name in sizes}
    backend = FakeBackend(
        model,
        [TensorInfo("features", (1, small_voice.SPAN, small_voice.MELS), FLOAT, 0.0, 0)],
        [TensorInfo(name, (1, n), FLOAT, 0.0, 0) for name, n in sizes.items()],
    )
    bundle = small_voice.bundle(**{"bursts": BURSTS, "outputs": outputs, **changes})
    return VoiceRecognizer(bundle, Runtime(b"", backend=backend))


def numbers(result: EmotionResult) -> list[float]:
    assert result.burst_probabilities is not None
    assert result.burst_scores is not None
    affect = [result.burst_valence, result.burst_arousal]
    return [*result.burst_probabilities.tolist(), *result.burst_scores.tolist(), *affect]


def softmax(logits: list[float]) -> npt.NDArray[np.float64]:
    powers = np.exp(BURSTS["scale"] * np.array(logits))
    return np.asarray(powers / powers.sum())


def of_voice(result: EmotionResult) -> dict[str, Any]:
    """Return what a result says beside bursts."""
    return {name: value for name, value in result.to_dict().items() if not name.startswith("burst")}


# --- what a result says ---


def test_bursts_are_a_softmax_and_express_emotions_by_the_card() -> None:
    logits = [0.5, -0.25, 0.75, 0.0]
    result = fake(lambda features: logits).predict(voice("sadness", 1), RATE)
    p = softmax(logits)
    assert result.bursts == pytest.approx(dict(zip(LABELS, p, strict=True)), abs=1e-6)
    expected = dict.fromkeys(EMOTIONS, 0.0) | {"neutral": p[0] + p[1], "sadness": p[2], "fear": p[3]}
    assert result.burst_scores is not None
    np.testing.assert_allclose(result.burst_scores, list(expected.values()), atol=1e-6)
    affect = p[1:] @ np.array(list(BURSTS["affect"].values()))
    assert (result.burst_valence, result.burst_arousal) == pytest.approx(tuple(affect), abs=1e-6)


def test_bursts_leave_the_voice_alone(opened: VoiceRecognizer, voice_of: VoiceRecognizer) -> None:
    for kinds in (("span",), KINDS):
        streams = [reader.stream(RATE, results=kinds) for reader in (opened, voice_of)]
        ours, theirs = ([*stream.push(SOUND, 0), *stream.flush()] for stream in streams)
        assert [of_voice(result) for result in ours] == [result.to_dict() for result in theirs]
        assert all(result.bursts is None for result in theirs)
        assert all("bursts" not in result.to_dict() for result in theirs)


@pytest.fixture
def voice_of(small_voice_path: Path) -> Iterator[VoiceRecognizer]:
    with VoiceRecognizer.open(small_voice_path) as recognizer:
        yield recognizer


def test_every_kind_of_result_has_bursts(opened: VoiceRecognizer) -> None:
    stream = opened.stream(RATE, results=KINDS)
    opened.predict(voice("neutral", 1), RATE)  # the next clip knows nothing of it
    found = [*stream.push(SOUND, 0), *stream.flush(), stream.summary(), opened.predict(SOUND, RATE)]
    assert {result.kind for result in found} == {*KINDS, "clip"}
    for result in found:
        assert result.bursts is not None
        assert tuple(result.bursts) == LABELS
        assert sum(result.bursts.values()) == pytest.approx(1, abs=1e-6)
        assert result.burst_scores is not None
        assert result.burst_scores.sum() == pytest.approx(1, abs=1e-6)
    assert found[-1] == found[-2]
    first, second = opened.utterances(SOUND, RATE)
    assert first.bursts is not None
    assert second.bursts is not None
    assert max(first.bursts, key=first.bursts.__getitem__) == "sob"
    assert max(second.bursts, key=second.bursts.__getitem__) == "scream"


@pytest.mark.parametrize("speech", [9.0, -9.0], ids=["speech", "no speech"])
def test_a_clip_has_the_mean_by_length_whatever_is_speech(speech: float) -> None:
    told: list[list[float]] = []

    def rising(features: Features) -> list[float]:
        told.append([0.0, 0.0, 0.0, len(told) / 4])
        return told[-1]

    recognizer = fake(rising, speech)
    stream = recognizer.stream(RATE)
    spans = stream.push(voice("sadness", 2), 0) + stream.push(voice("sadness", 0.4), 5000) + stream.flush()
    whole = stream.summary()
    assert whole.evidence == (1.0 if speech > 0 else 0.0)
    assert len(spans) == len(told) > 3
    step_ms, window_ms = (1000 * n / RATE for n in (small_voice.SPEC.hop, small_voice.SPEC.window))
    frames = [round((s.end_ms - s.start_ms - window_ms) / step_ms) + 1 for s in spans]
    assert len(set(frames)) == 2  # the sound behind the gap is shorter than a span
    rows = [numbers(span) for span in spans]
    assert numbers(whole) == pytest.approx(np.average(rows, axis=0, weights=frames).tolist(), abs=1e-6)


def test_a_long_utterance_has_the_mean_of_its_spans(opened: VoiceRecognizer) -> None:
    sound = np.concatenate([noise(1), voice("sadness", 2), voice("anger", 2), noise(1)])
    (utterance,) = opened.utterances(sound, RATE)
    assert utterance.bursts is not None
    assert utterance.bursts["sob"] > 0.2
    assert utterance.bursts["scream"] > 0.2


@pytest.mark.parametrize(
    "clip", [np.zeros(0, np.int16), silence(0.01)], ids=["empty", "shorter than a window"]
)
def test_a_clip_without_a_frame_has_no_burst(opened: VoiceRecognizer, clip: npt.NDArray[np.int16]) -> None:
    result = opened.predict(clip, RATE)
    assert result.bursts == pytest.approx({"none": 1.0, "sigh": 0.0, "sob": 0.0, "scream": 0.0}, abs=1e-6)
    assert result.burst_scores is not None
    assert result.burst_scores[0] == pytest.approx(1)
    assert (result.burst_valence, result.burst_arousal) == pytest.approx((0, 0), abs=1e-6)


def test_without_a_label_none_a_clip_without_a_frame_says_nothing() -> None:
    bursts = BURSTS | {
        "labels": ["yawn", *LABELS[1:]],
        "emotions": BURSTS["emotions"] | {"disgust": ["yawn"]},
        "affect": BURSTS["affect"] | {"yawn": [0.0, -1.0]},
    }
    result = fake(lambda features: [0.0] * 4, bursts=bursts).predict(np.zeros(0, np.int16), RATE)
    assert result.bursts == dict.fromkeys(bursts["labels"], 0.25)


def test_nan_is_an_error_of_the_model() -> None:
    with pytest.raises(InferenceError, match="small-voice: expected finite logits"):
        fake(lambda features: [0.0, 0.0, float("nan"), 0.0]).predict(voice("sadness", 1), RATE)


# --- values ---


def test_results_are_frozen_values(opened: VoiceRecognizer) -> None:
    result = opened.predict(SOUND, RATE)
    with pytest.raises(TypeError):
        result.bursts["sob"] = 1.0  # type: ignore[index]
    assert result.burst_scores is not None
    assert not result.burst_scores.flags.writeable
    again = pickle.loads(pickle.dumps(result))
    assert again == result
    assert again.bursts == result.bursts
    assert not again.burst_probabilities.flags.writeable


def test_json_tells_bursts(opened: VoiceRecognizer) -> None:
    result = opened.predict(SOUND, RATE)
    said = json.loads(json.dumps(result.to_dict()))
    assert said["bursts"] == result.bursts
    assert list(said["burst_scores"]) == list(EMOTIONS)
    assert (said["burst_valence"], said["burst_arousal"]) == (result.burst_valence, result.burst_arousal)


# --- cards ---


def test_the_card_keeps_bursts_and_old_cards_their_bytes() -> None:
    card = small_voice.card(**HEARS_BURSTS)
    assert ModelCard.from_json(card.to_json()) == card
    assert card.bursts == BURSTS
    assert "bursts" not in json.loads(small_voice.card().to_json())
    assert dict(small_voice.card().bursts) == {}


def test_an_embedding_is_kept_and_must_be_a_vector(tmp_path: Path) -> None:
    outputs = {"labels": "labels", "speech": "speech", "embedding": "speech"}
    path = small_voice.write(tmp_path, outputs=outputs)
    assert Bundle.open(path).card.outputs == outputs
    with Recognizer.open(path) as recognizer:
        assert isinstance(recognizer, VoiceRecognizer)
        assert recognizer.predict(voice("sadness", 1), RATE).label == "sadness"
    backend = FakeBackend(
        lambda features: [],
        [TensorInfo("features", (1, small_voice.SPAN, small_voice.MELS), FLOAT, 0.0, 0)],
        [
            TensorInfo("embedding", (1, 2, 2), FLOAT, 0.0, 0),
            TensorInfo("labels", (1, 4), FLOAT, 0.0, 0),
            TensorInfo("speech", (1, 8), FLOAT, 0.0, 0),
        ],
    )
    bundle = small_voice.bundle(outputs={name: name for name in ("labels", "speech", "embedding")})
    with pytest.raises(BundleMismatchError, match=r"embedding output needs a shape \(1, n\)"):
        VoiceRecognizer(bundle, Runtime(b"", backend=backend))


# --- C ---


def clip_in_c(handle: ctypes.c_void_p, result: c.Result) -> None:
    """Let C read `SOUND` into a result."""
    code = c.LIB.edgeemo_predict_pcm(handle, ctypes.byref(c.pcm_of(SOUND)), RATE, ctypes.byref(result))
    assert code == c.OK, c.error()


def test_c_tells_the_same(hears: Path, opened: VoiceRecognizer) -> None:
    stream = opened.stream(RATE, results=KINDS)
    expected = stream.push(SOUND, 0) + stream.flush()
    with c.opened(hears) as handle:
        assert c.LIB.edgeemo_n_bursts(handle) == len(LABELS)
        options = c.VoiceOptions(results=1 << 2 | 1 << 3 | 1 << 4, least_ms=150)
        found = c.stream_results(handle, SOUND, RATE, options)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.burst_numbers() == pytest.approx(numbers(theirs), abs=1e-7)
            assert theirs.bursts is not None
            assert ours.burst == list(theirs.bursts.values()).index(max(theirs.bursts.values()))
            assert tuple(ours.burst_labels[i].decode() for i in range(ours.n_bursts)) == LABELS


def test_c_without_bursts_says_so(small_voice_path: Path) -> None:
    with c.opened(small_voice_path) as handle:
        assert c.LIB.edgeemo_n_bursts(handle) == 0
        result = c.clip(handle, SOUND, RATE)
        assert (result.n_bursts, result.burst, bool(result.burst_labels)) == (0, -1, False)
    assert c.LIB.edgeemo_n_bursts(None) == 0


def test_c_writes_no_more_than_a_program_of_version_4_knows(hears: Path) -> None:
    with c.opened(hears) as handle:
        result = c.result_for(handle)
        result.struct_size = c.Result.bursts.offset
        memory = ctypes.string_at(ctypes.addressof(result), ctypes.sizeof(result))
        clip_in_c(handle, result)
        after = ctypes.string_at(ctypes.addressof(result), ctypes.sizeof(result))
        assert after[c.Result.bursts.offset :] == memory[c.Result.bursts.offset :]
        assert after != memory


def test_c_fills_the_room_there_is(hears: Path) -> None:
    with c.opened(hears) as handle:
        for room in (0, 2):
            result = c.result_for(handle)
            result.n_bursts = room
            code = c.LIB.edgeemo_predict_pcm(
                handle, ctypes.byref(c.pcm_of(SOUND)), RATE, ctypes.byref(result)
            )
            assert (code, result.n_bursts) == (c.OK, room)
            assert result.bursts[2] == 0.0
            assert sum(result.burst_scores) == pytest.approx(1, abs=1e-6)
