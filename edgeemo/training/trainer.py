"""A `Trainer` is what one kind of bundle brings to training; `edgeemo.training.train.run` runs it."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras

from ..card import Card
from ..machine import machine
from .batches import BatchSource
from .fit import fit
from .recipe import Recipe, Step

Networks = dict[str, keras.Model]
"""The networks of the finished steps, by the name of the step."""


def policy() -> str:
    """Return Keras' policy of numbers: bfloat16 where the processor computes with it, else float32.

    Without such instructions bfloat16 is emulated, about ten times slower than float32.
    """
    return "mixed_bfloat16" if {"avx512_bf16", "amx_bf16"} & set(machine().features) else "float32"


@dataclass(frozen=True)
class StepData:
    """The data and losses of a step. Without ``valid`` nothing stops the step early."""

    train: BatchSource
    valid: BatchSource | None
    losses: Mapping[str, Callable[..., Any]]


class Trainer(ABC):
    """Trains the steps of a recipe and exports the float network with its draft card and manifests."""

    FILES: ClassVar[Sequence[str]] = (
        "card.json", "model.keras", "model.seen", "calibration.csv", "dev.csv"
    )  # fmt: skip
    """The files it writes beside the folders of the steps."""

    recipe: Recipe
    out: Path

    @classmethod
    @abstractmethod
    def load(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> Trainer:
        """Read the data of a recipe.

        Args:
            data: the folder with the data sets.
            out: the folder of the run.
            crossval: the folder of a cross-validation; only a voice recipe has one.
        """

    @staticmethod
    @abstractmethod
    def models(step: Step) -> Mapping[str, Callable[..., keras.Model]]:
        """Return the networks that a step can name, by name."""

    @abstractmethod
    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""

    @abstractmethod
    def step_data(self, step: Step, model: keras.Model, networks: Networks) -> StepData:
        """Return what the step learns from. May give ``model`` its first weights."""

    @abstractmethod
    def export(self, networks: Networks) -> Path:
        """Write model, draft card and manifests; return the path of ``model.keras``."""

    def train(self, step: Step, networks: Networks, folder: Path) -> keras.Model:
        """Return the step's trained network; load it from ``folder`` if the step is finished there."""
        weights, seed = folder / "best.weights.h5", self.recipe.seed
        keras.mixed_precision.set_global_policy(policy())
        try:
            keras.utils.set_random_seed(seed)
            model = self.build(step)
            if weights.is_file():
                model.load_weights(weights)
                return model
            folder.mkdir(parents=True, exist_ok=True)
            print(f"{self.recipe.name}, {step.name}: {model.count_params():,} parameters", flush=True)
            data = self.step_data(step, model, networks)
            fit(model, step, data.train, data.valid, data.losses, folder, seed)
        finally:
            keras.mixed_precision.set_global_policy("float32")
        model.save_weights(weights)
        shutil.rmtree(folder / "backup", ignore_errors=True)
        return model

    def float_network(self, networks: Networks) -> keras.Model:
        """Return the last step's network in float32, as a device runs it."""
        step = self.recipe.step[-1]
        model = self.build(step)
        model.set_weights(networks[step.name].get_weights())
        return model

    def write(self, model: keras.Model, card: Card, folder: Path | None = None) -> Path:
        """Write ``model.keras`` and ``card.json``, by default into `out`; return the path of the model."""
        folder = folder or self.out
        model.save(folder / "model.keras")
        (folder / "card.json").write_text(card.to_json() + "\n", encoding="utf-8")
        return folder / "model.keras"
