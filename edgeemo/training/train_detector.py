"""The detector workshop: where faces are, from photographs with boxes and from faces put into pictures.

See `edgeemo.training.train`. A recipe with a section ``[detector]`` (`edgeemo.faces.DetectorSpec` without its
sides, which are those of ``[spec]``, and without calibration, which is fitted) has steps that
go on from each other, and in
``[data]``::

    pictures   = "street"     photographs with boxes; of them a part is for validation
    portraits  = "portraits"  pictures of one face with its pupils; may be absent
    scenes     = "scenes"     pictures without faces; may be absent
    heads      = "ferplus"    crops of faces, of which most_heads are put into pictures; may be absent
    made       = 20000        scenes an epoch
    teachers   = [NEAR, FAR]  BlazeFace's short and full range, files below --data: eyes that nobody
                              marked, and faces that nobody marked; may be absent
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import keras

from ..data.catalog import load
from ..data.faces import pixels_of
from ..data.leaks import write_seen
from ..data.manifest import Example
from ..data.marked import MarkedPicture, write_marked
from ..errors import SpecError
from ..evaluation.blazeface import BlazeFace
from ..faces import DetectorSpec
from ..frontends import FaceFrontend, FaceSpec
from .cards import detector_card
from .fit import predict
from .material_detector import FindLesson
from .models_detector import FINDERS, focal, placed, taught, untaught
from .recipe import Recipe, Step
from .scenes import Shot, Stock
from .teacher_eyes import heads, portraits, shots
from .train import Course, Trained

CALIBRATION_PICTURES = 300


@dataclass(frozen=True)
class DetectorWorkshop:
    """See `edgeemo.training.train.Workshop`. ``valid`` are whole pictures, as a device reads them."""

    MADE: ClassVar[Sequence[str]] = (
        "card.json", "model.keras", "model.seen", "calibration.csv", "dev.csv", "cache/heads.npy",
    )  # fmt: skip

    recipe: Recipe
    data: Path
    out: Path
    frontend: FaceFrontend
    spec: DetectorSpec
    train: Sequence[MarkedPicture]
    valid: Sequence[MarkedPicture]

    @classmethod
    def gather(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> DetectorWorkshop:
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
        train, valid = (
            [p for name in names for p in load(name, data, split) if isinstance(p, MarkedPicture)]
            for split in ("train", "valid")
        )
        if not any(p.faces for p in train) or not any(p.faces for p in valid):
            raise SpecError(f"[data]: in {' and '.join(names)} no faces are marked; street is such a set.")
        return cls(recipe, data, out, frontend, spec, train, valid)

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        return taught(FINDERS[step.model](self.spec, **step.options))

    def course(self, step: Step, model: keras.Model, trained: Trained) -> Course:
        """Return scenes, and what the cells should say of them; the network goes on from the step before."""
        if trained:
            model.set_weights(list(trained.values())[-1].get_weights())
        seed = self.recipe.seed + len(trained)  # other scenes
        lesson = FindLesson.made(self.stock(), self.spec, self.frontend, self.recipe.data["made"], seed)
        held = FindLesson.real(shots(self.valid), self.spec, self.frontend)
        return Course(lesson, held, {"logits": focal, "places": placed})

    def stock(self) -> Stock:
        """Return what scenes are made of, with what the teachers add."""
        data, near, far = self.recipe.data, *self._teachers()
        street = self._train_of("pictures")
        crops: Sequence[Example] = load(data["heads"], self.data, "train") if data.get("heads") else []
        most = data.get("most_heads", len(crops))
        chosen = set(sorted(range(len(crops)), key=lambda i: _hash(crops[i]))[:most])
        crops = [crop for i, crop in enumerate(crops) if i in chosen]  # sheet by sheet
        scenes = load(data["scenes"], self.data, "train") if data.get("scenes") else []
        whole = shots(street, near, far)
        empty = shots([p for p in scenes if isinstance(p, MarkedPicture)])
        empty += [shot for shot in whole if not shot.faces and not shot.unsure]
        return Stock(
            [shot for shot in whole if shot.faces],
            portraits(self._train_of("portraits"), near),
            empty,
            heads(crops, near, self.out / "cache" / "heads.npy"),
        )

    def finish(self, trained: Trained) -> Path:
        """Write the float network as a device runs it, its draft card, and the manifests."""
        out, step = self.out, self.recipe.step[-1]
        model = self.build(step)
        model.set_weights(trained[step.name].get_weights())
        model = untaught(model)
        model.save(out / "model.keras")
        held: list[Shot] = shots(self.valid)
        lesson = FindLesson.real(held, self.spec, self.frontend)
        tensors = lesson.pictures[..., None].astype("float32") / 255
        card = detector_card(self.recipe, self.frontend, self.spec, predict(model, tensors, 32), held)
        (out / "card.json").write_text(card.to_json() + "\n", encoding="utf-8")
        write_seen(out / "model.seen", map(pixels_of, self.train))
        write_marked(out / "dev.csv", self.valid)
        ranked = sorted(self.train, key=_hash)
        write_marked(out / "calibration.csv", ranked[:CALIBRATION_PICTURES])
        return out / "model.keras"

    def _train_of(self, role: str) -> list[MarkedPicture]:
        name: Any = self.recipe.data.get(role)
        return [p for p in load(name, self.data, "train") if isinstance(p, MarkedPicture)] if name else []

    def _teachers(self) -> tuple[BlazeFace | None, BlazeFace | None]:
        files = self.recipe.data.get("teachers", [])
        if not files:
            return None, None
        near, far = files
        return BlazeFace(self.data / near), BlazeFace(self.data / far, least_score=0.3)


def _hash(example: Example) -> bytes:
    """Return what decides which examples are chosen: the same ones every time."""
    return sha256((example.path or Path()).name.encode()).digest()
