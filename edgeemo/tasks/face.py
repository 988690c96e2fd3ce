"""The task of face bundles that recognise emotions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt

from ..data.faces import pixels_of, read_face, view_of
from ..data.manifest import Example
from ..types import EmotionResult
from .base import Task


class FaceTask(Task):
    """Reads faces; see `Task`."""

    name, plural, leaked = "face", "faces", "faces"
    content = staticmethod(pixels_of)
    data_keys: ClassVar[tuple[str, ...]] = ("labels", "balance")
    step_options: ClassVar[tuple[str, ...]] = ("size",)
    options = Task.options | {"robustness"}

    def tensors(self, frontend: Any, example: Example) -> npt.NDArray[Any]:
        """Return a whole picture as the network reads it, float32 ``(1, height, width, channels)``."""
        return frontend.compute(*read_face(example))[None]  # type: ignore[no-any-return]

    def golden(self, device: Any) -> tuple[dict[str, Any], ...]:
        """Return the names of drawings and the answers."""
        from ..converters.golden import MOUTHS, SIDE, answer, drawing

        box = (0, 0, SIDE, SIDE)
        return tuple(
            {"drawing": name, **answer(device.predict(drawing(name), "gray", [box]))} for name in MOUTHS
        )

    def predict(self, recognizer: Any, example: Example) -> EmotionResult:
        """Return what a recognizer says of a face; see `edgeemo.data.faces.view_of`."""
        view = view_of(example, recognizer.frontend.spec)
        return recognizer.predict(view.picture, view.color, [view.box])  # type: ignore[no-any-return]

    def robustness(self, noise: Path | None, seed: int) -> dict[str, Any]:
        """Measure with corrupted pictures and misplaced boxes."""
        from ..evaluation.corruptions import Corruptions

        return {"corruptions": Corruptions(seed)}

    def evaluate(self, recognizer: Any, examples: Sequence[Any], **options: Any) -> Any:
        """Measure also how well the detector places the eyes that the manifest names."""
        if any(example.eyes for example in examples):
            options = {"find": recognizer.detector.detect, **options}
        return super().evaluate(recognizer, examples, **options)


TASK = FaceTask()
