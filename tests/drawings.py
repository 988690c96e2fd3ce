"""Pictures and films of drawn faces, for tests."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from face_training_data import drawn_face

Pixels = npt.NDArray[np.uint8]


def drawn(*faces: tuple[int, int, int, int], width: int = 320, height: int = 240) -> Pixels:
    """An RGB picture with drawings: (kind, x, y, side) each."""
    found = np.random.default_rng(3).integers(50, 80, (height, width, 3), np.uint8)
    for kind, x, y, side in faces:
        found[y : y + side, x : x + side] = cv2.resize(drawn_face(kind, 0), (side, side))[..., None]
    return found


def film(n: int = 30) -> list[Pixels]:
    """Two faces that move towards each other; each is hidden for a while."""
    both = [((2, 10 + 3 * i, 40, 90), (5, 220 - 2 * i, 90, 100)) for i in range(n)]
    return [drawn(*(face for k, face in enumerate(two) if i // 6 % 4 != k)) for i, two in enumerate(both)]
