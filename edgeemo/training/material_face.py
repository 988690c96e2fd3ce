"""What the expression network learns from: faces turned, shifted, lit and covered anew in every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import cos, radians, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.face_sets import VotedFace
from ..data.faces import Pixels, read_face
from ..errors import SpecError
from ..evaluation.damage import blurred
from ..frontends import Alignment, FaceFrontend
from ..types import FloatArray

Batch = tuple[FloatArray, dict[str, FloatArray]]


@dataclass(frozen=True)
class FaceAugment:
    """How strongly; the section ``[augment]`` of a face recipe. Each is drawn anew for every face.

    The crop is turned by up to ``turn_deg``, scaled by up to ``zoom`` and moved by up to ``shift`` (shares of
    its side), and with probability ``flip`` mirrored. The picture's contrast is multiplied by up to
    ``1 ± contrast``, its brightness moved by up to ``brightness`` of full scale, clipped as a camera clips.
    With probability ``soft`` it is blurred before, by a Gaussian of up to ``blur`` of its side; with
    probability ``grainy`` every byte gets Gaussian noise of up to ``noise`` of 255 after.
    With probability ``erase`` a rectangle of up to ``erase_side`` of the crop's sides is set to its mean
    (Zhong et al. 2017, arXiv:1708.04896). Faces are mixed in pairs with a weight from Beta(``mixup``,
    ``mixup``) (Zhang et al. 2018, arXiv:1710.09412).
    """

    turn_deg: float = 12.0
    zoom: float = 0.1
    shift: float = 0.06
    flip: float = 0.5
    contrast: float = 0.3
    brightness: float = 0.15
    soft: float = 0.0
    blur: float = 0.05
    grainy: float = 0.0
    noise: float = 16.0
    erase: float = 0.5
    erase_side: float = 0.4
    mixup: float = 0.0

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> FaceAugment:
        """Read the section of a recipe.

        Raises:
            SpecError: an unknown key.
        """
        known = [f.name for f in fields(cls)]
        unknown = sorted(set(section) - set(known))
        if unknown:
            raise SpecError(f"[augment]: unknown {', '.join(unknown)}; expected {', '.join(known)}.")
        return cls(**section)


def jittered(
    crop: Alignment, width: int, height: int, plan: FaceAugment, rng: np.random.Generator
) -> Alignment:
    """Return a crop turned and scaled about its middle, and moved."""
    turn, zoom, right, down = rng.uniform(-1, 1, 4)
    angle, scale = radians(turn * plan.turn_deg), 1 + zoom * plan.zoom
    a, b = (
        (crop.a * cos(angle) - crop.b * sin(angle)) * scale,
        (crop.b * cos(angle) + crop.a * sin(angle)) * scale,
    )
    u, v = width / 2, height / 2
    x, y = crop.to_picture(u + right * plan.shift * width, v + down * plan.shift * height)
    return Alignment(a=a, b=b, x=x - a * u + b * v, y=y - b * u - a * v)


def lit(picture: Pixels, plan: FaceAugment, rng: np.random.Generator) -> Pixels:
    """Return a picture of other contrast and brightness."""
    contrast, brightness = rng.uniform(-1, 1, 2)
    bytes_ = np.arange(256) - 127.5
    table = bytes_ * (1 + contrast * plan.contrast) + 127.5 + 255 * brightness * plan.brightness
    return np.asarray(np.clip(np.rint(table), 0, 255), np.uint8)[picture]


def seen(picture: Pixels, plan: FaceAugment, rng: np.random.Generator) -> Pixels:
    """Return a picture as another camera would have taken it: out of focus, in other light, noisy."""
    if rng.random() < plan.soft:
        picture = blurred(picture, max(0.1, rng.uniform(0, plan.blur) * len(picture)))
    picture = lit(picture, plan, rng)
    if rng.random() < plan.grainy:
        grains = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0, plan.noise))
        picture = np.asarray(np.clip(np.rint(picture + grains), 0, 255), np.uint8)
    return picture


def erase(tensor: FloatArray, plan: FaceAugment, rng: np.random.Generator) -> None:
    """Set a rectangle of a tensor to its mean, in place."""
    height, width = tensor.shape[:2]
    h, w = (max(1, int(side * rng.uniform(0.1, plan.erase_side))) for side in (height, width))
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    tensor[y : y + h, x : x + w] = tensor.mean()


def distribution(faces: Sequence[VotedFace]) -> FloatArray:
    """Return the shares of the votes, ``(n, labels)``."""
    votes = np.array([face.votes for face in faces], np.float32)
    return np.asarray(votes / votes.sum(1, keepdims=True))


def drawn(weight: npt.NDArray[np.floating[Any]], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw as many rows as there are by their weight: each its weight times, rounded up or down by chance."""
    n = len(weight)
    ends = np.cumsum(weight, dtype=np.float64)
    order = np.searchsorted(ends / ends[-1], (np.arange(n) + rng.random()) / n)
    return np.asarray(rng.permutation(np.minimum(order, n - 1)), np.int64)


@dataclass(frozen=True)
class FaceLesson:
    """Pictures with their ``target`` ``(n, labels)``, read by ``frontend`` with the whole picture as box.

    To train, an epoch has as many faces as there are, rare expressions oftener: a face's weight is the mean,
    over its votes, of one over the expression's share to the power ``balance``.
    """

    frontend: FaceFrontend
    pictures: Sequence[Pixels]
    target: FloatArray
    plan: FaceAugment
    balance: float = 0.0

    @classmethod
    def of(
        cls, frontend: FaceFrontend, faces: Sequence[VotedFace], plan: FaceAugment, balance: float = 0.0
    ) -> FaceLesson:
        """Read the pictures of some faces."""
        return cls(frontend, [gray(face) for face in faces], distribution(faces), plan, balance)

    def __len__(self) -> int:
        return len(self.pictures)

    def tensors(self) -> FloatArray:
        """Return all faces as a device reads them."""
        return np.stack([self.frontend.compute(picture, "gray") for picture in self.pictures])

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """See `edgeemo.training.fit.Lesson`."""
        n = len(self)
        order = (
            np.arange(n) if rng is None else drawn(self.target @ self.target.mean(0) ** -self.balance, rng)
        )
        for rows in np.split(order, range(size, n, size)):
            target = self.target[rows]
            if rng is None:
                yield (
                    np.stack([self.frontend.compute(self.pictures[i], "gray") for i in rows]),
                    {"labels": target},
                )
                continue
            tensors = np.stack([self._made(self.pictures[i], rng) for i in rows])
            if self.plan.mixup:
                other = rng.permutation(len(rows))
                share = rng.beta(self.plan.mixup, self.plan.mixup, len(rows)).astype(np.float32)
                tensors = (
                    share[:, None, None, None] * tensors + (1 - share)[:, None, None, None] * tensors[other]
                )
                target = share[:, None] * target + (1 - share)[:, None] * target[other]
            yield tensors, {"labels": target}

    def _made(self, picture: Pixels, rng: np.random.Generator) -> FloatArray:
        spec, plan = self.frontend.spec, self.plan
        height, width = picture.shape
        crop = jittered(self.frontend.align((0, 0, width, height)), spec.width, spec.height, plan, rng)
        if rng.random() < plan.flip:
            picture = picture[:, ::-1]
        tensor = self.frontend.compute(seen(picture, plan, rng), "gray", crop=crop)
        if rng.random() < plan.erase:
            erase(tensor, plan, rng)
        return tensor


def gray(face: VotedFace) -> Pixels:
    """Return the gray picture of a face."""
    picture, color = read_face(face)
    return picture if color == "gray" else np.asarray(np.rint(picture @ (0.114, 0.587, 0.299)), np.uint8)
