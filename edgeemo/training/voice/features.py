"""Features of clips on disk: the spans of each clip, as `predict` sees them, and those of its copies.

They are computed once for a list of clips, whatever folds follow; an epoch then costs only the network.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import keras
import numpy as np
import numpy.typing as npt

from ...data.clips import read_audio
from ...data.manifest import Example
from ...errors import DataError
from ...frontends import VoiceFrontend
from ...types import FloatArray
from .augment import Augment, Surroundings, augmented, read_mono

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClipFeatures:
    """Spans ``(spans, frames, mels)`` in files, and the clips they belong to.

    Attributes:
        clean: float32, the spans of the clips themselves, to the bit those of ``VoiceFrontend.compute``;
            those of clip i are ``clean[clean_at[i] : clean_at[i + 1]]``. ``n_frames`` of each are real.
        made: float16, the spans of the copies; those of copy k of clip i begin at ``made_at[first[i] + k]``.
        first: where the copies of each clip begin, ``(clips + 1,)``.
    """

    clean: npt.NDArray[np.float32]
    clean_at: Indices
    n_frames: npt.NDArray[np.int32]
    made: npt.NDArray[np.float16]
    made_at: Indices
    first: Indices

    def draw(self, clip: int, rng: np.random.Generator) -> FloatArray:
        """Return a random span of a clip, or of one of its copies, each as likely."""
        which = int(rng.integers(self.first[clip], self.first[clip + 1] + 1)) - 1
        spans, at, i = (
            (self.clean, self.clean_at, clip)
            if which < self.first[clip]
            else (self.made, self.made_at, which)
        )
        return np.asarray(spans[rng.integers(at[i], at[i + 1])], np.float32)

    def of(self, clips: Indices) -> tuple[Indices, Indices]:
        """Return the rows of ``clean`` that belong to ``clips``, and which of ``clips`` each belongs to."""
        counts = np.diff(self.clean_at)[clips]
        owner = np.repeat(np.arange(len(clips)), counts)
        rows = [np.arange(self.clean_at[i], self.clean_at[i + 1]) for i in clips]
        return np.concatenate(rows or [np.zeros(0, np.int64)]), owner


def features_of(
    examples: Sequence[Example],
    frontend: VoiceFrontend,
    augment: Augment,
    around: tuple[Sequence[str], Callable[[], Surroundings]],
    folder: Path,
    seed: int,
    copies: Mapping[str, int] | None = None,
) -> ClipFeatures:
    """Return the features of clips; makes the files in ``folder`` where they are not yet there.

    Several processes may ask at once: one makes the files, the others wait.

    Args:
        copies: how many copies the clips of a data set get, where they are not ``augment.copies``.
        around: the names of the sets of background sounds and rooms, and how to read them.

    Raises:
        DataError: a clip cannot be read, or is shorter than one window.
    """
    clips = [f"{e.speaker}/{(e.path or Path()).name}" for e in examples]
    asked: list[Any] = [frontend.spec.digest, augment.of_waveforms(), list(around[0]), seed, clips]
    numbers = [(copies or {}).get(e.speaker.partition("/")[0], augment.copies) for e in examples]
    asked.append(copies and numbers)
    key = sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / f"{key}.npz"
    with only_one(folder / f"{key}.lock"):
        if not index.is_file():
            _make(examples, clips, frontend, augment, around[1](), folder / key, seed, numbers)
    with np.load(index) as found:
        clean_at, made_at, n_frames = found["clean_at"], found["made_at"], found["n_frames"]
    shape = frontend.spec.output[0]
    clean = np.memmap(folder / f"{key}.clean", np.float32, "r", shape=(int(clean_at[-1]), *shape))
    made = (
        np.memmap(folder / f"{key}.made", np.float16, "r", shape=(int(made_at[-1]), *shape))
        if made_at[-1]
        else np.zeros((0, *shape), np.float16)
    )
    first = np.cumsum([0, *numbers], dtype=np.int64)
    return ClipFeatures(clean, clean_at, n_frames, made, made_at, first)


def _make(
    examples: Sequence[Example],
    names: Sequence[str],
    frontend: VoiceFrontend,
    augment: Augment,
    around: Surroundings,
    target: Path,
    seed: int,
    copies: Sequence[int],
) -> None:
    rate = frontend.spec.rate_hz

    def work(item: tuple[Example, str, int]) -> tuple[Any, list[npt.NDArray[np.float16]]]:
        example, name, n = item
        path = example.path or Path()
        own = frontend.compute(*read_audio(path))
        if not len(own):
            raise DataError(f"{path} is shorter than one window of {frontend.spec.window} samples; drop it.")
        x = read_mono(path, rate)
        made = []
        for k in range(n):
            rng = np.random.default_rng([seed, crc32(name.encode()), k])
            copy = augmented(x, rate, around, augment, rng)
            if len(copy) < frontend.spec.window:
                copy = np.pad(copy, (0, frontend.spec.window - len(copy)))
            made.append(frontend.compute(copy, rate).features.astype(np.float16))
        return own, made

    clean_n, made_n, frames = [0], [0], []
    print(f"features of {len(examples):,} clips and {sum(copies):,} copies", flush=True)
    bar = keras.utils.Progbar(len(examples), unit_name="clip")
    parts = target.with_suffix(".clean.part"), target.with_suffix(".made.part")
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        parts[0].open("wb") as clean,
        parts[1].open("wb") as more,
    ):
        for own, made in pool.map(work, zip(examples, names, copies, strict=True)):
            clean.write(own.features.tobytes())
            clean_n.append(len(own))
            frames.append(own.n_frames)
            for spans in made:
                more.write(spans.tobytes())
                made_n.append(len(spans))
            bar.add(1)
    parts[0].replace(target.with_suffix(".clean"))
    parts[1].replace(target.with_suffix(".made"))
    part = target.with_suffix(".part.npz")
    np.savez(
        part,
        clean_at=np.cumsum(clean_n, dtype=np.int64),
        made_at=np.cumsum(made_n, dtype=np.int64),
        n_frames=np.concatenate(frames).astype(np.int32),
    )
    part.replace(target.with_suffix(".npz"))


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one process at a time in."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
