"""Find leaks: test texts that are also in the training data.

The check compares 64 bits of the SHA-256 of each text, after NFKC, case folding and collapsing white space.
Training writes these numbers to a file beside the bundle (``text.tflite`` → ``text.seen``). The file has
eight bytes for each text; nobody can read the text from them.
"""

from __future__ import annotations

import os
import struct
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import DataError, LeakError
from ..files import explained, write_whole
from .manifest import Example, read_manifest

Policy: TypeAlias = Literal["refuse", "drop", "keep"]
Seen: TypeAlias = npt.NDArray[np.uint64]
E = TypeVar("E", bound=Example)
T = TypeVar("T")

SUFFIX = ".seen"
_MAGIC = b"EDGESEEN"
TRAIN_AGAIN = "Train again, or give --train MANIFEST."


def normalize(text: str) -> str:
    """Return the text in the form that the check compares: NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def digest(text: str) -> int:
    """Return 64 bits of the SHA-256 of the normalised text."""
    return int.from_bytes(sha256(normalize(text).encode("utf-8", "surrogatepass")).digest()[:8], "little")


def digests(texts: Iterable[str]) -> Seen:
    """Return the digests of the texts, sorted, each once."""
    return np.unique(np.fromiter((digest(text) for text in texts), np.uint64))


def write_seen(path: str | os.PathLike[str], texts: Iterable[str]) -> None:
    """Write the digests of the training texts: magic, count, then sorted little-endian 64-bit digests.

    Raises:
        DataError: the file cannot be written.
    """
    seen = digests(texts)
    save(path, _MAGIC + struct.pack("<Q", len(seen)) + seen.astype("<u8").tobytes())


def save(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a ``.seen`` file, whole or not at all; raise `DataError` if that fails."""
    remedy = "Nothing was changed; check the folder, space and rights."
    with explained(f"{path} cannot be written", DataError, remedy):
        write_whole(path, data)


def read_seen(path: str | os.PathLike[str]) -> Seen:
    """Read the file of `write_seen`.

    Raises:
        DataError: the file is missing or damaged.
    """
    with explained(f"{path} cannot be read", DataError, TRAIN_AGAIN):
        data = Path(path).read_bytes()
    if data[:8] != _MAGIC or len(data) < 16 or len(data) != 16 + 8 * struct.unpack_from("<Q", data, 8)[0]:
        raise DataError(f"{path} is damaged, or not a list of training texts. {TRAIN_AGAIN}")
    return np.frombuffer(data, "<u8", offset=16).astype(np.uint64)


def text_of(example: Example) -> str:
    """Return the example's text; read its file if the example has only a path.

    Raises:
        DataError: the file cannot be read.
    """
    if example.text is not None:
        return example.text
    if example.path is None:
        raise DataError("An example has neither text nor path; give one of them.")
    with explained(f"{example.path} cannot be read", DataError, "Paths are relative to the manifest."):
        return example.path.read_bytes().decode("utf-8", "replace")


def find_leaks(
    examples: Sequence[Example], seen: Seen, content: Callable[[Example], str] = text_of
) -> list[int]:
    """Return the indices of the examples whose text (or other content) is in the training data."""
    found = np.isin(np.array([digest(content(e)) for e in examples], np.uint64), seen)
    return [int(i) for i in np.flatnonzero(found)]


@dataclass(frozen=True)
class LeakCheck:
    """The result of a check: ``n`` leaks and the action taken; ``by`` names the evidence.

    ``repeated`` counts test examples that repeat an earlier one of the test. For speech, ``speakers`` names
    the speakers who are also in the training data, and ``copies`` counts copies of training clips.
    """

    checked: bool
    by: str
    n: int
    repeated: int
    action: Literal["none", "dropped", "kept"] = "none"
    speakers: tuple[str, ...] = ()
    copies: int | None = None

    def became(self, action: Literal["dropped", "kept"]) -> LeakCheck:
        """Return the check with the outcome of its leaks, if there are any."""
        return replace(self, action=action) if self.n else self

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        found = {"checked": self.checked, "by": self.by, "n": self.n, "repeated": self.repeated}
        if self.copies is not None:
            found |= {"speakers": list(self.speakers), "copies": self.copies}
        return found if self.action == "none" else found | {self.action: self.n}


def check_leaks(
    examples: Sequence[E],
    bundle: Path | None,
    *,
    policy: Policy = "refuse",
    train: Path | None = None,
    content: Callable[[Example], str] = text_of,
) -> tuple[list[E], LeakCheck]:
    """Look for training texts among the examples, by the manifest ``train`` and the file beside ``bundle``.

    ``content`` returns the text to compare; for faces `edgeemo.data.faces.pixels_of`.

    Returns:
        The examples that remain, and the result of the check.

    Raises:
        LeakError: there are leaks and ``policy`` is ``"refuse"``.
        DataError: a manifest or file cannot be read.
    """
    repeated = sum(count - 1 for count in Counter(digest(content(e)) for e in examples).values())
    sources = sources_of(bundle, train, lambda rows: digests(content(e) for e in rows), read_seen)
    if not sources:
        return list(examples), unchecked(repeated)
    leaks = find_leaks(examples, np.concatenate(list(sources.values())), content)
    check = LeakCheck(True, " and ".join(sources), len(leaks), repeated)
    few, texts = [examples[i] for i in leaks[:3]], content is text_of
    names = [normalize(text_of(e)) if texts else Path(e.path or "").name for e in few]
    found = (
        f"{len(leaks)} of {len(examples)} test {'texts' if texts else 'faces'} also stand in the training "
        f"data ({check.by}), first {'; '.join(repr(name[:60]) for name in names)}. Leave them"
    )
    return decided(examples, set(leaks), check, policy, found)


def sources_of(
    bundle: Path | None,
    train: Path | None,
    of_manifest: Callable[[list[Example]], T],
    of_file: Callable[[Path], T],
) -> dict[str, T]:
    """Return the knowledge of the training data, by file name: from a manifest and a ``.seen`` file."""
    sources: dict[str, T] = {}
    if train is not None:
        sources[train.name] = of_manifest(read_manifest(train))
    beside = None if bundle is None else bundle.with_suffix(SUFFIX)
    if beside is not None and beside.is_file():
        sources[beside.name] = of_file(beside)
    return sources


def unchecked(repeated: int) -> LeakCheck:
    """Return the check of a bundle whose training data nobody knows."""
    return LeakCheck(False, "nothing to check against: give --train MANIFEST", 0, repeated)


def decided(
    examples: Sequence[E], leaks: Collection[int], check: LeakCheck, policy: Policy, found: str
) -> tuple[list[E], LeakCheck]:
    """Return the examples that remain under ``policy``, and the check with its outcome.

    Raises:
        LeakError: there are leaks and ``policy`` is ``"refuse"``; begins with ``found``.
    """
    if not leaks or policy == "keep":
        return list(examples), check.became("kept")
    if policy == "refuse":
        raise LeakError(f"{found} out with --leaks drop, or measure on them with --leaks keep.")
    return [example for i, example in enumerate(examples) if i not in leaks], check.became("dropped")
