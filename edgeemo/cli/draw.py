"""Faces drawn into a picture: boxes, eyes, what they express; and a window that shows it (needs OpenCV)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import DataError, RuntimeUnavailableError
from ..files import explained, write_whole
from ..types import EMOTIONS, EmotionResult

Pixels = npt.NDArray[np.uint8]

_COLOURS = (  # of EMOTIONS, BGR
    (156, 147, 138), (8, 160, 227), (159, 111, 47), (43, 57, 192), (156, 79, 108), (58, 140, 91),
    (34, 130, 217), (60, 90, 140),
)  # fmt: skip
_TITLE = "edgeemo (q ends it)"


def annotated(frame: Pixels, color: Literal["rgb", "bgr"], results: Sequence[EmotionResult]) -> Pixels:
    """Return a copy of a frame, BGR, with a box, the eyes, label and bars of every face.

    A face that is expected but was not found has a thin box without eyes.
    """
    canvas = np.ascontiguousarray(frame[..., ::-1] if color == "rgb" else frame)
    canvas = canvas.copy() if canvas is frame or canvas.base is frame else canvas
    unit = max(1, round(max(canvas.shape[:2]) / 640))
    for result in results:
        if result.face is not None:
            _draw(canvas, result, unit)
    return canvas


def write(path: Path, picture: Pixels) -> None:
    """Write a BGR picture in the format of the suffix.

    Raises:
        DataError: the file cannot be written, or its suffix is unknown.
    """
    remedy = "Give the name of a .png in a folder you may write to."
    try:
        done, data = cv2.imencode(path.suffix or ".", picture)
    except cv2.error:
        done = False
    if not done:
        raise DataError(
            f"{path} cannot be written: {path.suffix or 'no suffix'} is not a picture format. {remedy}"
        )
    with explained(f"{path} cannot be written", DataError, remedy):
        write_whole(path, data.tobytes())


class Window:
    """A window on the display, as a context manager.

    Raises:
        RuntimeUnavailableError: there is no display, or this OpenCV knows no windows.
    """

    def __init__(self) -> None:
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise RuntimeUnavailableError("There is no display for --window: leave it out, or set DISPLAY.")
        try:
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise RuntimeUnavailableError(
                "This OpenCV knows no windows: leave --window out, or install opencv-python in place of "
                "opencv-python-headless."
            ) from error

    def show(self, picture: Pixels) -> bool:
        """Show a BGR picture; False once the user has closed the window or pressed q or Escape."""
        cv2.imshow(_TITLE, picture)
        key = cv2.waitKey(1) & 0xFF
        return key not in (ord("q"), 27) and cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: Any) -> None:
        cv2.destroyWindow(_TITLE)


def _draw(canvas: Pixels, result: EmotionResult, unit: int) -> None:
    assert result.face is not None
    colour = _COLOURS[EMOTIONS.index(result.label)]
    x0, y0, x1, y1 = (_pixel(v) for v in result.face.box)
    found = result.face.score > 0
    cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, 2 * unit if found else unit)
    for eye in result.face.eyes if found else ():
        cv2.circle(canvas, (_pixel(eye[0]), _pixel(eye[1])), 2 * unit, colour, -1)
    name = "" if result.track_id is None else f"{result.track_id}: "
    _write(canvas, f"{name}{result.label} {result.confidence:.2f}", (x0, y0), unit, colour)
    _bars(canvas, result, (x0, y1), unit)


def _bars(canvas: Pixels, result: EmotionResult, corner: tuple[int, int], unit: int) -> None:
    """A bar an emotion, in their order: below the corner, or above it where the picture ends."""
    height, width = canvas.shape[:2]
    x = max(min(corner[0], width - 60 * unit), 0)
    y = min(corner[1] + 4 * unit, height - 33 * unit)
    for i, score in enumerate(result.scores.tolist()):
        top = y + 4 * unit * i
        if score > 0.005:
            end = (x + max(unit, round(60 * unit * score)), top + 3 * unit)
            cv2.rectangle(canvas, (x, top), end, _COLOURS[i], -1)


def _write(
    canvas: Pixels, text: str, corner: tuple[int, int], unit: int, colour: tuple[int, int, int]
) -> None:
    """On dark ground, above the corner; inside the picture, as far as it is wide enough."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.45 * unit
    (width, height), _ = cv2.getTextSize(text, font, size, unit)
    x = max(min(corner[0], canvas.shape[1] - width - 2 * unit), 0)
    y = max(min(corner[1], canvas.shape[0]) - 6 * unit, height + 4 * unit)
    cv2.rectangle(canvas, (x, y - height - 3 * unit), (x + width + 2 * unit, y + 4 * unit), (24, 24, 24), -1)
    cv2.putText(canvas, text, (x + unit, y), font, size, colour, unit, cv2.LINE_AA)


def _pixel(value: float) -> int:
    return round(min(max(value, -30000.0), 60000.0))
