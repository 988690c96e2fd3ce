"""The face frontend beside OpenCV: the same tensor, in the same run, on one thread.

Run with ``pytest benchmarks/bench_face_frontend.py``; `benchmarks.peers.face_frontend` says what is timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.peers.face_frontend import CASES, FRAME, assert_equal
from benchmarks.timing import interleaved_ratio
from edgeemo.frontends import FaceFrontend, FaceSpec


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
    assert benchmark(CASES[case][0]).dtype == np.int8


@pytest.mark.parametrize("case", CASES)
def test_opencv(benchmark: Any, case: str) -> None:
    assert benchmark(CASES[case][1]).dtype == np.int8


@pytest.mark.parametrize("color", ["yuyv", "nv12", "rgba"])
def test_edgeemo_camera_frames(benchmark: Any, color: Any) -> None:
    shape = {"yuyv": (720, 1280, 2), "nv12": (1080, 1280), "rgba": (720, 1280, 4)}[color]
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    frontend = FaceFrontend(FaceSpec(channels="rgb"))
    assert benchmark(frontend.compute, image, color, (300, 100, 700, 500)).shape == (64, 64, 3)


def test_edgeemo_turned_and_shrunk(benchmark: Any) -> None:
    """Four points of each pixel in the picture shrunk to twice the tensor's size."""
    frontend = FaceFrontend(FaceSpec(normalization="mean_std"))
    assert benchmark(frontend.compute, FRAME, "rgb", eyes=((500, 300), (670, 330))).shape == (64, 64, 1)
