"""The task of bundles that find faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.marked import read_marked
from ..errors import SpecError
from ..face_detector import FaceDetector
from .base import Progress
from .face import FaceTask

if TYPE_CHECKING:
    from ..bundle import Bundle
    from ..runtime import Runtime
    from ..training.recipe import Recipe, Step
    from ..training.trainer import Trainer


class DetectorTask(FaceTask):
    """Finds faces in pictures. Reads pictures and leaks as `FaceTask` does."""

    name = "detector"
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

    def models(self, step: Step) -> Mapping[str, Callable[..., Any]]:
        """Return the networks that find faces."""
        from ..training.detector.models import FINDERS

        return FINDERS

    def trainer(self) -> type[Trainer]:
        """Return `DetectorTrainer`."""
        from ..training.detector.trainer import DetectorTrainer

        return DetectorTrainer

    def open(self, bundle: Bundle, runtime: Runtime) -> Any:
        """Return the detector."""
        return FaceDetector(bundle, runtime)

    def open_by_name(self, bundle: str, delegate: str) -> Any:
        """Return the detector."""
        return FaceDetector.open(bundle, delegate=delegate)

    def compare(
        self, device: Any, reference: Any, examples: Sequence[Any], *, budget: Any = None,
        progress: Progress = iter,
    ) -> Any:  # fmt: skip
        """Compare the faces that both find."""
        from ..converters.verify_detector import compare_detectors

        return compare_detectors(device, reference, examples, budget=budget, progress=progress)

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

    def scores(self, device: Any, examples: Sequence[Any]) -> dict[str, Any]:
        """Return counts and metrics of a detector for the card."""
        report = self.evaluate(device, examples, leaks="keep")
        return {"n": report.n, **report.counts, **report.rounded()}

    def evaluate(self, recognizer: Any, examples: Sequence[Any], **options: Any) -> Any:
        """Return the report of a detector; options as `evaluate_detector` has."""
        from ..evaluation.detection import evaluate_detector

        return evaluate_detector(recognizer, examples, **options)

    def render(self, report: Any) -> Any:
        """Return the report of a detector as tables."""
        from ..evaluation.tables import render_detections

        return render_detections(report)


TASK = DetectorTask()
