"""`Task`: what a kind of bundle brings to data, training, conversion, verification and evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy.typing as npt

from ..data.leaks import LeakCheck, check_leaks
from ..data.manifest import Example, read_manifest
from ..errors import SpecError
from ..recognizer import Recognizer
from ..types import EmotionResult

if TYPE_CHECKING:
    from ..training.recipe import Recipe
    from ..training.trainer import Trainer

Progress: TypeAlias = Callable[[Sequence[Any]], Iterable[Any]]


class Task(ABC):
    """One kind of bundle. The methods here serve recognizers of emotions; a detector overrides some.

    Attributes:
        name: in the registry; also the folder of `edgeemo.training` with the trainer.
        opener: the class that opens a bundle.
        plural, leaked: the rows of its manifests, and the rows that leak checks find, in words.
        content: what leak checks compare of an example, as text.
        column: the manifest column that holds an input.
        assets: files of the bundle beside the model.
        labels: the type of ``labels`` in a recipe's ``[data]``: one set's name, or a list of names.
        data_keys: the keys a recipe's ``[data]`` may have.
        step_options: options of a step that the trainer reads itself.
        crossval: whether a cross-validation's calibration goes into its card.
        narrows: whether evaluation asks only about the labels that a manifest has.
        options: the options of `edgeemo evaluate` that it takes beyond the common ones.
        unanswered: why no example of a manifest may get an answer, as a question.
    """

    name: ClassVar[str]
    opener: ClassVar[Any] = Recognizer
    plural: ClassVar[str]
    leaked: ClassVar[str]
    content: Callable[[Example], str]
    column: ClassVar[str] = "path"
    assets: ClassVar[tuple[str, ...]] = ()
    labels: ClassVar[type] = str
    data_keys: ClassVar[tuple[str, ...]]
    step_options: ClassVar[tuple[str, ...]] = ()
    crossval: ClassVar[bool] = False
    narrows: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = frozenset({"labels", "without", "apart", "pictures"})
    unanswered: ClassVar[str] = "is there a face in its pictures?"

    # --- data ---

    def read(self, manifest: Path, *, labelled: bool = False) -> list[Any]:
        """Return the examples of a manifest; ``labelled`` asks for what the task is measured by.

        Raises:
            DataError: the manifest cannot be used.
        """
        return list(read_manifest(manifest))

    @abstractmethod
    def tensors(self, frontend: Any, example: Example) -> npt.NDArray[Any]:
        """Return an example as the network reads it, ``(n, …)``: the spans of a clip, else one row.

        Raises:
            DataError, SourceError: its file cannot be read.
        """

    def check_leaks(
        self, examples: Sequence[Any], bundle: Path | None, progress: Progress, **how: Any
    ) -> tuple[list[Any], LeakCheck]:
        """Return the examples to measure and what was found; see `edgeemo.data.leaks.check_leaks`."""
        return check_leaks(examples, bundle, content=self.content, **how)

    # --- training ---

    def check_recipe(self, recipe: Recipe, where: str) -> None:
        """Refuse a recipe that this task cannot run; it does not look at the networks.

        Raises:
            SpecError: begins with ``where`` and says what to change.
        """
        from ..training.recipe import known_keys

        if not recipe.emotions:
            raise SpecError(
                f"{where}: the section [emotions] says which labels express which emotion; add it."
            )
        if not isinstance(recipe.data.get("labels"), self.labels):
            wanted = "a list of sets" if self.labels is list else "the name of a set"
            raise SpecError(f"{where}: [data] labels must be {wanted}.")
        known_keys(recipe.data, self.data_keys, f"{where}, [data]")

    def trainer(self) -> type[Trainer]:
        """Return the class that trains. Imports Keras."""
        found: type[Trainer] = import_module(f"edgeemo.training.{self.name}.trainer").TRAINER
        return found

    # --- conversion ---

    def compare(self, device: Any, reference: Any, examples: Sequence[Any], **how: Any) -> Any:
        """Compare the int8 model on the device's runtime with its float reference; return a verification."""
        from ..converters.verify import compare

        return compare(device, reference, examples, **how)

    @abstractmethod
    def golden(self, device: Any) -> tuple[dict[str, Any], ...]:
        """Return inputs and the model's answers, for the card."""

    def scored(self, found: Any, examples: Sequence[Any]) -> bool:
        """Return whether a verification's examples carry what the task is scored by."""
        return found.drop is not None

    # --- evaluation ---

    def predict(self, recognizer: Any, example: Example) -> EmotionResult:
        """Return what a recognizer says of an example."""
        raise NotImplementedError

    def robustness(self, noise: Path | None, seed: int) -> dict[str, Any]:
        """Return the arguments of `edgeemo.evaluation.evaluate` that measure robustness; none by default."""
        return {}

    def field(self, data: Path, clips: int | None, seed: int) -> dict[str, Any]:
        """Return the arguments of `edgeemo.evaluation.evaluate` that measure the field; none by default."""
        return {}

    def evaluate(self, recognizer: Any, examples: Sequence[Any], **options: Any) -> Any:
        """Return the report of a recognizer on examples; options as `edgeemo.evaluation.evaluate` has."""
        from ..evaluation import evaluate

        return evaluate(recognizer, examples, **options)
