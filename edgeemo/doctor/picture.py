"""A picture of the caller's: is a face in it, upright, light, large, sharp, and are its colours in order?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import dist
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import FaceDetector, FaceFrontend, FaceSpec
from ..bundle import shipped
from ..errors import EdgeemoError, RuntimeUnavailableError
from ..faces import Face, face_in_front
from .case import Case, Finding, Skipped, error, warning
from .litert import trial

BLUE_SKIN = 0.03
"""Median of (R − B) / (R + G + B) between forehead and eyes, below minus which red and blue may have been
exchanged. Measured with `color_order` on portraits and street pictures, in both orders: the design has it."""
FOREHEAD = (-0.5, 0.5, -0.6, 0.3)
"""Left, right, top and bottom around the middle of the eyes, in their distances: above masks and beards."""
DARK, BRIGHT, FLAT = 15, 250, 4
"""Of 255: a face of a quarter of usual light lies at 20 to 40, and is still read well."""
SMALL_PX = 12
"""Eyes nearer than this cost 0.05 and more of accuracy (README)."""
SOFT = 0.12
"""Deviation of the Laplacian over that of the face, at 64 × 64: portraits have 0.5 and more, blurred by a
tenth of the distance of the eyes at most 0.12."""

_CLEAR = 0.6  # the least score of a face that colours are judged by, or that shows how a picture is turned
_TURNS = {1: "a quarter to the left", 3: "a quarter to the right"}
Pixels = npt.NDArray[np.uint8]


def picture(case: Case) -> Iterator[Finding]:
    """The picture given by --picture."""
    if case.picture is None:
        raise Skipped("no --picture was given")
    from ..sources.photos import read_photo

    name = case.picture.name
    try:
        image = read_photo(case.picture)
    except EdgeemoError as reason:
        missing = isinstance(reason, RuntimeUnavailableError)
        yield error(
            "picture-unreadable",
            f"The picture {name} cannot be read.",
            " ".join(str(reason).split()),
            "`pip install 'edgeemo[face]'`"
            if missing
            else "Save it again as JPEG or PNG, or fetch it again.",
        )
        return
    if "face-detector" not in shipped() or not any(outcome.ran for outcome in trial()):
        raise Skipped("no face can be looked for: the shipped face-detector does not run here")
    with FaceDetector.open() as detector:
        faces = detector.detect(image)
        front = face_in_front(faces)
        if front is None:
            yield from _nobody(name, image, detector)
            return
    yield from _light(name, front, crop_of(image, front))
    yield from _detail(name, front, crop_of(image, front))
    yield from _colors(name, image, faces)


def color_order(image: Pixels, faces: Sequence[Face]) -> float | None:
    """Return how warm the skin of clear faces is: the median over them of that of each face's forehead.

    Skin of every tone is redder than blue, in almost every light: the measure is (R − B) / (R + G + B), from
    −1 to 1. None where there is no clear face, or no colour.

    Args:
        image: uint8 ``(height, width, 3)``, taken as RGB.
    """
    found = []
    for face in faces:
        if face.score < _CLEAR:
            continue
        (ax, ay), (bx, by) = face.eyes
        x, y, d = (ax + bx) / 2, (ay + by) / 2, dist(*face.eyes)
        left, right, top, bottom = FOREHEAD
        rows, columns = (
            slice(max(0, int(middle + low * d)), max(0, int(middle + high * d) + 1))
            for middle, low, high in ((y, top, bottom), (x, left, right))
        )
        pixels = image[rows, columns].reshape(-1, 3).astype(np.float32)
        if len(pixels):
            found.append(float(np.median((pixels[:, 0] - pixels[:, 2]) / (pixels.sum(1) + 1e-6))))
    colored = bool((image[::4, ::4, 0] != image[::4, ::4, 2]).any())
    return float(np.median(found)) if found and colored else None


def crop_of(image: Pixels, face: Face) -> npt.NDArray[np.float32]:
    """Return a face as models see it: gray, 64 × 64, from 0 to 255."""
    frontend = FaceFrontend(FaceSpec(width=64, height=64, channels="gray"))
    return 255 * np.asarray(frontend.compute(image, "rgb", box=face.box)).reshape(64, 64)


def sharpness(crop: npt.NDArray[np.float32]) -> float:
    """Return how much of a crop is fine detail: deviation of its Laplacian over its own."""
    fine = 4 * crop[1:-1, 1:-1] - crop[:-2, 1:-1] - crop[2:, 1:-1] - crop[1:-1, :-2] - crop[1:-1, 2:]
    return float(fine.std() / (crop.std() + 1e-6))


def _nobody(name: str, image: Pixels, detector: Any) -> Iterator[Finding]:
    for turns, how in _TURNS.items():
        turned = np.ascontiguousarray(np.rot90(image, -turns))
        if any(face.score >= _CLEAR for face in detector.detect(turned)):
            yield warning(
                "picture-turned",
                f"In {name} a face is found only when it is turned: perhaps it lies on its side.",
                f"the detector finds none in it as it is, and one if it was turned {how}",
                "Turn it before it is read: `cv2.rotate`, `rpicam-still --rotation`, or keep the "
                "EXIF data; a phone's "
                "frames come as the sensor lies.",
            )
            return
    yield warning(
        "picture-no-face",
        f"In {name} no face is found.",
        f"the shipped face-detector, on {image.shape[1]} × {image.shape[0]} pixels",
        "Come nearer (a face should fill a twelfth of the longer side), face the camera, see that it "
        "is light; or "
        "give `predict` the boxes of a detector of your own.",
    )


def _light(name: str, face: Face, crop: npt.NDArray[np.float32]) -> Iterator[Finding]:
    mean, spread, burnt = float(crop.mean()), float(crop.std()), float((crop >= BRIGHT).mean())
    if mean < DARK:
        yield warning(
            "picture-dark",
            f"The face in {name} is too dark.",
            f"its mean is {mean:.0f} of 255",
            "More light on the face, a longer exposure: `v4l2-ctl --set-ctrl auto_exposure=3`.",
        )
    elif burnt > 0.3:
        yield warning(
            "picture-overexposed",
            f"The face in {name} is burnt out.",
            f"{burnt:.0%} of it is {BRIGHT} or more of 255",
            "Less light, a shorter exposure; with a bright window behind the camera measure on the face.",
        )
    elif spread < FLAT:
        yield warning(
            "picture-flat",
            f"The face in {name} has hardly any contrast.",
            f"the deviation of its brightness is {spread:.1f} of 255",
            "Look for fog, a dirty lens, a protecting film on it.",
        )


def _detail(name: str, face: Face, crop: npt.NDArray[np.float32]) -> Iterator[Finding]:
    apart = dist(*face.eyes)
    if apart < SMALL_PX:
        yield warning(
            "picture-face-small",
            f"The face in {name} is small: emotions are read badly from it.",
            f"its eyes are {apart:.0f} pixels apart, {SMALL_PX} or more are needed",
            "Come nearer, or take larger frames: `Camera(width=1280, height=720)`.",
        )
    elif sharpness(crop) < SOFT:
        yield warning(
            "picture-blurred",
            f"The face in {name} is blurred.",
            f"fine detail is {sharpness(crop):.2f} of its contrast, {SOFT} or more is usual",
            "Focus (`v4l2-ctl --set-ctrl focus_automatic_continuous=1`), clean the lens, more light "
            "for a shorter "
            "exposure; do not enlarge pictures beforehand.",
        )


def _colors(name: str, image: Pixels, faces: Sequence[Face]) -> Iterator[Finding]:
    warm = color_order(image, faces)
    if warm is not None and warm < -BLUE_SKIN:
        yield warning(
            "picture-bgr",
            f"Red and blue may be exchanged in {name}: a suspicion, no proof.",
            f"skin is bluer than red: (R − B) / (R + G + B) is {warm:+.2f} between forehead and eyes; "
            "blue light "
            "and blue caps do so, too",
            'OpenCV\'s frames are BGR: pass `color="bgr"` to `predict`, and save them by '
            "`cv2.imwrite`, or turn "
            "them by `frame[..., ::-1]` before another library does.",
        )
