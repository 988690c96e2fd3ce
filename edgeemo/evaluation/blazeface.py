"""BlazeFace, the peer of the detector and the teacher of its eyes: never shipped, its model file is given.

This code follows the public description (Bazarevsky et al. 2019, arXiv:1907.05047) and the published settings
of MediaPipe's two models. The picture is letterboxed. An anchor has a middle but no size, and its numbers are
in pixels of the input. Boxes that overlap are averaged by their scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..faces import Face
from ..frontends import Alignment, FaceFrontend, FaceSpec
from ..types import FloatArray

LAYOUTS = {128: ((8, 2), (16, 6)), 192: ((4, 1),)}
"""Side of the input in pixels → (stride, anchors a cell) of its grids: short and full range."""
OVERLAP = 0.3
Doubles = npt.NDArray[np.float64]


def anchors(side: int) -> FloatArray:
    """Return the middles of all anchors in pixels of the input, ``(n, 2)``.

    Raises:
        DataError: no BlazeFace has this input.
    """
    if side not in LAYOUTS:
        raise DataError(f"BlazeFace reads 128 or 192 pixels, this model {side}: give one of these two.")
    grids = []
    for stride, each in LAYOUTS[side]:
        y, x = np.mgrid[: side // stride, : side // stride]
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1) + 0.5, each, axis=0) * stride)
    return np.asarray(np.concatenate(grids), np.float32)


@dataclass
class BlazeFace:
    """A BlazeFace model file, opened; for one thread.

    Args:
        path: ``blazeface_short_range.tflite`` or ``blazeface_full_range.tflite``.
        least_score: below it nothing is a face.

    Raises:
        DataError: the file is missing or no BlazeFace.
    """

    path: Path
    least_score: float = 0.5
    threads: int = 1

    def __post_init__(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            self._model = Interpreter(model_content=Path(self.path).read_bytes(), num_threads=self.threads)
            self._model.allocate_tensors()
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}. Check the path.") from error
        except (ValueError, RuntimeError) as error:
            raise DataError(f"{self.path} is not a TFLite model: {error}. Check the path.") from error
        taken = self._model.get_input_details()[0]
        given = {tuple(d["shape"][-1:]): d["index"] for d in self._model.get_output_details()}
        if set(given) != {(16,), (1,)} or len(taken["shape"]) != 4:
            raise DataError(
                f"{self.path} is not a BlazeFace: expected boxes (1, n, 16) and scores (1, n, 1)."
            )
        self._input, self._places, self._logits = taken["index"], given[(16,)], given[(1,)]
        side = int(taken["shape"][1])
        self._anchors = anchors(side)
        self._frontend = FaceFrontend(FaceSpec(width=side, height=side, channels="rgb", border="black"))

    def detect(self, image: npt.NDArray[np.uint8], color: Any = "rgb") -> list[Face]:
        """Return the faces of a picture, best first; arguments as `FaceFrontend.compute` takes them."""
        height, width = image.shape[:2]
        crop = self._frontend.align((0, 0, width, height))
        self._model.set_tensor(
            self._input, self._frontend.compute(image, color, crop=crop)[np.newaxis] * 2 - 1
        )
        self._model.invoke()
        logits = self._model.get_tensor(self._logits)[0, :, 0].astype(np.float64)
        scores = 1 / (1 + np.exp(-np.clip(logits, -100, 100)))
        kept = scores >= self.least_score
        places = self._model.get_tensor(self._places)[0, kept].astype(np.float64)
        middles = self._anchors[kept] + places[:, :2]
        rest = self._anchors[kept][:, None] + places[:, 4:].reshape(-1, 6, 2)
        values = np.concatenate([middles, np.abs(places[:, 2:4]), rest[:, :2].reshape(-1, 4)], 1)
        return [_face(score, place, crop) for score, place in _merged(scores[kept], values)]


def _merged(scores: Doubles, values: Doubles) -> list[tuple[float, Doubles]]:
    order = np.argsort(-scores, kind="stable")
    found = []
    while len(order):
        first, rest = values[order[0]], values[order]
        sides = np.minimum(first[:2] + first[2:4] / 2, rest[:, :2] + rest[:, 2:4] / 2)
        sides -= np.maximum(first[:2] - first[2:4] / 2, rest[:, :2] - rest[:, 2:4] / 2)
        both = sides.clip(0).prod(1)
        same = both >= OVERLAP * (first[2:4].prod() + rest[:, 2:4].prod(1) - both)
        same[0] = True
        found.append((float(scores[order[0]]), np.average(rest[same], 0, scores[order][same])))
        order = order[~same]
    return found


def _face(score: float, values: Doubles, crop: Alignment) -> Face:
    x, y = crop.to_picture(values[0], values[1])
    w, h = np.maximum(values[2:4] * crop.scale / 2, 1e-3)
    eyes = sorted([crop.to_picture(values[4], values[5]), crop.to_picture(values[6], values[7])])
    return Face((x - w, y - h, x + w, y + h), (eyes[0], eyes[1]), score)
