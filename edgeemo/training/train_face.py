"""The face workshop: what a face expresses, from the votes of people.

See `edgeemo.training.train`. The section ``[data]`` of a face recipe::

    labels  = "ferplus"     a set with votes and the splits train and valid
    balance = 0.25          how much oftener rare expressions are drawn: 0 not at all, 1 all as often

The steps are one network at growing sizes: each begins with the weights of the one before. ``options`` may
give a step's ``size``, the side of its square tensors in pixels; without it the spec's own are read, as they
must be in the last step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import keras

from ..data.catalog import DATASETS, load
from ..data.face_sets import VotedFace
from ..data.faces import pixels_of
from ..data.leaks import write_seen
from ..data.manifest import write_manifest
from ..errors import SpecError
from ..frontends import FaceFrontend, FaceSpec
from .cards import face_card
from .fit import categorical, predict
from .material_face import FaceAugment, FaceLesson
from .models_face import EXPRESSION
from .recipe import Recipe, Step
from .train import Course, Trained

CALIBRATION_FACES = 400


@dataclass(frozen=True)
class FaceWorkshop:
    """See `edgeemo.training.train.Workshop`. ``valid`` stops nothing unless a step has ``patience``."""

    MADE: ClassVar[Sequence[str]] = ("card.json", "model.keras", "model.seen", "calibration.csv", "dev.csv")

    recipe: Recipe
    out: Path
    frontend: FaceFrontend
    plan: FaceAugment
    train: Sequence[VotedFace]
    valid: Sequence[VotedFace]

    @classmethod
    def gather(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> FaceWorkshop:
        """Read which faces there are."""
        plan = FaceAugment.of(recipe.augment)
        frontend = FaceFrontend(FaceSpec.from_dict(dict(recipe.spec)))
        name = recipe.data["labels"]
        train, valid = (_voted(name, load(name, data, split)) for split in ("train", "valid"))
        return cls(recipe, out, frontend, plan, train, valid)

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's output."""
        return DATASETS[self.recipe.data["labels"]].labels

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        shape, _ = self._reads(step).spec.output
        options = {key: value for key, value in step.options.items() if key != "size"}
        return EXPRESSION[step.model](shape, len(self.labels), **options)

    def course(self, step: Step, model: keras.Model, trained: Trained) -> Course:
        """Return faces and votes; the network goes on from the step before."""
        if trained:
            model.set_weights(list(trained.values())[-1].get_weights())
        frontend, balance = self._reads(step), float(self.recipe.data.get("balance", 0.0))
        train = FaceLesson.of(frontend, self.train, self.plan, balance)
        return Course(train, FaceLesson.of(frontend, self.valid, self.plan), {"labels": categorical})

    def finish(self, trained: Trained) -> Path:
        """Write the float network as a device runs it, its draft card, and the manifests."""
        out, step = self.out, self.recipe.step[-1]
        model = self.build(step)
        model.set_weights(trained[step.name].get_weights())
        model.save(out / "model.keras")
        lesson = FaceLesson.of(self.frontend, self.valid, self.plan)
        logits = predict(model, lesson.tensors())["labels"]
        card = face_card(self.recipe, self.frontend.spec, self.labels, logits, lesson.target)
        (out / "card.json").write_text(card.to_json() + "\n", encoding="utf-8")
        write_seen(out / "model.seen", map(pixels_of, self.train))
        write_manifest(out / "dev.csv", self.valid)
        write_manifest(out / "calibration.csv", self.sample(CALIBRATION_FACES))
        return out / "model.keras"

    def sample(self, n: int) -> list[VotedFace]:
        """Return ``n`` training faces, of all labels in turn, the same ones every time."""
        ranked: dict[tuple[str, ...], list[VotedFace]] = {}
        for face in sorted(self.train, key=lambda face: sha256((face.path or Path()).name.encode()).digest()):
            ranked.setdefault(face.labels, []).append(face)
        turns = [(i, label, face) for label, own in ranked.items() for i, face in enumerate(own)]
        return [face for _, _, face in sorted(turns, key=lambda turn: turn[:2])[:n]]

    def _reads(self, step: Step) -> FaceFrontend:
        """Return the frontend a step's network reads through."""
        size = step.options.get("size")
        if size is None:
            return self.frontend
        if step is self.recipe.step[-1]:
            raise SpecError(f"Step {step.name} is the last: it reads the [spec] as it is, without a size.")
        return FaceFrontend(
            FaceSpec.from_dict({**self.frontend.spec.to_dict(), "width": size, "height": size})
        )


def _voted(name: str, examples: Sequence[Any]) -> list[VotedFace]:
    faces = [e for e in examples if isinstance(e, VotedFace)]
    if len(faces) < len(examples) or not faces:
        raise SpecError(f"[data] labels: {name} is no set of faces with votes; ferplus is one.")
    return faces
