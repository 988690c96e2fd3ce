"""A face recipe from sheets of faces to a draft card, on drawn faces; the reader, augmentation, batches."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("cv2", reason="needs edgeemo[train]")

import keras
from face_training_data import RECIPE, TRAIN, VALID, drawn_face

from edgeemo import ModelCard
from edgeemo.data import catalog
from edgeemo.data.face_sets import FACE_LABELS, VotedFace
from edgeemo.data.faces import part_of, pixels_of, read_face
from edgeemo.data.leaks import read_seen
from edgeemo.data.manifest import Example, read_manifest, write_manifest
from edgeemo.errors import DataError, SourceError, SpecError
from edgeemo.frontends import FaceFrontend, FaceSpec
from edgeemo.training.face.batches import (
    FaceAugment,
    FaceBatches,
    distribution,
    erase,
    jittered,
    lit,
    resampled,
    through_camera,
)
from edgeemo.training.face.trainer import FaceTrainer
from edgeemo.training.recipe import read_recipe
from edgeemo.training.train import run

STILL = FaceAugment(turn_deg=0, zoom=0, shift=0, flip=0, contrast=0, brightness=0, erase=0)


# --- a run ---


def test_a_run_leaves_all_that_convert_needs(trained_face: Path) -> None:
    assert {p.name for p in trained_face.iterdir()} >= {
        "model.keras", "model.seen", "card.json", "calibration.csv", "dev.csv", "small", "expression"
    }  # fmt: skip
    card = ModelCard.from_json((trained_face / "card.json").read_bytes())
    assert card.modality == "face"
    assert card.labels == FACE_LABELS
    assert card.outputs == {"labels": "labels"}
    assert card.commercial == "unclear"
    assert "no licence known" in card.data[0].licence
    assert card.spec_digest == FaceSpec.from_dict(dict(card.spec)).digest
    model = keras.models.load_model(trained_face / "model.keras", compile=False)
    assert (model.inputs[0].name, model.input_shape) == ("pixels", (None, 24, 24, 1))
    assert model.inputs[0].dtype == "float32"
    assert {name: tuple(x.shape) for name, x in model.output.items()} == {"labels": (None, 8)}


def test_training_learns(trained_face: Path) -> None:
    with (trained_face / "expression" / "log.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]


def test_the_check_is_on_validation_and_calibration_on_training_faces(
    trained_face: Path, tiny_faces: Path
) -> None:
    checked, calibrated = (read_manifest(trained_face / f"{name}.csv") for name in ("dev", "calibration"))
    assert {e.split for e in checked} == {"valid"}
    assert {e.split for e in calibrated} == {"train"}
    assert max(Counter(e.labels for e in calibrated).values()) == len(calibrated) // 8
    seen = set(read_seen(trained_face / "model.seen").tolist())
    assert len(seen) == len(catalog.load("ferplus", tiny_faces, "train"))


def test_a_step_begins_where_the_one_before_ended(
    trained_face: Path, tiny_faces: Path, tmp_path: Path
) -> None:
    trainer = FaceTrainer.load(read_recipe(trained_face / "recipe.toml"), tiny_faces, tmp_path)
    small, large = (trainer.build(step) for step in trainer.recipe.step)
    assert small.input_shape[1:3] == (16, 16)
    trainer.step_data(trainer.recipe.step[1], large, {"small": small})
    for a, b in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_finished_step_is_kept(trained_face: Path, tiny_faces: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(trained_face, tmp_path / "again"))
    weights = {name: out / name / "best.weights.h5" for name in ("small", "expression")}
    before = {name: path.stat().st_mtime_ns for name, path in weights.items()}
    run(out / "recipe.toml", data=tiny_faces, out=out, steps=["expression"])
    assert weights["small"].stat().st_mtime_ns == before["small"]
    assert weights["expression"].stat().st_mtime_ns > before["expression"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('labels = "ferplus"', 'labels = ["ferplus"]'), "name of a set"),
        (('labels = "ferplus"', 'labels = "ferminus"'), "no data set 'ferminus'"),
        (("turn_deg = 5", "turn = 5"), "unknown key turn"),
        (("width = 24", "widht = 24"), "widht"),
        (("balance", "ballance"), "unknown key ballance"),
        (("size = 16, channels", "size = 16, chanels"), "no option chanels"),
        (
            ('name = "expression"\nmodel = "face_cnn"', 'name = "expression"\nmodel = "face"'),
            "no model 'face'",
        ),
        (("options = { channels", "options = { size = 16, channels"), "is the last"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(
    tiny_faces: Path, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(RECIPE.replace(*change))

    def prepare() -> None:
        trainer = FaceTrainer.load(read_recipe(path, check_models=True), tiny_faces, tmp_path)
        trainer.build(trainer.recipe.step[1])

    with pytest.raises((SpecError, DataError), match=says):
        prepare()


def test_only_faces_with_votes_teach(tmp_path: Path, tiny_faces: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(RECIPE.replace('labels = "ferplus"', 'labels = "manifest:faces.csv"'))
    write_manifest(tiny_faces / "faces.csv", [Example(path=Path("a.png"), labels=("anger",), speaker="a")])
    with pytest.raises((SpecError, DataError)):
        FaceTrainer.load(read_recipe(path, check_models=True), tiny_faces, tmp_path)


# --- the reader ---


def test_each_face_is_the_part_of_its_sheet(tiny_faces: Path) -> None:
    for e in catalog.load("ferplus", tiny_faces, "valid")[::25]:
        assert isinstance(e, VotedFace)
        picture, color = read_face(e)
        assert color == "gray"
        candidates = [drawn_face(FACE_LABELS.index(e.labels[0]), i) for i in range(TRAIN, TRAIN + VALID)]
        assert any(np.array_equal(picture, candidate) for candidate in candidates)


def test_doubles_leaks_and_what_nobody_knew_are_left_out(tiny_faces: Path) -> None:
    train, valid = (catalog.load("ferplus", tiny_faces, split) for split in ("train", "valid"))
    assert len(train) == TRAIN - 3  # a double, one unknown, one no face
    assert len(valid) == VALID - 2  # a double and a leak
    assert not {pixels_of(e) for e in train} & {pixels_of(e) for e in valid}
    assert len({pixels_of(e) for e in train}) == len(train)


def test_votes_are_shares_without_unknown_and_ties_go_to_the_first(tiny_faces: Path) -> None:
    faces = [e for e in catalog.load("ferplus", tiny_faces, "train") if isinstance(e, VotedFace)]
    tie = next(e for e in faces if e.votes == (0, 0, 4, 4, 0, 0, 0, 0))
    assert tie.labels == ("surprise",)
    shares = distribution(faces)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(shares[0, :2], [7 / 9, 2 / 9], rtol=1e-6)


def test_a_manifest_of_parts_reads_back_equal(tiny_faces: Path, tmp_path: Path) -> None:
    valid = catalog.load("ferplus", tiny_faces, "valid")[:5]
    write_manifest(tmp_path / "some.csv", valid)
    assert [pixels_of(e) for e in read_manifest(tmp_path / "some.csv")] == [pixels_of(e) for e in valid]


def test_a_part_outside_its_picture_and_no_picture_are_named(tiny_faces: Path, tmp_path: Path) -> None:
    sheet = tiny_faces / "ferplus" / "sheet_00.webp"
    with pytest.raises(DataError, match="not a part of a picture of 1536 × 1536"):
        read_face(Example(path=part_of(sheet, 1500, 0, 48, 48)))
    with pytest.raises(DataError, match="no picture"):
        read_face(Example(path=tmp_path / "none.png"))
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(SourceError, match=r"text\.png is not a picture that Pillow reads"):
        read_face(Example(path=tmp_path / "text.png"))
    with pytest.raises(DataError, match="no path"):
        read_face(Example(text="a face"))


def test_the_real_set_is_as_its_page_says(data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("face")
    train, valid = (catalog.load("ferplus", folder, split) for split in ("train", "valid"))
    assert 27_000 < len(train) < 28_558
    assert 3_000 < len(valid) < 3_579 - 375 + 1
    assert {label for e in train for label in e.labels} == set(FACE_LABELS)
    assert all(isinstance(e, VotedFace) and sum(e.votes) > 0 for e in [*train, *valid])


# --- augmentation and batches ---

FRONTEND = FaceFrontend(FaceSpec(width=24, height=24, normalization="mean_std"))


def batches(n: int = 16, plan: FaceAugment = STILL, balance: float = 0.0) -> FaceBatches:
    target = np.eye(8, dtype=np.float32)[np.arange(n) % 8]
    return FaceBatches(FRONTEND, [drawn_face(i % 8, i) for i in range(n)], target, plan, balance)


def test_validation_reads_what_a_device_reads() -> None:
    given = batches()
    ((x, heads),) = given.batches(16, None)
    for picture, tensor in zip(given.pictures, x, strict=True):
        np.testing.assert_array_equal(tensor, FRONTEND.compute(picture, "gray", (0, 0, 48, 48)))
    np.testing.assert_array_equal(heads["labels"], given.target)


def test_without_augmentation_training_reads_the_same() -> None:
    given = batches()
    ((x, heads),) = given.batches(16, np.random.default_rng(1))
    order = [int(np.abs(given.tensors() - row).sum((1, 2, 3)).argmin()) for row in x]
    assert sorted(order) == list(range(16))
    np.testing.assert_allclose(x, given.tensors()[order], atol=1e-5)
    np.testing.assert_array_equal(heads["labels"], given.target[order])


def test_the_same_seed_gives_the_same_epoch() -> None:
    plan = FaceAugment(mixup=0.3)
    one, two = ([x for x, _ in batches(40, plan).batches(16, np.random.default_rng(7))] for _ in range(2))
    assert [len(x) for x in one] == [16, 16, 8]
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_jittered_crop_turns_about_its_middle() -> None:
    crop = FRONTEND.align((0, 0, 48, 48))
    plan = FaceAugment(turn_deg=20, zoom=0.2, shift=0)
    for seed in range(5):
        other = jittered(crop, 24, 24, plan, np.random.default_rng(seed))
        np.testing.assert_allclose(other.to_picture(12, 12), (24, 24), atol=1e-6)
        assert 0.8 <= other.scale / crop.scale <= 1.2
        assert other.b != 0
    moved = jittered(crop, 24, 24, FaceAugment(turn_deg=0, zoom=0, shift=0.1), np.random.default_rng(0))
    assert 0 < np.abs(np.subtract(moved.to_picture(12, 12), 24)).max() <= 4.8


def test_light_is_clipped_and_an_erased_part_is_flat() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(lit(picture, STILL, np.random.default_rng(0)), picture)
    for seed in range(5):
        bright = lit(picture, FaceAugment(contrast=0.5, brightness=0.5), np.random.default_rng(seed)).ravel()
        assert (np.diff(bright.astype(int)) >= 0).all()
    tensor = np.random.default_rng(0).normal(size=(24, 24, 1)).astype(np.float32)
    before = tensor.copy()
    erase(tensor, FaceAugment(), np.random.default_rng(0))
    gone = tensor != before
    assert 0 < gone.mean() < 0.2
    assert np.unique(tensor[gone]).size == 1


def test_a_soft_picture_is_smoother_and_a_grainy_one_rougher() -> None:
    picture = np.random.default_rng(0).integers(90, 160, (48, 48)).astype(np.uint8)
    still = {"turn_deg": 0, "zoom": 0, "shift": 0, "flip": 0, "contrast": 0, "brightness": 0, "erase": 0}

    def roughness(**how: float) -> list[float]:
        plan = FaceAugment(**still, **how)
        views = [through_camera(picture, plan, np.random.default_rng(seed)) for seed in range(20)]
        assert {view.dtype for view in views} == {np.dtype(np.uint8)}
        return [float(np.abs(np.diff(view.astype(float))).mean()) for view in views]

    plain = roughness()
    assert len(set(plain)) == 1
    assert all(soft < plain[0] for soft in roughness(soft=1.0, blur=0.05))
    grainy = roughness(grainy=1.0, noise=40.0)
    assert min(grainy) >= plain[0] - 0.5
    assert max(grainy) > plain[0] + 10
    assert len({round(value, 3) for value in roughness(soft=0.5)}) > 5  # some are, some are not


def test_rare_faces_are_drawn_oftener_and_evenly() -> None:
    order = resampled(np.array([1.0, 1.0, 2.0, 4.0]), np.random.default_rng(0))
    assert len(order) == 4
    counts = np.mean(
        [
            np.bincount(resampled(np.array([1.0, 1, 2, 4]), np.random.default_rng(i)), minlength=4)
            for i in range(400)
        ],
        0,
    )
    np.testing.assert_allclose(counts, [0.5, 0.5, 1, 2], atol=0.12)
    assert sorted(resampled(np.ones(9), np.random.default_rng(0))) == list(range(9))
