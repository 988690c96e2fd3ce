"""A recipe: the TOML file that says how a shipped model was made, checked before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from inspect import signature
from pathlib import Path
from typing import Any

from .. import tasks
from ..errors import SpecError
from ..types import EMOTIONS, MODALITIES, Modality

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RECIPES = Path(__file__).parent / "recipes"

_ROLES = (
    "labels", "affect", "auxiliary", "calm", "bursts", "noises", "rooms", "speech", "pictures", "portraits",
    "scenes", "heads",
)  # fmt: skip
"""The keys of ``[data]`` that name data sets."""


@dataclass(frozen=True)
class Step:
    """One network to train.

    Attributes:
        model: the network's name in the task's ``models`` module.
        options: keyword arguments of the network's builder.
        patience: training stops after so many epochs without a better validation loss. With 0 it runs all
            ``epochs`` and keeps the last weights.
        average: above 0, keep the moving average of the weights, with this momentum.
        teacher: an earlier step to distil from. Its answer has the weight ``soft`` beside the label, and it
            answers ``augment`` made texts per real one.
        embedding: the network whose reading of each piece becomes the first embedding: an earlier teacher,
            or ``"minilm"`` as published. For voice: ``"whisper"``, whose features the network's embedding
            learns beside the labels.

    A ``text_counts`` is fitted before its first epoch and needs none: see `edgeemo.training.text.nbsvm`.
    """

    name: str
    model: str
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0
    patience: int = 2
    average: float = 0.0
    teacher: str = ""
    soft: float = 0.0
    augment: int = 0
    embedding: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """A checked recipe; the fields are the sections of the file.

    ``vocabulary`` and ``groups`` are for text. ``manifest`` and ``bursts`` are for voice (see
    `edgeemo.data.voice_sets.from_manifest` and `edgeemo.training.voice.bursts`). ``augment`` is for voice and
    face (see `edgeemo.training.voice.augment.Augment`, `edgeemo.training.face.batches.FaceAugment`).
    ``detector`` makes a face recipe one for a detector (see `edgeemo.training.detector.trainer`). All others
    have ``emotions``.
    """

    name: str
    version: str
    modality: Modality
    title: str
    description: str
    licence: str
    seed: int
    spec: Mapping[str, Any]
    data: Mapping[str, Any]
    step: tuple[Step, ...]
    emotions: Mapping[str, Any] = field(default_factory=dict)
    detector: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Mapping[str, int] = field(default_factory=dict)
    augment: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)
    affect: Mapping[str, list[float]] = field(default_factory=dict)
    bursts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The name of the recipe's task: see `edgeemo.tasks.kind_of`."""
        return tasks.kind_of(self)

    @property
    def datasets(self) -> list[str]:
        """The names of all data sets behind the weights."""
        named = [self.data.get(role) or [] for role in _ROLES]
        return [name for names in named for name in ([names] if isinstance(names, str) else names)]

    def emotion_labels(self) -> dict[str, tuple[str, ...]]:
        """Return the labels behind each of `EMOTIONS`: a group's by name, or as the recipe lists them."""
        groups = self.groups.get(self.emotions.get("groups", ""), {})
        found: dict[str, tuple[str, ...]] = {}
        for emotion in EMOTIONS:
            value = self.emotions.get(emotion, emotion)
            labels = groups.get(value, ()) if isinstance(value, str) else value
            if labels:
                found[emotion] = tuple(labels)
        return found


def read_recipe(name_or_path: str | Path, *, check_models: bool = False) -> Recipe:
    """Read a shipped recipe by name or any by path.

    Args:
        name_or_path: ``"text"``, or a TOML file.
        check_models: also check the networks the steps name, and their options. This imports Keras.

    Raises:
        SpecError: it does not exist, is not TOML, or has a missing or unknown key; or a model or an option
            does not exist.
    """
    path = RECIPES / f"{name_or_path}.toml"
    path = path if path.is_file() else Path(name_or_path)
    shipped = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
    if not path.is_file():
        raise SpecError(
            f"There is no recipe {str(name_or_path)!r}: expected a TOML file or one of: {shipped}."
        )
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        known_keys(raw, (f.name for f in fields(Recipe)), path.name)
        for step in raw.get("step", []):
            known_keys(step, (f.name for f in fields(Step)), f"{path.name}, step {step.get('name')}")
        recipe = Recipe(**{**raw, "step": tuple(Step(**step) for step in raw["step"])})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, KeyError) as error:
        raise SpecError(
            f"{path.name} is not a recipe: {error}. Compare it with a shipped one: {shipped}."
        ) from error
    _check(recipe, path.name)
    for step in recipe.step if check_models else ():
        _check_model(recipe, step, f"{path.name}, step {step.name}")
    return recipe


def _check(recipe: Recipe, where: str) -> None:
    if recipe.modality not in MODALITIES:
        raise SpecError(f"{where}: modality {recipe.modality!r}; expected one of {', '.join(MODALITIES)}.")
    if not recipe.step:
        raise SpecError(f"{where}: at least one [[step]] is needed.")
    tasks.task(recipe.kind).check_recipe(recipe, where)
    unnamed = sorted(set(recipe.manifest) - {name.removeprefix("manifest:") for name in recipe.datasets})
    if unnamed:
        raise SpecError(
            f'{where}: [manifest."{unnamed[0]}"] describes a set that [data] does not name: add '
            f'"manifest:{unnamed[0]}" to labels, noises or speech, or remove the section.'
        )
    names: list[str] = []
    for step in recipe.step:
        for key, known in (("teacher", names), ("embedding", [*names, "minilm", "whisper"])):
            wanted = getattr(step, key)
            if wanted and wanted not in known:
                raise SpecError(f"{where}: step {step.name!r} has {key} {wanted!r}, no earlier step.")
        names.append(step.name)
    if len(set(names)) != len(names):
        raise SpecError(f"{where}: two steps have the same name.")


def _check_model(recipe: Recipe, step: Step, where: str) -> None:
    task = tasks.task(recipe.kind)
    known = task.trainer().models(step)
    if step.model not in known:
        raise SpecError(f"{where}: there is no model {step.model!r}; expected one of {', '.join(known)}.")
    parameters = signature(known[step.model]).parameters.values()
    options = [option.name for option in parameters if option.kind is option.KEYWORD_ONLY]
    options += task.step_options
    unknown = sorted(set(step.options) - set(options))
    if unknown:
        raise SpecError(
            f"{where}: {step.model} has no option {', '.join(unknown)}; expected {', '.join(options)}."
        )


def known_keys(raw: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse keys that a section does not have.

    Raises:
        SpecError: names the unknown keys and the expected ones.
    """
    expected = list(known)
    unknown = sorted(set(raw) - set(expected))
    if unknown:
        raise SpecError(f"{where}: unknown key {', '.join(unknown)}; expected {', '.join(expected)}.")
