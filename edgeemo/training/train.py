"""Run a recipe: train its steps one after the other, then write the model and its draft card.

`edgeemo convert` takes the folder that a run leaves::

    runs/text/                       runs/voice/
      vocab.txt  card.json             card.json         the draft card: conversion adds the rest
      model.keras                      model.keras       the float network, as a device runs it
      model.seen                       model.seen        hashes of the training data, for leak checks
      calibration.csv  dev.csv         (the same)        what convert and verify read
      test.csv                         cache/            features of all clips and their augmented copies
      teacher/  student/               speech/ emotion/  weights and logs (log.csv, TensorBoard)

The `Trainer` of the recipe's task knows all that differs between kinds of bundles.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from .. import tasks
from ..errors import SpecError
from ..moved import renamed
from .recipe import read_recipe
from .trainer import Networks


def run(
    recipe: str | Path,
    *,
    data: Path,
    out: Path,
    steps: Sequence[str] | None = None,
    fresh: bool = False,
    crossval: Path | None = None,
) -> Path:
    """Run a recipe and return the path of ``model.keras``.

    Args:
        recipe: the name of a shipped recipe or the path of a TOML file.
        data: the folder with the data sets.
        out: the folder to fill. Finished steps in it are kept, and an interrupted step goes on.
        steps: names of steps to train again; the steps after the first of them follow.
        fresh: train everything again.
        crossval: for a voice recipe, the folder that ``edgeemo crossval`` filled. Its calibration and scores
            go into the card.

    Raises:
        SpecError: the recipe or a step's name is wrong.
        DataError: the data are missing or damaged.
    """
    plan = read_recipe(recipe, check_models=True)
    names = [step.name for step in plan.step]
    unknown = sorted(set(steps or ()) - set(names))
    if unknown:
        raise SpecError(f"{plan.name} has no step {', '.join(unknown)}: expected one of {', '.join(names)}.")
    task = tasks.task(plan.kind)
    if crossval is not None and not task.crossval:
        raise SpecError(f"{plan.name} is a {plan.modality} recipe; --crossval is for voice.")
    trainer_class = task.trainer()
    if fresh:
        for file in trainer_class.FILES:
            (out / file).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    again = names if fresh else names[min(map(names.index, steps)) :] if steps else []
    for name in again:
        shutil.rmtree(out / name, ignore_errors=True)

    trainer = trainer_class.load(plan, Path(data), out, crossval)
    networks: Networks = {}
    for step in plan.step:
        networks[step.name] = trainer.train(step, networks, out / step.name)
    return trainer.export(networks)


__getattr__ = renamed(
    __name__, {"Workshop": "Trainer", "Course": "StepData", "Trained": "Networks"}, "edgeemo.training.trainer"
)
