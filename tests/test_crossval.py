"""Cross-validation: speakers are held out whole, done folds are kept, the table is of a set's own classes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("soundfile", reason="needs edgeemo[train]")

from voice_training_data import RECIPE, SPEAKERS

from edgeemo import Bundle, ModelCard
from edgeemo.cli import main
from edgeemo.data.folds import who
from edgeemo.data.manifest import read_manifest
from edgeemo.errors import DataError, SpecError
from edgeemo.training import crossval as crossing
from edgeemo.training.recipe import read_recipe
from edgeemo.training.train import run
from edgeemo.training.voice.batches import labels_in, set_of
from edgeemo.training.voice.trainer import VoiceTrainer


@pytest.fixture(scope="module")
def crossed(
    tiny_voices: Path, bundle_of_trained_voice: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished cross-validation in two folds, made by two calls; every fold gets the same int8 network."""
    out = tmp_path_factory.mktemp("crossed")
    (out / "recipe.toml").write_text(RECIPE.replace("epochs = 4", "epochs = 1"), encoding="utf-8")
    flatbuffer = Bundle.open(bundle_of_trained_voice).flatbuffer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossing, "quantize", lambda *_: flatbuffer)
        first = crossing.crossval(out / "recipe.toml", data=tiny_voices, out=out / "folds", n=2, fold=1)
        assert first is None, "a fold is missing, so there is no table"
        assert crossing.crossval(out / "recipe.toml", data=tiny_voices, out=out / "folds", n=2)
    return out


def test_every_clip_is_read_once_by_a_model_that_never_met_its_speaker(
    crossed: Path, tiny_voices: Path
) -> None:
    trainer = VoiceTrainer.load(read_recipe(crossed / "recipe.toml"), tiny_voices, crossed)
    held = []
    for k in range(2):
        folder = crossed / "folds" / f"fold-{k}"
        tested = np.load(folder / "answers.npz")["clips"]
        held += tested.tolist()
        taught = {who(e) for e in read_manifest(folder / "calibration.csv") if e.speaker}
        assert taught, "calibrated on clips of the speakers it learned from"
        assert not taught & {who(trainer.examples[i]) for i in tested}
    assert sorted(held) == list(range(len(trainer.examples)))


def test_the_table_counts_speakers_and_the_classes_of_each_set(crossed: Path, tiny_voices: Path) -> None:
    report = json.loads((crossed / "folds" / "crossval.json").read_text("utf-8"))
    assert report["folds"] == 2
    trainer = VoiceTrainer.load(read_recipe(crossed / "recipe.toml"), tiny_voices, crossed)
    files = [np.load(crossed / "folds" / f"fold-{k}" / "answers.npz") for k in range(2)]
    clips, said, exact = (
        np.concatenate([file[x] for file in files]) for x in ("clips", "said_probabilities", "exact")
    )
    tested = [trainer.examples[i] for i in clips]
    for name, classes in (("ravdess", 4), ("emodb", 3)):
        row = report["sets"][name]
        assert row["speakers"] == len(SPEAKERS)
        assert row["classes"] == classes
        own = np.array([set_of(e) == name for e in tested])
        labels = labels_in([e for e in tested if set_of(e) == name])
        columns = [trainer.labels.index(label) for label in labels]
        tops, floats = (p[own][:, columns].argmax(1) for p in (said, exact))
        gold = np.array([labels.index(e.labels[0]) for e in tested if set_of(e) == name])
        recalls = [(tops[gold == i] == i).mean() for i in range(classes)]
        assert row["uar"]["value"] == pytest.approx(np.mean(recalls))
        assert row["uar"]["low"] < row["uar"]["high"]
        assert row["accuracy"]["value"] == pytest.approx((tops == gold).mean())
        assert row["float_agreement"] == pytest.approx((tops == floats).mean())
    assert 0.2 <= report["scale"] <= 5


def test_predictions_are_probabilities_over_the_sets_own_classes(crossed: Path) -> None:
    labels = ModelCard.from_json((crossed / "folds" / "fold-0" / "card.json").read_bytes()).labels
    with (crossed / "folds" / "predictions.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            own = [float(row[x]) for x in labels if row[x] != ""]
            assert len(own) == (4 if row["set"] == "ravdess" else 3)
            assert sum(own) == pytest.approx(1, abs=0.01)
            assert row["said"] in labels


def test_done_folds_are_kept_and_another_recipe_is_refused(
    crossed: Path, tiny_voices: Path, tmp_path: Path
) -> None:
    done = crossed / "folds" / "fold-0" / "answers.npz"
    before = done.stat().st_mtime_ns
    assert crossing.crossval(crossed / "recipe.toml", data=tiny_voices, out=crossed / "folds", n=2)
    assert done.stat().st_mtime_ns == before
    other = tmp_path / "other.toml"
    other.write_text((crossed / "recipe.toml").read_text().replace("seed = 5", "seed = 6"))
    for recipe, n in ((other, 2), (crossed / "recipe.toml", 4)):
        with pytest.raises(SpecError, match="folds of another recipe"):
            crossing.crossval(recipe, data=tiny_voices, out=crossed / "folds", n=n)


def test_scores_and_scale_go_into_the_card(
    crossed: Path, trained_voice: Path, tiny_voices: Path, tmp_path: Path
) -> None:
    trainer = VoiceTrainer.load(
        read_recipe(crossed / "recipe.toml"), tiny_voices, tmp_path, crossed / "folds"
    )
    scale, bias, metrics = trainer._crossvalidated()
    assert bias == 0.0
    assert scale == json.loads((crossed / "folds" / "crossval.json").read_text("utf-8"))["scale"]
    assert set(metrics["crossval"]) == {"ravdess", "emodb"}
    assert "2 folds of whole speakers" in metrics["protocol"]
    with pytest.raises(DataError, match="no finished cross-validation"):
        VoiceTrainer.load(
            read_recipe(crossed / "recipe.toml"), tiny_voices, tmp_path, tmp_path
        )._crossvalidated()


def test_folds_of_another_recipe_put_no_scores_into_the_card(
    crossed: Path, tiny_voices: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text((crossed / "recipe.toml").read_text().replace("seed = 5", "seed = 6"))
    trainer = VoiceTrainer.load(read_recipe(other), tiny_voices, tmp_path, crossed / "folds")
    with pytest.raises(DataError, match=r"folds of another recipe or other data.*run `edgeemo crossval`"):
        trainer._crossvalidated()


def test_wrong_calls_say_what_is_wrong(tiny_voices: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is a text recipe"):
        crossing.crossval("text", data=tiny_voices, out=tmp_path)
    with pytest.raises(SpecError, match="--crossval is for voice"):
        run("text", data=tiny_voices, out=tmp_path, crossval=tmp_path)
    with pytest.raises(SpecError, match="no fold 6: expected 0 to 5"):
        crossing.crossval("voice", data=tiny_voices, out=tmp_path, fold=6)


def test_the_command_shows_a_table_or_json(
    crossed: Path, tiny_voices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["crossval", str(crossed / "recipe.toml"), "--data", str(tiny_voices), "--folds", "2"]
    call += ["--out", str(crossed / "folds")]
    assert main(call) == 0
    assert "ravdess" in capsys.readouterr().out
    assert main([*call, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"]["folds"] == 2


def test_each_fold_leaves_the_clips_it_was_measured_on(crossed: Path) -> None:
    for k in range(2):
        folder = crossed / "folds" / f"fold-{k}"
        tested = np.load(folder / "answers.npz")["clips"]
        assert len(read_manifest(folder / "held.csv")) == len(tested)


def test_robustness_is_of_every_set_and_in_pairs_with_the_clean_clips(
    crossed: Path, tiny_voices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["crossval", str(crossed / "recipe.toml"), "--data", str(tiny_voices), "--folds", "2"]
    assert main([*call, "--out", str(crossed / "folds"), "--robustness", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["report"]
    for name in ("ravdess", "emodb"):
        found = report["robustness"][name]
        assert found["clean"]["value"] == report["sets"][name]["uar"]["value"]
        for condition in found["conditions"]:
            lost = found["clean"]["value"] - condition["uar"]["value"]
            assert condition["drop"]["value"] == pytest.approx(lost, abs=1e-9)
    assert main([*call, "--out", str(crossed / "folds"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)["report"]
    assert again["robustness"] == report["robustness"], "what took minutes is kept"
    names = [c["name"] for c in found["conditions"]]
    assert "SNR 10 dB" in names
    assert "Opus" in names


def test_a_picture_shows_more_speakers_and_other_recipes(
    crossed: Path, tiny_voices: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="needs edgeemo[eval]")
    folds = crossed / "folds"
    report = json.loads((folds / "crossval.json").read_text("utf-8"))
    assert report["taught_speakers"] == len(SPEAKERS), "half of the speakers of two sets"
    assert report["kilobytes"] > 10
    fewer = folds / "speakers-2"
    fewer.mkdir()
    (fewer / "crossval.json").write_text(json.dumps({**report, "taught_speakers": 2.0}))
    call = ["crossval", str(crossed / "recipe.toml"), "--data", str(tiny_voices), "--folds", "2"]
    call += ["--out", str(folds), "--beside", str(fewer), "--picture"]
    assert main([*call, str(tmp_path / "curve.png")]) == 0
    assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"
    assert main([*call, str(tmp_path / "no" / "curve.png")]) == 1
