"""Real inputs of a model: what our frontend makes of a hundred texts, clips, faces or photographs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import Bundle, _core
from edgeemo.backends import NativeBackend
from edgeemo.data.clips import read_clip
from edgeemo.data.faces import read_face, view_of
from edgeemo.data.leaks import text_of
from edgeemo.data.manifest import Example
from edgeemo.frontends import frontend_for

from .row import Context, needs

SETS = {
    "text": ("goemotions", "text", "dev"),
    "voice": ("ravdess", "voice", "train"),
    "face": ("ferplus-majority", "face", "valid"),
    "face-detector": ("street", "face", "valid"),
}
INPUTS = 100


def inputs_of(context: Context, bundle: Bundle) -> npt.NDArray[Any]:
    """Return ``(inputs, …)`` as the model takes them. Skip: the data are not there."""
    name = bundle.card.name
    if name != "text":
        needs("soundfile" if name == "voice" else "cv2")
    examples = context.examples(*SETS[name])
    chosen = np.random.default_rng(0).choice(len(examples), min(INPUTS, len(examples)), replace=False)
    (info,) = NativeBackend(bundle.flatbuffer).inputs
    read = _reader(bundle)
    rows = [read(examples[int(i)]) for i in chosen]
    made = [
        _core.quantize(np.ascontiguousarray(row), info.scale, info.zero_point) if info.scale else row
        for row in rows
    ]
    return np.stack([np.asarray(row, info.dtype).reshape(info.shape[1:]) for row in made])


def _reader(bundle: Bundle) -> Any:
    card = bundle.card
    frontend: Any = frontend_for(card.modality, card.spec, bundle.assets)

    def text(example: Example) -> Any:
        return frontend.encode(text_of(example)).ids

    def voice(example: Example) -> Any:
        return frontend.compute(*read_clip(example)).features[0]

    def face(example: Example) -> Any:
        view = view_of(example, frontend.spec)
        return frontend.compute(view.picture, view.color, view.box)

    def photograph(example: Example) -> Any:
        return frontend.compute(*read_face(example))

    readers = {"text": text, "voice": voice, "face": face, "face-detector": photograph}
    return readers[card.name]
