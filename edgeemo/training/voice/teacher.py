"""The teacher's features of clips, kept on disk: the teacher is asked once, whatever folds follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np

from ...data.manifest import Example
from ...types import FloatArray
from . import whisper
from .augment import read_mono
from .features import only_one


def teacher_features(examples: Sequence[Example], folder: Path) -> FloatArray:
    """Return Whisper's features of clips, ``(clips, FEATURES)``; keeps those of each set in ``folder``.

    Raises:
        RuntimeUnavailableError: the teacher is not installed.
        DataError: a clip cannot be read.
    """
    sets = [e.speaker.partition("/")[0] for e in examples]
    found = np.zeros((len(examples), whisper.FEATURES), np.float32)
    for name in dict.fromkeys(sets):
        rows = [i for i, own in enumerate(sets) if own == name]
        found[rows] = _of_set(name, [examples[i] for i in rows], folder)
    return found


def _of_set(name: str, examples: Sequence[Example], folder: Path) -> FloatArray:
    clips = [f"{e.speaker}/{(e.path or Path()).name}" for e in examples]
    key = sha256(json.dumps(clips).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"teacher-{name}-{key}.npy"
    with only_one(path.with_suffix(".lock")):
        if not path.is_file():
            hear = whisper.listener()
            print(f"the teacher hears {len(examples):,} clips of {name}", flush=True)
            bar, rows = keras.utils.Progbar(len(examples), unit_name="clip"), []
            for example in examples:
                rows.append(hear(read_mono(example.path or Path(), whisper.RATE_HZ)))
                bar.add(1)
            part = path.with_suffix(".part.npy")
            np.save(part, np.array(rows, np.float32))
            part.replace(path)
        return np.asarray(np.load(path), np.float32)
