"""A picture that is cut off stops evaluation, training, conversion and verification, as it stops predict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs edgeemo[face]")

from edgeemo.converters.convert import calibration_inputs
from PIL import Image

from edgeemo import Bundle, FaceRecognizer, FaceSpec, Recognizer
from edgeemo.data.face_sets import VotedFace
from edgeemo.data.faces import pixels_of, view_of
from edgeemo.data.manifest import Example, write_manifest
from edgeemo.data.marked import MarkedFace, MarkedPicture
from edgeemo.errors import SourceError
from edgeemo.evaluation import evaluate
from edgeemo.evaluation.detection import find
from edgeemo.evaluation.predictions import predict
from edgeemo.frontends import FaceFrontend


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A JPEG cut to a third, named by a manifest with good pictures too."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "good.jpg")
    data = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 3])
    write_manifest(
        tmp_path / "faces.csv",
        [Example(path=tmp_path / f"{name}.jpg", labels=("anger",)) for name in ("good", "cut")],
    )
    return tmp_path / "cut.jpg"


def training(cut: Path) -> None:
    from edgeemo.training.face.batches import FaceAugment, FaceBatches

    faces = [VotedFace(path=cut, votes=(1, 0, 0, 0, 0, 0, 0, 0))]
    FaceBatches.of(FaceFrontend(FaceSpec()), faces, FaceAugment())


def training_of_detectors(cut: Path) -> None:
    from edgeemo.training.detector.teacher import annotate

    annotate([MarkedPicture(path=cut, faces=(MarkedFace((1, 1, 9, 9)),))])


class Nobody:
    def detect(self, image: object, color: object = "rgb") -> list[object]:
        return []


@pytest.mark.parametrize(
    "read",
    [
        lambda cut: pixels_of(Example(path=cut)),
        lambda cut: view_of(Example(path=cut), FaceSpec()),
        lambda cut: find(Nobody(), [MarkedPicture(path=cut)]),  # type: ignore[arg-type]
        training,
        training_of_detectors,
    ],
    ids=["leaks", "evaluate, verify", "detectors", "train", "train detectors"],
)
def test_a_jpeg_that_is_cut_off_is_an_error_with_a_remedy(read: Callable[[Path], object], cut: Path) -> None:
    if "training" in getattr(read, "__name__", ""):
        pytest.importorskip("keras", reason="needs edgeemo[train]")
    with pytest.raises(SourceError, match=r"cut\.jpg is cut off.*Fetch it again"):
        read(cut)


def test_a_face_bundle_is_neither_measured_nor_verified_nor_calibrated_on_it(
    cut: Path, small_face_path: Path
) -> None:
    card = Bundle.open(small_face_path).card
    with Recognizer.open(small_face_path) as recognizer:
        assert isinstance(recognizer, FaceRecognizer)
        rows = [Example(path=cut, labels=("anger",))]
        for attempt in (
            lambda: evaluate(recognizer, rows),
            lambda: predict(recognizer, rows),
            lambda: calibration_inputs(card, recognizer.frontend, cut.with_name("faces.csv")),
        ):
            with pytest.raises(SourceError, match=r"cut\.jpg is cut off"):
                attempt()
