"""Input of the face frontend: tiny, huge and empty pictures, other types and shapes, bad places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeemo.errors import InputError, InputTypeError
from edgeemo.frontends import Alignment, FaceFrontend, FaceSpec

SMALL = FaceSpec(width=24, height=20)
RGB = FaceSpec(width=16, height=16, channels="rgb")


def picture(color: str, width: int = 90, height: int = 60) -> NDArray[np.uint8]:
    shape = (height, width) if color == "gray" else (height, width, {"rgba": 4}.get(color, 3))
    return np.random.default_rng(0).integers(1, 256, shape).astype(np.uint8)


def test_a_picture_of_one_pixel_is_its_colour_everywhere() -> None:
    for color in ("rgb", "bgr", "rgba", "gray"):
        image = picture(color, 1, 1)
        tensor = FaceFrontend(RGB).compute(image, color)
        np.testing.assert_allclose(tensor, np.broadcast_to(tensor[0, 0], tensor.shape), atol=1e-7)
        assert tensor.max() > 0
    tiny = FaceFrontend(RGB).compute(np.full((2, 2, 2), 128, np.uint8), "yuyv")
    np.testing.assert_allclose(tiny, (128 - 16) / 219, atol=1e-6)


def test_a_huge_picture_is_read_in_place() -> None:
    frontend = FaceFrontend(SMALL)
    image = np.broadcast_to(np.uint8(100), (20000, 20000, 3))
    for where in ({}, {"eyes": ((5000, 5000), (15000, 9000))}, {"box": (19990, 19990, 20010, 20010)}):
        np.testing.assert_allclose(frontend.compute(image, "rgb", **where), 100 / 255, atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 5, 3), (5, 0, 3)])
def test_empty_pictures_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"the picture is empty \(\d x \d pixels\)"):
        FaceFrontend(SMALL).compute(np.zeros(shape, np.uint8), "rgb")


def test_too_large_pictures_are_refused() -> None:
    for shape in ((1, 32769, 3), (32769, 1, 3)):
        with pytest.raises(InputError, match="a side may have 32768; pass a part of it or shrink it"):
            FaceFrontend(SMALL).compute(np.broadcast_to(np.uint8(1), shape), "rgb")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int64", "bool", "object"])
def test_other_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(
        InputTypeError, match=r"expected a uint8 array, got .*; pass pixels as uint8, 0 to 255"
    ):
        FaceFrontend(SMALL).compute(np.zeros((9, 9, 3), dtype), "rgb")


def test_float_pictures_are_told_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"\(image \* 255\)\.round\(\)\.astype\('uint8'\)"):
        FaceFrontend(SMALL).compute(np.zeros((9, 9, 3), np.float32), "rgb")


@pytest.mark.parametrize("image", [None, [[1, 2], [3, 4]], b"\0" * 100, 3])
def test_what_is_no_array_is_refused(image: Any) -> None:
    with pytest.raises(InputTypeError, match="expected a numpy array, got"):
        FaceFrontend(SMALL).compute(image, "rgb")


@pytest.mark.parametrize(
    ("color", "shape", "expected"),
    [
        ("rgb", (9, 9), r"rgb has the shape \(height, width, 3\), got \(9, 9\)"),
        ("rgb", (9, 9, 4), r"got \(9, 9, 4\)"),
        ("rgb", (9, 9, 1), r"got \(9, 9, 1\)"),
        ("bgr", (9,), r"got \(9,\)"),
        ("rgba", (9, 9, 3), r"rgba has the shape \(height, width, 4\)"),
        ("gray", (9, 9, 3), r"gray has the shape \(height, width\), got \(9, 9, 3\)"),
        ("gray", (1, 9, 9, 1), r"got \(1, 9, 9, 1\)"),
        ("yuyv", (8, 8), r"yuyv has the shape \(height, width, 2\)"),
        ("yuyv", (8, 7, 2), "yuyv pictures have an even width, got 7 x 8 pixels"),
        ("nv12", (12, 8, 1), r"nv12 has the shape \(3 height / 2, width\)"),
        ("nv12", (13, 8), r"got \(13, 8\)"),
        ("nv12", (15, 8), None),
        ("nv12", (12, 7), "nv12 pictures have an even width and height, got 7 x 8"),
    ],
)
def test_other_shapes_are_refused(color: Any, shape: tuple[int, ...], expected: str | None) -> None:
    if expected is None:  # ten rows
        assert FaceFrontend(SMALL).compute(np.zeros(shape, np.uint8), color).shape == (20, 24, 1)
        return
    with pytest.raises(InputError, match=expected):
        FaceFrontend(SMALL).compute(np.zeros(shape, np.uint8), color)


def test_gray_may_have_a_channel_of_its_own() -> None:
    image = picture("gray")
    ours = FaceFrontend(SMALL).compute(image[..., None], "gray")
    np.testing.assert_array_equal(ours, FaceFrontend(SMALL).compute(image, "gray"))


@pytest.mark.parametrize("color", ["RGB", "", "cmyk", "\ud800"])
def test_other_colours_are_refused(color: Any) -> None:
    with pytest.raises(InputError, match="color must be 'gray', 'rgb', 'bgr', 'rgba', 'yuyv' or 'nv12', got"):
        FaceFrontend(SMALL).compute(picture("rgb"), color)


def test_a_colour_is_a_name() -> None:
    with pytest.raises(InputTypeError, match="expected a color such as 'rgb', got NoneType"):
        FaceFrontend(SMALL).compute(picture("rgb"), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ((np.nan, 0, 9, 9), "not finite or a million pixels away"),
        ((0, 0, np.inf, 9), "not finite"),
        ((0, 0, 2e6, 9), "a million pixels away; give it in pixels"),
        ((9, 0, 0, 9), r"the box \(9, 0, 0, 9\) is inverted or thinner than a pixel"),
        ((0, 9, 9, 0), "with x0 < x1 and y0 < y1"),
        ((5, 5, 5, 9), "thinner than a pixel"),
        ((0.1, 0.1, 0.9, 0.9), "thinner than a pixel"),
        ((100, 0, 109, 9), r"the crop around \(10\d, \d\) lies wholly outside the picture of 90 x 60 pixels"),
        ((-50, -50, -1, -1), "check that box and picture belong together"),
    ],
)
def test_a_bad_box_says_what_is_wrong(box: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        FaceFrontend(SMALL).compute(picture("rgb"), "rgb", box)


@pytest.mark.parametrize(
    ("eyes", "says"),
    [
        (
            ((5, 5), (5, 5)),
            r"the eyes \(\(5, 5\), \(5, 5\)\) are less than a pixel apart; pass the box alone",
        ),
        (((5, 5), (np.nan, 5)), "not finite"),
        (((5, 5), (5e6, 5)), "a million pixels away"),
        (((30, 5), (10, 5)), "not in picture order; give the one farther left first"),
        (((500, 500), (520, 500)), "wholly outside"),
    ],
)
def test_bad_eyes_say_what_is_wrong(eyes: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        FaceFrontend(SMALL).compute(picture("rgb"), "rgb", eyes=eyes)


@pytest.mark.parametrize("box", [5, "abcd", (1, 2, 3), (1, 2, 3, 4, 5), (1, 2, 3, "4"), (1, 2, 3, None)])
def test_a_box_is_four_numbers(box: Any) -> None:
    with pytest.raises(InputTypeError, match=r"four numbers.*\(x0, y0, x1, y1\) in pixels"):
        FaceFrontend(SMALL).compute(picture("rgb"), "rgb", box)


@pytest.mark.parametrize("eyes", [5, (1, 2), ((1, 2), (3,)), ((1, 2), (3, 4), (5, 6)), ((1, 2), ("a", 4))])
def test_eyes_are_two_points(eyes: Any) -> None:
    with pytest.raises(InputTypeError, match=r"give \(\(x, y\), \(x, y\)\) in pixels"):
        FaceFrontend(SMALL).compute(picture("rgb"), "rgb", eyes=eyes)


def test_places_may_be_arrays_and_lists() -> None:
    frontend, image = FaceFrontend(SMALL), picture("rgb")
    same = frontend.compute(image, "rgb", (1, 2, 33, 44))
    for box in ([1, 2, 33, 44], np.array([1, 2, 33, 44], np.float32), np.array([1, 2, 33, 44])):
        np.testing.assert_array_equal(frontend.compute(image, "rgb", box), same)
    eyes = np.array([[20.0, 20], [40, 22]])
    np.testing.assert_array_equal(
        frontend.compute(image, "rgb", eyes=eyes), frontend.compute(image, "rgb", eyes=((20, 20), (40, 22)))
    )


def test_a_crop_of_ones_own() -> None:
    frontend, image = FaceFrontend(SMALL), picture("rgb")
    at = frontend.align((1, 2, 33, 44))
    np.testing.assert_array_equal(
        frontend.compute(image, "rgb", crop=at), frontend.compute(image, "rgb", (1, 2, 33, 44))
    )
    with pytest.raises(InputError, match="got a crop beside a box or eyes"):
        frontend.compute(image, "rgb", (1, 2, 33, 44), crop=at)
    with pytest.raises(InputTypeError, match="expected an Alignment, got tuple"):
        frontend.compute(image, "rgb", crop=(1, 0, 0, 0))  # type: ignore[arg-type]
    for bad in ((0, 0, 0, 0), (np.nan, 0, 0, 0), (1e7, 0, 0, 0), (1, 0, np.inf, 0), (1, 0, 0, np.nan)):
        crop = Alignment(**dict(zip("abxy", bad, strict=True)))
        with pytest.raises(InputError, match=r"must be finite, its scale in \[1e-4, 1e6\]"):
            frontend.compute(image, "rgb", crop=crop)
    with pytest.raises(InputError, match="expected a box, eyes or both, got none"):
        frontend.align()
