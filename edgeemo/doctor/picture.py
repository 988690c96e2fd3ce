"""A picture of the caller's: is a face in it, upright, light, large, sharp, and are its colours in order?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import dist

import numpy as np

from ..errors import EdgeemoError, RuntimeUnavailableError
from ..faces import Face, face_in_front
from .case import Case, Finding, Skipped, error, warning
from .media import faces_in, failure
from .pixels import CLEAR, Crop, Pixels, best_score, color_order, crop_of, sharpness

BLUE_SKIN = 0.03
"""Median of (R − B) / (R + G + B) between forehead and eyes, below minus which red and blue may have been
exchanged. Measured with `pixels.color_order` in both orders: named are all of 104 portraits and 0.93 of 509
street pictures whose colours were exchanged, and none and 0.016 of those that are right."""
DARK, BRIGHT, FLAT = 15, 250, 4
"""Of 255: a face of a quarter of usual light lies at 20 to 40, and is still read well."""
SMALL_PX = 12
"""Eyes nearer than this cost 0.05 and more of accuracy (README)."""
SOFT = 0.12
"""Deviation of the Laplacian over that of the face, at 64 × 64: portraits have 0.5 and more, blurred by a
tenth of the distance of the eyes at most 0.12."""

_TURNS = {1: "a quarter to the left", 3: "a quarter to the right", 2: "by half"}
TURNED = 0.1
"""By so much a turned picture's best face must be surer: so it is of 0.96 of portraits that were turned
(n 208) and 0.90 of street pictures (n 400), and of 0 of 104 and 0.01 of 200 that were not. A face upside
down is often told from none: of 0.01 of 104 portraits and 0.57 of 150 street pictures that were turned by
half; of those that were not, none and 0.007."""


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
    try:
        yield from _looked_into(name, image, faces_in(case.picture))
    except EdgeemoError as reason:
        yield failure("picture", case.picture, reason)


def _looked_into(name: str, image: Pixels, views: Sequence[Sequence[Face]]) -> Iterator[Finding]:
    as_it_is = score = best_score(views[0])
    turns = 0
    for k in _TURNS:
        if best_score(views[k]) >= max(CLEAR, as_it_is + TURNED, score):
            turns, score = k, best_score(views[k])
    upright, faces = np.ascontiguousarray(np.rot90(image, turns)), views[turns]
    if turns:
        yield warning(
            "picture-turned",
            f"A face in {name} is clearer when it is turned: perhaps it "
            f"{'stands on its head' if turns == 2 else 'lies on its side'}.",
            f"the detector's best score is {as_it_is:.2f} as it is, {score:.2f} turned {_TURNS[turns]}",
            "Turn it before it is read: `cv2.rotate`, `rpicam-still --rotation`, or keep the EXIF data; a "
            "phone's frames come as the sensor lies.",
        )
    front = face_in_front(faces)
    if front is None:
        yield from _nobody(name, image)
        return
    crop = crop_of(upright, front.box)
    yield from _light(f"The face in {name}", crop)
    yield from _detail(name, front, crop)
    yield from _colors(name, upright, faces)


def _nobody(name: str, image: Pixels) -> Iterator[Finding]:
    whole = crop_of(image, (0.0, 0.0, float(image.shape[1]), float(image.shape[0])))
    yield from _light(f"All of {name}", whole)
    yield warning(
        "picture-no-face",
        f"In {name} no face is found.",
        f"the shipped face-detector, on {image.shape[1]} × {image.shape[0]} pixels",
        "Come nearer (a face should fill a twelfth of the longer side), face the camera, see that it is "
        "light; or give `predict` the boxes of a detector of your own.",
    )


def _light(what: str, crop: Crop) -> Iterator[Finding]:
    mean, spread, burnt = float(crop.mean()), float(crop.std()), float((crop >= BRIGHT).mean())
    if mean < DARK:
        yield warning(
            "picture-dark",
            f"{what} is too dark.",
            f"the mean is {mean:.0f} of 255",
            "More light on the face, a longer exposure: `v4l2-ctl --set-ctrl auto_exposure=3`.",
        )
    elif burnt > 0.3:
        yield warning(
            "picture-overexposed",
            f"{what} is burnt out.",
            f"{burnt:.0%} is {BRIGHT} or more of 255",
            "Less light, a shorter exposure; with a bright window behind the camera measure on the face.",
        )
    elif spread < FLAT:
        yield warning(
            "picture-flat",
            f"{what} has hardly any contrast.",
            f"the deviation of its brightness is {spread:.1f} of 255",
            "Look for fog, a dirty lens, a protecting film on it.",
        )


def _detail(name: str, face: Face, crop: Crop) -> Iterator[Finding]:
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
            "Focus (`v4l2-ctl --set-ctrl focus_automatic_continuous=1`), clean the lens, more light for a "
            "shorter exposure; do not enlarge pictures beforehand.",
        )


def _colors(name: str, image: Pixels, faces: Sequence[Face]) -> Iterator[Finding]:
    warm = color_order(image, faces)
    if warm is not None and warm < -BLUE_SKIN:
        yield warning(
            "picture-bgr",
            f"Red and blue may be exchanged in {name}: a suspicion, no proof.",
            f"skin is bluer than red: (R − B) / (R + G + B) is {warm:+.2f} between forehead and eyes; blue "
            "light and blue caps do so, too",
            'OpenCV\'s frames are BGR: pass `color="bgr"` to `predict`, and save them by '
            "`cv2.imwrite`, or turn them by `frame[..., ::-1]` before another library does.",
        )
