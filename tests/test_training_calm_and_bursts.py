"""Calm speech, short cuts, made backgrounds, bursts and teachers in the training of voices."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tensorflow")

from edgeemo.data.manifest import Example
from edgeemo.errors import SpecError
from edgeemo.training import distil
from edgeemo.training.recipe import read_recipe
from edgeemo.training.voice import augment, backgrounds, batches, bursts, held_out, models, whisper
from edgeemo.training.voice.features import ClipFeatures
from edgeemo.types import FloatArray

RATE = 16_000


def voice(seconds: float, seed: int = 0) -> FloatArray:
    """Return noise whose loudness comes and goes like syllables."""
    rng, t = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    return np.asarray(0.1 * rng.normal(size=len(t)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)), np.float32)


def examples(*sets: tuple[str, int, tuple[str, ...]]) -> list[Example]:
    return [
        Example(path=Path(f"{name}{i}.wav"), labels=(labels[i % len(labels)],), speaker=f"{name}/{i % 3}")
        for name, n, labels in sets
        for i in range(n)
    ]


def test_a_cut_is_a_piece_of_the_speech_between_two_silences() -> None:
    x = np.concatenate([np.zeros(RATE, np.float32), voice(3), np.zeros(RATE, np.float32)])
    how, rng = augment.Augment(cut=1.0, cut_s=(0.4, 1.0), quiet_s=0.5), np.random.default_rng(0)
    for _ in range(20):
        piece = augment.cut_out(x, RATE, how, rng)
        heard = np.flatnonzero(np.abs(piece) > 1e-3)
        length = (heard[-1] - heard[0]) / RATE
        assert 0.35 <= length <= 1.0
        assert heard[0] <= 0.5 * RATE + 200
        assert len(piece) - heard[-1] <= 0.5 * RATE + 200


def test_a_cut_of_silence_is_the_silence() -> None:
    silence = np.zeros(8000, np.float32)
    assert augment.cut_out(silence, RATE, augment.Augment(), np.random.default_rng(0)) is silence


def test_every_kind_of_background_is_as_likely() -> None:
    around = augment.Surroundings([[np.full(10, 1, np.float32)] * 99, [np.full(10, 2, np.float32)], []])
    rng = np.random.default_rng(0)
    found = [around.noise(5, rng)[0] for _ in range(200)]
    assert 0.35 < np.mean(np.array(found) == 2) < 0.65


def test_a_recorded_room_keeps_the_level_and_adds_a_tail() -> None:
    x = np.concatenate([voice(1), np.zeros(RATE, np.float32)])
    response = np.zeros(4000, np.float32)
    response[[0, 1000, 3000]] = 1, 0.6, 0.4
    heard = augment.in_recorded_room(x, response, np.random.default_rng(0))
    assert augment.level(heard) == pytest.approx(augment.level(x), rel=1e-3)
    assert np.abs(heard[RATE + 500 : RATE + 3500]).max() > 1e-3


def test_the_direct_sound_comes_first() -> None:
    response = np.r_[np.zeros(100), 0.5, np.linspace(0.2, 0, 50_000)].astype(np.float32)
    found = augment.direct_sound(response, RATE)
    assert found[0] == 1
    assert len(found) == int(1.2 * RATE)
    assert np.array_equal(augment.direct_sound(np.zeros(0, np.float32), RATE), [1])


def test_tones_are_finite_and_as_long_as_asked() -> None:
    for seed in range(40):
        x = backgrounds.tones(12_345, RATE, np.random.default_rng(seed))
        assert x.shape == (12_345,)
        assert x.dtype == np.float32
        assert 0 < np.abs(x).max() <= 1


def test_a_babble_has_no_pauses() -> None:
    talk = np.concatenate([voice(1), np.zeros(RATE, np.float32)])
    x = backgrounds.babble([talk, talk[::-1].copy()], 4 * RATE, RATE, np.random.default_rng(0))
    power = np.square(x).reshape(-1, RATE // 2).mean(1)
    assert power.min() > 0.05 * power.max()


def test_calm_speech_is_neutral_with_the_certainty_of_the_recipe() -> None:
    clips = examples(("acted", 4, ("anger", "neutral")), ("prompts", 2, ("neutral",)))
    calm = batches.Calm(frozenset({"prompts"}), share=0.25, certainty=0.8)
    truth = batches.truth(clips, ("neutral", "anger", "fear", "sadness"), calm)
    assert np.isnan(truth[0, 2:]).all()
    assert truth[4] == pytest.approx([0.85, 0.05, 0.05, 0.05])
    weight = batches.weights(clips, truth, 0.5, calm)
    assert weight[4:].sum() / weight.sum() == pytest.approx(0.25)
    assert weight[0] == pytest.approx(weight[1])


def test_bursts_and_what_is_none_have_their_shares() -> None:
    clips = examples(("eg", 6, ("anger", "fear")), ("acted", 9, ("anger",)), ("prompts", 3, ("neutral",)))
    made = bursts.burst_batches(
        cast(ClipFeatures, None),
        clips,
        np.arange(18),
        frozenset({"eg"}),
        ("none", "anger", "fear"),
        augment.Augment(),
        0.1,
        {},
    )
    target = made.targets["bursts"]
    assert target.argmax(1).tolist() == [1, 2] * 3 + [0] * 12
    assert target.sum(1) == pytest.approx(np.ones(18))
    share = made.weight / made.weight.sum()
    assert share[:6] == pytest.approx(np.full(6, (1 - bursts.NONE_SHARE) / 6))
    assert share[6:15].sum() == pytest.approx(bursts.NONE_SHARE / 2)


def test_a_recipe_with_half_of_the_bursts_is_refused(tmp_path: Path) -> None:
    text = (Path(bursts.__file__).parents[1] / "recipes" / "voice.toml").read_text("utf-8")
    recipe = tmp_path / "mine.toml"
    recipe.write_text(text.replace('bursts = ["emogator"]', ""), "utf-8")
    with pytest.raises(SpecError, match="bursts need the section"):
        read_recipe(recipe)
    recipe.write_text(text.replace("heads = 2, teacher = 128", "heads = 2"), "utf-8")
    with pytest.raises(SpecError, match="number of its components"):
        read_recipe(recipe)
    recipe.write_text(text.replace('"speechocean"', '"manifest:calm.csv"'), "utf-8")
    with pytest.raises(SpecError, match="calm takes the names of sets"):
        read_recipe(recipe)
    whole = read_recipe("voice")
    with pytest.raises(SpecError, match="do not agree on laugh"):
        bursts.check_bursts(whole, examples(("eg", 13, (*bursts.burst_labels(whole)[1:], "laugh"))))


def test_components_see_the_taught_rows_alone() -> None:
    rng = np.random.default_rng(0)
    features = np.asarray(rng.normal(size=(200, 10)) * np.arange(1, 11), np.float32)
    taught = np.arange(200) < 150
    found = distil.components(features, taught, 4)
    assert found.shape == (200, 4)
    assert found[:150, 0].std() == pytest.approx(3, rel=1e-4)
    changed = features.copy()
    changed[150:] += 100
    assert distil.components(changed, taught, 4)[:150] == pytest.approx(found[:150])
    changed[3] = np.nan
    assert np.isnan(distil.components(changed, taught, 4)[3]).all()


def test_imitation_skips_what_the_teacher_did_not_hear() -> None:
    truth = np.array([[1.0, 2.0], [np.nan, np.nan]], np.float32)
    loss = np.asarray(distil.imitation(truth, np.zeros((2, 2), np.float32)))
    assert loss == pytest.approx([10.0, 0.0])


def test_the_shipped_network_has_an_embedding_and_no_teacher() -> None:
    model = models.voice_cnn(64, 80, 5, channels=(4, 4, 4), width=8, hidden=6, heads=2, teacher=7)
    assert {name: value.shape[1] for name, value in models.as_shipped(model).output.items()} == {
        "labels": 5,
        "embedding": 6,
    }
    burst = models.burst_cnn(64, 80, 3, channels=(4, 4, 4), width=8, hidden=6, teacher=7)
    joined = models.join({"emotion": models.as_shipped(model), "bursts": models.as_shipped(burst)})
    assert set(joined.output) == {"labels", "embedding", "bursts"}
    x = np.random.default_rng(0).normal(size=(2, 64, 80)).astype(np.float32)
    assert np.asarray(joined(x)["bursts"]) == pytest.approx(np.asarray(burst(x)["bursts"]), abs=1e-4)
    assert np.asarray(joined(x)["labels"]) == pytest.approx(np.asarray(model(x)["labels"]), abs=1e-4)


def test_whispers_input_equals_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    assert whisper.mel_filters() == pytest.approx(
        librosa.filters.mel(sr=RATE, n_fft=400, n_mels=80), abs=1e-6
    )
    x = voice(1)
    spectrum = np.abs(librosa.stft(x, n_fft=400, hop_length=160, pad_mode="reflect"))[:, :-1] ** 2
    mels = np.log10(np.maximum(whisper.mel_filters() @ spectrum, 1e-10)).T
    mels = (np.maximum(mels, mels.max() - 8) + 4) / 4
    assert whisper.log_mels(x, whisper.mel_filters()) == pytest.approx(mels, abs=1e-4)


def test_the_file_of_the_teacher_is_read_tensor_by_tensor() -> None:
    def name(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    def tensor(text: str, values: npt.NDArray[Any], kind: int) -> bytes:
        sizes = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        return name(text) + sizes + struct.pack("<BI", kind, values.nbytes) + values.tobytes()

    half = np.arange(6, dtype=np.float16).reshape(2, 3)
    other = np.ones(4, np.float32)
    content = struct.pack("<I", 6) + name("WhisperSpec") + struct.pack("<II", 3, 2)
    content += tensor("decoder/bias", other, 0) + tensor("encoder/weight", half, 4)
    found = dict(whisper._tensors(content))
    assert set(found) == {"weight"}
    assert found["weight"].dtype == np.float32
    assert np.array_equal(found["weight"], half)


def test_a_confusion_counts_truth_by_rows() -> None:
    found = held_out.confusion(("a", "b"), ["a", "a", "b"], np.array([0, 1, 1]))
    assert found == {"labels": ["a", "b"], "counts": [[1, 1], [0, 1]]}


def card_of(labels: tuple[str, ...], emotions: Mapping[str, tuple[str, ...]]) -> Any:
    return SimpleNamespace(labels=labels, emotions=emotions)


def test_the_bias_keeps_alarms_of_every_calm_set_rare() -> None:
    card = card_of(("neutral", "anger"), {"neutral": ("neutral",), "anger": ("anger",)})
    clips = examples(("prompts", 50, ("neutral",)), ("readers", 50, ("neutral",)))
    odds = np.concatenate([np.full(50, -4.0), np.linspace(-3, 2, 50)])  # anger against neutral, in logits
    anger = 1 / (1 + np.exp(-odds))
    answers = {"calm": np.arange(100), "calm_labels": np.stack([1 - anger, anger], 1)}
    bias = held_out.neutral_bias(card, clips, answers)
    raised = odds[50:] > bias
    assert raised.mean() <= 0.04
    assert (odds[50:] > bias - 0.1).mean() > 0.04
    assert held_out.calibrated(card, bias, 0.5).bias == pytest.approx((0.5 * bias, 0.0))
    assert held_out.neutral_bias(card, [], {"calm": np.zeros(0, int)}) == 0.0


def test_the_threshold_of_an_alarm_is_rarely_reached_by_calm_speech() -> None:
    emotions = {"neutral": ("neutral",), "anger": ("anger",), "happiness": ("joy",)}
    card = card_of(("neutral", "anger", "joy"), emotions)
    rng = np.random.default_rng(0)
    answers = {"calm": np.arange(500), "calm_labels": rng.dirichlet((8, 1, 1), 500)}
    found = held_out.alarm_thresholds(card, answers)
    assert set(found) == {"anger"}
    assert 0 < (answers["calm_labels"][:, 1] >= found["anger"]).mean() <= 0.01
