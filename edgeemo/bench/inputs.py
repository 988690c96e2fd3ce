"""What a bundle is given to read: a file or text of the caller's, or one that needs no data."""

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
"""Read where the card has no golden text."""
FRAME = (480, 640)
"""Height and width of the made picture, in the middle of which a face is drawn."""
_BACKGROUND = 90
_TIMES = 2  # the drawing has 96 pixels
_SIGNAL = "low hum"


@dataclass(frozen=True)
class Given:
    """An input.

    Attributes:
        what: in words. arguments: of ``predict``. digest: SHA-256 of their bytes, 16 hexadecimal digits.
        capture: reads it again from where it came; None with the reason ``made``, where nothing is captured.
    """

    what: str
    arguments: tuple[Any, ...]
    digest: str
    capture: Callable[[], object] | None
    made: str = ""


def given(
    card: Card, *, text: str | None = None, audio: Path | None = None, image: Path | None = None
) -> Given:
    """Return the input for a bundle: of those offered the one of its modality, else one made for it.

    Made inputs are the card's first golden text, a hum of one span, and a picture of 640 × 480 with a drawn
    face.

    Raises:
        SourceError, RuntimeUnavailableError: the file cannot be read.
        InputError: it holds nothing.
    """
    if card.modality == "text":
        return _text(card, text)
    if card.modality == "voice":
        return _hum(card) if audio is None else _clip(audio)
    return _drawn() if image is None else _photo(image)


def _text(card: Card, text: str | None) -> Given:
    whose = "a text"
    if text is None:
        golden = [example["text"] for example in card.golden if "text" in example]
        text, whose = (golden[0], "the card's first golden text") if golden else (TEXT, "a made text")
    n = len(text)
    return Given(
        f"{whose}, {n:,} character{'s' * (n != 1)}", (text,), _digest(text), None, "a text is there already"
    )


def _hum(card: Card) -> Given:
    from ..frontends import VoiceSpec

    spec = VoiceSpec.from_dict(dict(card.spec))
    span_s = ((spec.span_frames - 1) * spec.hop + spec.window) / spec.rate_hz
    pcm = np.resize(signal(_SIGNAL), round(span_s * RATE_HZ))
    return Given(
        f"a made hum of one span, {span_s:.2f} s at {RATE_HZ:,} Hz",
        (pcm, RATE_HZ),
        _digest(pcm),
        None,
        "the hum is made, not captured",
    )


def _clip(path: Path) -> Given:
    def capture() -> tuple[npt.NDArray[Any], int, int]:
        with AudioFile(path) as source:
            return np.concatenate([chunk for chunk, _ in source]), source.rate_hz, source.channels

    try:
        pcm, rate_hz, channels = capture()
    except ValueError as error:  # no block at all
        raise InputError(f"{path} holds no sample. Give a recording.") from error
    many = "" if channels == 1 else f", {channels} channels"
    what = f"{path.name}, {len(pcm) / rate_hz:.2f} s at {rate_hz:,} Hz{many}"
    return Given(what, (pcm, rate_hz), _digest(pcm), capture)


def _drawn() -> Given:
    frame = np.full((*FRAME, 3), _BACKGROUND, np.uint8)
    face = np.kron(drawing("level"), np.ones((_TIMES, _TIMES), np.uint8))
    top, left = ((whole - part) // 2 for whole, part in zip(FRAME, face.shape, strict=True))
    frame[top : top + face.shape[0], left : left + face.shape[1]] = face[..., np.newaxis]
    what = f"a made picture of {FRAME[1]} × {FRAME[0]} with a drawn face"
    return Given(what, (frame, "rgb"), _digest(frame), None, "the picture is made, not captured")


def _photo(path: Path) -> Given:
    def capture() -> npt.NDArray[np.uint8]:
        with Photo(path) as source:
            return source.frame

    frame = np.ascontiguousarray(capture())
    height, width = frame.shape[:2]
    return Given(f"{path.name}, {width} × {height}", (frame, Photo.color), _digest(frame), capture)


def _digest(value: str | npt.NDArray[Any]) -> str:
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value.tobytes()
    return sha256(data).hexdigest()[:16]
