"""Run a recipe: vocabulary → teacher → its answers → student → calibration → a draft card beside the model.

The folder it leaves is what ``edgeemo convert`` takes::

    runs/text/
      vocab.txt  card.json           the draft card: all but what conversion adds
      model.keras                    the float network, one text at a time
      model.seen                     hashes of the training texts, for leak checks
      calibration.csv  dev.csv       what convert and verify read
      test.csv                       for the final number, where the recipe names a test split
      teacher/  student/             weights, logs (log.csv, TensorBoard), answers
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from ..errors import SpecError
from ..evaluation.leaks import write_seen
from ..frontends import TextFrontend
from ..manifest import write_manifest
from . import models
from .cards import draft_card
from .distil import distilled, first_embedding
from .fit import binary, categorical, fit, predict, squared
from .material import Material, gather, truth
from .recipe import Step, read_recipe

CALIBRATION_TEXTS = 1000
_MANIFESTS = ("calibration.csv", "dev.csv", "test.csv")


def run(
    recipe: str | Path, *, data: Path, out: Path, steps: Sequence[str] | None = None, fresh: bool = False
) -> Path:
    """Run a recipe and return the path of ``model.keras``.

    Args:
        recipe: the name of a shipped recipe or the path of a TOML file.
        data: the folder with the data sets.
        out: the folder to fill. What it already holds is kept, and an interrupted step goes on.
        steps: names of steps to train anew; the steps after the first of them follow.
        fresh: begin everything anew.

    Raises:
        SpecError: the recipe or a step's name is wrong.
        DataError: the data are missing or damaged.
    """
    plan = read_recipe(recipe)
    names = [step.name for step in plan.step]
    unknown = sorted(set(steps or ()) - set(names))
    if unknown:
        raise SpecError(f"{plan.name} has no step {', '.join(unknown)}: expected one of {', '.join(names)}.")
    if fresh:
        _clear(out, names)
    out.mkdir(parents=True, exist_ok=True)
    for name in names[min(map(names.index, steps)) :] if steps else ():
        shutil.rmtree(out / name, ignore_errors=True)

    material = gather(plan, Path(data), out)
    trained: dict[str, tuple[keras.Model, TextFrontend]] = {}
    for step in plan.step:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        trained[step.name] = _train(step, material, trained, out)
    keras.mixed_precision.set_global_policy("float32")
    return _finish(material, plan.step[-1], trained[plan.step[-1].name][0], out)


def _clear(out: Path, steps: Sequence[str]) -> None:
    """Remove what a run makes, and nothing else that lies there."""
    for name in steps:
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("vocab.txt", "card.json", "model.keras", "model.seen", *_MANIFESTS):
        (out / name).unlink(missing_ok=True)


def _train(
    step: Step, material: Material, trained: dict[str, tuple[keras.Model, TextFrontend]], out: Path
) -> tuple[keras.Model, TextFrontend]:
    """Return a step's trained network and the frontend it reads through; loads it where it is done."""
    folder, seed = out / step.name, material.recipe.seed
    weights = folder / "best.weights.h5"
    keras.utils.set_random_seed(seed)
    model, frontend = _build(step, material)
    if weights.is_file():
        model.load_weights(weights)
        return model, frontend
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{material.recipe.name}, {step.name}: {model.count_params():,} parameters", flush=True)
    heads = material.heads(auxiliary=step.model == "minilm")
    train = material.targets(material.fit, frontend, heads)
    valid = material.targets(material.valid, frontend, heads)
    if step.teacher:
        teacher, reads = trained[step.teacher]
        train = distilled(material, step, teacher, reads, train, out / step.teacher, seed)
    if step.embedding:
        teacher, reads = trained[step.embedding] if step.embedding in trained else _minilm(material)
        words = model.get_layer("words")
        words.set_weights([first_embedding(teacher, reads, material.vocabulary, words.output_dim)])
    losses: dict[str, Callable[..., Any]] = dict.fromkeys(heads, binary)
    losses["labels"] = binary if material.recipe.data["multi_label"] else categorical
    if "affect" in heads:
        losses["affect"] = squared
    fit(model, step, train, valid, losses, folder, seed)
    model.save_weights(weights)
    shutil.rmtree(folder / "backup", ignore_errors=True)
    return model, frontend


def _build(step: Step, material: Material) -> tuple[keras.Model, TextFrontend]:
    if step.model == "minilm":
        return _minilm(material, **step.options)
    if step.model not in models.STUDENTS:
        raise SpecError(
            f"Step {step.name}: there is no model {step.model!r}: minilm, {', '.join(models.STUDENTS)}."
        )
    builder = models.STUDENTS[step.model]
    spec = material.frontend.spec
    return builder(
        len(material.vocabulary), spec.length, material.heads(False), **step.options
    ), material.frontend


def _minilm(material: Material, **options: Any) -> tuple[keras.Model, TextFrontend]:
    return models.minilm(material.heads(auxiliary=True), **options), models.minilm_frontend()


def _finish(material: Material, step: Step, trained: keras.Model, out: Path) -> Path:
    """Write the float network as a device runs it, its draft card, and the manifests."""
    model, _ = _build(step, material)
    model.set_weights(trained.get_weights())
    model.save(out / "model.keras")
    held_out = [e.text or "" for examples in material.valid.values() for e in examples]
    write_seen(out / "model.seen", material.texts + held_out)
    write_manifest(out / "dev.csv", material.dev)
    write_manifest(out / "calibration.csv", material.fit[material.recipe.data["labels"]][:CALIBRATION_TEXTS])
    if material.test:
        write_manifest(out / "test.csv", material.test)
    answers = predict(model, material.frontend.compute_batch([e.text or "" for e in material.dev]))
    card = draft_card(material, answers["labels"], truth(material.dev, material.recipe.data["labels"]))
    (out / "card.json").write_text(card.to_json() + "\n", encoding="utf-8")
    return out / "model.keras"
