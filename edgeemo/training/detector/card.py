"""The draft card of a detector: its score is calibrated on validation pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...card import DetectorCard
from ...data.detector_sets import BLAZEFACE
from ...data.marked import overlap
from ...evaluation.detection import FALSE, HIT
from ...faces import DetectorSpec, FaceDecoder
from ...frontends import FaceFrontend
from ...types import FloatArray
from ..calibrate import platt
from ..cards import common
from ..recipe import Recipe
from .scenes import AnnotatedPicture

_DETECTOR_PROTOCOL = (
    "Held-out street photographs (whole groups of look-alikes) and portraits (whole people): no weight "
    "learned from them; the score was calibrated on them, which flatters its calibration."
)


def detector_card(
    recipe: Recipe,
    frontend: FaceFrontend,
    spec: DetectorSpec,
    heads: Mapping[str, FloatArray],
    pictures: Sequence[AnnotatedPicture],
) -> DetectorCard:
    """Calibrate on validation pictures and return the draft card.

    Args:
        spec: without calibration.
        heads: of the validation pictures, by role, ``(n, cells, …)``.
        pictures: with all their faces.
    """
    raw = DetectorSpec.from_dict({**spec.to_dict(), "least_score": 0.01, "merge": "best"})
    decoder = FaceDecoder(raw)
    logits, truth = [], []
    for i, picture in enumerate(pictures):
        h, w = picture.picture.shape
        a, b, c = (np.ascontiguousarray(heads[role][i]) for role in ("logits", "boxes", "eyes"))
        for face in decoder.decode(a, b, c, frontend.align((0, 0, w, h))):
            best = max((overlap(face.box, other.box) for other in picture.faces), default=0.0)
            if not FALSE <= best < HIT:
                logits.append(np.log(face.score / (1 - min(face.score, 1 - 1e-6))))
                truth.append(best >= HIT)
    z, t = np.array(logits).reshape(-1, 1), np.array(truth, np.float64).reshape(-1, 1)
    (scale,), (bias,) = platt(z, t)
    fitted = {"score_scale": round(float(np.clip(scale, 1e-3, 1e3)), 4), "score_bias": round(float(bias), 4)}
    source = [BLAZEFACE] if recipe.data.get("teachers") else []
    return DetectorCard(
        **common(recipe, frontend.spec, source),
        outputs={"logits": "logits", "boxes": "boxes", "eyes": "eyes"},
        detector={**spec.to_dict(), **fitted},
        metrics={"protocol": _DETECTOR_PROTOCOL},
    )
