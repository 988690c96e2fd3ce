"""The task of bundles that find faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.marked import read_marked
from ..errors import SpecError
from ..face_detector import FaceDetector
from .face import FaceTask

if TYPE_CHECKING:
    from ..training.recipe import Recipe


class DetectorTask(FaceTask):
    """Finds faces in pictures. Reads pictures and leaks as `FaceTask` does."""

    name, opener = "detector", FaceDetector
    data_keys = ("pictures", "portraits", "scenes", "heads", "most_heads", "made", "teachers")
    step_options = ()
    options = frozenset()

    def read(self, manifest: Path, *, labelled: bool = False) -> list[Any]:
        """Return the pictures of a manifest with the faces marked in it, if any are or must be."""
        return list(read_marked(manifest, required=labelled))

    def check_recipe(self, recipe: Recipe, where: str) -> None:
        """Check the section ``[data]``; there are no labels."""
        from ..training.recipe import known_keys

        data, teachers = recipe.data, recipe.data.get("teachers", [])
        known_keys(data, self.data_keys, f"{where}, [data]")
        if recipe.modality != "face":
            raise SpecError(f"{where}: a recipe with [detector] has the modality face.")
        if not isinstance(data.get("pictures"), str):
            raise SpecError(f"{where}: [data] pictures must be the name of a set.")
        if not isinstance(data.get("made"), int) or data["made"] < 1:
            raise SpecError(f"{where}: [data] made must be a whole number: how many scenes an epoch has.")
        if not (isinstance(teachers, list) and len(teachers) in (0, 2)):
            raise SpecError(f"{where}: [data] teachers must name two files: short and full range.")

    def compare(self, device: Any, reference: Any, examples: Sequence[Any], **how: Any) -> Any:
        """Compare the faces that both find."""
        from ..converters.verify_detector import compare_detectors

        return compare_detectors(device, reference, examples, **how)

    def golden(self, device: Any) -> tuple[dict[str, Any], ...]:
        """Return the names of drawings and the faces found in them, perhaps none."""
        from ..converters.golden import MOUTHS, scene

        return tuple(
            {
                "drawing": name,
                "faces": [
                    {
                        "box": [round(v, 1) for v in face.box],
                        "eyes": [[round(v, 1) for v in eye] for eye in face.eyes],
                        "score": round(face.score, 3),
                    }
                    for face in device.detect(scene(name), "gray")
                ],
            }
            for name in MOUTHS
        )

    def scored(self, found: Any, examples: Sequence[Any]) -> bool:
        """Return whether faces are marked."""
        return any(picture.faces for picture in examples)

    def evaluate(self, recognizer: Any, examples: Sequence[Any], **options: Any) -> Any:
        """Return the report of a detector; options as `evaluate_detector` has."""
        from ..evaluation.detection import evaluate_detector

        return evaluate_detector(recognizer, examples, **options)


TASK = DetectorTask()
