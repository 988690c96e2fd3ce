"""Specs of the face frontend, good and bad."""

from __future__ import annotations

import json
import pickle
from itertools import product
from typing import Any

import pytest

from edgeemo import _core
from edgeemo.errors import SpecError
from edgeemo.frontends import FaceFrontend, FaceSpec, frontend_for


def test_a_spec_is_a_value() -> None:
    spec = FaceSpec(width=48, channels="rgb", eye_y=0.4)
    assert spec == FaceSpec.from_dict(spec.to_dict())
    assert spec == FaceSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert spec == pickle.loads(pickle.dumps(spec))
    assert spec != FaceSpec()
    assert len({spec, FaceSpec(width=48, channels="rgb", eye_y=0.4), FaceSpec()}) == 2
    assert list(spec.to_dict()) == sorted(spec.to_dict())
    assert repr(spec).startswith("FaceSpec(border='replicate', box_scale=1.0, channels='rgb', ")
    assert spec.output == ((64, 48, 3), "float32")
    assert FaceSpec().output == ((64, 64, 1), "float32")
    with pytest.raises(AttributeError):
        spec.width = 3  # type: ignore[misc]


def test_every_field_has_its_default_and_can_be_read() -> None:
    assert FaceSpec().to_dict() == {
        "width": 64,
        "height": 64,
        "channels": "gray",
        "border": "replicate",
        "box_scale": 1.0,
        "eye_y": 0.38,
        "eye_distance": 0.42,
        "normalization": "none",
        "gain": 1.0,
    }
    for name, value in FaceSpec().to_dict().items():
        assert getattr(FaceSpec(), name) == value


OTHER: dict[str, list[Any]] = {
    "width": [65],
    "height": [65],
    "channels": ["rgb"],
    "border": ["black"],
    "box_scale": [1.2, 1.0000000000000002],
    "eye_y": [0.4, 0.0],
    "eye_distance": [0.5],
    "normalization": ["mean_std"],
    "gain": [0.5],
}


def test_digests_tell_all_specs_apart() -> None:
    assert set(OTHER) == set(FaceSpec().to_dict())
    changed = [{name: value} for name, values in OTHER.items() for value in values]
    pairs = [a | b for a, b in product(changed, changed)]
    specs = {repr(FaceSpec(**fields)): FaceSpec(**fields).digest for fields in [*changed, *pairs, {}]}
    assert len(set(specs.values())) == len(specs) > len(changed)
    assert FaceSpec(eye_y=-0.0).digest == FaceSpec(eye_y=0.0).digest


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"width": 7}, r"width must be in \[8, 512\], got 7"),
        ({"width": 513}, "got 513"),
        ({"width": 64.0}, "width must be an int, got float 64.0"),
        ({"width": True}, "width must be an int, got bool"),
        ({"height": 0}, r"height must be in \[8, 512\], got 0"),
        ({"height": 10**30}, "height must be a smaller number"),
        ({"channels": "bgr"}, "channels must be 'gray' or 'rgb', got 'bgr'"),
        ({"channels": 3}, "channels must be a str, got int 3"),
        ({"border": "white"}, "border must be 'replicate' or 'black'"),
        ({"border": "\ud800"}, "border must be"),
        ({"box_scale": 0.2}, r"box_scale must be in \[0.25, 4\], got 0.2"),
        ({"box_scale": float("nan")}, "box_scale must be in .* got nan"),
        ({"eye_y": -0.1}, "eye_y must be in"),
        ({"eye_y": None}, "eye_y must be a float, got NoneType"),
        ({"eye_distance": 0}, r"eye_distance must be in \[0.05, 1\], got 0"),
        ({"eye_distance": False}, "eye_distance must be a float, got bool"),
        ({"normalization": "level"}, "normalization must be 'none' or 'mean_std'"),
        ({"gain": 0}, "gain must be in"),
        ({"gain": float("inf")}, "gain must be in"),
        ({"gain": 10**400}, "gain must be a smaller number"),
        ({"size": 64}, "unknown key 'size' in a FaceSpec; the keys are border, box_scale"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(fields: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        FaceSpec(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=says):
        FaceSpec.from_dict(fields)


def test_digests_stay_what_releases_have_written_into_cards() -> None:
    assert _core.FACE_FRONTEND_VERSION == 1
    assert FaceSpec().digest == "e75b7fd3715dc10f"
    assert (
        FaceSpec(width=48, channels="rgb", normalization="mean_std", eye_y=0.4).digest == "1198f37e34445940"
    )


def test_a_spec_is_made_from_a_dict() -> None:
    with pytest.raises(SpecError, match="made from a dict, got list"):
        FaceSpec.from_dict([])  # type: ignore[arg-type]


def test_a_card_makes_a_frontend() -> None:
    frontend = frontend_for("face", FaceSpec(width=48).to_dict(), {})
    assert isinstance(frontend, FaceFrontend)
    assert frontend.spec == FaceSpec(width=48)
    with pytest.raises(SpecError, match="unknown key"):
        frontend_for("face", {"length": 48}, {})
