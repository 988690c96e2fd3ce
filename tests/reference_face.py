"""A slow, clear reference of the face frontend, in double precision."""

from __future__ import annotations

import numpy as np
import reference_text as reference
from numpy.typing import NDArray

from edgeemo.frontends import Alignment, FaceSpec

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Box = tuple[float, float, float, float]
Eyes = tuple[tuple[float, float], tuple[float, float]]

GRAY = np.array([0.299, 0.587, 0.114])
LEAST_DEVIATION = 2.0


def size_of(image: Bytes, color: str) -> tuple[int, int]:
    """Width and height of the picture."""
    return image.shape[1], image.shape[0] * 2 // 3 if color == "nv12" else image.shape[0]


def yuv_to_rgb(y: Floats, u: Floats, v: Floats) -> Floats:
    """BT.601, limited range; not clipped."""
    luma, blue, red = (y - 16) * 255 / 219, (u - 128) * 255 / 224, (v - 128) * 255 / 224
    r, b = luma + 1.402 * red, luma + 1.772 * blue
    return np.stack([r, (luma - 0.299 * r - 0.114 * b) / 0.587, b], axis=-1)


def rgb_of(image: Bytes, color: str) -> Floats:
    """The whole picture, (height, width, 3)."""
    x = image.astype(np.float64)
    if color == "gray":
        return np.repeat(x.reshape(*x.shape[:2], 1), 3, axis=2)
    if color in ("rgb", "rgba"):
        return x[..., :3]
    if color == "bgr":
        return x[..., ::-1]
    if color == "yuyv":
        u, v = (np.repeat(x[:, first::2, 1], 2, axis=1) for first in (0, 1))
        return yuv_to_rgb(x[..., 0], u, v)
    height = x.shape[0] * 2 // 3
    u, v = (np.repeat(np.repeat(x[height:, first::2], 2, axis=0), 2, axis=1) for first in (0, 1))
    return yuv_to_rgb(x[:height], u, v)


def covers(start: float, step: float, n: int, size: int, border: str) -> Floats:
    """How much of each of `size` pixels lies under each of `n`: (n, size), rows summing to 1 inside."""
    wide = max(1.0, step)
    middles = start + (np.arange(n) + 0.5) * step
    low, high = (middles - wide / 2)[:, None], (middles + wide / 2)[:, None]
    pixels = np.arange(size)
    under = np.maximum(0, np.minimum(high, pixels + 1) - np.maximum(low, pixels))
    if border == "replicate":
        under[:, :1] += np.maximum(0, np.minimum(high, 0) - low)
        under[:, -1:] += np.maximum(0, high - np.maximum(low, size))
    return np.asarray(under / wide)


def on_grid(
    picture: Floats, spec: FaceSpec, x: float, y: float, step: float, columns: int, rows: int
) -> Floats:
    height, width = picture.shape[:2]
    across = covers(x, step, columns, width, spec.border)
    down = covers(y, step, rows, height, spec.border)
    small = np.einsum("ij,jkc,lk->ilc", down, picture, across, optimize=True)
    return np.asarray(np.clip(small, 0, 255))


def bilinear(picture: Floats, x: Floats, y: Floats) -> Floats:
    """At points counted from the middle of the first pixel; beyond the border, at it."""
    height, width = picture.shape[:2]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    above = picture[top, left] * (1 - fx) + picture[top, left + 1] * fx
    below = picture[top + 1, left] * (1 - fx) + picture[top + 1, left + 1] * fx
    return np.asarray(above * (1 - fy) + below * fy)


def corners_of(spec: FaceSpec, at: Alignment) -> Floats:
    return np.array([at.to_picture(u, v) for u in (0, spec.width) for v in (0, spec.height)])


def touches(image: Bytes, color: str, spec: FaceSpec, at: Alignment) -> bool:
    """Whether the upright box around the crop and the picture have points in common."""
    corners = corners_of(spec, at)
    return bool((corners.max(axis=0) > 0).all() and (corners.min(axis=0) < size_of(image, color)).all())


def turned(picture: Floats, spec: FaceSpec, at: Alignment) -> Floats:
    step = max(1.0, at.scale / 2)
    height, width = picture.shape[:2]
    corners = corners_of(spec, at)
    low = np.floor(np.maximum(corners.min(axis=0) - step, -step))
    high = np.minimum(corners.max(axis=0) + step, np.array([width, height]) + step)
    columns, rows = (max(2, int(np.ceil(n))) for n in (high - low) / step)
    under = on_grid(picture, spec, low[0], low[1], step, columns, rows)
    parts = 2 if at.scale > 1 else 1
    u = (np.arange(spec.width * parts) + 0.5) / parts
    v = ((np.arange(spec.height * parts) + 0.5) / parts)[:, None]
    x = (at.x + at.a * u - at.b * v - low[0]) / step - 0.5
    y = (at.y + at.b * u + at.a * v - low[1]) / step - 0.5
    points = bilinear(under, x, y)
    return np.asarray(points.reshape(spec.height, parts, spec.width, parts, -1).mean(axis=(1, 3)))


def crop(image: Bytes, color: str, spec: FaceSpec, at: Alignment) -> Floats:
    """0 to 255, before normalisation: (height, width, 1 or 3)."""
    picture = rgb_of(image, color)
    if spec.channels == "gray":
        picture = (picture @ GRAY)[..., None]
    if at.b == 0 and at.a > 0:
        return on_grid(picture, spec, at.x, at.y, at.a, spec.width, spec.height)
    return turned(picture, spec, at)


def compute(image: Bytes, color: str, spec: FaceSpec, at: Alignment) -> Floats:
    x = crop(image, color, spec, at)
    if spec.normalization == "none":
        return x / 255 * spec.gain
    return np.asarray((x - x.mean()) / max(float(x.std()), LEAST_DEVIATION) * spec.gain)


def compute_int8(x: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[np.int8]:
    return np.asarray(reference.quantize(x, scale, zero_point))


def align(
    spec: FaceSpec, box: Box | None = None, eyes: Eyes | None = None
) -> tuple[float, float, float, float]:
    """a, b, x, y of the alignment: crop point (u, v) lies at (x + a u - b v, y + b u + a v)."""
    turn = 1 + 0j
    middle, place = 0j, complex(spec.width / 2, spec.height / 2)
    if eyes is not None:
        left, right = complex(*eyes[0]), complex(*eyes[1])
        turn = (right - left) / abs(right - left)
        middle, scale = (left + right) / 2, abs(right - left) / (spec.eye_distance * spec.width)
        place = complex(spec.width / 2, spec.height * spec.eye_y)
    if box is not None:
        x0, y0, x1, y1 = box
        middle, place = complex(x0 + x1, y0 + y1) / 2, complex(spec.width / 2, spec.height / 2)
        scale = max((x1 - x0) / spec.width, (y1 - y0) / spec.height) * spec.box_scale
    corner = middle - scale * turn * place
    return (scale * turn).real, (scale * turn).imag, corner.real, corner.imag
