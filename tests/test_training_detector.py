"""A detector recipe from marked pictures to a draft card, on drawings; readers, scenes, batches, losses."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs edgeemo[train]")
pytest.importorskip("cv2", reason="needs edgeemo[train]")

import keras
from detector_training_data import PEOPLE, RECIPE, SCENES, STREETS, street
from face_training_data import drawn_face

from edgeemo.card import DetectorCard
from edgeemo.data import catalog
from edgeemo.data.detector_sets import groups_of
from edgeemo.data.marked import MarkedFace, MarkedPicture, read_marked
from edgeemo.errors import DataError, SpecError
from edgeemo.faces import DetectorSpec, Face, FaceDecoder
from edgeemo.frontends import Alignment, FaceFrontend, FaceSpec
from edgeemo.training.detector.batches import DetectorBatches, cells_of, mirrored, target
from edgeemo.training.detector.models import (
    BOUNDS,
    HEADS,
    device_model,
    face_finder,
    focal,
    place_loss,
    training_model,
)
from edgeemo.training.detector.scenes import (
    AnnotatedPicture,
    ScenePool,
    paste_face,
    replace_faces,
    rows_of,
    scene,
    view,
)
from edgeemo.training.detector.teacher import pupils
from edgeemo.training.detector.trainer import DetectorTrainer
from edgeemo.training.recipe import read_recipe

SPEC = DetectorSpec(width=96, height=96)
FRONTEND = FaceFrontend(FaceSpec(width=96, height=96, border="black"))
CELLS = cells_of(SPEC)
EYES = ((15.0, 18.0), (33.0, 18.0))


# --- a run ---


def test_a_run_leaves_all_that_convert_needs(trained_detector: Path) -> None:
    assert {p.name for p in trained_detector.iterdir()} >= {
        "model.keras", "model.seen", "card.json", "calibration.csv", "dev.csv", "finder"
    }  # fmt: skip
    card = DetectorCard.from_json((trained_detector / "card.json").read_bytes())
    assert (card.modality, card.commercial) == ("face", "unclear")
    assert card.spec_digest == FaceSpec.from_dict(dict(card.spec)).digest
    spec = DetectorSpec.from_dict(dict(card.detector))
    assert (spec.width, spec.height, spec.least_score) == (96, 96, 0.3)
    assert (spec.score_scale, spec.score_bias) != (1.0, 0.0)
    assert not any("BlazeFace" in source.name for source in card.data)  # it had no teacher
    model = keras.models.load_model(trained_detector / "model.keras", compile=False)
    assert (model.inputs[0].name, model.input_shape) == ("pixels", (None, 96, 96, 1))
    shapes = {name: tuple(x.shape) for name, x in model.output.items()}
    n = spec.cells
    assert shapes == {"logits": (None, n), "boxes": (None, n, 4), "eyes": (None, n, 4)}


def test_training_learns(trained_detector: Path) -> None:
    with (trained_detector / "finder" / "log.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0] / 3


def test_what_is_held_out_is_never_trained_on(trained_detector: Path) -> None:
    held, used = (read_marked(trained_detector / f"{name}.csv") for name in ("dev", "calibration"))
    assert {p.split for p in held} == {"valid"}
    assert {p.split for p in used} == {"train"}
    assert not {p.group for p in held} & {p.group for p in used}
    assert any(p.portrait for p in held)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("width = 96", "width = 90"), "width"),
        (('border = "black"', 'border = "black"\nchannels = "rgb"'), "reads gray"),
        (("least_score = 0.3", "least_skore = 0.3"), "least_skore"),
        (("least_score = 0.3", "score_scale = 2.0"), "score_scale is not for a recipe"),
        (('pictures = "street"', 'pictures = ["street"]'), "name of a set"),
        (('pictures = "street"', 'pictures = "alley"'), "no data set 'alley'"),
        (('pictures = "street"', 'pictures = "scenes"'), "no faces are marked"),
        (("made = 400", "made = 0"), "made must be"),
        (("made = 400", "maid = 400"), "unknown key maid"),
        (("made = 400", 'made = 400\nteachers = ["one"]'), "two files"),
        (("made = 400", 'made = 400\nteachers = ["a.tflite", "b.tflite"]'), r"a\.tflite cannot be read"),
        (('model = "face_finder"', 'model = "face_cnn"'), "no model 'face_cnn'"),
        (("blocks =", "blogs ="), "no option blogs"),
        (('modality = "face"', 'modality = "voice"'), "modality face"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(
    tiny_pictures: Path, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    recipe = RECIPE.replace(*change)
    if "scenes" in change[1]:
        recipe = recipe.replace('portraits = "portraits"\n', "")
    (tmp_path / "wrong.toml").write_text(recipe)

    def prepare() -> None:
        trainer = DetectorTrainer.load(
            read_recipe(tmp_path / "wrong.toml", check_models=True), tiny_pictures, tmp_path
        )
        trainer.pool()

    with pytest.raises((SpecError, DataError), match=says):
        prepare()


def test_a_recipe_that_recognizes_needs_emotions(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(RECIPE.replace("[detector]\nleast_score = 0.3\n", ""))
    with pytest.raises(SpecError, match=r"\[emotions\]"):
        read_recipe(tmp_path / "wrong.toml", check_models=True)


# --- the readers ---


def test_streets_portraits_and_scenes_are_split_without_a_rest(tiny_pictures: Path) -> None:
    street_, portraits, scenes = (
        [catalog.load(name, tiny_pictures, split) for split in ("train", "valid")]
        for name in ("street", "portraits", "scenes")
    )
    assert sum(map(len, street_)) == STREETS
    assert sum(map(len, scenes)) == SCENES
    assert all(len(part) > 0 for part in (*street_, *portraits, *scenes))
    unmarked = [p for p in portraits[0] if isinstance(p, MarkedPicture) and not p.faces]
    assert 0 < len(unmarked) <= PEOPLE // 4
    assert all(isinstance(p, MarkedPicture) and p.portrait for p in portraits[1])


def test_pictures_that_look_alike_are_one_group() -> None:
    first, other = street(0)[0], street(1)[0]
    noise = np.random.default_rng(0).integers(0, 9, first.shape).astype(np.uint8)
    assert groups_of([first, other, np.maximum(first, noise), first[2:, 1:]]) == [0, 1, 0, 0]


def test_the_real_set_is_as_its_page_says(data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("face")
    parts = {split: catalog.load("street", folder, split) for split in ("train", "valid")}
    assert sum(map(len, parts.values())) == 526
    faces = [f for part in parts.values() for p in part if isinstance(p, MarkedPicture) for f in p.faces]
    assert sum(face.bare for face in faces) == 516
    portraits = [p for split in parts for p in catalog.load("portraits", folder, split)]
    assert len({p.subject for p in portraits}) == 64
    people = [{p.subject for p in catalog.load("portraits", folder, split)} for split in parts]
    assert not people[0] & people[1]


# --- scenes ---


def shot(i: int = 0, side: int = 48) -> AnnotatedPicture:
    return AnnotatedPicture(drawn_face(i % 8, i), (MarkedFace((2, 2, side - 2, side - 2), EYES),))


def test_faces_lie_in_a_view_where_the_frontend_puts_them() -> None:
    crop = FRONTEND.align((0, 0, 48, 24))
    (row,) = rows_of(
        AnnotatedPicture(np.zeros((24, 48), np.uint8), (MarkedFace((0, 0, 24, 24), EYES),)),
        crop,
        FRONTEND.spec,
    )
    np.testing.assert_allclose(row, [0, 24, 48, 72, 30, 60, 66, 60, 1], atol=1e-4)


def test_what_is_too_small_too_far_out_or_unsure_is_not_asked() -> None:
    here = Alignment(a=1, b=0, x=0, y=0)
    faces = (MarkedFace((10, 10, 13, 14)), MarkedFace((-30, 0, 20, 40)), MarkedFace((200, 0, 240, 40)))
    rows = rows_of(
        AnnotatedPicture(np.zeros((96, 96), np.uint8), faces, ((50, 50, 80, 80),)), here, FRONTEND.spec
    )
    np.testing.assert_array_equal(rows[:, 8], [0, 0, 0])  # too small, too far out, unsure; one is outside
    np.testing.assert_allclose(rows[1, :4], [0, 0, 20, 40])


def test_small_masked_faces_are_not_asked_but_give_their_place_to_others() -> None:
    here = Alignment(a=1, b=0, x=0, y=0)
    faces = tuple(MarkedFace((x, 40, x + side, 40 + side), bare=False) for x, side in ((5, 12), (50, 30)))
    masked = AnnotatedPicture(np.full((96, 96), 90, np.uint8), faces)
    rows = rows_of(masked, here, FRONTEND.spec)
    np.testing.assert_array_equal(rows[:, 8], [0.5, 1])
    logits, _ = target(rows, SPEC, CELLS)
    assert np.isnan(logits[(np.abs(CELLS[:, :2] - (11, 46)) < 6).all(1)]).all()
    stock = ScenePool([masked], [], [], [shot(1)])
    put_there = [
        replace_faces(np.full((96, 96), 90, np.float32), rows, stock, np.random.default_rng(i))[1][0, 8]
        for i in range(20)
    ]
    assert set(put_there) == {0.5, 1.0}


@pytest.mark.parametrize("seed", range(8))
def test_a_head_is_put_where_its_row_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    canvas = np.full((96, 96), 90, np.float32)
    box = np.array([30.0, 20.0, 66.0, 62.0])
    rows = paste_face(canvas, shot(seed), box, rng)
    assert rows is not None
    x0, y0, x1, y1 = rows[0, :4]
    np.testing.assert_allclose([(x0 + x1) / 2, (y0 + y1) / 2], [48, 41], atol=0.01)
    changed = np.argwhere(np.abs(canvas - 90) > 1)
    middle = (changed.min(0) + changed.max(0)) / 2
    np.testing.assert_allclose(middle, [41, 48], atol=4)
    assert (np.abs(canvas[:, :20] - 90) < 1e-3).all()
    left, right = rows[0, 4:6], rows[0, 6:8]
    assert left[0] < right[0]
    for x, y in (left, right):  # a drawn eye is darker than the face around it
        part = canvas[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3]
        assert part.min() < canvas[int(y) + 4 : int(y) + 7, int(x) - 2 : int(x) + 3].mean()


def test_scenes_are_the_same_for_the_same_seed_and_have_faces_of_all_kinds() -> None:
    whole = AnnotatedPicture(street(0)[0], (MarkedFace((10, 10, 60, 60), EYES),))
    stock = ScenePool([whole], [shot(1)], [AnnotatedPicture(street(3)[0])], [shot(2), shot(3)])
    made = [scene(stock, FRONTEND, np.random.default_rng([1, i])) for i in range(60)]
    again = [scene(stock, FRONTEND, np.random.default_rng([1, i])) for i in range(60)]
    for (x, rows), (y, others) in zip(made, again, strict=True):
        np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(rows, others)
        assert x.shape == (96, 96)
        assert x.dtype == np.uint8
    counts = [int((rows[:, 8] > 0).sum()) for _, rows in made]
    assert min(counts) == 0
    assert max(counts) > 1


def test_a_view_of_a_wide_picture_is_a_letterbox() -> None:
    wide = AnnotatedPicture(np.full((40, 160), 200, np.uint8))
    x, _ = view(wide, FRONTEND, np.random.default_rng(1))
    assert x.max() > 190


# --- what cells should say ---

ROWS = np.array(
    [
        [20, 20, 80, 84, 38, 40, 62, 41, 1],
        [4, 4, 16, 18, 7, 8, 13, 8, 1],
        [70, 4, 90, 26, np.nan, np.nan, np.nan, np.nan, 1],
        [2, 70, 18, 90, np.nan, np.nan, np.nan, np.nan, 0],
    ],
    np.float32,
)


def test_a_decoder_reads_the_targets_as_the_faces_they_are_of() -> None:
    logits, places = target(ROWS, SPEC, CELLS)
    places = np.nan_to_num(places)
    boxes_, eyes = (np.ascontiguousarray(part) for part in np.split(places, 2, 1))
    said = np.where(logits == 1, 9, -9).astype(np.float32)
    found = FaceDecoder(SPEC).decode(said, boxes_, eyes, Alignment(a=1, b=0, x=0, y=0))
    boxes = np.array(sorted(face.box for face in found))
    np.testing.assert_allclose(boxes, np.array(sorted(ROWS[:3, :4].tolist())), atol=1e-3)
    (large,) = (face for face in found if face.box[2] - face.box[0] > 50)
    np.testing.assert_allclose(np.ravel(large.eyes), ROWS[0, 4:8], atol=1e-3)


def test_cells_beside_a_face_and_in_unsure_boxes_are_not_asked() -> None:
    logits, places = target(ROWS, SPEC, CELLS)
    unsure = (CELLS[:, 0] < 18) & (CELLS[:, 1] > 70) & (CELLS[:, 1] < 90)
    assert np.isnan(logits[unsure]).all()
    far = (CELLS[:, 0] > 85) & (CELLS[:, 1] > 40)
    assert (logits[far] == 0).all()
    assert np.isfinite(places[logits == 1][:, :4]).all()
    assert np.isnan(places[~(logits == 1)]).all()
    assert np.isnan(logits).sum() > unsure.sum()


def test_mirroring_twice_changes_nothing_and_keeps_the_left_eye_left() -> None:
    once = mirrored(ROWS, 96)
    np.testing.assert_allclose(mirrored(once, 96), ROWS, atol=1e-4)
    assert (once[:2, 4] < once[:2, 6]).all()


def test_validation_reads_what_a_device_reads() -> None:
    shots = [AnnotatedPicture(street(i)[0], (MarkedFace((10, 10, 60, 60)),)) for i in range(3)]
    ((x, heads),) = DetectorBatches.real(shots, SPEC, FRONTEND).batches(4, None)
    for one, tensor in zip(shots, x, strict=True):
        np.testing.assert_allclose(tensor, FRONTEND.compute(one.picture, "gray"), atol=1 / 255)
    assert heads["logits"].shape == (3, SPEC.cells)
    assert heads["places"].shape == (3, SPEC.cells, 8)


def test_the_same_seed_gives_the_same_epoch() -> None:
    batches = DetectorBatches.real([AnnotatedPicture(street(i)[0]) for i in range(5)], SPEC, FRONTEND)
    one, two = ([x for x, _ in batches.batches(2, np.random.default_rng(7))] for _ in range(2))
    assert [len(x) for x in one] == [2, 2, 1]
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


# --- losses and the network ---


def test_losses_are_nothing_for_what_is_right_and_for_what_is_not_asked() -> None:
    logits, places = (part[None] for part in target(ROWS, SPEC, CELLS))
    right = np.where(logits == 1, 9, -9).astype(np.float32)
    assert float(focal(logits, right)[0]) < 1e-6
    assert float(focal(logits, -right)[0]) > 10
    assert float(place_loss(places, np.nan_to_num(places))[0]) < 1e-5
    wild = np.where(np.isfinite(places), places, 50).astype(np.float32)  # where no face is
    assert float(place_loss(places, wild)[0]) < 1e-5


def test_eyes_are_judged_by_where_they_will_be_put() -> None:
    """A box that is too large with eyes drawn in by as much puts them right."""
    places = np.full((1, 1, 8), np.nan, np.float32)
    places[0, 0] = [0, 0, 1, 1, -0.2, -0.1, 0.2, -0.1]
    larger = places.copy()
    larger[..., 2:4] += 0.1
    drawn_in = larger.copy()
    drawn_in[..., 4:] *= np.exp(-0.1)
    assert float(place_loss(places, drawn_in)[0]) < float(place_loss(places, larger)[0])


def test_the_device_model_is_the_same_network_within_bounds() -> None:
    model = face_finder(SPEC, channels=[4, 4, 4, 4], blocks=[0, 0, 0, 1])
    x = np.random.default_rng(0).random((2, 96, 96, 1), np.float32)
    both = training_model(model)(x)
    again = device_model(training_model(model))(x)
    for name in HEADS:
        bound = BOUNDS.get(name, np.inf)
        np.testing.assert_allclose(again[name], np.clip(model(x)[name], -bound, bound), atol=1e-5)
    np.testing.assert_allclose(both["places"][..., :4], model(x)["boxes"], atol=1e-6)
    for layer in model.layers:  # answers of any size
        if layer.name.startswith(("boxes_", "eyes_")):
            layer.set_weights([100 * w + 1 for w in layer.get_weights()])
    for name, values in device_model(training_model(model))(x).items():
        assert name == "logits" or np.abs(values).max() <= BOUNDS[name] + 1e-6
    assert float(np.max(again["logits"])) < 0  # faces are rare from the start


def test_a_teachers_eyes_are_set_right() -> None:
    level = Face((0, 0, 10, 10), ((10.0, 20.0), (20.6, 20.0)))
    (x0, y0), (x1, y1) = pupils(level)
    assert x1 - x0 == pytest.approx(10, abs=0.01)
    assert y0 == y1 == pytest.approx(20 - 0.028 * 10.6, abs=0.01)
