"""OpenCV beside the face frontend: a place in a 720p frame becomes the same int8 tensor.

Shrinking is compared with crop, cvtColor, INTER_AREA and quantization, turning or enlarging with warpAffine
(bilinear). OpenCV's numbers are rounded to whole levels; ours are not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeemo.frontends import Alignment, FaceFrontend, FaceSpec

Bytes = NDArray[np.uint8]
Tensor = NDArray[np.int8]

SCALE, ZERO_POINT = 1 / 255, -128  # OpenCV's quantization is then a subtraction
LINEAR = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def frame() -> Bytes:
    coarse = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (1280, 720), interpolation=cv2.INTER_CUBIC), np.uint8)


FRAME = frame()
GRAY_FRAME = np.ascontiguousarray(FRAME[..., 0])


def quantized(image: Any) -> Tensor:
    """Take 128 away where the bytes are, which OpenCV has just made: nothing cheaper is known to us."""
    return np.bitwise_xor(image, 0x80, out=image).view(np.int8)  # type: ignore[no-any-return]


def cut(image: Bytes, box: tuple[int, int, int, int]) -> Bytes:
    return image[box[1] : box[3], box[0] : box[2]]


def gray_then_area(image: Bytes, box: tuple[int, int, int, int], size: tuple[int, int]) -> Tensor:
    gray = cv2.cvtColor(cut(image, box), cv2.COLOR_RGB2GRAY)
    return quantized(cv2.resize(gray, size, interpolation=cv2.INTER_AREA))


def area(image: Bytes, box: tuple[int, int, int, int], size: tuple[int, int]) -> Tensor:
    return quantized(cv2.resize(cut(image, box), size, interpolation=cv2.INTER_AREA))


def letterbox(image: Bytes, size: int) -> Tensor:
    small = cv2.resize(image, (size, size * 9 // 16), interpolation=cv2.INTER_AREA)
    margin = (size - small.shape[0]) // 2
    return quantized(cv2.copyMakeBorder(small, margin, margin, 0, 0, cv2.BORDER_CONSTANT))


def matrix(at: Alignment) -> NDArray[np.float64]:
    """From crop to picture, between the middles of pixels, as OpenCV counts."""
    turn = np.array([[at.a, -at.b], [at.b, at.a]])
    corner = np.array([at.x, at.y]) + turn @ [0.5, 0.5] - 0.5
    return np.column_stack([turn, corner])


def warp(image: Bytes, at: NDArray[np.float64], size: int) -> Any:
    return cv2.warpAffine(image, at, (size, size), flags=LINEAR, borderMode=cv2.BORDER_REPLICATE)


Case = tuple[Callable[[], Tensor], Callable[[], Tensor], float, float]


def shrunk(side: int, size: int, channels: Any, at_least: float) -> Case:
    frontend = FaceFrontend(FaceSpec(width=size, height=size, channels=channels))
    box = (300, 100, 300 + side, 100 + side)
    theirs = gray_then_area if channels == "gray" else area
    return (
        lambda: frontend.compute_int8(FRAME, "rgb", SCALE, ZERO_POINT, box),
        lambda: theirs(FRAME, box, (size, size)),
        1,
        at_least,
    )


def turned(image: Bytes, color: Any, size: int, channels: Any, at_least: float) -> Case:
    frontend = FaceFrontend(FaceSpec(width=size, height=size, channels=channels))
    eyes = (
        (500, 300),
        (500 + 0.4 * size, 300 + 0.07 * size),
    )  # about a picture pixel a crop pixel, not shrunk
    at = matrix(frontend.align(eyes=eyes))

    def theirs() -> Tensor:
        crop = warp(image, at, size)
        return quantized(
            cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if image.ndim == 3 and channels == "gray" else crop
        )

    return (
        lambda: frontend.compute_int8(image, color, SCALE, ZERO_POINT, eyes=eyes),
        theirs,
        2,
        at_least,
    )


def enlarged(side: int, size: int, at_least: float) -> Case:
    """Upright, by warpAffine, too; OpenCV's resize, whose borders are those of the cut, is faster."""
    frontend = FaceFrontend(FaceSpec(width=size, height=size, channels="rgb"))
    box = (300, 100, 300 + side, 100 + side)
    at = matrix(frontend.align(box))
    return (
        lambda: frontend.compute_int8(FRAME, "rgb", SCALE, ZERO_POINT, box),
        lambda: quantized(warp(FRAME, at, size)),
        2,
        at_least,
    )


def whole(size: int, at_least: float) -> Case:
    frontend = FaceFrontend(FaceSpec(width=size, height=size, channels="rgb", border="black"))
    return (
        lambda: frontend.compute_int8(FRAME, "rgb", SCALE, ZERO_POINT),
        lambda: letterbox(FRAME, size),
        1,
        at_least,
    )


# ours, theirs, how many levels they may differ, how many times as long theirs must take in processor time
CASES: dict[str, Case] = {
    "400 x 400 rgb to 64 x 64 gray": shrunk(400, 64, "gray", 4.0),
    "150 x 150 rgb to 64 x 64 gray": shrunk(150, 64, "gray", 2.0),
    "128 x 128 rgb to 64 x 64 gray": shrunk(128, 64, "gray", 1.0),  # OpenCV has a path of its own for halves
    "400 x 400 rgb to 112 x 112 rgb": shrunk(400, 112, "rgb", 4.0),
    "letterbox of 720p to 128 x 128 rgb": whole(128, 2.5),
    "70 x 70 rgb to 112 x 112 rgb": enlarged(70, 112, 1.3),
    "turned, 112 x 112 rgb": turned(FRAME, "rgb", 112, "rgb", 1.0),
    "turned, 64 x 64 gray of rgb": turned(FRAME, "rgb", 64, "gray", 1.0),
    "turned, 112 x 112 gray of gray": turned(GRAY_FRAME, "gray", 112, "gray", 1.0),
}


def assert_equal(case: str) -> int:
    """Both give the same tensor, within the levels of the case; returns by how many they differ."""
    ours, theirs, levels, _ = CASES[case]
    away = apart(ours(), theirs())
    assert away <= levels, away
    return away


def apart(ours: Tensor, theirs: Tensor) -> int:
    """Return by how many levels two tensors differ at most."""
    return int(np.abs(ours.astype(int).squeeze() - theirs.astype(int).squeeze()).max())
