"""Look into the caller's picture for a face that is upright, light, large, sharp and of right colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import dist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import EdgeemoError, RuntimeUnavailableError
from ..faces import Face, face_in_front
from ..frontends import FaceFrontend, FaceSpec
from .context import Context, Finding, Skipped, error, warning
from .model_runs import faces_in, failure

Pixels: TypeAlias = npt.NDArray[np.uint8]
Crop: TypeAlias = npt.NDArray[np.float32]

CLEAR = 0.6
"""The least score of a face that says something about colours or about the turn of a picture."""
TURNED = 0.1
"""The best score of a turned picture must be higher by this. The rule names 0.96 of 208 portraits and 0.90 of
400 street pictures that lie on their side, and 0 and 0.01 of upright ones."""
FOREHEAD = (-0.5, 0.5, -0.6, 0.3)
"""The skin above masks and beards: left, right, top and bottom from between the eyes, in their distance."""
BLUE_SKIN = 0.03
"""Red and blue may be exchanged if `color_order` is below minus this. The check names all of 104 portraits
and 0.93 of 509 street pictures with exchanged colours, and none and 0.016 of right ones."""
DARK, BRIGHT, FLAT = 15, 250, 4
"""Limits out of 255. A face in a quarter of the usual light has 20 to 40, and models still read it well."""
SMALL_PX = 12
"""Eyes nearer than this cost 0.05 and more of accuracy."""
SOFT = 0.12
"""Deviation of the Laplacian over the face's own, at 64 × 64. Portraits have 0.5 and more. Portraits that
were blurred by a tenth of the distance of the eyes have at most 0.12."""


def picture(context: Context) -> Iterator[Finding]:
    """The picture given by --picture."""
    if context.picture is None:
        raise Skipped("no --picture was given")
    from ..sources.photos import read_photo

    name = context.picture.name
    try:
        image = read_photo(context.picture)
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
        views = faces_in(context.picture)
    except EdgeemoError as reason:
        yield failure("picture", context.picture, reason)
        return
    scores = [max((face.score for face in faces), default=0.0) for faces in views]
    best = max((1, 2), key=lambda view: scores[view])
    view = best if scores[best] >= max(CLEAR, scores[0] + TURNED) else 0
    if view:
        image = np.ascontiguousarray(np.rot90(image, (0, 1, 3)[view]))
        yield warning(
            "picture-turned",
            f"A face in {name} is clearer when the picture is turned: perhaps the face lies on its side.",
            f"the detector's best score is {scores[0]:.2f} as it is, {scores[view]:.2f} turned a quarter to "
            f"the {('', 'left', 'right')[view]}",
            "Turn it before it is read: `cv2.rotate`, `rpicam-still --rotation`, or keep the EXIF data. A "
            "phone's frames come as the sensor lies.",
        )
    yield from _faces(name, image, views[view])


def _faces(name: str, image: Pixels, faces: Sequence[Face]) -> Iterator[Finding]:
    front = face_in_front(faces)
    if front is None:
        height, width = image.shape[:2]
        yield from _light(f"All of {name}", crop_of(image, (0.0, 0.0, float(width), float(height))))
        yield warning(
            "picture-no-face",
            f"The detector finds no face in {name}.",
            f"the shipped face-detector, on {width} × {height} pixels",
            "Come nearer (a face should fill a twelfth of the longer side), face the camera, and see that "
            "the face is light; or give `predict` the boxes of a detector of your own.",
        )
        return
    crop = crop_of(image, front.box)
    yield from _light(f"The face in {name}", crop)
    yield from _detail(name, front, crop)
    warm = color_order(image, faces)
    if warm is not None and warm < -BLUE_SKIN:
        yield warning(
            "picture-bgr",
            f"Red and blue may be exchanged in {name}: a suspicion, not a proof.",
            f"skin is bluer than red: (R − B) / (R + G + B) is {warm:+.2f} between forehead and eyes; blue "
            "light and blue caps do so, too",
            'OpenCV\'s frames are BGR: pass `color="bgr"` to `predict`, and save them by `cv2.imwrite`, or '
            "turn them by `frame[..., ::-1]` before another library saves them.",
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
            f"{what} is overexposed.",
            f"{burnt:.0%} is {BRIGHT} or more of 255",
            "Less light, a shorter exposure; with a bright window behind the person measure on the face.",
        )
    elif spread < FLAT:
        yield warning(
            "picture-flat",
            f"{what} has hardly any contrast.",
            f"the deviation of its brightness is {spread:.1f} of 255",
            "Look for fog, a dirty lens, or a protecting film on the lens.",
        )


def _detail(name: str, face: Face, crop: Crop) -> Iterator[Finding]:
    apart = dist(*face.eyes)
    if apart < SMALL_PX:
        yield warning(
            "picture-face-small",
            f"The face in {name} is too small to read its emotion well.",
            f"its eyes are {apart:.0f} pixels apart, {SMALL_PX} or more are needed",
            "Come nearer, or take larger frames: `Camera(width=1280, height=720)`.",
        )
    elif sharpness(crop) < SOFT:
        yield warning(
            "picture-blurred",
            f"The face in {name} is blurred.",
            f"fine detail is {sharpness(crop):.2f} of its contrast, {SOFT} or more is usual",
            "Focus (`v4l2-ctl --set-ctrl focus_automatic_continuous=1`), clean the lens, and give more light "
            "for a shorter exposure. Do not enlarge pictures beforehand.",
        )


def color_order(image: Pixels, faces: Sequence[Face]) -> float | None:
    """Return how warm the skin of clear faces is: the median over the foreheads of (R − B) / (R + G + B).

    Skin of every tone is redder than blue in almost every light.

    Args:
        image: uint8 ``(height, width, 3)``, taken as RGB.

    Returns:
        −1 to 1; None without a clear face, or without colour.
    """
    found = []
    for face in faces:
        if face.score < CLEAR:
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


def crop_of(image: Pixels, box: tuple[float, float, float, float]) -> Crop:
    """Return a box as models see a face: gray, 64 × 64, from 0 to 255."""
    frontend = FaceFrontend(FaceSpec(width=64, height=64, channels="gray"))
    return 255 * np.asarray(frontend.compute(image, "rgb", box=box)).reshape(64, 64)


def sharpness(crop: Crop) -> float:
    """Return how much of a crop is fine detail: deviation of its Laplacian over its own deviation."""
    fine = 4 * crop[1:-1, 1:-1] - crop[:-2, 1:-1] - crop[2:, 1:-1] - crop[1:-1, :-2] - crop[1:-1, 2:]
    return float(fine.std() / (crop.std() + 1e-6))
