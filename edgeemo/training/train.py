"""Run a recipe: its steps one after the other, then calibration and a draft card beside the model.

The folder it leaves is what ``edgeemo convert`` takes::

    runs/text/                       runs/voice/
      vocab.txt  card.json             card.json         the draft card: all but what conversion adds
      model.keras                      model.keras       the float network, as a device runs it
      model.seen                       model.seen        what was trained on, for leak checks
      calibration.csv  dev.csv         (the same)        what convert and verify read
      test.csv                         cache/            features of all clips and their made copies
      teacher/  student/               speech/ emotion/  weights and logs (log.csv, TensorBoard)

What is particular to a modality is in `train_text`, `train_voice`, `train_face` and `train_detector`, each a
`Workshop`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import keras

from ..errors import SpecError
from .fit import Lesson, fit
from .recipe import Recipe, Step, read_recipe

Trained = dict[str, keras.Model]
"""The networks of the finished steps, by step."""


@dataclass(frozen=True)
class Course:
    """What a step learns from; without ``valid`` nothing stops it early."""

    train: Lesson
    valid: Lesson | None
    losses: Mapping[str, Callable[..., Any]]


class Workshop(Protocol):
    """What a modality brings to `run`."""

    MADE: ClassVar[Sequence[str]]
    """The files it leaves beside the folders of the steps."""

    @property
    def recipe(self) -> Recipe:
        """The recipe it works by."""
        ...

    @classmethod
    def gather(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None) -> Workshop:
        """Read the data of a recipe."""
        ...

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        ...

    def course(self, step: Step, model: keras.Model, trained: Trained) -> Course:
        """Return what the step learns from; may give ``model`` its first weights."""
        ...

    def finish(self, trained: Trained) -> Path:
        """Write model, draft card and manifests; return the path of ``model.keras``."""
        ...


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
        out: the folder to fill. What it already holds is kept, and an interrupted step goes on.
        steps: names of steps to train anew; the steps after the first of them follow.
        fresh: begin everything anew.
        crossval: of a voice recipe, the folder ``edgeemo crossval`` filled: its calibration and scores go
            into the card.

    Raises:
        SpecError: the recipe or a step's name is wrong.
        DataError: the data are missing or damaged.
    """
    plan = read_recipe(recipe)
    names = [step.name for step in plan.step]
    unknown = sorted(set(steps or ()) - set(names))
    if unknown:
        raise SpecError(f"{plan.name} has no step {', '.join(unknown)}: expected one of {', '.join(names)}.")
    if crossval is not None and plan.modality != "voice":
        raise SpecError(f"{plan.name} is a {plan.modality} recipe; --crossval is for voice.")
    workshop = _KINDS[plan.kind]()
    if fresh:
        _clear(out, names, workshop.MADE)
    out.mkdir(parents=True, exist_ok=True)
    for name in names[min(map(names.index, steps)) :] if steps else ():
        shutil.rmtree(out / name, ignore_errors=True)

    shop: Workshop = workshop.gather(plan, Path(data), out, crossval)
    trained: Trained = {}
    for step in plan.step:
        trained[step.name] = train_step(shop, step, trained, out / step.name)
    return shop.finish(trained)


def train_step(shop: Workshop, step: Step, trained: Trained, folder: Path) -> keras.Model:
    """Return a step's trained network; loads it from ``folder`` where it is done."""
    weights, seed = folder / "best.weights.h5", shop.recipe.seed
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        keras.utils.set_random_seed(seed)
        model = shop.build(step)
        if weights.is_file():
            model.load_weights(weights)
            return model
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{shop.recipe.name}, {step.name}: {model.count_params():,} parameters", flush=True)
        course = shop.course(step, model, trained)
        fit(model, step, course.train, course.valid, course.losses, folder, seed)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.save_weights(weights)
    shutil.rmtree(folder / "backup", ignore_errors=True)
    return model


def _clear(out: Path, steps: Sequence[str], made: Sequence[str]) -> None:
    """Remove what a run makes, and nothing else that lies there."""
    for name in steps:
        shutil.rmtree(out / name, ignore_errors=True)
    for name in made:
        (out / name).unlink(missing_ok=True)


def _text() -> Any:
    from .train_text import TextWorkshop

    return TextWorkshop


def _voice() -> Any:
    from .train_voice import VoiceWorkshop

    return VoiceWorkshop


def _face() -> Any:
    from .train_face import FaceWorkshop

    return FaceWorkshop


def _detector() -> Any:
    from .train_detector import DetectorWorkshop

    return DetectorWorkshop


_KINDS: Mapping[str, Callable[[], Any]] = {
    "text": _text, "voice": _voice, "face": _face, "detector": _detector,
}  # fmt: skip
