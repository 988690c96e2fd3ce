"""A small training set of pictures with marked faces, which are drawn, in the layout of ``detection.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from face_training_data import drawn_face

STREETS, PEOPLE, SCENES = 60, 12, 6
EYES = ((15 / 48, 18 / 48), (33 / 48, 18 / 48))
"""Where the eyes of a drawn face are, as shares of its side."""

RECIPE = """
name = "tiny-detector"
version = "0.0.1"
modality = "face"
title = "For tests"
description = "Finds drawings of faces."
licence = "Apache-2.0"
seed = 3
[spec]
width = 96
height = 96
border = "black"
[detector]
least_score = 0.3
[data]
pictures = "street"
portraits = "portraits"
scenes = "scenes"
made = 400
[[step]]
name = "finder"
model = "face_finder"
epochs = 10
batch = 20
learning_rate = 0.01
patience = 0
average = 0.9
options = { channels = [8, 8, 12, 16], blocks = [0, 0, 0, 1] }
"""

Pixels = npt.NDArray[np.uint8]


def scene(rng: np.random.Generator, width: int = 160, height: int = 120) -> Pixels:
    """Return a picture without a face: blots of gray."""
    small = rng.integers(30, 120, (height // 20, width // 20), np.uint8)
    found = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float64)
    for _ in range(4):
        x, y = rng.integers(0, width), rng.integers(0, height)
        cv2.rectangle(found, (int(x), int(y)), (int(x) + 20, int(y) + 8), float(rng.integers(0, 255)), -1)
    return np.asarray(np.clip(found + rng.normal(0, 4, found.shape), 0, 255), np.uint8)


def put(picture: Pixels, kind: int, i: int, x: int, y: int, side: int) -> str:
    """Draw a face into a picture, and return its box as ``detection.csv`` writes a box."""
    face = cv2.resize(drawn_face(kind, i), (side, side), interpolation=cv2.INTER_AREA)
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), side * 22 // 48, 1, -1)
    part = picture[y : y + side, x : x + side]
    part[mask > 0] = face[mask > 0]
    edge = side * 2 // 48
    return f"{x + edge},{y + edge},{x + side - edge},{y + side - edge}"


def street(i: int) -> tuple[Pixels, str]:
    """Return a picture with one or two faces, sometimes a masked one, and its boxes."""
    rng = np.random.default_rng([7, i])
    picture, boxes = scene(rng), []
    for half in range(int(rng.integers(1, 3))):
        side = int(rng.integers(28, 70))
        x, y = 80 * half + int(rng.integers(0, 80 - side + 1)), int(rng.integers(0, 120 - side + 1))
        kind = "with_mask" if rng.random() < 0.2 else "without_mask"
        boxes.append(f"{kind}:{put(picture, int(rng.integers(8)), i, x, y, side)}")
    return picture, ";".join(boxes)


def write_tiny_pictures(folder: Path) -> Path:
    """Write street pictures, portraits and scenes without faces, and their table; return the folder."""
    for name in ("masks", "photos", "no_face"):
        (folder / name).mkdir(parents=True)
    rows = []
    for i in range(STREETS):
        picture, boxes = street(i)
        cv2.imwrite(str(folder / "masks" / f"s{i}.png"), picture)
        rows.append([f"masks/s{i}.png", f"s{i}.png", "", "", "", "", boxes])
    for i in range(PEOPLE):
        rng = np.random.default_rng([8, i])
        picture, side = scene(rng, 120, 120), int(rng.integers(70, 100))
        put(picture, i % 8, i, 10, 12, side)
        eyes = [f"{a + b * side:.2f}" for point in EYES for a, b in zip((10, 12), point, strict=True)]
        marked = eyes if i % 4 else [""] * 4  # a quarter of the portraits have no pupils marked
        cv2.imwrite(str(folder / "photos" / f"p{i}.png"), picture)
        rows.append([f"photos/p{i}.png", f"person{i}", *marked, ""])
    for i in range(SCENES):
        cv2.imwrite(str(folder / "no_face" / f"n{i}.jpg"), scene(np.random.default_rng([9, i])))
    with (folder / "detection.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "subject", "eye0_x", "eye0_y", "eye1_x", "eye1_y", "boxes"])
        writer.writerows(rows)
    return folder
