"""The face frontend: against the reference, geometry, colours, int8, memory, threads."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import reference_face as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeemo import _core
from edgeemo.errors import InputError
from edgeemo.frontends import Alignment, FaceFrontend, FaceSpec

Bytes = NDArray[np.uint8]

COLORS = ("rgb", "bgr", "rgba", "gray", "yuyv", "nv12")
SMALL = FaceSpec(width=24, height=20)
RGB = FaceSpec(width=16, height=16, channels="rgb")
ATOL = 2e-5  # of [0, 1]: points have 18 bits of fraction, and chroma counts double


def picture(color: str, width: int = 90, height: int = 60, seed: int = 0) -> Bytes:
    """Noise: every pixel counts."""
    shapes = {"gray": (height, width), "nv12": (height * 3 // 2, width)}
    shape = shapes.get(color, (height, width, {"rgba": 4, "yuyv": 2}.get(color, 3)))
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def smooth(width: int = 300, height: int = 200) -> Bytes:
    """A picture without fine detail, rgb."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 19 + c) * np.cos(y / 23 - c) for c in range(3)]
    return np.asarray(128 + 100 * np.stack(waves, axis=-1), np.uint8)


# --- against the reference ---

PLACES: dict[str, dict[str, Any]] = {
    "whole": {},
    "shrunk": {"box": (3.2, 1.7, 80.4, 55.1)},
    "over two borders": {"box": (-10, 5, 50, 70)},
    "far over all borders": {"box": (-200, -300, 500, 400)},
    "enlarged": {"box": (20.3, 20.1, 31, 30)},
    "enlarged at the corner": {"box": (85, 54, 95, 64)},
    "one pixel": {"box": (4, 4, 5, 5)},
    "turned, shrunk": {"eyes": ((30, 30), (75, 38))},
    "turned, a little shrunk": {"eyes": ((30, 30), (44, 33))},
    "turned, enlarged": {"eyes": ((30, 30), (36, 33))},
    "turned by a right angle": {"eyes": ((30, 20), (30, 33))},
    "turned, over the border": {"box": (-40, -40, 40, 40), "eyes": ((30, 30), (36, 20))},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("channels", ["gray", "rgb"])
@pytest.mark.parametrize("color", COLORS)
def test_tensors_are_those_of_the_reference(color: str, channels: Any, place: str) -> None:
    image, where = picture(color), PLACES[place] or {"box": (0, 0, 90, 60)}
    for border in ("replicate", "black"):
        spec = FaceSpec(width=24, height=20, channels=channels, border=border)
        frontend = FaceFrontend(spec)
        ours = frontend.compute(image, color, **PLACES[place])  # type: ignore[arg-type]
        assert ours.dtype == np.float32
        assert ours.shape == spec.output[0]
        theirs = reference.compute(image, color, spec, frontend.align(**where))
        np.testing.assert_allclose(ours, theirs, atol=ATOL, rtol=0)


@pytest.mark.parametrize("eyes", [((30, 30), (75, 38)), ((30, 30), (36, 33))], ids=["shrunk", "enlarged"])
@pytest.mark.parametrize("channels", ["gray", "rgb"])
def test_wide_tensors_are_those_of_the_reference(channels: Any, eyes: Any) -> None:
    """More points a line than are walked at once."""
    spec = FaceSpec(width=150, height=8, channels=channels)
    frontend, image = FaceFrontend(spec), picture("gray")
    theirs = reference.compute(image, "gray", spec, frontend.align(eyes=eyes))
    np.testing.assert_allclose(frontend.compute(image, "gray", eyes=eyes), theirs, atol=ATOL, rtol=0)


sides = st.integers(1, 40)
coordinates = st.floats(-60, 60)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x, y = draw(coordinates), draw(coordinates)
    return x, y, x + draw(st.floats(1.01, 90)), y + draw(st.floats(1.01, 90))


@st.composite
def eye_points(draw: st.DrawFn) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = draw(coordinates), draw(coordinates)
    return (x, y), (x + draw(st.floats(1.01, 40)), y + draw(st.floats(-40, 40)))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_place_in_any_picture_is_that_of_the_reference(data: st.DataObject) -> None:
    color = data.draw(st.sampled_from(COLORS))
    even = 2 if color in ("yuyv", "nv12") else 1
    image = picture(color, data.draw(sides) * even, data.draw(sides) * even, seed=3)
    spec = FaceSpec(
        width=data.draw(st.integers(8, 30)),
        height=data.draw(st.integers(8, 30)),
        channels=data.draw(st.sampled_from(["gray", "rgb"])),
        border=data.draw(st.sampled_from(["replicate", "black"])),
        normalization=data.draw(st.sampled_from(["none", "mean_std"])),
    )
    frontend = FaceFrontend(spec)
    where = data.draw(
        st.one_of(st.builds(lambda b: {"box": b}, boxes()), st.builds(lambda e: {"eyes": e}, eye_points()))
    )
    if not reference.touches(image, color, spec, frontend.align(**where)):
        with pytest.raises(InputError, match="wholly outside"):
            frontend.compute(image, color, **where)  # type: ignore[arg-type]
        return
    ours = frontend.compute(image, color, **where)  # type: ignore[arg-type]
    theirs = reference.compute(image, color, spec, frontend.align(**where))
    scale = 255 / reference.LEAST_DEVIATION if spec.normalization == "mean_std" else 1
    np.testing.assert_allclose(ours, theirs, atol=ATOL * scale, rtol=0)
    q = frontend.compute_int8(image, color, 1 / 128, -3, **where)  # type: ignore[arg-type]
    np.testing.assert_array_equal(q, reference.compute_int8(ours, 1 / 128, -3))


@given(boxes(), eye_points(), st.floats(0.25, 4), st.floats(0.05, 1), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_alignments_are_those_of_the_reference(
    box: Any, eyes: Any, box_scale: float, apart: float, eye_y: float
) -> None:
    spec = FaceSpec(width=40, height=50, box_scale=box_scale, eye_distance=apart, eye_y=eye_y)
    for where in ({"box": box}, {"eyes": eyes}, {"box": box, "eyes": eyes}):
        at = FaceFrontend(spec).align(**where)
        np.testing.assert_allclose((at.a, at.b, at.x, at.y), reference.align(spec, **where), atol=1e-6)
        assert at.to_crop(*at.to_picture(12.5, 7.25)) == pytest.approx((12.5, 7.25), abs=1e-6)


# --- geometry ---


def test_eyes_come_to_lie_where_the_spec_wants_them() -> None:
    frontend, eyes = (
        FaceFrontend(FaceSpec(width=100, height=80, eye_y=0.4, eye_distance=0.5)),
        ((31, 47), (55, 40)),
    )
    at = frontend.align(eyes=eyes)
    assert at.to_crop(*eyes[0]) == pytest.approx((25, 32))
    assert at.to_crop(*eyes[1]) == pytest.approx((75, 32))
    assert at.scale == pytest.approx(25 / 50)


def test_the_crop_holds_the_whole_box_in_its_middle() -> None:
    at = FaceFrontend(FaceSpec(width=50, height=100)).align(box=(10, 20, 40, 40))
    assert at == Alignment(a=0.6, b=0.0, x=10.0, y=0.0)
    assert at == pickle.loads(pickle.dumps(at))
    assert len({at, Alignment(a=0.6, b=0.0, x=10.0, y=0.0)}) == 1
    assert repr(at) == "Alignment(a=0.6, b=0.0, x=10.0, y=0.0)"
    turned = FaceFrontend(FaceSpec(width=50, height=100)).align((10, 20, 40, 40), ((20, 25), (23, 29)))
    assert turned.to_picture(25, 50) == pytest.approx((25, 30))
    assert (turned.a, turned.b) == pytest.approx((0.36, 0.48))


def test_a_picture_of_the_tensors_size_passes_as_it_is() -> None:
    for color, spec in {"rgb": RGB, "gray": FaceSpec(width=16, height=16)}.items():
        image = picture(color, 16, 16)
        ours = FaceFrontend(spec).compute(image, color)  # type: ignore[arg-type]
        np.testing.assert_array_equal(ours, image.reshape(ours.shape) * np.float32(1 / 255))


def test_whole_factors_average_whole_pixels() -> None:
    image = picture("rgb", 48, 48)
    mean = image.reshape(16, 3, 16, 3, 3).mean(axis=(1, 3)) / 255
    np.testing.assert_allclose(FaceFrontend(RGB).compute(image, "rgb"), mean, atol=1e-6)


def test_a_small_turn_changes_little() -> None:
    """The exact mean of upright crops and the points of turned ones agree on what has no fine detail."""
    frontend = FaceFrontend(FaceSpec(width=32, height=32))
    for side in (20, 40, 60, 150):
        box = (60, 20, 60 + side, 20 + side)
        upright = frontend.compute(smooth(), "rgb", box)
        turned = frontend.compute(smooth(), "rgb", box, ((70, 50), (90, 50.0001)))
        assert np.abs(upright - turned).max() < 0.01, side


def test_turned_crops_do_not_alias() -> None:
    """A chequerboard shrunk five times is gray, whatever the turn."""
    y, x = np.mgrid[:400, :400]
    board = np.asarray((x + y) % 2 * 255, np.uint8)
    for degrees in (0, 3, 17, 45, 80):
        turn = np.deg2rad(degrees)
        eyes = ((200, 200), (200 + 80 * np.cos(turn), 200 + 80 * np.sin(turn)))
        tensor = FaceFrontend(FaceSpec(width=40, height=40)).compute(board, "gray", eyes=eyes)
        assert np.abs(tensor - 0.5).max() < 0.06, degrees


def test_a_mirrored_picture_gives_the_mirrored_tensor() -> None:
    image, frontend = picture("rgb", 80, 80), FaceFrontend(RGB)
    ours = frontend.compute(image, "rgb", (10, 10, 61, 61))
    mirrored = frontend.compute(image[:, ::-1], "rgb", (19, 10, 70, 61))
    np.testing.assert_allclose(mirrored[:, ::-1], ours, atol=ATOL)


# --- colours and light ---


def test_colours_are_those_of_their_names() -> None:
    red = np.zeros((20, 20, 3), np.uint8)
    red[..., 0] = 200
    for color, image in {"rgb": red, "bgr": red[..., ::-1], "rgba": np.dstack([red, red[..., :1]])}.items():
        tensor = FaceFrontend(RGB).compute(image, color)  # type: ignore[arg-type]
        np.testing.assert_allclose(tensor, np.broadcast_to([200 / 255, 0, 0], (16, 16, 3)), atol=1e-6)
        gray = FaceFrontend(FaceSpec()).compute(image, color)  # type: ignore[arg-type]
        np.testing.assert_allclose(gray, 0.299 * 200 / 255, atol=1e-6)


@pytest.mark.parametrize(("y", "u", "v", "rgb"), [
    (16, 128, 128, (0, 0, 0)),
    (235, 128, 128, (1, 1, 1)),
    (126, 128, 128, (0.502, 0.502, 0.502)),
    (81, 90, 240, (1, 0, 0)),
    (41, 240, 110, (0, 0, 1)),
    (0, 0, 0, (0, 0.53, 0)),
    (255, 255, 255, (1, 0.491, 1)),
])  # fmt: skip
def test_yuv_is_bt601_of_limited_range(y: int, u: int, v: int, rgb: tuple[float, ...]) -> None:
    yuyv = np.empty((20, 20, 2), np.uint8)
    yuyv[..., 0], yuyv[:, ::2, 1], yuyv[:, 1::2, 1] = y, u, v
    nv12 = np.full((30, 20), y, np.uint8)
    nv12[20:, ::2], nv12[20:, 1::2] = u, v
    for color, image in {"yuyv": yuyv, "nv12": nv12}.items():
        tensor = FaceFrontend(RGB).compute(image, color)  # type: ignore[arg-type]
        np.testing.assert_allclose(tensor, np.broadcast_to(rgb, (16, 16, 3)), atol=0.006)


@pytest.mark.parametrize("color", ["yuyv", "nv12", "bgr", "rgba"])
def test_colours_are_those_of_opencv(color: Any) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs opencv-python-headless")
    codes = {"yuyv": "YUV2RGB_YUY2", "nv12": "YUV2RGB_NV12", "bgr": "BGR2RGB", "rgba": "RGBA2RGB"}
    image = np.maximum(picture(color, 64, 64), 16)  # blacker than black has a hue, which OpenCV drops
    ours = FaceFrontend(FaceSpec(channels="rgb")).compute(image, color) * 255
    theirs = cv2.cvtColor(image, getattr(cv2, f"COLOR_{codes[color]}"))
    assert np.abs(ours - theirs).max() < 1.1


def test_light_and_contrast_are_taken_away() -> None:
    image = smooth(64, 64)
    frontend = FaceFrontend(FaceSpec(normalization="mean_std", gain=0.5))
    usual = frontend.compute(image, "rgb")
    assert usual.mean() == pytest.approx(0, abs=1e-6)
    assert usual.std() == pytest.approx(0.5, rel=1e-5)
    dim = np.asarray(image // 2 + 30, np.uint8)
    np.testing.assert_allclose(frontend.compute(dim, "rgb"), usual, atol=0.01)


def test_a_crop_of_one_colour_is_nothing_after_normalisation() -> None:
    frontend = FaceFrontend(FaceSpec(normalization="mean_std"))
    assert np.abs(frontend.compute(np.full((9, 9), 77, np.uint8), "gray")).max() < 1e-6
    speck = np.full((64, 64), 77, np.uint8)
    speck[3, 4] = 78
    assert np.abs(frontend.compute(speck, "gray")).max() == pytest.approx(0.5, abs=0.01)


# --- int8 ---


@pytest.mark.parametrize("normalization", ["none", "mean_std"])
@pytest.mark.parametrize("channels", ["gray", "rgb"])
@pytest.mark.parametrize(
    ("scale", "zero_point"), [(1 / 255, -128), (0.02, 3), (1e-6, 127), (1e30, -128), (0.5, 0)]
)
def test_int8_is_the_float_tensor_quantized(
    normalization: Any, channels: Any, scale: float, zero_point: int
) -> None:
    frontend = FaceFrontend(FaceSpec(width=37, height=11, normalization=normalization, channels=channels))
    for box in ((0, 0, 90, 60), (5, 5, 12, 12)):
        q = frontend.compute_int8(picture("rgb"), "rgb", scale, zero_point, box)
        x = frontend.compute(picture("rgb"), "rgb", box)
        assert q.dtype == np.int8
        assert q.shape == x.shape
        np.testing.assert_array_equal(q, _core.quantize(x, scale, zero_point))


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(0, 0), (-1, 0), (np.nan, 0), (np.inf, 0), (1, 128), (1, -129)]
)
def test_a_bad_quantization_is_refused(scale: float, zero_point: int) -> None:
    with pytest.raises(InputError, match=r"(scale|zero_point) must be"):
        FaceFrontend(SMALL).compute_int8(picture("rgb"), "rgb", scale, zero_point)


# --- memory ---


def views(image: Bytes) -> list[Bytes]:
    """The same pixels with other strides, of any size and sign."""
    gaps = np.zeros((image.shape[0] * 2, image.shape[1] * 3, *image.shape[2:]), np.uint8)
    gaps[::2, ::3] = image
    padded = np.zeros((image.shape[0], image.shape[1] + 7, *image.shape[2:]), np.uint8)
    padded[:, 3:-4] = image
    backwards = np.ascontiguousarray(image[::-1, ::-1])
    return [gaps[::2, ::3], padded[:, 3:-4], backwards[::-1, ::-1], np.asfortranarray(image)]


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("place", ["whole", "shrunk", "enlarged", "turned, shrunk", "turned, enlarged"])
def test_strides_do_not_show(color: str, place: str) -> None:
    image = picture(color)
    for spec in (SMALL, RGB):
        whole = FaceFrontend(spec).compute(image, color, **PLACES[place])  # type: ignore[arg-type]
        for view in views(image):
            ours = FaceFrontend(spec).compute(view, color, **PLACES[place])  # type: ignore[arg-type]
            assert ours.tobytes() == whole.tobytes()


def test_channels_may_lie_anywhere() -> None:
    image, frontend = picture("rgb"), FaceFrontend(RGB)
    whole = frontend.compute(image, "rgb").tobytes()
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0)
    for view in (planes, np.dstack([image, image])[..., :3], image[..., ::-1][..., ::-1]):
        assert frontend.compute(view, "rgb").tobytes() == whole
    assert frontend.compute(image[..., ::-1], "bgr").tobytes() == whole


def test_a_picture_is_left_as_it_was() -> None:
    image = picture("rgb")
    image.flags.writeable = False
    FaceFrontend(SMALL).compute(image, "rgb")
    np.testing.assert_array_equal(image, picture("rgb"))


# --- threads ---


def test_threads_share_a_frontend() -> None:
    frontend, image = FaceFrontend(RGB), picture("rgb", 400, 300)
    cases: list[Any] = [{"box": (i, i, i + 50 + 9 * i, i + 60)} for i in range(20)]
    cases += [{"eyes": ((i + 50, 60), (i + 80, 70 + i))} for i in range(20)]
    expected = [FaceFrontend(RGB).compute(image, "rgb", **case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        for ours, whole in zip(
            pool.map(lambda case: frontend.compute(image, "rgb", **case), cases), expected, strict=True
        ):
            assert ours.tobytes() == whole.tobytes()
