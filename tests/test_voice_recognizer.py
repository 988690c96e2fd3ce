"""VoiceRecognizer: from any clip to a documented result; the rule of evidence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import small_text
import small_voice
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo import EMOTIONS, Recognizer, Runtime, TextRecognizer, VoiceRecognizer
from edgeemo.backends import FakeBackend, TensorInfo
from edgeemo.errors import BundleMismatchError, InferenceError, InputError, InputTypeError
from edgeemo.types import EmotionResult

RATE = small_voice.RATE
NEUTRAL = [1.0, 0, 0, 0, 0, 0, 0, 0]
BLOCKS = small_voice.SPAN // small_voice.BLOCK
FLOAT = np.dtype(np.float32)


def fake(
    speech: list[float] | None = None,
    labels: tuple[float, ...] = (0, 0, 0, 50),
    blocks: int = BLOCKS,
    **changes: Any,
) -> VoiceRecognizer:
    """Return a recognizer whose model always says the same: anger, and these logits of speech."""
    said = [
        np.array([labels], np.float32),
        np.array([speech if speech is not None else [9.0] * blocks], np.float32),
    ]
    backend = FakeBackend(
        lambda features: said,
        [TensorInfo("features", (1, small_voice.SPAN, small_voice.MELS), FLOAT, 0.0, 0)],
        [
            TensorInfo("labels", (1, len(labels)), FLOAT, 0.0, 0),
            TensorInfo("speech", (1, blocks), FLOAT, 0.0, 0),
        ],
    )
    return VoiceRecognizer(small_voice.bundle(**changes), Runtime(b"", backend=backend))


def is_neutral(result: EmotionResult) -> bool:
    return (
        result.scores.tolist() == NEUTRAL
        and result.fine == {"neutral": 1, "calm": 0, "sadness": 0, "anger": 0}
        and (result.valence, result.arousal) == (0.0, 0.0)
    )


# --- what it says ---


@pytest.mark.parametrize("label", small_voice.VOICES)
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_it_reads_the_voices_it_knows_at_any_rate(voice: VoiceRecognizer, label: str, rate_hz: int) -> None:
    if label == "anger" and rate_hz == 8_000:
        pytest.skip("the high voice lies above 4 kHz")
    result = voice.predict(small_voice.voice(label, 1, rate_hz), rate_hz)
    assert max(result.fine, key=lambda name: result.fine[name]) == label
    assert (result.modality, result.evidence, result.truncated) == ("voice", 1.0, False)
    assert (result.start_ms, result.end_ms) == (0, 1000)
    assert result.valence == pytest.approx(small_voice.AFFECT[label][0], abs=0.01)


@pytest.mark.parametrize("make", [small_voice.silence, small_voice.noise])
def test_no_speech_is_neutral_without_evidence(voice: VoiceRecognizer, make: Any) -> None:
    for result in [voice.predict(make(2), rate_hz=RATE), *voice.timeline(make(2), rate_hz=RATE)]:
        assert result.evidence == 0.0
        assert is_neutral(result)


def test_a_timeline_follows_the_voice_on_the_clips_clock(voice: VoiceRecognizer) -> None:
    parts = [small_voice.voice("sadness", 2), small_voice.noise(1), small_voice.voice("anger", 2)]
    timeline = voice.timeline(np.concatenate(parts), RATE)
    hop_ms = small_voice.HOP * 10
    assert [r.start_ms for r in timeline[:-1]] == list(range(0, hop_ms * (len(timeline) - 1), hop_ms))
    assert all(r.end_ms - r.start_ms == small_voice.SPAN * 10 + 15 for r in timeline)
    assert timeline[-1].end_ms == pytest.approx(5000, abs=25)
    assert [r.label for r in timeline if r.end_ms <= 2000] == ["sadness"] * 9
    assert [r.label for r in timeline if r.start_ms >= 3000] == ["anger"] * 10
    assert any(r.evidence == 0 and is_neutral(r) for r in timeline if 2000 <= r.start_ms < 3000)


def test_a_timeline_of_one_span_is_what_predict_says(voice: VoiceRecognizer) -> None:
    clip = small_voice.voice("anger", 0.4)
    (only,) = voice.timeline(clip, RATE)
    whole = voice.predict(clip, RATE)
    assert whole.scores.tolist() == only.scores.tolist()
    assert (whole.valence, whole.arousal, whole.evidence) == (only.valence, only.arousal, only.evidence)
    assert (whole.start_ms, whole.end_ms) == (0, 400)


def test_int16_and_float32_say_the_same(voice: VoiceRecognizer) -> None:
    clip = small_voice.voice("anger", 1.3)
    assert voice.timeline(clip, RATE) == voice.timeline((clip / 32768).astype(np.float32), RATE)


def test_channels_are_averaged(voice: VoiceRecognizer) -> None:
    clip = small_voice.voice("sadness", 1)
    both = np.stack([clip, clip], 1)
    assert voice.timeline(both, RATE) == voice.timeline(clip, RATE)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_long_clip_is_read_in_slices_as_if_whole(voice: VoiceRecognizer, channels: int, dtype: Any) -> None:
    """The recognizer takes 30 s of a clip at a time, a stream what it gets: here all of it."""
    part = np.concatenate(
        [small_voice.voice("sadness", 2.5), small_voice.noise(1.1), small_voice.voice("anger", 1.7)]
    )
    clip = np.concatenate([part] * 16)
    assert len(clip) > 60 * 22_050
    if channels == 2:
        clip = np.stack([clip, np.zeros_like(clip)], axis=1)
    if dtype == np.float32:
        clip = (clip / 32_768).astype(np.float32)
    stream = voice.stream(22_050, channels)
    expected = stream.push(clip, 0) + stream.flush()
    assert voice.timeline(clip, 22_050) == expected
    assert voice.predict(clip, 22_050) == stream.summary()


# --- the rule of evidence ---

T = -0.001  # logits just below and at the threshold of 0.5
TABLE = [  # blocks that are speech, evidence, weight of the model with least 0.2 and enough 0.6
    (0, 0.0, 0.0),
    (1, 0.125, 0.0),
    (2, 0.25, 0.125),
    (4, 0.5, 0.75),
    (5, 0.625, 1.0),
    (8, 1.0, 1.0),
]


@pytest.mark.parametrize(("blocks", "evidence", "weight"), TABLE)
def test_what_the_model_says_is_weighed_by_the_share_of_speech(
    blocks: int, evidence: float, weight: float
) -> None:
    speech = [0.0] * blocks + [T] * (BLOCKS - blocks)
    for result in fake(speech).timeline(small_voice.noise(1), RATE):
        assert result.evidence == evidence
        assert result.scores[EMOTIONS.index("anger")] == pytest.approx(weight)
        assert result.scores[0] == pytest.approx(1 - weight, abs=1e-6)
        assert result.fine["anger"] == pytest.approx(weight)
        assert result.valence == pytest.approx(weight * small_voice.AFFECT["anger"][0])
        assert result.arousal == pytest.approx(weight * small_voice.AFFECT["anger"][1])
        assert is_neutral(result) == (weight == 0)


@pytest.mark.parametrize(
    ("threshold", "logit", "heard"), [(0.9, 2.19, 0.0), (0.9, 2.2, 1.0), (0.1, -2.2, 0.0), (0.1, -2.19, 1.0)]
)
def test_the_threshold_of_the_card_decides_what_is_speech(
    threshold: float, logit: float, heard: float
) -> None:
    reader = fake([logit] * BLOCKS, evidence={**small_voice.EVIDENCE, "threshold": threshold})
    assert reader.predict(small_voice.noise(1), RATE).evidence == heard


@pytest.mark.parametrize(
    ("frames", "real_blocks"), [(1, 1), (7, 1), (8, 1), (15, 1), (16, 2), (63, 7), (64, 8)]
)
def test_only_blocks_of_real_frames_count(frames: int, real_blocks: int) -> None:
    samples = 400 + 160 * (frames - 1)
    clip = small_voice.noise(samples / RATE)
    assert fake([9.0] + [-9.0] * 7).predict(clip, RATE).evidence == pytest.approx(1 / real_blocks)
    assert fake([-9.0] + [9.0] * 7).predict(clip, RATE).evidence == pytest.approx(1 - 1 / real_blocks)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["sadness", "anger", "neutral", "noise", "silence"]), min_size=1, max_size=5))
def test_predict_is_the_evidence_weighted_mean_of_the_timeline(parts: list[str]) -> None:
    """With weights that are 0 or 1 a result is what the model said, or it does not count."""
    bundle = small_voice.bundle(evidence={"threshold": 0.5, "least": 0.0, "enough": 1e-6})
    with VoiceRecognizer(bundle, Runtime(bundle.flatbuffer)) as reader:
        makers = {"noise": small_voice.noise, "silence": small_voice.silence}
        clip = np.concatenate([makers[p](0.5) if p in makers else small_voice.voice(p, 0.5) for p in parts])
        timeline, whole = reader.timeline(clip, RATE), reader.predict(clip, RATE)
    frames = np.array([(r.end_ms - r.start_ms - 15) / 10 for r in timeline])
    evidence = np.array([r.evidence for r in timeline])
    assert whole.evidence == pytest.approx((evidence * frames).sum() / frames.sum(), abs=1e-9)
    if whole.evidence == 0:
        assert is_neutral(whole)
    else:
        weights = evidence * frames / (evidence * frames).sum()
        mean = sum(w * r.scores for w, r in zip(weights, timeline, strict=True))
        np.testing.assert_allclose(whole.scores, mean, atol=1e-6)
        assert whole.valence == pytest.approx(
            sum(w * r.valence for w, r in zip(weights, timeline, strict=True)), abs=1e-6
        )
    assert whole.scores.sum() == pytest.approx(1, abs=1e-6)


def test_a_word_in_a_long_silence_is_neutral_as_a_whole_and_heard_in_the_timeline(
    voice: VoiceRecognizer,
) -> None:
    clip = np.concatenate([small_voice.noise(10), small_voice.voice("anger", 0.7), small_voice.noise(10)])
    assert any(r.label == "anger" for r in voice.timeline(clip, RATE))
    whole = voice.predict(clip, RATE)
    assert 0 < whole.evidence < small_voice.EVIDENCE["least"]
    assert is_neutral(whole)


def test_neutral_falls_on_one_label_where_labels_exclude_each_other() -> None:
    emotions = {"neutral": ("calm", "sadness"), "anger": ("anger",)}
    result = fake([-9.0] * 8, emotions=emotions).predict(small_voice.noise(1), RATE)
    assert result.fine == {"neutral": 0, "calm": 1, "sadness": 0, "anger": 0}
    assert result.active == ("calm",)


def test_half_heard_a_voice_has_one_active_label_although_two_lie_above_a_quarter() -> None:
    quarters = dict.fromkeys(small_voice.LABELS, 0.25)
    heard = fake([9.0] * 3 + [-9.0] * 5, thresholds=quarters).predict(small_voice.noise(1), RATE)
    assert sorted(heard.fine.values()) == pytest.approx([0, 0, 0.4375, 0.5625], abs=1e-3)
    assert heard.active == ("neutral",)


# --- odd but valid ---


@pytest.mark.parametrize("samples", [0, 1, 159, 399])
def test_a_clip_shorter_than_a_window_is_neutral_without_evidence(
    voice: VoiceRecognizer, samples: int
) -> None:
    clip = small_voice.voice("anger", 1)[:samples]
    result = voice.predict(clip, RATE)
    assert (result.evidence, result.start_ms, result.end_ms) == (0.0, 0, 1000 * samples // RATE)
    assert is_neutral(result)
    assert voice.timeline(clip, RATE) == []


def tone(**how: Any) -> npt.NDArray[np.float32]:
    """A high voice as float32, changed."""
    clip = (small_voice.voice("anger", 1) / 32768).astype(np.float32)
    return np.asarray(how.get("offset", 0) + how.get("gain", 1) * clip, np.float32)


ODD = {
    "direct current": (tone(offset=0.5), RATE, "anger"),
    "clipped": (np.clip(tone(gain=30), -1, 1), RATE, "anger"),
    "beyond full scale": (tone(gain=30), RATE, "anger"),
    "very quiet": (tone(gain=1e-3), RATE, "anger"),
    "7 channels": (np.repeat(tone()[:, np.newaxis], 7, 1), RATE, "anger"),
    "44.1 kHz declared as 16: a deeper, slower voice": (
        small_voice.voice("anger", 1, 44_100),
        RATE,
        "neutral",
    ),
    "direct current alone": (np.full(RATE, 0.5, np.float32), RATE, "nothing"),
    "int16 of a float clip, unscaled": (tone().astype(np.int16), RATE, "nothing"),
    "square waves of the last bit": (np.sign(tone()).astype(np.int16), RATE, "neutral"),
    "all int16 there are": (np.full(RATE, -32768, np.int16), RATE, "nothing"),
}


@pytest.mark.parametrize(("clip", "rate_hz", "label"), ODD.values(), ids=ODD)
def test_odd_audio_gives_a_sane_result(
    voice: VoiceRecognizer, clip: npt.NDArray[Any], rate_hz: int, label: str
) -> None:
    result = voice.predict(clip, rate_hz)
    assert np.isfinite(result.scores).all()
    assert result.scores.sum() == pytest.approx(1, abs=1e-6)
    assert result.end_ms == 1000 * len(clip) // rate_hz
    if label == "nothing":
        assert result.evidence == 0
        assert is_neutral(result)
    else:
        assert max(result.fine, key=lambda name: result.fine[name]) == label


CLIP = tone()
REFUSED = {
    "NaN": (np.where(np.arange(RATE) == 4567, np.nan, CLIP).astype(np.float32), RATE, InputError, "4567"),
    "infinite": (np.where(np.arange(RATE) == 7, np.inf, CLIP).astype(np.float32), RATE, InputError, "7"),
    "int16 as float": (small_voice.voice("anger", 1).astype(np.float32), RATE, InputError, "32768"),
    "float64": (CLIP.astype(np.float64), RATE, InputTypeError, "int16 or float32"),
    "int32": (CLIP.astype(np.int32), RATE, InputTypeError, "int16 or float32"),
    "a list": ([0.1, 0.2], RATE, InputTypeError, "expected a numpy array, got list"),
    "bytes": (b"\0\0", RATE, InputTypeError, "got bytes"),
    "None": (None, RATE, InputTypeError, "got NoneType"),
    "no axis": (np.array(0.5, np.float32), RATE, InputError, r"\(samples, channels\)"),
    "three axes": (np.zeros((2, 2, 2), np.float32), RATE, InputError, r"\(samples, channels\)"),
    "33 channels": (np.zeros((400, 33), np.float32), RATE, InputError, "channels"),
    "0 channels": (np.zeros((400, 0), np.float32), RATE, InputError, "channels"),
    "7999 Hz": (CLIP, 7_999, InputError, "8000"),
    "192001 Hz": (CLIP, 192_001, InputError, "192000"),
    "0 Hz": (CLIP, 0, InputError, "8000"),
}


@pytest.mark.parametrize(("clip", "rate_hz", "error", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("method", ["predict", "timeline"])
def test_what_cannot_be_audio_is_refused_by_name(
    voice: VoiceRecognizer, clip: Any, rate_hz: int, error: type[Exception], message: str, method: str
) -> None:
    with pytest.raises(error, match=message):
        getattr(voice, method)(clip, rate_hz)


def test_nan_late_in_a_long_clip_is_named_by_its_place_in_the_clip(voice: VoiceRecognizer) -> None:
    clip = np.zeros(70 * RATE, np.float32)
    clip[1_040_123] = np.nan
    with pytest.raises(InputError, match="1040123"):
        voice.predict(clip, RATE)


# --- opening and closing ---


def test_opening_gives_the_recognizer_of_the_modality(small_voice_path: Path, small_text_path: Path) -> None:
    with Recognizer.open(small_voice_path) as one, Recognizer.open(small_text_path) as other:
        assert type(one) is VoiceRecognizer
        assert type(other) is TextRecognizer
        assert (one.modality, other.modality) == ("voice", "text")
    with VoiceRecognizer.open(small_voice_path) as same:
        assert same.card.name == "small-voice"
    with pytest.raises(BundleMismatchError, match=r"reads text; VoiceRecognizer recognizes voice\. Use"):
        VoiceRecognizer.open(small_text_path)
    with pytest.raises(BundleMismatchError, match="reads voice; TextRecognizer recognizes text"):
        TextRecognizer.open(small_voice_path)


def test_a_subclass_of_a_callers_own_is_made_as_asked(small_voice_path: Path) -> None:
    class Mine(VoiceRecognizer):
        pass

    with Mine.open(small_voice_path) as mine, Recognizer.open(small_voice_path) as usual:
        assert (type(mine), type(usual)) == (Mine, VoiceRecognizer)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: fake(blocks=5), r"speech output needs a shape \(1, blocks\)"),
        (lambda: fake(labels=(0, 0, 0)), r"labels need an output labels of \(1, 4\)"),
        (
            lambda: fake(outputs={"labels": "labels"}, evidence={}),
            "the card names no speech output. Convert it again",
        ),
        (lambda: fake(outputs={"labels": "labels", "speech": "talk"}), "no output talk"),
        (lambda: fake(spec_digest="0" * 16), "digest"),
        (lambda: fake(spec={**small_voice.SPEC.to_dict(), "mels": 17}), "the model takes"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(made: Any, message: str) -> None:
    with pytest.raises(BundleMismatchError, match=message):
        made()


def test_a_closed_recognizer_refuses_every_clip(small_voice_path: Path) -> None:
    with VoiceRecognizer.open(small_voice_path) as reader:
        stream = reader.stream(RATE)
    for call in (
        lambda: reader.predict(small_voice.silence(1), RATE),
        lambda: reader.predict(small_voice.silence(0), RATE),
        lambda: reader.stream(RATE),
        lambda: stream.push(small_voice.silence(1), 0),
    ):
        with pytest.raises(InferenceError, match="was closed; open it again"):
            call()


@pytest.mark.parametrize(
    "said", [{"labels": (float("nan"), 0, 0, 0)}, {"speech": [9.0, float("nan"), *[9.0] * (BLOCKS - 2)]}]
)
def test_a_model_that_gives_nan_is_an_inference_error(said: dict[str, Any]) -> None:
    with pytest.raises(InferenceError, match=r"small-voice: .*NaN"):
        fake(**said).predict(small_voice.noise(1), RATE)


def test_threads_give_the_same_answers(voice: VoiceRecognizer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    clips = [small_voice.voice(label, 1.5) for label in small_voice.VOICES] * 8
    expected = [voice.timeline(clip, RATE) for clip in clips]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda clip: voice.timeline(clip, RATE), clips)) == expected


def test_the_shipped_voice_bundle_has_no_opinion_on_silence() -> None:
    from edgeemo.bundle import shipped

    if "voice" not in shipped():
        pytest.skip("edgeemo/zoo/voice.tflite is not in this checkout")
    with Recognizer.open("voice") as reader:
        result = reader.predict(small_voice.silence(4), rate_hz=RATE)
        assert (result.label, result.confidence, result.evidence) == ("neutral", 1.0, 0.0)


def test_a_text_bundle_has_no_evidence_field_and_reads_as_ever() -> None:
    assert "evidence" not in small_text.card().to_json()


SMALL_PROGRAM = """
import resource, sys
import numpy as np
import edgeemo

recognizer = edgeemo.Recognizer.open("voice")
pcm = np.load(sys.argv[1])

def faults(calls):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(calls):
        recognizer.predict(pcm, 16000)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / calls

faults(50)
print(faults(200))
"""


def test_a_small_program_does_not_take_its_memory_anew_in_each_call(tmp_path: Path) -> None:
    """It took 46 pages a call from the system, and half as long again as in a large program."""
    from edgeemo.bundle import shipped

    if "voice" not in shipped():
        pytest.skip("edgeemo/zoo/voice.tflite is not in this checkout")
    np.save(tmp_path / "clip.npy", np.resize(small_voice.voice("anger", 3, 16_000), 49_920))
    command = [sys.executable, "-W", "ignore", "-c", SMALL_PROGRAM, str(tmp_path / "clip.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 5
