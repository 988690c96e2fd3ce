"""The trainer of text bundles: a teacher, its answers, a student; see `edgeemo.training.trainer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import keras

from ...data.leaks import digest, write_seen
from ...data.manifest import Example, write_manifest
from ...frontends import TextFrontend
from ..fit import binary, categorical, predict, squared
from ..recipe import Recipe, Step
from ..trainer import Networks, StepData, Trainer
from . import models, nbsvm
from .batches import TextData, load_texts, truth
from .card import text_card
from .distil import distilled, first_embedding

CALIBRATION_TEXTS = 1000


@dataclass(frozen=True)
class TextTrainer(Trainer):
    """See `Trainer`."""

    FILES: ClassVar[Sequence[str]] = (*Trainer.FILES, "vocab.txt", "test.csv")

    recipe: Recipe
    out: Path
    texts: TextData

    @classmethod
    def load(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> TextTrainer:
        """Read the data and train the vocabulary.

        Raises:
            RuntimeUnavailableError: a step wants MiniLM, which is not installed.
        """
        if any("minilm" in (step.model, step.embedding) for step in recipe.step):
            models.minilm_folder()
        return cls(recipe, out, load_texts(recipe, data, out))

    @staticmethod
    def models(step: Step) -> Mapping[str, Callable[..., keras.Model]]:
        """Return the teacher and the students."""
        return {"minilm": models.minilm, **models.STUDENTS}

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        if step.model == "minilm":
            return self._minilm(**step.options)
        texts = self.texts
        return models.STUDENTS[step.model](
            len(texts.vocabulary), texts.frontend.spec.length, texts.heads(False), **step.options
        )

    def step_data(self, step: Step, model: keras.Model, networks: Networks) -> StepData:
        """Return ids and targets, and give a student its first weights."""
        texts, frontend, seed = self.texts, self._frontend(step), self.recipe.seed
        heads = texts.heads(auxiliary=step.model == "minilm")
        train = texts.targets(texts.fit, frontend, heads)
        valid = texts.targets(texts.valid, frontend, heads)
        if step.teacher:
            teacher, reads = networks[step.teacher], self._frontend(self._step(step.teacher))
            train = distilled(texts, step, teacher, reads, train, self.out / step.teacher, seed)
        if step.embedding:
            if step.embedding in networks:
                teacher, reads = networks[step.embedding], self._frontend(self._step(step.embedding))
            else:
                teacher, reads = self._minilm(), models.minilm_frontend()
            words = model.get_layer("words")
            words.set_weights([first_embedding(teacher, reads, texts.vocabulary, words.output_dim)])
        if step.model == "text_counts":
            nbsvm.set_first_weights(model, len(texts.vocabulary), train.ids, train.heads["labels"], seed)
        losses: dict[str, Callable[..., Any]] = dict.fromkeys(heads, binary)
        losses["labels"] = binary if self.recipe.data["multi_label"] else categorical
        if "affect" in heads:
            losses["affect"] = squared
        varies = model.input_shape[1] is None
        return StepData(replace(train, vary_length=varies), replace(valid, vary_length=varies), losses)

    def export(self, networks: Networks) -> Path:
        """Write the float network, its draft card, and the manifests."""
        texts, out, model = self.texts, self.out, self.float_network(networks)
        labels = self.recipe.data["labels"]
        held_out = [e.text or "" for examples in texts.valid.values() for e in examples]
        write_seen(out / "model.seen", texts.texts + held_out)
        # texts no weight has seen: answers to training texts can keep within a narrower range
        ranges, checked = texts.valid[labels], texts.dev
        if (
            "dev" not in self.recipe.data
        ):  # both are the same texts: verify int8 on others than it calibrates on
            ranges, checked = halves(checked)
        write_manifest(out / "calibration.csv", ranges[:CALIBRATION_TEXTS])
        write_manifest(out / "dev.csv", checked)
        if texts.test:
            write_manifest(out / "test.csv", texts.test)
        answers = predict(model, texts.frontend.compute_batch([e.text or "" for e in texts.dev]))
        return self.write(model, text_card(texts, answers["labels"], truth(texts.dev, labels)))

    def _frontend(self, step: Step) -> TextFrontend:
        """Return the frontend of a step's network."""
        return models.minilm_frontend() if step.model == "minilm" else self.texts.frontend

    def _step(self, name: str) -> Step:
        return next(step for step in self.recipe.step if step.name == name)

    def _minilm(self, **options: Any) -> keras.Model:
        return models.minilm(self.texts.heads(auxiliary=True), **options)


def halves(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Divide texts in two by a bit of their hash, so that repeated texts stay together."""
    parts: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        parts[digest(example.text or "") >> 32 & 1].append(example)
    return parts


TRAINER = TextTrainer
