"""The text workshop: teacher → its answers → student, on ids; see `edgeemo.training.train`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import keras

from ..data.leaks import digest, write_seen
from ..data.manifest import Example, write_manifest
from ..frontends import TextFrontend
from . import models, nbsvm
from .cards import text_card
from .distil import distilled, first_embedding
from .fit import binary, categorical, predict, squared
from .material import Material, gather, truth
from .recipe import Recipe, Step
from .train import Course, Trained

CALIBRATION_TEXTS = 1000


@dataclass(frozen=True)
class TextWorkshop:
    """See `edgeemo.training.train.Workshop`."""

    MADE: ClassVar[Sequence[str]] = (
        "vocab.txt", "card.json", "model.keras", "model.seen", "calibration.csv", "dev.csv", "test.csv"
    )  # fmt: skip

    material: Material
    out: Path

    @classmethod
    def gather(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> TextWorkshop:
        """Read the data and train the vocabulary.

        Raises:
            RuntimeUnavailableError: the recipe has a step by MiniLM, which is not installed.
        """
        if any("minilm" in (step.model, step.embedding) for step in recipe.step):
            models.minilm_folder()
        return cls(gather(recipe, data, out), out)

    @property
    def recipe(self) -> Recipe:
        """The recipe."""
        return self.material.recipe

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        if step.model == "minilm":
            return self._minilm(**step.options)
        material = self.material
        return models.STUDENTS[step.model](
            len(material.vocabulary), material.frontend.spec.length, material.heads(False), **step.options
        )

    def course(self, step: Step, model: keras.Model, trained: Trained) -> Course:
        """Return ids and targets, and give a student its first weights."""
        material, frontend = self.material, self._reads(step)
        heads = material.heads(auxiliary=step.model == "minilm")
        train = material.targets(material.fit, frontend, heads)
        valid = material.targets(material.valid, frontend, heads)
        if step.teacher:
            teacher, reads = trained[step.teacher], self._reads(self._step(step.teacher))
            train = distilled(
                material, step, teacher, reads, train, self.out / step.teacher, self.recipe.seed
            )
        if step.embedding:
            if step.embedding in trained:
                teacher, reads = trained[step.embedding], self._reads(self._step(step.embedding))
            else:
                teacher, reads = self._minilm(), models.minilm_frontend()
            words = model.get_layer("words")
            words.set_weights([first_embedding(teacher, reads, material.vocabulary, words.output_dim)])
        if step.model == "text_counts":
            pieces, truths = len(material.vocabulary), train.heads["labels"]
            nbsvm.set_first_weights(model, pieces, train.ids, truths, self.recipe.seed)
        losses: dict[str, Callable[..., Any]] = dict.fromkeys(heads, binary)
        losses["labels"] = binary if self.recipe.data["multi_label"] else categorical
        if "affect" in heads:
            losses["affect"] = squared
        varies = model.input_shape[1] is None
        return Course(replace(train, vary_length=varies), replace(valid, vary_length=varies), losses)

    def finish(self, trained: Trained) -> Path:
        """Write the float network as a device runs it, its draft card, and the manifests."""
        material, out, step = self.material, self.out, self.recipe.step[-1]
        model = self.build(step)
        model.set_weights(trained[step.name].get_weights())
        model.save(out / "model.keras")
        labels = self.recipe.data["labels"]
        held_out = [e.text or "" for examples in material.valid.values() for e in examples]
        write_seen(out / "model.seen", material.texts + held_out)
        # texts no weight has seen: answers to those it learned from can keep within a narrower range
        ranges, checked = material.valid[labels], material.dev
        if "dev" not in self.recipe.data:  # both are the same texts: int8 is verified on others than these
            ranges, checked = halves(checked)
        write_manifest(out / "calibration.csv", ranges[:CALIBRATION_TEXTS])
        write_manifest(out / "dev.csv", checked)
        if material.test:
            write_manifest(out / "test.csv", material.test)
        answers = predict(model, material.frontend.compute_batch([e.text or "" for e in material.dev]))
        card = text_card(material, answers["labels"], truth(material.dev, labels))
        (out / "card.json").write_text(card.to_json() + "\n", encoding="utf-8")
        return out / "model.keras"

    def _reads(self, step: Step) -> TextFrontend:
        """Return the frontend a step's network reads through."""
        return models.minilm_frontend() if step.model == "minilm" else self.material.frontend

    def _step(self, name: str) -> Step:
        return next(step for step in self.recipe.step if step.name == name)

    def _minilm(self, **options: Any) -> keras.Model:
        return models.minilm(self.material.heads(auxiliary=True), **options)


def halves(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Part texts in two by a bit of their hash, so that repeated ones stay together."""
    parts: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        parts[digest(example.text or "") >> 32 & 1].append(example)
    return parts
