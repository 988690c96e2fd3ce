"""Evaluation of faces: damage of known strength, groups of people, labels left out, eyes misplaced; peers."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2", reason="needs edgeemo[face]")

import cv2
from fake_recognizer import card as fake_card
from test_peers_voice import script

from edgeemo import FaceSpec
from edgeemo.cli import main
from edgeemo.data import catalog
from edgeemo.data.face_sets import VotedFace
from edgeemo.data.faces import View, view_of
from edgeemo.data.manifest import Example, read_manifest, write_manifest
from edgeemo.errors import DataError
from edgeemo.evaluation import Report, evaluate, pictures, tables
from edgeemo.evaluation.alignment import eye_errors, measure_alignment
from edgeemo.evaluation.bootstrap import Draw
from edgeemo.evaluation.corruptions import STRENGTHS, Corruptions, scaled
from edgeemo.evaluation.metrics import LabelMeasure
from edgeemo.faces import Face
from edgeemo.frontends import FaceFrontend
from edgeemo.types import EMOTIONS, EmotionResult

SPEC = FaceSpec(width=24, height=24)
LABELS = ("neutral", "happiness", "sadness", "anger", "contempt")
BYTES = dict(zip(LABELS, (20, 70, 120, 170, 220), strict=True))


class Eye:
    """Stands in for a `Recognizer` of faces: it takes the brightness of the crop for the expression."""

    def __init__(self) -> None:
        affect = dict.fromkeys(LABELS, (0.0, 0.0))
        self.card = replace(
            fake_card(), name="eye", modality="face", labels=LABELS, emotions={x: (x,) for x in LABELS},
            thresholds=dict.fromkeys(LABELS, 0.5), affect=affect,
        )  # fmt: skip
        self.frontend = FaceFrontend(SPEC)
        self.bundle = SimpleNamespace(path=None, flatbuffer=b"", card=self.card)
        self.runtime = SimpleNamespace(info=SimpleNamespace(backend="eye", delegate="cpu"))

    def predict(self, image: Any, color: Any, boxes: Any) -> EmotionResult:
        level = 255 * float(self.frontend.compute(image, color, boxes[0]).mean())
        near = np.exp(-np.abs(np.array(list(BYTES.values())) - level) / 20)
        share = near / near.sum()
        scores = np.zeros(len(EMOTIONS), np.float32)
        for label, value in zip(LABELS, share, strict=True):
            scores[EMOTIONS.index(label)] = value
        return EmotionResult(
            "face", scores, LABELS, share.astype(np.float32), np.full(5, 0.5, np.float32), 0.0, 0.0, 1.0
        )


def faces(folder: Path, rows: list[dict[str, Any]]) -> list[Example]:
    """Write flat faces, each with a byte of its own so that no two are the same: shown and given label."""
    found = []
    for i, row in enumerate(rows):
        picture = np.full((40, 40), BYTES[row["shown"]], np.uint8)
        picture[0, 0] = i
        cv2.imwrite(str(folder / f"{i}.png"), picture)
        more = {key: value for key, value in row.items() if key not in ("shown", "given")}
        found.append(Example(path=folder / f"{i}.png", labels=(row.get("given", row["shown"]),), **more))
    return found


def measured(examples: list[Example], **options: Any) -> Report:
    reader: Any = Eye()
    return evaluate(reader, examples, **({"resamples": 100} | options))


def shown(report: Report) -> str:
    from rich.console import Console

    console = Console(width=140, file=io.StringIO())
    console.print(tables.render(report))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


# --- damage ---

CROP = np.random.default_rng(0).integers(60, 200, (48, 48)).astype(np.uint8)
VIEW = View(CROP, "gray", (0.0, 0.0, 48.0, 48.0), 20.0)


def corrupted(kind: str, strength: float, view: View = VIEW, number: int = 3, seed: int = 0) -> View:
    return Corruptions(seed).corrupted(view, number, kind, strength)


@pytest.mark.parametrize("kind", STRENGTHS)
def test_a_face_is_always_damaged_alike_and_the_original_stays(kind: str) -> None:
    before = CROP.copy()
    for strength in STRENGTHS[kind]:
        one, two = corrupted(kind, strength), corrupted(kind, strength)
        assert np.array_equal(one.picture, two.picture)
        assert one.box == two.box
    assert np.array_equal(before, CROP)


@pytest.mark.parametrize("kind", ["noise", "occlusion", "shift"])
def test_another_face_and_another_seed_meet_another_chance(kind: str) -> None:
    views = [corrupted(kind, 20, number=n, seed=s) for n, s in ((3, 0), (4, 0), (3, 1))]
    assert len({(v.picture.tobytes(), v.box) for v in views}) == 3


@pytest.mark.parametrize("sd", [5, 20])
def test_noise_has_the_deviation_asked_for_and_the_same_shape_at_every_strength(sd: float) -> None:
    flat = replace(VIEW, picture=np.full((200, 200), 128, np.uint8))
    noise = corrupted("noise", sd, flat).picture.astype(float) - 128
    assert noise.std() == pytest.approx(sd, rel=0.03)
    other = corrupted("noise", 10, flat).picture.astype(float) - 128
    assert np.corrcoef(noise.ravel(), other.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_bytes_are_multiplied_and_clipped(factor: float) -> None:
    expected = np.minimum(np.rint(CROP * factor), 255)
    assert np.array_equal(corrupted("brightness", factor).picture, expected)


def test_blur_has_its_width_in_eye_distances() -> None:
    point = np.zeros((101, 101), np.uint8)
    point[50, 50] = 255
    view = View(point, "gray", (0.0, 0.0, 101.0, 101.0), 20.0)
    share = corrupted("blur", 0.1, view).picture.astype(float).sum(0)
    where = np.arange(101) - 50
    assert (share * where**2).sum() / share.sum() == pytest.approx(2.0**2, rel=0.25)


@pytest.mark.parametrize("percent", [5, 10, 20, 30])
def test_a_square_hides_its_share_of_the_box_within_the_box(percent: float) -> None:
    view = View(np.zeros((100, 120), np.uint8), "gray", (30.0, 20.0, 90.0, 80.0), 25.0)
    for number in range(8):
        picture = corrupted("occlusion", percent, view, number).picture
        if not picture.any():
            continue  # it drew black
        hidden = picture > 0
        assert hidden.sum() / 3600 == pytest.approx(percent / 100, abs=0.03)
        assert hidden[20:80, 30:90].sum() == hidden.sum()
        assert np.unique(picture[hidden]).size == 1


def test_a_picture_turns_about_the_middle_of_its_box() -> None:
    picture = np.zeros((101, 101), np.uint8)
    picture[46:55, 46:55] = 200
    picture[50, 80] = 255
    view = View(picture, "gray", (0.0, 0.0, 101.0, 101.0), 40.0)
    found = corrupted("rotation", 30, view).picture
    assert found[48:53, 48:53].min() == 200
    y, x = np.unravel_index(
        int(np.where(np.hypot(*np.indices((101, 101)) - 50) > 20, found, 0).argmax()), (101, 101)
    )
    assert np.hypot(y - 50, x - 50) == pytest.approx(30, abs=1)
    assert abs(np.degrees(np.arctan2(y - 50, x - 50))) == pytest.approx(30, abs=2)


def test_a_face_is_shrunk_to_its_eye_distance_but_never_enlarged() -> None:
    small = corrupted("eyes", 10)
    assert small.picture.shape == (24, 24)
    assert small.box == (0, 0, 24, 24)
    assert small.eye_px == 10
    assert np.array_equal(small.picture, np.rint(CROP.reshape(24, 2, 24, 2).mean((1, 3)) + 1e-9))
    assert corrupted("eyes", 24) is VIEW


def test_a_box_moves_and_grows_by_what_is_asked() -> None:
    box = corrupted("shift", 0.2).box
    assert np.hypot(box[0], box[1]) == pytest.approx(0.2 * 20)
    assert box[2] - box[0] == pytest.approx(48)
    assert scaled((0, 0, 10, 20), 1.2) == pytest.approx((-1, -2, 11, 22))


def test_jpeg_of_colour_stays_colour_and_gets_worse() -> None:
    colour = replace(VIEW, picture=np.repeat(CROP[..., None], 3, 2), color="bgr")
    errors = []
    for quality in STRENGTHS["jpeg"]:
        found = corrupted("jpeg", quality, colour).picture
        assert found.shape == (48, 48, 3)
        errors.append(np.abs(found.astype(float) - colour.picture).mean())
    assert errors == sorted(errors)


# --- where the face is ---


def test_eyes_of_a_manifest_place_the_crop_as_the_frontend_does(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (300, 400)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    eyes = ((150.0, 120.0), (200.0, 120.0))
    view = view_of(Example(path=tmp_path / "a.png", eyes=eyes), SPEC)
    frontend = FaceFrontend(SPEC)
    there = frontend.compute(picture, "gray", crop=frontend.align(eyes=eyes))
    np.testing.assert_allclose(frontend.compute(view.picture, "gray", view.box), there, atol=1e-4)
    assert view.eye_px == 50
    assert view.picture.size < picture.size
    with pytest.raises(DataError, match="lie outside"):
        view_of(Example(path=tmp_path / "a.png", eyes=((900.0, 9.0), (910.0, 9.0))), SPEC)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_age_ethnicity_and_eyes_are_read_back_equal(name: str, tmp_path: Path) -> None:
    example = Example(path=tmp_path / "a.png", age="34", ethnicity="x", eyes=((1.5, 2.0), (3.25, 4.0)))
    write_manifest(tmp_path / name, [example])
    assert read_manifest(tmp_path / name) == [example]


@pytest.mark.parametrize("eyes", ["1 2 3", "3 2 1 2", "a b c d", "nan 1 2 3"])
def test_wrong_eyes_are_named_with_their_line(eyes: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"path,eyes\na.png,{eyes}\n")
    with pytest.raises(DataError, match="line 2: eyes is"):
        read_manifest(tmp_path / "a.csv")


def test_an_eye_error_is_in_distances_between_the_eyes() -> None:
    assert eye_errors(((0, 1), (10, 0)), ((0, 0), (10, 0))) == pytest.approx((0.05, 0.1))


def test_a_detector_is_measured_where_the_manifest_has_eyes(tmp_path: Path) -> None:
    true = ((10.0, 20.0), (30.0, 20.0))
    examples = [replace(e, eyes=true) for e in faces(tmp_path, [{"shown": "anger"}] * 4)]
    examples += [replace(examples[0], eyes=None)]
    left = iter([0.0, 2.0, 99.0])

    def find(picture: Any, color: str) -> list[Face]:
        by = next(left, None)
        if by is None:
            return []
        far = Face((60, 60, 99, 99), ((70, 70), (90, 70)))
        return [far, Face((0, 0, 40, 40), ((10 + by, 20), (30 + by, 20)))]

    found = measure_alignment(find, examples, Draw(5, 100))
    assert (found.n, found.found) == (4, 2)
    assert found.error.value == pytest.approx(0.05)
    assert found.worst.low <= found.worst.value <= found.worst.high
    assert "Alignment" in shown(measured(examples, find=lambda *_: [Face((0, 0, 40, 40), true)]))
    with pytest.raises(DataError, match="None of the 4 faces"):
        measure_alignment(lambda *_: [], examples, Draw(5, 100))
    with pytest.raises(DataError, match="add the column eyes"):
        measure_alignment(find, examples[4:], Draw(1, 100))


# --- reports ---


def test_robustness_is_measured_in_pairs_shown_and_drawn(tmp_path: Path) -> None:
    examples = faces(tmp_path, [{"shown": label} for label in LABELS] * 4)
    report = measured(examples, corruptions=Corruptions())
    found: Any = report.robustness
    by = {(c.kind, c.strength): c for c in found.conditions}
    assert found.clean["accuracy"].value == 1
    assert by["blur", 0.1].scores["accuracy"].value == 1  # flat faces stay as bright as they were
    assert by["brightness", 0.5].drops["accuracy"].value >= 0.6
    for c in found.conditions:
        for name, drop in c.drops.items():
            assert drop.value == pytest.approx(found.clean[name].value - c.scores[name].value)
            assert drop.low <= drop.value <= drop.high
    assert ("eyes", 24) not in by, "the eyes of 40 pixels' faces lie closer: nothing was changed"
    assert by["eyes", 12].changed == 1
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["robustness"]["eye_px"] == pytest.approx(
        16.8
    )
    assert "occlusion (% of the box)" in shown(report)
    again: Any = measured(examples, corruptions=Corruptions()).robustness
    assert again.to_dict() == found.to_dict()
    pytest.importorskip("matplotlib")
    written = {path.name for path in pictures.write(report, tmp_path / "drawn")}
    assert {"fine-confusion.png", "robustness.png"} <= written


def test_ages_in_tens_and_ethnicities_are_measured(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for i in range(6):
        rows.append({"shown": "anger", "age": str(20 + 3 * i), "ethnicity": "ab"[i % 2]})
        rows.append({"shown": "sadness", "given": "sadness" if i < 4 else "anger", "age": "child"})
    groups = measured(faces(tmp_path, rows)).to_dict()["groups"]
    assert {name: row["n"] for name, row in groups["age"].items()} == {"20–29": 4, "30–39": 2, "child": 6}
    assert groups["age"]["20–29"]["labels"] == 1
    assert groups["age"]["child"]["accuracy"]["value"] == pytest.approx(4 / 6)
    assert set(groups["ethnicity"]) == {"a", "b"}
    report = measured(faces(tmp_path, rows))
    assert "By age" in shown(report)
    assert "By ethnicity" in shown(report)


def test_a_label_left_out_takes_its_examples_and_its_probability(tmp_path: Path) -> None:
    rows = [{"shown": label} for label in LABELS] + [{"shown": "contempt", "given": "anger"}]
    report = measured(faces(tmp_path, rows), without=["contempt"])
    assert report.n == 5
    assert report.metrics["accuracy"].value == 1, "without contempt the last is nearest to anger"
    assert report.levels[0].labels == LABELS[:4]
    assert report.notes[0] == "Left out: 1 examples of contempt."
    assert "probabilities are divided by their sum" in report.notes[1]
    with pytest.raises(DataError, match="unknown here"):
        measured(faces(tmp_path, rows), without=["scorn"])
    with pytest.raises(DataError, match="nothing is left"):
        measured(faces(tmp_path, rows[:2]), without=LABELS[:2])


def test_means_apart_from_a_rare_label_keep_its_mistakes(tmp_path: Path) -> None:
    rows = [{"shown": "anger"}, {"shown": "anger", "given": "sadness"}, {"shown": "neutral"}]
    found = measured(faces(tmp_path, rows), apart=["sadness"]).metrics
    assert found["uar"].value == pytest.approx(2 / 3)
    assert found["rest_uar"].value == 1
    assert found["rest_macro_f1"].value == pytest.approx((2 / 3 + 1) / 2), "anger's precision still suffers"
    with pytest.raises(DataError, match="no label is left for a mean"):
        measured(faces(tmp_path, rows), apart=["sadness", "anger", "neutral"])


def test_means_over_some_labels_are_of_these_only() -> None:
    truth = np.eye(3, dtype=bool)
    measure = LabelMeasure(truth, np.eye(3)[[0, 1, 0]], truth[[0, 1, 0]], exclusive=True, over=[0, 1])
    assert measure.finish(measure.rows.sum(0, keepdims=True))["uar"][0] == 1


# --- the command line, FER2013's labels, the peers ---


def test_the_command_measures_damage_and_leaves_labels_out(
    bundle_of_trained_face: Path, trained_face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = read_manifest(trained_face / "dev.csv")[:24]
    write_manifest(tmp_path / "some.csv", some)
    call = [
        "evaluate",
        str(bundle_of_trained_face),
        str(tmp_path / "some.csv"),
        "--bootstrap",
        "20",
        "--json",
    ]
    assert main([*call, "--robustness", "--without", "contempt", "--apart", "disgust"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "contempt" not in found["confusion"]["labels"]
    assert found["n"] == sum(e.labels != ("contempt",) for e in some)
    assert "rest_macro_f1" in found["metrics"]
    assert {c["kind"] for c in found["robustness"]["conditions"]} == set(STRENGTHS)
    assert main([*call, "--robustness", "--noise", str(tmp_path)]) == 2
    assert "--noise is for a voice bundle" in capsys.readouterr().err


def test_the_labels_of_fer2013_are_written_without_leaks(tiny_faces: Path, tmp_path: Path) -> None:
    found = {}
    for name in ("ferplus", "fer2013"):
        out = tmp_path / f"{name}.csv"
        assert main(["manifest", name, "--data", str(tiny_faces), "--split", "valid", "--out", str(out)]) == 0
        found[name] = {str(e.path): e.labels for e in read_manifest(out)}
    assert {label for labels in found["fer2013"].values() for label in labels} == {
        "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"
    }  # fmt: skip
    expected = {path: labels for path, labels in found["ferplus"].items() if labels != ("contempt",)}
    assert found["fer2013"] == expected, "the drawings mean the same in both; contempt is no label of FER2013"


def test_a_majority_is_more_than_half_of_all_votes(tiny_faces: Path) -> None:
    every, agreed = (catalog.load(name, tiny_faces, "train") for name in ("ferplus", "ferplus-majority"))
    assert all(isinstance(e, VotedFace) and max(e.votes) > 5 for e in agreed)
    tied = [e for e in every if e not in agreed]
    assert [e.votes for e in tied if isinstance(e, VotedFace)] == [(0, 0, 4, 4, 0, 0, 0, 0)]


def test_the_peers_read_what_their_pages_say() -> None:
    peer = script("peer_fer")
    gray = np.full((48, 48), 255, np.uint8)
    x = peer.fer_tensor(gray, "gray")
    assert (x.shape, x.dtype, float(x.min())) == ((1, 64, 64, 1), np.float32, 1.0)
    blue = np.zeros((20, 40, 3), np.uint8)
    blue[..., 0] = 200
    x = peer.face_api_tensor(blue, "bgr")
    assert (x.shape, x.dtype) == ((1, 112, 112, 3), np.float32)
    assert x[0, 56, 56].tolist() == [0, 0, 200]
    assert not x[0, :20].any(), "padded with black"
    for one in peer.PEERS.values():
        assert sorted(one.labels) == sorted(set(one.labels))
        assert len(one.labels) == 7


def test_peers_are_compared_in_pairs_on_the_labels_all_know(
    bundle_of_trained_face: Path, trained_face: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    peer = script("peer_fer")

    def perfect(one: Any, model: Path, examples: list[Example], labels: tuple[str, ...]) -> Any:
        return np.array([[x in e.labels for x in labels] for e in examples], float)

    monkeypatch.setattr(peer, "ask", perfect)
    out = tmp_path / "found.json"
    dev = trained_face / "dev.csv"
    peer.main(["--manifest", str(dev), "--bundle", str(bundle_of_trained_face), "--fer", "a.tflite",
               "--apart", "disgust", "--json", str(out)])  # fmt: skip
    found = json.loads(out.read_text())
    contempt = sum(e.labels == ("contempt",) for e in read_manifest(dev))
    assert found["left_out"] == contempt > 0
    assert "contempt" not in found["labels"]
    theirs = found["peers"]["fer"]
    assert theirs["metrics"]["accuracy"]["value"] == 1
    gap = found["ours"]["accuracy"]["value"] - 1
    assert theirs["difference"]["accuracy"]["value"] == pytest.approx(gap)
    assert theirs["by_label"]["disgust"]["n"] > 0
    assert "rest_macro_f1" in theirs["difference"]
