"""A row of the table: how good and how fast one system is at one task, and how that was found."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

from edgeemo import LicenseWarning
from edgeemo.bundle import shipped
from edgeemo.data.manifest import Example
from edgeemo.evaluation.bootstrap import Interval

from ..timing import Race

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / "build" / "peers"
"""Files that the peers' own training writes (`benchmarks.peers.train`)."""


class Skip(Exception):  # noqa: N818 (it is no error)
    """Something that a row needs is missing; the message says what, and how to get it."""


@dataclass(frozen=True)
class Context:
    """Where things are: the data folder, the Python of tflite-runtime (or None), the command as it was given.

    ``data`` may hold the sets themselves or the folders ``text``, ``voice``, ``face`` and ``models``.
    """

    data: Path
    legacy: Path | None = None
    command: str = "python -m benchmarks.table"

    def folder(self, modality: str) -> Path:
        """Return the folder of a modality's sets."""
        return self.data / modality if (self.data / modality).is_dir() else self.data

    def examples(self, name: str, modality: str, split: str) -> list[Example]:
        """Read a data set. Skip: it is not there."""
        from edgeemo.data.catalog import load
        from edgeemo.errors import DataError

        try:
            return load(name, self.folder(modality), split)
        except DataError as error:
            raise Skip(str(error)) from error

    def model(self, name: str) -> Path:
        """Return the file of a peer. Skip: it is not there."""
        path = self.folder("models") / name
        if not path.is_file():
            raise Skip(f"{path} is missing: put the peer's file there (its origin: benchmarks/README.md)")
        return path


@dataclass(frozen=True)
class Score:
    """How good: a metric with its 95 % interval, ``n`` examples; and ours minus this peer's, in pairs."""

    metric: str
    value: Interval
    n: int
    of: str = "examples"
    higher_is_better: bool = True
    difference: Interval | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass
class Row:
    """One system at one task. ``score`` decides, what is ``beside`` it is only shown.

    ``times`` is the row's time over the time of our row of the task: median of the ratios within rounds, 5th
    and 95th percentile. ``least`` is the least ratio that passes. ``equal`` says how its answers were
    compared. A row with ``skipped`` has nothing else.
    """

    task: str
    system: str
    ours: bool = False
    score: Score | None = None
    beside: Sequence[Score] = ()
    us: Mapping[str, Any] | None = None
    times: tuple[float, float, float] | None = None
    least: float | None = None
    equal: str = ""
    note: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    cache: str = ""
    skipped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, without what is empty."""
        plain = {key: value for key, value in asdict(self).items() if value not in (None, "", {}, ())}
        return plain | ({"reached": self.reached} if self.least is not None else {})

    @property
    def reached(self) -> bool | None:
        """Whether the peer takes at least as many times as long as it must, by the whole of the interval.

        None: the interval includes what it must reach, or there is nothing to reach.
        """
        if self.least is None or self.times is None:
            return None
        _, low, high = self.times
        return True if low >= self.least else False if high < self.least else None

    def timed(self, race: Race, name: str) -> Row:
        """Take this row's numbers from a race in which it ran under ``name``."""
        self.us = race.times[name].to_dict()
        self.times = None if self.ours else race.ratios[name]
        return self


Part: TypeAlias = Callable[[Context], Iterator[Row]]


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of licences: nothing here is used, only measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LicenseWarning)
        yield


def needs(*modules: str) -> None:
    """Skip, unless all these can be imported."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise Skip(f"{', '.join(missing)} not installed: make peers")


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of installed packages."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def ours(task: str, bundle: str, **fields: Any) -> Row:
    """Return the row of a shipped bundle."""
    path = shipped()[bundle]
    packages = versions("edgeemo", "ai-edge-litert", "numpy")
    return Row(task, f"edgeemo `{bundle}`", ours=True, sha256=digest(path), versions=packages, **fields)
