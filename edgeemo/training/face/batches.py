"""Batches of faces and votes: turned, moved, lit and covered differently every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import cos, radians, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from ...data.face_sets import VotedFace
from ...data.faces import gray_of
from ...data.pictures import Pixels
from ...evaluation.corruptions import blurred
from ...frontends import Alignment, FaceFrontend
from ...types import FloatArray
from ..batches import Batch, batch_rows, mix_up
from ..recipe import known_keys


@dataclass(frozen=True)
class FaceAugment:
    """The strengths of the augmentation: ``[augment]`` of a face recipe. Every face draws its own values.

    The crop is turned by up to ``turn_deg``, scaled by up to ``zoom`` and moved by up to ``shift`` (shares of
    its side). With probability ``flip`` the picture is mirrored. Its contrast is multiplied by up to
    ``1 ± contrast``. Its brightness moves by up to ``brightness`` of full scale, clipped as a camera clips.
    With probability ``soft`` it is blurred before, by a Gaussian of up to ``blur`` of its side. With
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
        known_keys(section, (f.name for f in fields(cls)), "[augment]")
        return cls(**section)


def jittered(
    crop: Alignment, width: int, height: int, augment: FaceAugment, rng: np.random.Generator
) -> Alignment:
    """Return a crop turned and scaled about its middle, and moved."""
    turn, zoom, right, down = rng.uniform(-1, 1, 4)
    angle, scale = radians(turn * augment.turn_deg), 1 + zoom * augment.zoom
    a, b = (
        (crop.a * cos(angle) - crop.b * sin(angle)) * scale,
        (crop.b * cos(angle) + crop.a * sin(angle)) * scale,
    )
    u, v = width / 2, height / 2
    x, y = crop.to_picture(u + right * augment.shift * width, v + down * augment.shift * height)
    return Alignment(a=a, b=b, x=x - a * u + b * v, y=y - b * u - a * v)


def lit(picture: Pixels, augment: FaceAugment, rng: np.random.Generator) -> Pixels:
    """Return a picture of other contrast and brightness."""
    contrast, brightness = rng.uniform(-1, 1, 2)
    bytes_ = np.arange(256) - 127.5
    table = bytes_ * (1 + contrast * augment.contrast) + 127.5 + 255 * brightness * augment.brightness
    return np.asarray(np.clip(np.rint(table), 0, 255), np.uint8)[picture]


def through_camera(picture: Pixels, augment: FaceAugment, rng: np.random.Generator) -> Pixels:
    """Return a picture as another camera would take it: out of focus, in other light, noisy."""
    if rng.random() < augment.soft:
        picture = blurred(picture, max(0.1, rng.uniform(0, augment.blur) * len(picture)))
    picture = lit(picture, augment, rng)
    if rng.random() < augment.grainy:
        grains = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0, augment.noise))
        picture = np.asarray(np.clip(np.rint(picture + grains), 0, 255), np.uint8)
    return picture


def erase(tensor: FloatArray, augment: FaceAugment, rng: np.random.Generator) -> None:
    """Set a rectangle of a tensor to its mean, in place."""
    height, width = tensor.shape[:2]
    h, w = (max(1, int(side * rng.uniform(0.1, augment.erase_side))) for side in (height, width))
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    tensor[y : y + h, x : x + w] = tensor.mean()


def distribution(faces: Sequence[VotedFace]) -> FloatArray:
    """Return the shares of the votes, ``(n, labels)``."""
    votes = np.array([face.votes for face in faces], np.float32)
    return np.asarray(votes / votes.sum(1, keepdims=True))


def resampled(weight: npt.NDArray[np.floating[Any]], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw as many rows as there are, each as often as its weight says, rounded up or down by chance."""
    n = len(weight)
    ends = np.cumsum(weight, dtype=np.float64)
    order = np.searchsorted(ends / ends[-1], (np.arange(n) + rng.random()) / n)
    return np.asarray(rng.permutation(np.minimum(order, n - 1)), np.int64)


@dataclass(frozen=True)
class FaceBatches:
    """Pictures with their ``target`` ``(n, labels)``; ``frontend`` reads them with the whole picture as box.

    A training epoch has as many faces as there are, rare expressions more often. A face's weight is a mean
    over its votes: one over the expression's share to the power ``balance``.
    """

    frontend: FaceFrontend
    pictures: Sequence[Pixels]
    target: FloatArray
    augment: FaceAugment
    balance: float = 0.0

    @classmethod
    def of(
        cls, frontend: FaceFrontend, faces: Sequence[VotedFace], augment: FaceAugment, balance: float = 0.0
    ) -> FaceBatches:
        """Read the pictures of some faces."""
        return cls(frontend, [gray_of(face) for face in faces], distribution(faces), augment, balance)

    def __len__(self) -> int:
        return len(self.pictures)

    def tensors(self, rows: Sequence[int] | None = None) -> FloatArray:
        """Return all faces, or some ``rows`` of them, as a device reads them."""
        chosen = range(len(self)) if rows is None else rows
        return np.stack([self.frontend.compute(self.pictures[i], "gray") for i in chosen])

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """See `edgeemo.training.batches.BatchSource`."""
        n = len(self)
        if rng is None:
            for rows in batch_rows(n, size, None):
                yield self.tensors(rows.tolist()), {"labels": self.target[rows]}
            return
        order = resampled(self.target @ self.target.mean(0) ** -self.balance, rng)
        for rows in np.split(order, range(size, n, size)):
            target = self.target[rows]
            tensors = np.stack([self._augmented(self.pictures[i], rng) for i in rows])
            if self.augment.mixup:
                other = rng.permutation(len(rows))
                tensors, target = mix_up(tensors, target, other, self.augment.mixup, rng)
            yield tensors, {"labels": target}

    def _augmented(self, picture: Pixels, rng: np.random.Generator) -> FloatArray:
        spec, augment = self.frontend.spec, self.augment
        height, width = picture.shape
        crop = jittered(self.frontend.align((0, 0, width, height)), spec.width, spec.height, augment, rng)
        if rng.random() < augment.flip:
            picture = picture[:, ::-1]
        tensor = self.frontend.compute(through_camera(picture, augment, rng), "gray", crop=crop)
        if rng.random() < augment.erase:
            erase(tensor, augment, rng)
        return tensor
