"""The decoder turns a detector's heads into faces of the picture, once each."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
import reference_detect as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo.errors import InputError, InputTypeError, SpecError
from edgeemo.faces import DetectorSpec, Face, FaceDecoder, face_in_front
from edgeemo.frontends import Alignment, FaceFrontend, FaceSpec

SPEC = DetectorSpec()
HERE = Alignment(a=1, b=0, x=0, y=0)


def face(x: float, y: float, side: float, score: float = 0.9) -> Face:
    """Its middle at (x, y)."""
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return Face(box, ((x - side / 5, y - side / 6), (x + side / 5, y - side / 7)), score)


def numbers(found: Face) -> list[float]:
    return [*found.box, *found.eyes[0], *found.eyes[1], found.score]


def assert_same(ours: list[Face], theirs: list[Face]) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(numbers(a), numbers(b), rtol=1e-5, atol=1e-4)


def random_heads(spec: DetectorSpec, seed: int, mean: float) -> reference.Heads:
    rng = np.random.default_rng(seed)
    shape = (spec.cells, 4)
    logits = rng.normal(mean, 2, spec.cells)
    boxes = rng.normal(0, 0.4, shape) + np.array([0, 0, 1, 1])
    return logits.astype(np.float32), boxes.astype(np.float32), rng.normal(0, 0.3, shape).astype(np.float32)


# --- against the reference ---


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_faces_are_those_of_the_reference(data: st.DataObject) -> None:
    least, most = data.draw(st.sampled_from([(8, 8), (8, 16), (8, 32), (16, 16)]))
    spec = DetectorSpec(
        width=32 * data.draw(st.integers(1, 5)),
        height=32 * data.draw(st.integers(1, 5)),
        least_stride=least,
        most_stride=most,
        score_scale=data.draw(st.sampled_from([1.0, 0.7])),
        score_bias=data.draw(st.sampled_from([0.0, -0.5])),
        overlap=data.draw(st.sampled_from([0.1, 0.3, 0.6])),
        merge=data.draw(st.sampled_from(["best", "mean"])),
        most_faces=data.draw(st.sampled_from([3, 64, 256])),
    )
    at = data.draw(st.sampled_from([HERE, Alignment(a=5, b=0, x=0, y=-100), Alignment(a=2, b=1, x=9, y=8)]))
    heads = random_heads(spec, data.draw(st.integers(0, 10**6)), data.draw(st.sampled_from([-5, -2, 1])))
    assert_same(FaceDecoder(spec).decode(*heads, at), reference.decode(heads, spec, at))


@pytest.mark.parametrize("merge", ["best", "mean"])
def test_equal_scores_go_by_their_cells(merge: Any) -> None:
    logits, boxes, eyes = random_heads(SPEC, 1, 0)
    heads = (np.ones_like(logits), boxes, eyes)
    spec = DetectorSpec(merge=merge, most_faces=256)
    assert_same(FaceDecoder(spec).decode(*heads, HERE), reference.decode(heads, spec, HERE))


# --- where faces come to lie ---


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("merge", ["best", "mean"])
def test_a_face_is_found_where_it_stands(stride: int, merge: Any) -> None:
    spec = DetectorSpec(width=160, height=96, merge=merge)
    for planted in (face(70.3, 41.1, 22.0), face(2, 2, 9.5), face(159, 95, 60.0), face(80, 48, 300.0)):
        found = FaceDecoder(spec).decode(*reference.heads_with([planted], spec, stride), HERE)
        assert_same(found, [planted])


def test_a_letterbox_leads_back_into_the_picture() -> None:
    frontend = FaceFrontend(FaceSpec(width=128, height=128, channels="rgb", border="black"))
    at = frontend.align((0, 0, 1280, 720))
    tensor = frontend.compute(np.full((720, 1280, 3), 255, np.uint8), "rgb")
    rows = np.flatnonzero(tensor[:, 64, 0] > 0.5)
    assert (rows[0], rows[-1]) == (28, 99)
    assert tensor[:28].max() == 0
    assert at.to_picture(0, 28) == pytest.approx((0, 0))
    assert at.to_picture(128, 100) == pytest.approx((1280, 720))
    found = FaceDecoder(SPEC).decode(*reference.heads_with([face(64, 64, 20)], SPEC, 16), at)
    assert_same(found, [face(640, 360, 200)])


def test_eyes_stay_in_picture_order() -> None:
    upside_down = Alignment(a=-1, b=0, x=128, y=128)
    (found,) = FaceDecoder(SPEC).decode(*reference.heads_with([face(40, 40, 20)], SPEC, 8), upside_down)
    assert found.eyes[0][0] < found.eyes[1][0]


def test_forty_faces_are_forty() -> None:
    scores = np.linspace(0.95, 0.6, 40)
    planted = [face(20 + 24 * (i % 8), 20 + 24 * (i // 8), 20, s) for i, s in enumerate(scores)]
    spec = DetectorSpec(width=256, height=160)
    assert_same(FaceDecoder(spec).decode(*reference.heads_with(planted, spec, 8), HERE), planted)
    few = DetectorSpec(width=256, height=160, most_faces=7)
    assert_same(FaceDecoder(few).decode(*reference.heads_with(planted, few, 8), HERE), planted[:7])


def test_one_face_seen_by_many_cells_is_one() -> None:
    seen = [face(60 + 8 * i, 60, 64, 0.9 - 0.1 * i) for i in range(3)]
    (best,) = FaceDecoder(DetectorSpec(merge="best")).decode(*reference.heads_with(seen, SPEC, 8), HERE)
    assert_same([best], seen[:1])
    (mean,) = FaceDecoder(SPEC).decode(*reference.heads_with(seen, SPEC, 8), HERE)
    middle = (60 * 0.9 + 68 * 0.8 + 76 * 0.7) / 2.4
    assert_same([mean], [face(middle, 60, 64, 0.9)])


def test_nothing_is_no_face() -> None:
    assert FaceDecoder(SPEC).decode(*reference.heads_with([], SPEC, 8), HERE) == []


def test_scores_are_calibrated() -> None:
    spec = DetectorSpec(score_scale=0.5, score_bias=-1.0, least_score=0.2)
    logits, boxes, eyes = reference.heads_with([], spec, 8)
    logits[0] = 2.0
    assert [f.score for f in FaceDecoder(spec).decode(logits, boxes, eyes, HERE)] == pytest.approx([0.5])
    logits[0] = -0.8  # sigmoid(-1.4) = 0.198
    assert FaceDecoder(spec).decode(logits, boxes, eyes, HERE) == []


def test_the_score_asked_for_is_enough() -> None:
    logits, boxes, eyes = reference.heads_with([], SPEC, 8)
    logits[5] = 0.0
    assert len(FaceDecoder(SPEC).decode(logits, boxes, eyes, HERE)) == 1


def test_extreme_heads_have_numbers() -> None:
    logits = np.full(SPEC.cells, np.inf, np.float32)
    wild = np.full((SPEC.cells, 4), 1e6, np.float32)
    faces = FaceDecoder(SPEC).decode(logits, wild, wild, HERE)
    assert faces
    assert np.isfinite([numbers(f) for f in faces]).all()
    assert FaceDecoder(SPEC).decode(-logits, wild, wild, HERE) == []


def test_thousands_of_candidates_end() -> None:
    spec = DetectorSpec(width=512, height=512, least_stride=4, most_stride=4, most_faces=256)
    logits, boxes, eyes = random_heads(spec, 2, 8)
    assert len(FaceDecoder(spec).decode(logits, boxes, eyes, HERE)) <= 256


# --- what may come ---


@pytest.mark.parametrize("head", [0, 1, 2])
def test_nan_is_named(head: int) -> None:
    heads = reference.heads_with([face(40, 40, 20)], SPEC, 8)
    cell = int(heads[0].argmax())
    heads[head][cell] = np.nan
    with pytest.raises(InputError, match=f"a head of the detector has NaN at cell {cell}; check the model"):
        FaceDecoder(SPEC).decode(*heads, HERE)


def test_other_heads_are_refused() -> None:
    logits, boxes, eyes = reference.heads_with([], SPEC, 8)
    decode: Any = FaceDecoder(SPEC).decode
    for bad in (
        (logits[1:], boxes, eyes),
        (logits, boxes.T, eyes),
        (logits, boxes, eyes[:, :2]),
        (boxes, boxes, eyes),
    ):
        with pytest.raises(InputError, match=r"must be contiguous and have the shape \(320,"):
            decode(*bad, HERE)
    with pytest.raises(InputTypeError, match=r"expected boxes as a float32 array \(320, 4\), got"):
        decode(logits, boxes.astype(np.float64), eyes, HERE)
    with pytest.raises(InputTypeError, match="expected logits as a float32 array"):
        decode(None, boxes, eyes, HERE)
    with pytest.raises(InputTypeError, match="expected an Alignment, got NoneType"):
        decode(logits, boxes, eyes, None)


# --- values ---


def test_a_face_is_a_value() -> None:
    one = face(10, 10, 8)
    assert one == pickle.loads(pickle.dumps(one)) == face(10, 10, 8)
    assert one != face(10, 10, 8, 0.8)
    assert len({one, face(10, 10, 8), face(10, 10, 9)}) == 2
    assert repr(Face((1, 2, 3, 4), ((1, 2), (3, 4)), 0.5)) == (
        "Face(box=(1.0, 2.0, 3.0, 4.0), eyes=((1.0, 2.0), (3.0, 4.0)), score=0.5)"
    )
    with pytest.raises(AttributeError):
        one.score = 1.0  # type: ignore[misc]
    with pytest.raises(InputTypeError, match="four numbers"):
        Face((1, 2, 3), ((1, 2), (3, 4)))


def test_the_face_in_front_is_the_largest_one_sure_of() -> None:
    near, far, doubtful = face(10, 10, 50, 0.8), face(90, 90, 20, 0.99), face(50, 50, 55, 0.5)
    assert face_in_front([far, near, doubtful]) == near
    assert face_in_front([far]) == far
    assert face_in_front([]) is None
    with pytest.raises(InputTypeError, match="expected a sequence of Face, got"):
        face_in_front([1])  # type: ignore[list-item]
    with pytest.raises(InputTypeError, match="expected a sequence of Face, got NoneType"):
        face_in_front(None)  # type: ignore[arg-type]


def test_a_spec_is_a_value() -> None:
    spec = DetectorSpec(width=160, merge="best")
    assert spec == DetectorSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert spec == pickle.loads(pickle.dumps(spec))
    assert spec != DetectorSpec()
    assert spec.cells == 20 * 16 + 10 * 8
    assert DetectorSpec(most_stride=8).cells == 256
    assert DetectorSpec().digest == "2d10e6dbcd8f6e32"
    assert len({DetectorSpec(**{k: v}).digest for k, v in OTHER.items()} | {SPEC.digest}) == len(OTHER) + 1


OTHER: dict[str, Any] = {
    "width": 160,
    "height": 160,
    "least_stride": 16,
    "most_stride": 32,
    "score_scale": 2.0,
    "score_bias": 1.0,
    "least_score": 0.4,
    "overlap": 0.4,
    "merge": "best",
    "most_faces": 63,
}


def test_every_field_has_its_default_and_can_be_read() -> None:
    assert set(OTHER) == set(SPEC.to_dict())
    for name, value in SPEC.to_dict().items():
        assert getattr(SPEC, name) == value


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"width": 31}, r"width must be in \[32, 512\], got 31"),
        ({"height": 520}, "height must be in"),
        ({"width": 136}, r"width must be a multiple of most_stride \(16\), got 136"),
        ({"least_stride": 12}, "least_stride must be a power of two, got 12"),
        ({"least_stride": 2}, "least_stride must be in"),
        ({"most_stride": 4}, r"most_stride must be in \[8, 64\], got 4"),
        ({"score_scale": 0}, "score_scale must be in"),
        ({"score_bias": float("nan")}, "score_bias must be in"),
        ({"least_score": 0}, "least_score must be in"),
        ({"overlap": 1}, "overlap must be in"),
        ({"merge": "all"}, "merge must be 'best' or 'mean', got 'all'"),
        ({"most_faces": 0}, "most_faces must be in"),
        ({"strides": [8]}, "unknown key 'strides' in a DetectorSpec"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        DetectorSpec(**fields)
