"""A recipe: the TOML file that says how a shipped model was made, checked before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from inspect import signature
from pathlib import Path
from typing import Any

from ..errors import SpecError
from ..types import EMOTIONS, MODALITIES, Modality
from .models import STUDENTS, minilm
from .models_detector import FINDERS
from .models_face import EXPRESSION
from .models_voice import EMOTION, SPEECH

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RECIPES = Path(__file__).parent / "recipes"

_DETECTOR_DATA = ("pictures", "portraits", "scenes", "heads", "most_heads", "made", "teachers")
_VOICE_DATA = ("labels", "noises", "speech", "speech_spans", "stop", "balance", "smoothing", "absent")
_TEXT_DATA = ("labels", "affect", "auxiliary", "multi_label", "dev", "test")


@dataclass(frozen=True)
class Step:
    """One network to train: ``model`` names a builder of `edgeemo.training.models` (or ``models_voice``,
    ``models_face``).

    ``options`` are the builder's keyword arguments.
    ``teacher`` names an earlier step to distil from; its answer weighs ``soft`` beside the label, and
    ``augment`` texts are made per real one for it to answer. ``embedding`` names the network whose reading
    of each piece is the first embedding: an earlier teacher, or ``"minilm"`` as published.
    A ``text_counts`` is fitted before its first epoch and needs none: see `edgeemo.training.nbsvm`.
    Training stops after ``patience`` epochs without a better validation loss; with 0 it runs all ``epochs``
    and keeps the last weights, or, with ``average`` above 0, their moving average of that momentum.
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

    ``vocabulary`` and ``groups`` are for text, ``augment`` and ``manifest`` for voice (see
    `edgeemo.training.augment.Augment` and `edgeemo.data.voice_sets.from_manifest`), ``augment`` also for
    face (see `edgeemo.training.material_face.FaceAugment`). A face recipe with the section ``detector`` finds
    faces (see `edgeemo.training.train_detector`); every other has ``emotions``.
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

    @property
    def kind(self) -> str:
        """``"text"``, ``"voice"``, ``"face"``, or ``"detector"``: which workshop it is for."""
        return "detector" if self.detector else self.modality

    @property
    def datasets(self) -> list[str]:
        """The names of all data sets the weights come from."""
        roles = ["labels", "affect", "auxiliary", "noises", "speech"]
        roles += ["pictures", "portraits", "scenes", "heads"] if self.detector else []
        named = [self.data.get(role) or [] for role in roles]
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


def read_recipe(name_or_path: str | Path) -> Recipe:
    """Read a shipped recipe by name or any by path.

    Raises:
        SpecError: it does not exist, is not TOML, has a missing or unknown key, or names a model (or an
            option of one) that there is not.
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
        _known(raw, (f.name for f in fields(Recipe)), path.name)
        for step in raw.get("step", []):
            _known(step, (f.name for f in fields(Step)), f"{path.name}, step {step.get('name')}")
        recipe = Recipe(**{**raw, "step": tuple(Step(**step) for step in raw["step"])})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, KeyError) as error:
        raise SpecError(
            f"{path.name} is not a recipe: {error}. Compare it with a shipped one: {shipped}."
        ) from error
    _check(recipe, path.name)
    return recipe


def _check(recipe: Recipe, where: str) -> None:
    if recipe.modality not in MODALITIES:
        raise SpecError(f"{where}: modality {recipe.modality!r}; expected one of {', '.join(MODALITIES)}.")
    if not recipe.step:
        raise SpecError(f"{where}: at least one [[step]] is needed.")
    if recipe.kind == "voice" and [step.name for step in recipe.step] != ["speech", "emotion"]:
        raise SpecError(f"{where}: a voice recipe has two steps, named speech and emotion, in this order.")
    if recipe.detector:
        _check_detector(recipe, where)
    elif not recipe.emotions:
        raise SpecError(f"{where}: the section [emotions] says which labels express which emotion; add it.")
    elif not isinstance(recipe.data.get("labels"), list if recipe.modality == "voice" else str):
        wanted = "a list of sets" if recipe.modality == "voice" else "the name of a set"
        raise SpecError(f"{where}: [data] labels must be {wanted}.")
    if recipe.modality == "text":
        _check_text(recipe, where)
    elif recipe.modality == "voice":
        _known(recipe.data, _VOICE_DATA, f"{where}, [data]")
    elif recipe.kind == "face":
        _known(recipe.data, ("labels", "balance"), f"{where}, [data]")
    unnamed = sorted(set(recipe.manifest) - {name.removeprefix("manifest:") for name in recipe.datasets})
    if unnamed:
        raise SpecError(
            f'{where}: [manifest."{unnamed[0]}"] describes a set that [data] does not name: add '
            f'"manifest:{unnamed[0]}" to labels, noises or speech, or take the section out.'
        )
    names: list[str] = []
    for step in recipe.step:
        _check_model(step, recipe.kind, f"{where}, step {step.name}")
        if step.teacher and step.teacher not in names:
            raise SpecError(f"{where}: step {step.name!r} has teacher {step.teacher!r}, no earlier step.")
        if step.embedding and step.embedding not in [*names, "minilm"]:
            raise SpecError(f"{where}: step {step.name!r} has embedding {step.embedding!r}, no earlier step.")
        names.append(step.name)
    if len(set(names)) != len(names):
        raise SpecError(f"{where}: two steps have the same name.")


def _check_text(recipe: Recipe, where: str) -> None:
    data, size = recipe.data, recipe.vocabulary.get("size")
    _known(data, _TEXT_DATA, f"{where}, [data]")
    _known(recipe.vocabulary, ("size",), f"{where}, [vocabulary]")
    if not isinstance(data.get("multi_label"), bool):
        raise SpecError(
            f"{where}: [data] multi_label must be true (several labels can hold) or false (exactly one does)."
        )
    if not isinstance(size, int):
        raise SpecError(f"{where}: [vocabulary] size must be a whole number: how many pieces at most.")
    for step in recipe.step:
        if step.model == "text_counts" and (data["multi_label"] or data.get("affect")):
            raise SpecError(
                f"{where}, step {step.name}: text_counts is solved for labels that exclude each other "
                "and tells nothing else: set multi_label = false and drop affect, or take text_student."
            )


def _check_detector(recipe: Recipe, where: str) -> None:
    data = recipe.data
    _known(data, _DETECTOR_DATA, f"{where}, [data]")
    if recipe.modality != "face":
        raise SpecError(f"{where}: a recipe with [detector] has the modality face.")
    if not isinstance(data.get("pictures"), str):
        raise SpecError(f"{where}: [data] pictures must be the name of a set.")
    if not isinstance(data.get("made"), int) or data["made"] < 1:
        raise SpecError(f"{where}: [data] made must be a whole number: how many scenes an epoch has.")
    teachers = data.get("teachers", [])
    if not (isinstance(teachers, list) and len(teachers) in (0, 2)):
        raise SpecError(f"{where}: [data] teachers must name two files: short and full range.")


def _check_model(step: Step, kind: str, where: str) -> None:
    known = {
        "text": {"minilm": minilm, **STUDENTS},
        "voice": SPEECH if step.name == "speech" else EMOTION,
        "face": EXPRESSION,
        "detector": FINDERS,
    }[kind]
    if step.model not in known:
        raise SpecError(f"{where}: there is no model {step.model!r}; expected one of {', '.join(known)}.")
    taken = signature(known[step.model]).parameters.values()
    options = [option.name for option in taken if option.kind is option.KEYWORD_ONLY]
    options += ["size"] if kind == "face" else []  # the workshop's, see `edgeemo.training.train_face`
    unknown = sorted(set(step.options) - set(options))
    if unknown:
        raise SpecError(
            f"{where}: {step.model} has no option {', '.join(unknown)}; expected {', '.join(options)}."
        )


def _known(raw: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    expected = list(known)
    unknown = sorted(set(raw) - set(expected))
    if unknown:
        raise SpecError(f"{where}: unknown key {', '.join(unknown)}; expected {', '.join(expected)}.")
