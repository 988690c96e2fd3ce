"""Find leaks of speech: test speakers who are in the training data, and copies of training clips.

The check compares the names of speakers (without white space and case). So a name must mean one person in all
manifests: ``edgeemo manifest`` puts the set before the name (``ravdess/07``). The check compares clips by
`fingerprint`, which finds a copy even if its file, level, codec or beginning differ.

Training writes both to a file beside the bundle (``voice.tflite`` → ``voice.seen``). The file holds the magic
``EDGEVOIC``, two counts, sorted 64-bit hashes of speakers, then 192 sorted bytes a clip, all little-endian.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..errors import DataError
from ..files import explained
from . import fingerprint
from .clips import read_clip
from .leaks import TRAIN_AGAIN, LeakCheck, Policy, Seen, decided, digest, digests, save, sources_of, unchecked
from .manifest import Example

Progress: TypeAlias = Callable[[Sequence[Example]], Iterable[Example]]

_MAGIC = b"EDGEVOIC"
_HEAD = struct.Struct("<8sQQ")


@dataclass(frozen=True)
class SeenVoice:
    """The voices of the training data: hashes of ``speakers``, and ``codes`` int8 ``(clips, CELLS)``."""

    speakers: Seen
    codes: fingerprint.Signs


def seen_voice(examples: Sequence[Example], progress: Progress = iter) -> SeenVoice:
    """Return the hashes of the speakers and the fingerprints of the clips (about 10 ms a clip).

    Raises:
        DataError, SourceError, RuntimeUnavailableError: as `edgeemo.data.clips.read_clip`.
    """
    codes = [fingerprint.code(*read_clip(example)) for example in progress(examples)]
    speakers = digests(example.speaker for example in examples if example.speaker)
    return SeenVoice(speakers, np.array(codes, np.int8).reshape(-1, fingerprint.CELLS))


def write_seen_voice(
    path: str | os.PathLike[str], examples: Sequence[Example], progress: Progress = iter
) -> None:
    """Write the training data of a voice model, so that `edgeemo evaluate` can find leaks.

    Args:
        path: ``model.seen`` beside the model; ``edgeemo convert`` copies the file to the bundle.
        examples: all training examples, background sounds too (without a speaker).
        progress: wraps the examples while the function reads them.

    Raises:
        DataError, SourceError, RuntimeUnavailableError: as `seen_voice`, or the file cannot be written.
    """
    seen = seen_voice(examples, progress)
    packed = np.unique(fingerprint.pack(seen.codes), axis=0)
    head = _HEAD.pack(_MAGIC, len(seen.speakers), len(packed))
    save(path, head + seen.speakers.astype("<u8").tobytes() + packed.tobytes())


def read_seen_voice(path: str | os.PathLike[str]) -> SeenVoice:
    """Read the file of `write_seen_voice`.

    Raises:
        DataError: the file is missing or damaged.
    """
    with explained(f"{path} cannot be read", DataError, TRAIN_AGAIN):
        data = Path(path).read_bytes()
    if len(data) < _HEAD.size or data[:8] != _MAGIC:
        raise DataError(f"{path} is damaged, or not a list of training clips. {TRAIN_AGAIN}")
    _, speakers, clips = _HEAD.unpack_from(data)
    start = _HEAD.size + 8 * speakers
    if len(data) != start + fingerprint.BYTES * clips:
        raise DataError(f"{path} is damaged: its length is wrong. {TRAIN_AGAIN}")
    packed = np.frombuffer(data, np.uint8, offset=start).reshape(clips, fingerprint.BYTES)
    hashes = np.frombuffer(data, "<u8", speakers, _HEAD.size).astype(np.uint64)
    return SeenVoice(hashes, fingerprint.unpack(packed))


def find_speakers(examples: Sequence[Example], seen: Seen) -> list[int]:
    """Return the indices of the examples whose speaker is in the training data."""
    found = np.isin(np.array([digest(e.speaker) for e in examples], np.uint64), seen)
    return [i for i in np.flatnonzero(found).tolist() if examples[i].speaker]


def find_copies(
    examples: Sequence[Example], codes: fingerprint.Signs, progress: Progress = iter
) -> tuple[list[int], int]:
    """Return the indices of copies of clips in ``codes``, and how many examples repeat an earlier one."""
    known = fingerprint.unit(codes)
    own = np.zeros((len(examples), fingerprint.CELLS), np.int8)
    copies = []
    for i, example in enumerate(progress(examples)):
        pcm, rate_hz = read_clip(example)
        own[i] = fingerprint.code(pcm, rate_hz)
        if len(known):
            shifts = fingerprint.shifted(pcm, rate_hz)
            if fingerprint.likeness(shifts, known).max() >= fingerprint.SAME:
                copies.append(i)
    ours = fingerprint.unit(own)
    repeated = sum(bool((ours[:i] @ ours[i] >= fingerprint.SAME).any()) for i in range(1, len(ours)))
    return copies, repeated


def check_leaks_voice(
    examples: Sequence[Example],
    bundle: Path | None,
    *,
    policy: Policy = "refuse",
    train: Path | None = None,
    progress: Progress = iter,
) -> tuple[list[Example], LeakCheck]:
    """Look for training speakers and copies of training clips, as `edgeemo.data.leaks.check_leaks`.

    Raises:
        LeakError: there are leaks and ``policy`` is ``"refuse"``.
        DataError: a manifest, clip or file cannot be read.
    """
    sources = sources_of(bundle, train, lambda rows: seen_voice(rows, progress), read_seen_voice)
    codes = [seen.codes for seen in sources.values()] or [np.zeros((0, fingerprint.CELLS), np.int8)]
    copies, repeated = find_copies(examples, np.concatenate(codes), progress)
    if not sources:
        return list(examples), unchecked(repeated)
    known = find_speakers(examples, np.concatenate([seen.speakers for seen in sources.values()]))
    leaks = set(known) | set(copies)
    speakers = tuple(sorted({examples[i].speaker for i in known}))
    check = LeakCheck(True, " and ".join(sources), len(leaks), repeated, "none", speakers, len(copies))
    return decided(examples, leaks, check, policy, _found(examples, check, copies))


def _found(examples: Sequence[Example], check: LeakCheck, copies: Sequence[int]) -> str:
    found = []
    if check.speakers:
        n = len({e.speaker for e in examples} - {""})
        shown = ", ".join(map(repr, check.speakers[:3]))
        found.append(f"{len(check.speakers)} of {n} test speakers also speak in the training data ({shown})")
    if copies:
        shown = ", ".join(path.name for i in copies[:3] if (path := examples[i].path))
        found.append(f"{len(copies)} of {len(examples)} clips are copies of training clips ({shown})")
    return f"{'; '.join(found)}, by {check.by}. Leave these {check.n} clips"
