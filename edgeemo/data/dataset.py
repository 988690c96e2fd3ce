"""`Dataset` describes a data set: its labels, its licence and its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..card import Commercial, DataSource
from .manifest import Example


@dataclass(frozen=True)
class Dataset:
    """A data set: labels, source with licence, splits, and the reader ``(folder, split) -> examples``."""

    labels: tuple[str, ...]
    source: DataSource
    commercial: Commercial
    splits: tuple[str, ...]
    read: Callable[[Path, str], Iterator[Example]]
