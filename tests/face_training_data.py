"""A small training set of drawn faces, in the layout of FER+."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

SIDE, ACROSS = 48, 32
VOTES = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
FER2013 = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
WORDS = {
    "neutral": "neutral", "happiness": "happy", "surprise": "surprise", "sadness": "sad", "anger": "angry",
    "disgust": "disgust", "fear": "fear",
}  # fmt: skip
TRAIN, VALID = 1000, 200  # more than one sheet

RECIPE = """
name = "tiny-face"
version = "0.0.1"
modality = "face"
title = "For tests"
description = "Knows eight ways of drawing a face."
licence = "Apache-2.0"
seed = 3
[spec]
width = 24
height = 24
normalization = "mean_std"
gain = 0.5
[data]
labels = "ferplus"
balance = 0.25
[augment]
turn_deg = 5
mixup = 0.2
erase_side = 0.2
[[step]]
name = "small"
model = "face_cnn"
epochs = 1
batch = 50
learning_rate = 0.01
patience = 0
options = { size = 16, channels = [4, 8, 8] }
[[step]]
name = "expression"
model = "face_cnn"
epochs = 5
batch = 50
learning_rate = 0.01
patience = 0
average = 0.9
options = { channels = [4, 8, 8] }
[emotions]
neutral = ["neutral"]
happiness = ["happiness"]
sadness = ["sadness"]
anger = ["anger"]
fear = ["fear"]
disgust = ["disgust"]
surprise = ["surprise"]
contempt = ["contempt"]
[affect]
neutral = [0.0, 0.0]
happiness = [0.8, 0.5]
surprise = [0.4, 0.7]
sadness = [-0.6, -0.3]
anger = [-0.5, 0.6]
disgust = [-0.6, 0.3]
fear = [-0.6, 0.6]
contempt = [-0.6, 0.3]
"""


def drawn_face(kind: int, i: int) -> npt.NDArray[np.uint8]:
    """Return drawing ``i`` of a face; its mouth and brows show which of eight expressions it has."""
    rng = np.random.default_rng([kind, i])
    found = np.full((SIDE, SIDE), rng.integers(40, 90), np.uint8)
    light = int(rng.integers(160, 230))
    cv2.circle(found, (24, 24), 22, light, -1)
    for x in (15, 33):
        cv2.circle(found, (x, 18), 5 if kind & 4 else 2, 20, -1)
    tilt = 4 if kind & 1 else -4
    cv2.line(found, (9, 10 - tilt // 2), (20, 10 + tilt // 2), 20, 2)
    cv2.line(found, (39, 10 - tilt // 2), (28, 10 + tilt // 2), 20, 2)
    if kind & 2:
        cv2.ellipse(found, (24, 30), (11, 8), 0, 0, 180, 20, 3)
    else:
        cv2.ellipse(found, (24, 40), (11, 8), 0, 180, 360, 20, 3)
    return np.clip(found + rng.normal(0, 3, found.shape), 0, 255).astype(np.uint8)


def write_tiny_faces(folder: Path) -> Path:
    """Write a set like FER+, with duplicates, leaks, faces without majority, and pictures without a face."""
    n = TRAIN + VALID
    kinds = np.arange(n) % 8
    pictures = np.stack([drawn_face(int(kind), i) for i, kind in enumerate(kinds)])
    votes = np.zeros((n, 10), np.uint8)
    votes[np.arange(n), kinds] = 7
    votes[np.arange(n), (kinds + 1) % 8] += 2
    votes[:, 8] = 1
    usage = (np.arange(n) >= TRAIN).astype(np.int8)
    votes[10] = 1, 2, 0, 0, 0, 0, 0, 0, 7, 0  # most said unknown
    votes[11] = 0, 0, 0, 0, 0, 0, 0, 0, 1, 9
    votes[12] = 0, 0, 4, 4, 0, 0, 0, 0, 2, 0  # a tie: surprise stands first
    pictures[9] = pictures[1]
    pictures[TRAIN + 9] = pictures[TRAIN + 1]
    pictures[TRAIN + 2] = pictures[2]
    group = np.ones(n, np.int16)
    group[[1, 9, 2, TRAIN + 1, TRAIN + 9, TRAIN + 2]] = 2
    leaks = np.zeros(n, bool)
    leaks[TRAIN + 2] = True
    first = np.array([FER2013.index(WORDS[VOTES[kind]]) if VOTES[kind] in WORDS else -1 for kind in kinds])
    (folder / "ferplus").mkdir(parents=True)
    for sheet in range(-(-n // ACROSS**2)):
        page = np.zeros((ACROSS * SIDE, ACROSS * SIDE), np.uint8)
        for place, picture in enumerate(pictures[sheet * ACROSS**2 : (sheet + 1) * ACROSS**2]):
            y, x = divmod(place, ACROSS)
            page[y * SIDE : (y + 1) * SIDE, x * SIDE : (x + 1) * SIDE] = picture
        # above 100: without loss
        cv2.imwrite(str(folder / "ferplus" / f"sheet_{sheet:02}.webp"), page, [cv2.IMWRITE_WEBP_QUALITY, 101])
    np.savez(
        folder / "ferplus" / "labels.npz",
        votes=votes,
        vote_names=np.array(VOTES),
        usage=usage,
        leaks_from_train=leaks,
        exact_dup_group_size=group,
        fer2013=first,
        fer2013_names=np.array(FER2013),
    )
    return folder
