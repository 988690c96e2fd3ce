"""The table of the field protocol: one row a figure, with its interval and what a condition costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy.typing as npt

from ..data.manifest import Example
from .bootstrap import Draw, Interval, Ratio, clusters_of, intervals


@dataclass(frozen=True)
class FieldRow:
    """One figure.

    Attributes:
        part: ``"clips"``, ``"calm"``, ``"live"`` or ``"sounds"``.
        name: the condition or the event.
        unit: what ``score`` is: ``"UAR"``, ``"share"``, ``"ms"``, ``"an hour"``, ``"in ten minutes"``, or
            ``"of whole"`` (right answers for each right answer to the whole clip).
        n: how many clips or sounds were measured.
        score: the figure and its 95 % interval; times have no interval.
        cost: the clean score minus this one, in pairs; None where nothing clean stands beside it.
    """

    part: str
    name: str
    unit: str
    n: int
    score: Interval
    cost: Interval | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class FieldReport:
    """How a voice bundle holds in the field.

    Attributes:
        rows: the figures, part by part.
        clips: the most clips a row was measured on. seed: of the noises, rooms and places in time.
        notes: what a reader should know beside the numbers.
    """

    rows: tuple[FieldRow, ...]
    clips: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        rows = [row.to_dict() for row in self.rows]
        return {"rows": rows, "clips": self.clips, "seed": self.seed, "notes": list(self.notes)}


@dataclass(frozen=True)
class Rows:
    """Makes the rows of one part about ``examples``; intervals draw their speakers or recordings."""

    part: str
    examples: Sequence[Example]
    resamples: int

    @property
    def draw(self) -> Draw:
        """How to resample."""
        return Draw(len(self.examples), self.resamples, clusters=clusters_of(self.examples)[1])

    def ratio(
        self, name: str, above: npt.ArrayLike, below: npt.ArrayLike = 1.0, unit: str = "share"
    ) -> list[FieldRow]:
        """Return the row of the sum of ``above`` over that of ``below``, here a share; none if undefined."""
        found = intervals([Ratio(above, below)], self.draw) if self.examples else {}
        return [FieldRow(self.part, name, unit, len(self.examples), score) for score in found.values()]
