"""The task of text bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ..data.leaks import text_of
from ..data.manifest import Example
from ..errors import SpecError
from ..types import EmotionResult
from .base import Task

if TYPE_CHECKING:
    from ..training.recipe import Recipe


class TextTask(Task):
    """Reads texts; see `Task`."""

    name, plural, leaked, column = "text", "texts", "texts", "text"
    assets = ("vocab.txt",)
    content = staticmethod(text_of)
    data_keys = ("labels", "affect", "auxiliary", "multi_label", "dev", "test")
    narrows = False
    options = Task.options | {"peer"}
    unanswered = "is it in the model's language?"

    def tensors(self, frontend: Any, example: Example) -> npt.NDArray[Any]:
        """Return the ids of a text, int32 ``(1, length)``."""
        return frontend.compute_batch([example.text or ""])  # type: ignore[no-any-return]

    def check_recipe(self, recipe: Recipe, where: str) -> None:
        """Check also the vocabulary's size and whether labels exclude each other."""
        from ..training.recipe import known_keys

        super().check_recipe(recipe, where)
        known_keys(recipe.vocabulary, ("size",), f"{where}, [vocabulary]")
        if not isinstance(recipe.data.get("multi_label"), bool):
            raise SpecError(
                f"{where}: [data] multi_label must be true (several labels can hold) or false (exactly one "
                "does)."
            )
        if not isinstance(recipe.vocabulary.get("size"), int):
            raise SpecError(f"{where}: [vocabulary] size must be a whole number: how many pieces at most.")
        for step in recipe.step:
            if step.model == "text_counts" and (recipe.data["multi_label"] or recipe.data.get("affect")):
                raise SpecError(
                    f"{where}, step {step.name}: text_counts fits labels that exclude each other, and no "
                    "valence or arousal: set multi_label = false and drop affect, or take text_student."
                )

    def golden(self, device: Any) -> tuple[dict[str, Any], ...]:
        """Return texts, their ids and the answers."""
        from ..converters.golden import TEXTS, answer

        frontend = device.frontend
        return tuple(
            {
                "text": text,
                "ids": frontend.compute(text).tolist()[: frontend.encode(text).n_ids],
                **answer(device.predict(text)),
            }
            for text in TEXTS
        )

    def predict(self, recognizer: Any, example: Example) -> EmotionResult:
        """Return what a recognizer says of a text."""
        return recognizer.predict(text_of(example))  # type: ignore[no-any-return]


TASK = TextTask()
