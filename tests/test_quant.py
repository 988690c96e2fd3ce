"""The one int8 rule against its reference and at its borders."""

from __future__ import annotations

import numpy as np
import pytest
import reference_text as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from edgeemo import _core
from edgeemo.errors import InputError, InputTypeError

floats = st.floats(width=32, allow_nan=False)
scales = st.floats(2.0**-40, 2.0**40, width=32)
zero_points = st.integers(-128, 127)


def one(x: float, scale: float = 1.0, zero_point: int = 0) -> int:
    return int(_core.quantize(np.array([x], np.float32), scale, zero_point)[0])


@given(
    npst.arrays(np.float32, npst.array_shapes(min_dims=0, min_side=0), elements=floats), scales, zero_points
)
@settings(max_examples=500, deadline=None)
def test_quantize_is_the_reference(x: NDArray[np.float32], scale: float, zero_point: int) -> None:
    q = _core.quantize(x, scale, zero_point)
    assert q.dtype == np.int8
    assert q.shape == x.shape
    np.testing.assert_array_equal(q, reference.quantize(x, scale, zero_point))


@given(st.integers(-300, 300), st.sampled_from([1.0, 0.5, 0.25, 2.0]), zero_points)
def test_halves_go_to_the_even_neighbour(n: int, scale: float, zero_point: int) -> None:
    even = n if n % 2 == 0 else n + 1
    assert one((n + 0.5) * scale, scale, zero_point) == max(-128, min(127, even + zero_point))


@pytest.mark.parametrize(
    ("x", "scale", "zero_point", "q"),
    [
        (0.5, 1, 0, 0),
        (1.5, 1, 0, 2),
        (2.5, 1, 0, 2),
        (-0.5, 1, 0, 0),
        (-1.5, 1, 0, -2),
        (0.5, 1, 3, 3),  # the quotient is rounded, then the zero point is added
        (np.nextafter(np.float32(0.5), np.float32(1)), 1, 0, 1),
        (np.nextafter(np.float32(0.5), np.float32(0)), 1, 0, 0),
        (127.5, 1, 0, 127),
        (-128.5, 1, 0, -128),
        (1e30, 1, 0, 127),
        (-1e30, 1, 0, -128),
        (np.inf, 1, -128, 127),
        (-np.inf, 1, 127, -128),
        (1e38, 1e-38, 0, 127),  # the quotient overflows
        (255.0, 1, -128, 127),
        (-255.0, 1, 127, -128),
        (1e-45, 1, 0, 0),
    ],
)
def test_quantize(x: float, scale: float, zero_point: int, q: int) -> None:
    assert one(x, scale, zero_point) == q


@given(npst.arrays(np.int8, 256, elements=st.integers(-128, 127)), scales, zero_points)
@settings(deadline=None)
def test_dequantize_and_back_is_the_same(q: NDArray[np.int8], scale: float, zero_point: int) -> None:
    x = _core.dequantize(q, scale, zero_point)
    expected = (q.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)
    np.testing.assert_array_equal(x, expected)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(_core.quantize(x, scale, zero_point), q)


def test_nan_is_refused_and_located() -> None:
    with pytest.raises(InputError, match="NaN at position 2"):
        _core.quantize(np.array([0, np.inf, np.nan], np.float32), 1.0, 0)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e-60])
def test_a_bad_scale_is_refused(scale: float) -> None:
    with pytest.raises(InputError, match="scale must be finite and greater than 0"):
        _core.quantize(np.zeros(1, np.float32), scale, 0)
    with pytest.raises(InputError, match="scale must be finite and greater than 0"):
        _core.dequantize(np.zeros(1, np.int8), scale, 0)


@pytest.mark.parametrize("zero_point", [-129, 128])
def test_a_bad_zero_point_is_refused(zero_point: int) -> None:
    with pytest.raises(InputError, match=r"zero_point must be in \[-128, 127\]"):
        _core.quantize(np.zeros(1, np.float32), 1.0, zero_point)
    with pytest.raises(InputError, match=r"zero_point must be in \[-128, 127\]"):
        _core.dequantize(np.zeros(1, np.int8), 1.0, zero_point)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int8, np.int32, ">f4", bool, object])
def test_only_float32_is_quantized(dtype: str) -> None:
    with pytest.raises(InputTypeError, match="expected float32 array, got"):
        _core.quantize(np.zeros(3, dtype), 1.0, 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_only_int8_is_dequantized(dtype: str) -> None:
    with pytest.raises(InputTypeError, match="expected int8 array, got"):
        _core.dequantize(np.zeros(3, dtype), 1.0, 0)


def test_lists_and_arrays_with_gaps_are_refused() -> None:
    with pytest.raises(InputTypeError, match="expected float32 array, got list"):
        _core.quantize([1.0], 1.0, 0)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="ascontiguousarray"):
        _core.quantize(np.zeros((4, 4), np.float32)[:, ::2], 1.0, 0)
