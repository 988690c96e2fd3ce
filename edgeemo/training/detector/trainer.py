"""The trainer of detectors: it learns from photographs with boxes and from faces pasted into pictures.

See `edgeemo.training.trainer`. The section ``[detector]`` of a recipe is an `edgeemo.faces.DetectorSpec`
without its sides (``[spec]`` has them) and without calibration (training fits it). Each step goes on from
the step before. The section ``[data]``::

    pictures   = "street"     photographs with boxes; a part of them validates
    portraits  = "portraits"  pictures of one face with its pupils; optional
    scenes     = "scenes"     pictures without faces; optional
    heads      = "ferplus"    crops of faces, of which most_heads are pasted into pictures; optional
    made       = 20000        scenes an epoch
    teachers   = [NEAR, FAR]  BlazeFace's short and full range, files below --data: they mark the eyes and
                              the faces that nobody marked; optional
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np

from ...card import DetectorCard
from ...data.catalog import load
from ...data.detector_sets import BLAZEFACE
from ...data.faces import pixels_of
from ...data.folds import by_hash
from ...data.leaks import write_seen
from ...data.manifest import Example
from ...data.marked import MarkedPicture, overlap, write_marked
from ...errors import SpecError
from ...evaluation.blazeface import BlazeFace
from ...evaluation.detection import FALSE, HIT
from ...faces import DetectorSpec, FaceDecoder
from ...frontends import FaceFrontend, FaceSpec
from ...types import FloatArray
from ..calibrate import platt
from ..cards import common
from ..fit import predict
from ..recipe import Recipe, Step
from ..trainer import Networks, StepData, Trainer
from .batches import DetectorBatches
from .models import FINDERS, device_model, focal, place_loss, training_model
from .scenes import AnnotatedPicture, ScenePool
from .teacher import annotate, heads, portraits

CALIBRATION_PICTURES = 300
PROTOCOL = (
    "Held-out street photographs (whole groups of look-alikes) and portraits (whole people): no weight "
    "learned from them; the score was calibrated on them, which flatters its calibration."
)


@dataclass(frozen=True)
class DetectorTrainer(Trainer):
    """See `Trainer`. ``valid`` are whole pictures, as a device reads them."""

    FILES: ClassVar[Sequence[str]] = (*Trainer.FILES, "cache/heads.npy")

    recipe: Recipe
    data: Path
    out: Path
    frontend: FaceFrontend
    spec: DetectorSpec
    pictures: Sequence[MarkedPicture]
    valid: Sequence[MarkedPicture]

    @classmethod
    def load(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> DetectorTrainer:
        """Read which pictures there are."""
        frontend = FaceFrontend(FaceSpec.from_dict(dict(recipe.spec)))
        given = set(recipe.detector) & {"width", "height", "score_scale", "score_bias"}
        if given:
            raise SpecError(
                f"[detector]: {', '.join(sorted(given))} is not for a recipe to say; leave it out."
            )
        size = {"width": frontend.spec.width, "height": frontend.spec.height}
        spec = DetectorSpec.from_dict({**recipe.detector, **size})
        if frontend.spec.output[0][-1] != 1:
            raise SpecError("[spec] channels: a detector reads gray, as the crops it learns from are.")
        names = [recipe.data[role] for role in ("pictures", "portraits") if recipe.data.get(role)]
        pictures, valid = ([p for name in names for p in _marked(name, data, x)] for x in ("train", "valid"))
        if not any(p.faces for p in pictures) or not any(p.faces for p in valid):
            raise SpecError(f"[data]: in {' and '.join(names)} no faces are marked; street is such a set.")
        return cls(recipe, data, out, frontend, spec, pictures, valid)

    @staticmethod
    def models(step: Step) -> Mapping[str, Callable[..., keras.Model]]:
        """Return the networks that find faces."""
        return FINDERS

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        return training_model(FINDERS[step.model](self.spec, **step.options))

    def step_data(self, step: Step, model: keras.Model, networks: Networks) -> StepData:
        """Return scenes and the targets of their cells; the network goes on from the step before."""
        if networks:
            model.set_weights(list(networks.values())[-1].get_weights())
        seed = self.recipe.seed + len(networks)  # other scenes in every step
        made = DetectorBatches.made(self.pool(), self.spec, self.frontend, self.recipe.data["made"], seed)
        held = DetectorBatches.real(annotate(self.valid), self.spec, self.frontend)
        return StepData(made, held, {"logits": focal, "places": place_loss})

    def pool(self) -> ScenePool:
        """Return the pictures that scenes are made of, with what the teachers add."""
        data, near, far = self.recipe.data, *self._teachers()
        crops: list[Example] = load(data["heads"], self.data, "train") if data.get("heads") else []
        if "most_heads" in data:
            chosen = {id(crop) for crop in by_hash(crops, _name)[: data["most_heads"]]}
            crops = [crop for crop in crops if id(crop) in chosen]  # in their order: sheet by sheet
        whole = annotate(self._train("pictures"), near, far)
        empty = annotate(self._train("scenes"))
        empty += [picture for picture in whole if not picture.faces and not picture.unsure]
        return ScenePool(
            [picture for picture in whole if picture.faces],
            portraits(self._train("portraits"), near),
            empty,
            heads(crops, near, self.out / "cache" / "heads.npy"),
        )

    def export(self, networks: Networks) -> Path:
        """Write the float network, its draft card, and the manifests."""
        model, held = device_model(self.float_network(networks)), annotate(self.valid)
        pictures = DetectorBatches.real(held, self.spec, self.frontend).pictures
        tensors = pictures[..., None].astype("float32") / 255
        card = detector_card(self.recipe, self.frontend, self.spec, predict(model, tensors, 32), held)
        write_seen(self.out / "model.seen", map(pixels_of, self.pictures))
        write_marked(self.out / "dev.csv", self.valid)
        write_marked(self.out / "calibration.csv", by_hash(self.pictures, _name)[:CALIBRATION_PICTURES])
        return self.write(model, card)

    def _train(self, role: str) -> list[MarkedPicture]:
        name = self.recipe.data.get(role)
        return _marked(name, self.data, "train") if name else []

    def _teachers(self) -> tuple[BlazeFace | None, BlazeFace | None]:
        files = self.recipe.data.get("teachers", [])
        if not files:
            return None, None
        near, far = files
        return BlazeFace(self.data / near), BlazeFace(self.data / far, least_score=0.3)


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
        metrics={"protocol": PROTOCOL},
    )


def _marked(name: str, data: Path, split: str) -> list[MarkedPicture]:
    return [p for p in load(name, data, split) if isinstance(p, MarkedPicture)]


def _name(example: Example) -> str:
    return (example.path or Path()).name


TRAINER = DetectorTrainer
