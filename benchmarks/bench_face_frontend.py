"""The face frontend beside OpenCV: the same tensor, in the same run, on one thread.

Run with ``pytest benchmarks/bench_face_frontend.py``; `benchmarks.peers.face_frontend` says what is timed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.peers.face_frontend import CASES, FRAME, apart, assert_equal
from benchmarks.timing import interleaved_ratio
from edgeemo.frontends import FaceFrontend, FaceSpec

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import reference_face as oracle

ATOL = 1e-4  # of deviations from the mean, or of [0, 1]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(threads)


@pytest.mark.parametrize("case", CASES)
def test_edgeemo_is_faster_by(case: str) -> None:
    ours, theirs, _, at_least = CASES[case]
    assert_equal(case)
    ours_us, theirs_us, ratio = interleaved_ratio(ours, theirs)
    print(f"{case}: edgeemo {ours_us:.1f} us, OpenCV {theirs_us:.1f} us, {ratio:.2f} times")
    assert ratio >= at_least


@pytest.mark.parametrize("case", CASES)
def test_edgeemo(benchmark: Any, case: str) -> None:
    ours, theirs, levels, _ = CASES[case]
    assert apart(benchmark(ours), theirs()) <= levels


@pytest.mark.parametrize("case", CASES)
def test_opencv(benchmark: Any, case: str) -> None:
    ours, theirs, levels, _ = CASES[case]
    assert apart(ours(), benchmark(theirs)) <= levels


@pytest.mark.parametrize("color", ["yuyv", "nv12", "rgba"])
def test_edgeemo_camera_frames(benchmark: Any, color: Any) -> None:
    shape = {"yuyv": (720, 1280, 2), "nv12": (1080, 1280), "rgba": (720, 1280, 4)}[color]
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    frontend = FaceFrontend(FaceSpec(channels="rgb"))
    box = (300, 100, 700, 500)
    expected = oracle.compute(image, color, frontend.spec, frontend.align(box))
    np.testing.assert_allclose(benchmark(frontend.compute, image, color, box), expected, atol=ATOL, rtol=0)


def test_edgeemo_turned_and_shrunk(benchmark: Any) -> None:
    """Four points of each pixel in the picture shrunk to twice the tensor's size."""
    frontend = FaceFrontend(FaceSpec(normalization="mean_std"))
    eyes = ((500, 300), (670, 330))
    expected = oracle.compute(FRAME, "rgb", frontend.spec, frontend.align(eyes=eyes))
    ours = benchmark(frontend.compute, FRAME, "rgb", eyes=eyes)
    np.testing.assert_allclose(ours, expected, atol=ATOL, rtol=0)
