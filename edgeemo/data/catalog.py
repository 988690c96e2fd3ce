"""The data sets that recipes can name. Each set gives `Example` values, and a name and licence for the card.

``--data`` names their folder. `text_sets`, `voice_sets`, `face_sets` and `detector_sets` know its layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..card import Commercial, DataSource
from ..errors import DataError
from .dataset import Dataset
from .detector_sets import MARKED
from .face_sets import FACE
from .folds import folds, who
from .leaks import digest
from .manifest import Example
from .text_sets import GOEMOTIONS, MINILM, TEXT
from .voice_sets import MANIFEST, VOICE, WHISPER, from_manifest

__all__ = ["DATASETS", "GOEMOTIONS", "MINILM", "TEACHERS", "Dataset", "commercial", "find", "load"]

DATASETS: dict[str, Dataset] = {**TEXT, **VOICE, **FACE, **MARKED}
"""Every data set that recipes can name; ``manifest:FILE`` names one more."""
TEACHERS: dict[str, DataSource] = {"minilm": MINILM, "whisper": WHISPER}
"""The teachers that recipes can name. edgeemo uses their answers and ships no weights of theirs."""

Details = Mapping[str, Mapping[str, Any]]
"""The details of a recipe's manifests, by file."""


def load(name: str, data: Path, split: str, details: Details | None = None) -> list[Example]:
    """Read one split of a data set below the folder ``data``, in its published order.

    Every set with a ``train`` split also has ``fit`` and ``valid``: 95 % and 5 % of the texts. A hash of the
    normalised text decides, so repeated texts fall on one side. For sound they are four fifths and one fifth
    of the speakers (or recordings). If a set has its own ``valid``, `load` reads that.

    Raises:
        DataError: the name or split is unknown, or files are missing or damaged.
    """
    dataset = find(name, details)
    made = split in ("fit", "valid") and split not in dataset.splits
    whole = "train" if made else split
    if whole not in dataset.splits:
        raise DataError(
            f"{name} has no split {split!r}: expected one of fit, valid, {', '.join(dataset.splits)}."
        )
    try:
        examples = [replace(e, split=split) for e in dataset.read(Path(data), whole)]
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{name} is not below {data}: {error.filename} is missing. Check --data.") from error
    except (OSError, EOFError, UnicodeDecodeError, ValueError, KeyError, IndexError) as error:
        raise DataError(f"{name} below {data} cannot be read: {error}. Fetch it again.") from error
    if made:
        examples = [
            e for e, held in zip(examples, _held_out(examples), strict=True) if held == (split == "valid")
        ]
    return examples


def _held_out(examples: list[Example]) -> list[bool]:
    if any(e.path for e in examples):
        fold = folds(examples, min(5, len({who(e) for e in examples})))
        return [fold[who(e)] == 0 for e in examples]
    return [digest(e.text or "") % 20 == 0 for e in examples]


def commercial(names: list[str], details: Details | None = None) -> Commercial:
    """Return the verdict on weights trained on several sets: the worst of theirs."""
    verdicts = {find(name, details).commercial for name in names}
    return "no" if "no" in verdicts else "unclear" if "unclear" in verdicts else "cleared"


def find(name: str, details: Details | None = None) -> Dataset:
    """Return a data set by name.

    Args:
        details: the details of manifests; see `edgeemo.data.voice_sets.from_manifest`.

    Raises:
        DataError: there is no such set. SpecError: a detail is unknown.
    """
    if name.startswith(MANIFEST):
        return from_manifest(name, (details or {}).get(name.removeprefix(MANIFEST), {}))
    if name not in DATASETS:
        raise DataError(
            f"There is no data set {name!r}: expected one of {', '.join(DATASETS)}, {MANIFEST}FILE."
        )
    return DATASETS[name]
