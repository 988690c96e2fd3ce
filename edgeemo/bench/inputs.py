"""Choose the input of a bundle: the caller's text or file, or one that needs no data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..card import Card
from ..converters.golden import RATE_HZ, drawing, signal
from ..errors import InputError
from ..sources import AudioFile, Photo

TEXT = "What a wonderful surprise, thank you so much!"
"""The text if the card has no golden text."""
FRAME = (480, 640)
"""Height and width of the made picture, which has a drawn face in its middle."""
_BACKGROUND = 90
_SCALE = 2  # the drawing has 96 pixels
_SIGNAL = "low hum"


@dataclass(frozen=True)
class Inputs:
    """The caller's inputs, each for the bundles of its modality."""

    text: str | None = None
    audio: Path | None = None
    image: Path | None = None


@dataclass(frozen=True)
class Input:
    """The input of one bundle.

    Args:
        what: in words. arguments: of ``predict``. digest: SHA-256 of their bytes, 16 hexadecimal digits.
        capture: reads the input from its file again; None, with the reason ``made``, if there is no file.
    """

    what: str
    arguments: tuple[Any, ...]
    digest: str
    capture: Callable[[], object] | None
    made: str = ""


def input_of(card: Card, inputs: Inputs = Inputs()) -> Input:
    """Return the caller's input of the bundle's modality, else an input made for the bundle.

    Made inputs are the card's first golden text, a hum of one span, and a picture of 640 × 480 with a drawn
    face.

    Raises:
        SourceError, RuntimeUnavailableError: the file cannot be read.
        InputError: the recording is empty.
    """
    if card.modality == "text":
        return _text(card, inputs.text)
    if card.modality == "voice":
        return _hum(card) if inputs.audio is None else _clip(inputs.audio)
    return _drawing() if inputs.image is None else _photo(inputs.image)


def _text(card: Card, text: str | None) -> Input:
    source = "a text"
    if text is None:
        golden = [example["text"] for example in card.golden if "text" in example]
        text, source = (golden[0], "the card's first golden text") if golden else (TEXT, "a made text")
    what = f"{source}, {len(text):,} character{'s' * (len(text) != 1)}"
    return Input(what, (text,), _digest(text), None, "a text needs no capture")


def _hum(card: Card) -> Input:
    from ..frontends import VoiceSpec

    spec = VoiceSpec.from_dict(dict(card.spec))
    span_s = ((spec.span_frames - 1) * spec.hop + spec.window) / spec.rate_hz
    pcm = np.resize(signal(_SIGNAL), round(span_s * RATE_HZ))
    what = f"a made hum of one span, {span_s:.2f} s at {RATE_HZ:,} Hz"
    return Input(what, (pcm, RATE_HZ), _digest(pcm), None, "the hum is made, not captured")


def _clip(path: Path) -> Input:
    def capture() -> tuple[npt.NDArray[Any], int, int]:
        with AudioFile(path) as source:
            return np.concatenate([chunk for chunk, _ in source]), source.rate_hz, source.channels

    try:
        pcm, rate_hz, channels = capture()
    except ValueError as error:  # there was no chunk
        raise InputError(f"{path} holds no sample. Give a recording.") from error
    many = "" if channels == 1 else f", {channels} channels"
    what = f"{path.name}, {len(pcm) / rate_hz:.2f} s at {rate_hz:,} Hz{many}"
    return Input(what, (pcm, rate_hz), _digest(pcm), capture)


def _drawing() -> Input:
    frame = np.full((*FRAME, 3), _BACKGROUND, np.uint8)
    face = np.kron(drawing("level"), np.ones((_SCALE, _SCALE), np.uint8))
    top, left = ((whole - part) // 2 for whole, part in zip(FRAME, face.shape, strict=True))
    frame[top : top + face.shape[0], left : left + face.shape[1]] = face[..., np.newaxis]
    what = f"a made picture of {FRAME[1]} × {FRAME[0]} with a drawn face"
    return Input(what, (frame, "rgb"), _digest(frame), None, "the picture is made, not captured")


def _photo(path: Path) -> Input:
    def capture() -> npt.NDArray[np.uint8]:
        with Photo(path) as source:
            return source.frame

    frame = np.ascontiguousarray(capture())
    height, width = frame.shape[:2]
    return Input(f"{path.name}, {width} × {height}", (frame, Photo.color), _digest(frame), capture)


def _digest(value: str | npt.NDArray[Any]) -> str:
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value.tobytes()
    return sha256(data).hexdigest()[:16]
