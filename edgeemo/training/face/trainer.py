"""The trainer of face bundles: it learns expressions from the votes of people.

See `edgeemo.training.trainer`. The section ``[data]`` of a face recipe::

    labels  = "ferplus"     a set with votes and the splits train and valid
    balance = 0.25          how much more often rare expressions are drawn: 0 not at all, 1 all equally often

The steps are one network at growing sizes: each begins with the weights of the step before. ``options`` may
give a step's ``size``, the side of its square tensors in pixels. A step without it reads the spec as it is,
and so must the last step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from ...data.catalog import DATASETS, load
from ...data.face_sets import VotedFace
from ...data.faces import pixels_of
from ...data.folds import spread_sample
from ...data.leaks import write_seen
from ...data.manifest import Example, write_manifest
from ...errors import SpecError
from ...frontends import FaceFrontend, FaceSpec
from ..calibrate import exclusive
from ..cards import draft, even_thresholds
from ..fit import categorical, predict
from ..recipe import Recipe, Step
from ..trainer import Networks, StepData, Trainer
from .batches import FaceAugment, FaceBatches
from .models import EXPRESSION

CALIBRATION_FACES = 400
PROTOCOL = (
    "Validation faces: no weight learned from them, near copies of training faces and pictures equal to the "
    "pixel were dropped; epochs and temperature were chosen on them, which flatters scores a little."
)


@dataclass(frozen=True)
class FaceTrainer(Trainer):
    """See `Trainer`. Validation faces stop a step only if it has ``patience``."""

    recipe: Recipe
    out: Path
    frontend: FaceFrontend
    augment: FaceAugment
    faces: Sequence[VotedFace]
    valid: Sequence[VotedFace]

    @classmethod
    def load(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> FaceTrainer:
        """Read which faces there are."""
        augment = FaceAugment.of(recipe.augment)
        frontend = FaceFrontend(FaceSpec.from_dict(dict(recipe.spec)))
        name = recipe.data["labels"]
        faces, valid = (_voted(name, load(name, data, split)) for split in ("train", "valid"))
        return cls(recipe, out, frontend, augment, faces, valid)

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's output."""
        return DATASETS[self.recipe.data["labels"]].labels

    @staticmethod
    def models(step: Step) -> Mapping[str, Callable[..., keras.Model]]:
        """Return the networks of expressions."""
        return EXPRESSION

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        shape, _ = self._frontend(step).spec.output
        options = {key: value for key, value in step.options.items() if key != "size"}
        return EXPRESSION[step.model](shape, len(self.labels), **options)

    def step_data(self, step: Step, model: keras.Model, networks: Networks) -> StepData:
        """Return faces and votes; the network goes on from the step before."""
        if networks:
            model.set_weights(list(networks.values())[-1].get_weights())
        frontend, balance = self._frontend(step), float(self.recipe.data.get("balance", 0.0))
        train = FaceBatches.of(frontend, self.faces, self.augment, balance)
        return StepData(train, FaceBatches.of(frontend, self.valid, self.augment), {"labels": categorical})

    def export(self, networks: Networks) -> Path:
        """Write the float network, its draft card, and the manifests."""
        model, valid = self.float_network(networks), FaceBatches.of(self.frontend, self.valid, self.augment)
        logits = predict(model, valid.tensors())["labels"]
        card = draft(
            self.recipe,
            self.frontend.spec,
            labels=self.labels,
            multi_label=False,
            calibration=exclusive(logits.astype(np.float64), valid.target.astype(np.float64)),
            thresholds=even_thresholds(self.labels),
            outputs={"labels": "labels"},
            metrics={"protocol": PROTOCOL},
        )
        write_seen(self.out / "model.seen", map(pixels_of, self.faces))
        write_manifest(self.out / "dev.csv", self.valid)
        write_manifest(self.out / "calibration.csv", self.sample(CALIBRATION_FACES))
        return self.write(model, card)

    def sample(self, n: int) -> list[VotedFace]:
        """Return ``n`` training faces, of all labels in turn, always the same ones."""
        return spread_sample(self.faces, n, lambda face: face.labels, lambda face: (face.path or Path()).name)

    def _frontend(self, step: Step) -> FaceFrontend:
        """Return the frontend of a step's network."""
        size = step.options.get("size")
        if size is None:
            return self.frontend
        if step is self.recipe.step[-1]:
            raise SpecError(f"Step {step.name} is the last: it reads the [spec] as it is, without a size.")
        return FaceFrontend(
            FaceSpec.from_dict({**self.frontend.spec.to_dict(), "width": size, "height": size})
        )


def _voted(name: str, examples: Sequence[Example]) -> list[VotedFace]:
    faces = [e for e in examples if isinstance(e, VotedFace)]
    if len(faces) < len(examples) or not faces:
        raise SpecError(f"[data] labels: {name} has no faces with votes; ferplus has.")
    return faces


TRAINER = FaceTrainer
