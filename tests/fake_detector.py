"""A detector without a network: finds the faces that a test names, through the real letterbox and decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import reference_detect as reference
import small_text

from edgeemo import Bundle, FaceDetector, FaceSpec
from edgeemo.backends import FakeBackend, Tensor, TensorInfo
from edgeemo.card import DataSource, DetectorCard
from edgeemo.faces import DetectorSpec, Face
from edgeemo.runtime import Runtime

SPEC = FaceSpec(width=64, height=64, border="black")
DETECTOR = DetectorSpec(width=64, height=64)


def card(**changes: Any) -> DetectorCard:
    """Return the card of the detector, with some fields changed."""
    fields: dict[str, Any] = {
        "name": "fake-detector",
        "version": "1.0.0",
        "modality": "face",
        "title": "Faces that a test gives",
        "outputs": {"logits": "logits", "boxes": "boxes", "eyes": "eyes"},
        "spec": SPEC.to_dict(),
        "spec_digest": SPEC.digest,
        "detector": DETECTOR.to_dict(),
        "licence": "CC0-1.0",
        "commercial": "cleared",
        "data": (DataSource("made-up faces", "CC0-1.0", "weights"),),
    }
    return DetectorCard(**{**fields, **changes})


def bundle(**changes: Any) -> Bundle:
    """Return the bundle of the detector, with the flatbuffer of another model."""
    return Bundle(small_text.FLATBUFFER.read_bytes(), card(**changes), {})


def backend(faces: Sequence[Face] = (), seen: list[Tensor] | None = None, **shapes: Any) -> FakeBackend:
    """Return a model that finds ``faces`` (in pixels of the letterbox); the inputs go to ``seen``."""
    heads = reference.heads_with(faces, DETECTOR, 8)

    def run(pixels: Tensor) -> list[Tensor]:
        if seen is not None:
            seen.append(pixels)
        return [heads[1][None], heads[2][None], heads[0][None]]

    cells = DETECTOR.cells
    given = {"pixels": (1, 64, 64, 1), "boxes": (1, cells, 4), "eyes": (1, cells, 4), "logits": (1, cells)}
    infos = [
        TensorInfo(name, shape, np.dtype(np.float32), 0.0, 0) for name, shape in (given | shapes).items()
    ]
    return FakeBackend(run, infos[:1], infos[1:])


def detector(faces: Sequence[Face] = (), seen: list[Tensor] | None = None) -> FaceDetector:
    """Return the detector that finds these faces."""
    return FaceDetector(bundle(), Runtime(b"", backend=backend(faces, seen)))
