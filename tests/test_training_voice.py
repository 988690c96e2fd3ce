"""A voice recipe from clips to a draft card, on a tiny data set; readers, folds, batches, composed speech."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("soundfile", reason="needs edgeemo[train]")

import keras
from voice_training_data import LABELS, RECIPE, SPEAKERS, TAKES, buzz

from edgeemo import ModelCard
from edgeemo.data import catalog
from edgeemo.data.folds import folds, take, who
from edgeemo.data.leaks_voice import read_seen_voice
from edgeemo.data.manifest import Example, read_manifest
from edgeemo.data.voice_sets import label_of
from edgeemo.errors import DataError, SpecError
from edgeemo.frontends import VoiceFrontend, VoiceSpec
from edgeemo.training import calibrate
from edgeemo.training.fit import categorical
from edgeemo.training.recipe import read_recipe
from edgeemo.training.train import run
from edgeemo.training.voice import speech
from edgeemo.training.voice.augment import Augment, Surroundings, activity
from edgeemo.training.voice.batches import EmotionBatches, emotion_batches, truth, weights
from edgeemo.training.voice.features import ClipFeatures
from edgeemo.training.voice.models import BLOCK
from edgeemo.training.voice.trainer import VoiceTrainer, split_speakers


def said(label: str, speaker: str, gender: str = "f") -> Example:
    return Example(path=Path(f"{speaker}-{label}.wav"), labels=(label,), speaker=speaker, gender=gender)


# --- a run ---


def test_a_run_leaves_all_that_convert_needs(trained_voice: Path, tiny_voices: Path) -> None:
    assert {p.name for p in trained_voice.iterdir()} >= {
        "model.keras", "model.seen", "card.json", "calibration.csv", "dev.csv", "speech", "emotion", "cache"
    }  # fmt: skip
    card = ModelCard.from_json((trained_voice / "card.json").read_bytes())
    assert card.labels == ("neutral", "calm", "happiness", "anger", "boredom")
    assert card.emotions["neutral"] == ("neutral", "calm", "boredom")
    assert card.commercial == "no"
    assert [source.licence for source in card.data][:2] == ["CC BY-NC-SA 4.0", "CC0 1.0"]
    assert card.outputs == {"labels": "labels", "embedding": "embedding", "speech": "speech"}
    assert set(card.metrics["speech"]) >= {"noise_called_speech", "speech_found"}
    assert "edgeemo crossval" in card.metrics["protocol"]
    model = keras.models.load_model(trained_voice / "model.keras", compile=False)
    assert model.inputs[0].name == "features"
    assert {name: tuple(x.shape) for name, x in model.output.items()} == {
        "labels": (None, 5), "embedding": (None, 16), "speech": (None, 32 // BLOCK)
    }  # fmt: skip
    assert len(read_seen_voice(trained_voice / "model.seen").speakers) == 2 * len(SPEAKERS)


def test_the_calibration_set_has_every_label_of_every_set_and_rooms_without_a_voice(
    trained_voice: Path,
) -> None:
    rows = read_manifest(trained_voice / "calibration.csv")
    assert {(e.speaker.split("/")[0], e.labels) for e in rows if e.labels} == {
        (name, (label_of(word),)) for name, words in LABELS.items() for word in words
    }
    assert any(not e.labels for e in rows)


def test_training_learns(trained_voice: Path) -> None:
    for step in ("speech", "emotion"):
        with (trained_voice / step / "log.csv").open() as file:
            losses = [float(row["loss"]) for row in csv.DictReader(file)]
        assert losses[-1] < losses[0], step


def test_a_finished_step_is_kept_and_features_are_made_once(
    trained_voice: Path, tiny_voices: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(trained_voice, tmp_path / "again"))
    kept = [
        out / "speech" / "best.weights.h5",
        *(out / "cache").glob("*.clean"),
        *(out / "cache").glob("*.npz"),
    ]
    before = [path.stat().st_mtime_ns for path in kept]
    weights = out / "emotion" / "best.weights.h5"
    trained = weights.stat().st_mtime_ns
    run(out / "recipe.toml", data=tiny_voices, out=out, steps=["emotion"])
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert weights.stat().st_mtime_ns > trained


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('name = "speech"', 'name = "hearing"'), "named speech and emotion"),
        (('labels = ["ravdess", "emodb"]', 'labels = "ravdess"'), "list of sets"),
        (("copies = 2", "copys = 2"), "unknown key copys"),
        (("hop = 80", "hup = 80"), "hup"),
        (('model = "voice_cnn"', 'model = "voice_rnn"'), "no model 'voice_rnn'"),
        (("channels = [8, 8, 8]", "chanels = [8, 8, 8]"), "step speech: speech_cnn has no option chanels"),
        (('"emodb"]', '"emodbx"]'), "no data set 'emodbx'"),
        (("stop = 0", "stopp = 0"), "unknown key stopp"),
        (("[augment]", '[manifest."a.csv"]\nlicence = "CC0"\n[augment]'), "a.csv.* describes a set that"),
        (("calm = [0.6, -0.4]\n", ""), r"\[affect\] has no calm"),
        (("[affect]", "[affect]\nfear = [0.0, 0.0]"), r"\[affect\]: no clip has the label fear"),
        (('["anger"]', '["anger", "rage"]'), r"\[emotions\]: no clip has the label rage"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(
    tiny_voices: Path, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(RECIPE.replace(*change))

    def prepare() -> None:
        trainer = VoiceTrainer.load(read_recipe(path, check_models=True), tiny_voices, tmp_path)
        trainer.build(trainer.recipe.step[1])

    with pytest.raises((SpecError, DataError), match=says):
        prepare()


# --- readers ---


def test_readers_speak_our_words_and_put_the_set_before_the_speaker(tiny_voices: Path) -> None:
    found = catalog.load("ravdess", tiny_voices, "train")
    assert len(found) == len(SPEAKERS) * TAKES * len(LABELS["ravdess"])
    assert {e.labels for e in found} == {("neutral",), ("calm",), ("happiness",), ("anger",)}
    assert {e.speaker for e in found} == {f"ravdess/{s}" for s in SPEAKERS}
    assert {e.gender for e in found} == {"m", "f"}


@pytest.mark.parametrize("name", ["ravdess", "emodb", "esc10"])
def test_fit_and_valid_never_share_a_speaker_or_a_recording(tiny_voices: Path, name: str) -> None:
    fit, valid = ({who(e) for e in catalog.load(name, tiny_voices, split)} for split in ("fit", "valid"))
    assert fit
    assert valid
    assert not fit & valid


def write_manifest(folder: Path, header: str, *rows: str) -> Path:
    (folder / "own").mkdir()
    (folder / "own" / "clips.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return folder


def test_a_manifest_is_read_by_its_speakers_and_renamed_words(tmp_path: Path) -> None:
    folder = write_manifest(tmp_path, "path,speaker,gender,labels", "a.wav,1,f,ANG", "b.wav,2,m,happy|SUR")
    details = {"own/clips.csv": {"rename": {"ANG": "anger", "SUR": "surprised"}, "commercial": "no"}}
    first, second = catalog.load("manifest:own/clips.csv", folder, "train", details)
    assert first == Example(
        path=folder / "own" / "a.wav", labels=("anger",), speaker="own-clips/1", gender="f", split="train"
    )
    assert second.labels == ("happiness", "surprise")
    assert catalog.commercial(["esc10", "manifest:own/clips.csv"], details) == "no"
    assert catalog.commercial(["esc10", "manifest:other.csv"], details) == "unclear"


def test_a_manifest_without_speakers_is_refused_unless_the_recipe_says_so(tmp_path: Path) -> None:
    folder = write_manifest(tmp_path, "path,labels", "a.wav,anger", "b.wav,anger")
    with pytest.raises(DataError, match=r'row 1, has no speaker.*speakers = "unknown"'):
        catalog.load("manifest:own/clips.csv", folder, "train")
    found = catalog.load(
        "manifest:own/clips.csv", folder, "train", {"own/clips.csv": {"speakers": "unknown"}}
    )
    assert len({e.speaker for e in found}) == 2
    with pytest.raises(SpecError, match="unknown key speeker"):
        catalog.load("manifest:own/clips.csv", folder, "train", {"own/clips.csv": {"speeker": "unknown"}})


# --- folds ---


def people(n: int, name: str = "a") -> list[Example]:
    return [said("anger", f"{name}/{i:02}", "mf"[i % 2]) for i in range(n) for _ in range(2)]


def test_folds_keep_speakers_whole_and_share_sets_and_genders() -> None:
    examples = people(12) + people(6, "b")
    place = folds(examples, 6)
    assert place == folds(examples[::-1], 6)
    counts = Counter((who(e).split("/")[0], e.gender, place[who(e)]) for e in examples)
    assert set(Counter(place.values()).values()) == {3}
    assert all(counts["a", gender, k] == 2 for gender in "mf" for k in range(6))


def test_too_many_folds_are_refused() -> None:
    with pytest.raises(DataError, match="3 speakers cannot be dealt into 4 folds"):
        folds(people(3), 4)


def test_fewer_speakers_are_among_the_more_and_come_from_all_sets() -> None:
    examples = people(12) + people(6, "b")
    before: set[str] = set()
    for n in range(2, 19):
        chosen = {who(e) for e in take(examples, n)}
        assert len(chosen) == n
        assert before < chosen
        assert {s[0] for s in chosen} == {"a", "b"}
        before = chosen


def test_who_stops_the_training_does_not_teach() -> None:
    examples = people(10)
    fit, stop = split_speakers(examples, np.arange(20), 5)
    assert not {who(examples[i]) for i in fit} & {who(examples[i]) for i in stop}
    assert len(stop) == 4
    assert len(split_speakers(examples, np.arange(20), 0)[1]) == 0
    fit, stop = split_speakers(people(3), np.arange(6), 8)
    assert (len(fit), len(stop)) == (4, 2), "of three speakers one stops, though one in eight was asked for"


# --- what the emotion network learns from ---

MIXED = [
    said("anger", "a/1"),
    said("calm", "a/1"),
    said("anger", "a/2"),
    said("anger", "b/1"),
    said("boredom", "b/1"),
]


def test_a_set_says_nothing_of_labels_it_does_not_have() -> None:
    found = truth(MIXED, ("calm", "anger", "boredom"))
    np.testing.assert_array_equal(found[0], [0, 1, np.nan])
    np.testing.assert_array_equal(found[4], [np.nan, 0, 1])


def test_the_loss_does_not_see_logits_of_labels_the_set_does_not_have() -> None:
    target = np.array([[0, 1, np.nan]], np.float32)
    for far in (-20.0, 0.0, 20.0):
        loss = float(categorical(target, np.array([[0.0, 1.0, far]], np.float32))[0])
        assert loss == pytest.approx(np.log1p(np.exp(-1)), abs=1e-5)
    assert float(categorical(2 * target, np.array([[0.0, 1.0, 0.0]], np.float32))[0]) == pytest.approx(
        2 * np.log1p(np.exp(-1)), abs=1e-5
    )


def test_part_of_the_loss_counts_labels_a_set_does_not_have_as_not() -> None:
    target, logits = np.array([[0, 1, np.nan]], np.float32), np.array([[0.0, 1.0, 2.0]], np.float32)
    own, every = (float(categorical(target, logits, absent)[0]) for absent in (0.0, 1.0))
    assert every == pytest.approx(np.log(1 + np.e + np.e**2) - 1, abs=1e-5)
    assert float(categorical(target, logits, 0.3)[0]) == pytest.approx(0.7 * own + 0.3 * every, abs=1e-5)


def test_smoothing_shares_truth_among_the_labels_of_a_set() -> None:
    features = batches_of(Augment(copies=0)).features
    made = emotion_batches(
        features, MIXED, np.arange(5), ("calm", "anger", "boredom"), Augment(copies=0), smoothing=0.2
    )
    np.testing.assert_allclose(made.targets["labels"][0], [0.1, 0.9, np.nan], atol=1e-6)
    seen = emotion_batches(
        features, MIXED, np.arange(5), ("calm", "anger", "boredom"), Augment(copies=0),
        smoothing=0.2, validates=True,
    )  # fmt: skip
    np.testing.assert_array_equal(seen.targets["labels"][0], [0, 1, np.nan])


def test_classes_of_a_set_weigh_alike_and_sets_as_the_recipe_says() -> None:
    target = truth(MIXED, ("calm", "anger", "boredom"))
    for balance, share in ((0.0, 3 / 5), (1.0, 1 / 2)):
        found = weights(MIXED, target, balance)
        assert found.mean() == pytest.approx(1)
        assert found[:3].sum() / found.sum() == pytest.approx(share)
        assert found[1] == pytest.approx(found[0] + found[2])


def batches_of(plan: Augment) -> EmotionBatches:
    """Five clips of two spans each; every number of a clip is its index."""
    at = np.arange(0, 11, 2)
    clean = np.repeat(np.arange(5, dtype=np.float32), 2)[:, None, None] * np.ones((1, 8, 4), np.float32)
    made, first = clean.astype(np.float16)[:0], np.zeros(6, np.int64)
    features = ClipFeatures(clean, at, np.full(10, 8, np.int32), made, at[:1], first)
    labels = ("calm", "anger", "boredom")
    kind = np.array([0, 0, 0, 1, 1])
    target = {"labels": truth(MIXED, labels)}
    return EmotionBatches(features, np.arange(5), target, np.ones(5, np.float32), kind, plan)


def test_an_epoch_draws_clips_by_their_weight_and_validation_has_every_span() -> None:
    drawing = replace(batches_of(Augment(copies=0, masks=0)), weight=np.array([0, 1, 1, 1, 2], np.float32))
    rng = np.random.default_rng(0)
    seen = [x[0, 0] for _ in range(400) for batch, _ in drawing.batches(2, rng) for x in batch]
    drawn = np.bincount(np.array(seen, np.int64)) / len(seen)
    np.testing.assert_allclose(drawn, drawing.weight / 5, atol=0.03)
    validates = replace(drawing, validates=True)
    batches = list(validates.batches(3, None))
    assert len(validates) == sum(len(x) for x, _ in batches) == 10


def test_only_clips_of_a_set_are_mixed_and_targets_with_them() -> None:
    mixing = batches_of(Augment(copies=0, masks=0, mixup=1.0))
    rng = np.random.default_rng(0)
    for _ in range(10):
        for x, heads in mixing.batches(5, rng):
            for value, target in zip(x[:, 0, 0], heads["labels"], strict=True):
                first = np.isnan(target[2])  # the set without boredom: clips 0, 1, 2
                assert (0 <= value <= 2) if first else (3 <= value <= 4)
                assert np.nansum(target) == pytest.approx(1)


# --- where somebody speaks ---


def test_a_clip_is_speech_where_it_is_loud_by_its_own_measure() -> None:
    x = np.concatenate([np.zeros(4000), buzz("angry", 1, 0)[400:-400], np.zeros(4000)]).astype(np.float32)
    for gain in (1.0, 0.01):
        found = activity(x * np.float32(gain), 80)
        assert not found[:48].any()
        assert not found[-48:].any()
        assert found[60:100].mean() > 0.8
    assert not activity(np.zeros(8000, np.float32), 80).any()


def test_composed_spans_know_where_they_speak(trained_voice: Path) -> None:
    spec = read_recipe(trained_voice / "recipe.toml").spec
    frontend = VoiceFrontend(VoiceSpec.from_dict(dict(spec)))
    voices = [buzz("angry", i, 0) for i in range(3)]
    hiss = Surroundings([[np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)]])
    made = speech.compose(frontend, voices, hiss, 150, seed=1)
    again = speech.compose(frontend, voices, hiss, 150, seed=1)
    np.testing.assert_array_equal(made.spans, again.spans)
    np.testing.assert_array_equal(made.target, again.target)
    assert made.spans.shape == (150, 32, 16)
    assert set(np.unique(made.target[np.isfinite(made.target)])) == {0.0, 1.0}
    assert 0.3 < made.empty.mean() < 0.8
    assert not (made.target[made.empty] == 1).any()
    x, heads = next(made.batches(10, np.random.default_rng(0)))
    assert x.dtype == np.float32
    assert heads["speech"].shape == (10, 32 // BLOCK)


def test_evidence_is_chosen_so_that_noise_is_seldom_speech() -> None:
    rng = np.random.default_rng(0)
    n, blocks = 400, 8
    target = (rng.random((n, blocks)) < 0.5).astype(np.float32)
    target[:100] = 0
    empty = np.arange(n) < 100
    composed = speech.SpeechBatches(np.zeros((n, 1, 1), np.float16), target, empty)
    logits = (rng.normal(0, 1, (n, blocks)) + np.where(target == 1, 4, -2)).astype(np.float32)
    clips = rng.normal(3, 1, (50, blocks)).astype(np.float32)
    frames = np.full(50, blocks * BLOCK, np.int32)
    chosen, measured = speech.choose_evidence(logits, composed, clips, frames)
    assert measured["noise_called_speech"] <= 0.01
    assert measured["speech_found"] > 0.85
    assert measured["blocks_without"] == (target == 0).sum()
    assert 0 < chosen["least"] < chosen["enough"] <= 1


def test_padding_is_no_block_of_a_span() -> None:
    logits = np.array([[5.0, 5.0, -5.0, 5.0]], np.float32)
    for frames, share in ((32, 0.75), (24, 2 / 3), (16, 1.0), (3, 1.0)):
        assert speech.evidence_of(logits, np.array([frames], np.int32), 0.5)[0] == pytest.approx(share)


def test_the_scale_of_clips_is_the_one_that_made_them() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (6000, 3))
    p = np.exp(0.5 * logits)
    p /= p.sum(1, keepdims=True)
    picked = (rng.random((6000, 1)) > p.cumsum(1)).sum(1)
    truth_of = np.eye(3)[picked]
    found = calibrate.clip_scale(
        logits, np.ones(6000), np.arange(6000), truth_of, np.ones((6000, 3), np.bool_)
    )
    assert found == pytest.approx(0.5, rel=0.1)
