"""How well single speakers, and the genders, are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..manifest import Example
from .bootstrap import Bools, Draw, difference, intervals
from .predictions import Predictions, label_measure
from .spaces import Space

COLUMNS = ("speaker", "gender")
_ONLY = ("accuracy", "uar")


def measure_groups(
    space: Space, examples: Sequence[Example], said: Predictions, draw: Draw
) -> dict[str, dict[str, Any]]:
    """Return accuracy and UAR of each speaker and gender that the manifest names, if it names several.

    Intervals of a speaker draw the speaker's examples, those of a gender whole speakers. ``uar`` is the mean
    over the labels the group has. Of two genders, ``gap`` is the first minus the second (in alphabetical
    order), resampled in pairs.

    Returns:
        ``{"speaker": {"07": {"n": …, "evidence": …, "uar": {"value", "low", "high"}, …}}, "gender": …}``.
    """
    labelled = np.array([bool(e.labels) for e in examples], np.bool_)
    found: dict[str, dict[str, Any]] = {}
    for column in COLUMNS:
        names = np.array([getattr(e, column) for e in examples], np.str_)
        values = [str(value) for value in np.unique(names[labelled]) if value]
        if len(values) < 2:
            continue
        rows: dict[str, Any] = {}
        for value in values:
            chosen = labelled & (names == value)
            n = int(chosen.sum())
            own = [e for e, one in zip(examples, chosen.tolist(), strict=True) if one]
            measure = label_measure(space, own, said.rows(chosen), only=_ONLY)
            drawn = Draw(n, draw.resamples, draw.seed, _clusters(draw, chosen, column))
            scores = {name: x.to_dict() for name, x in intervals([measure], drawn).items()}
            rows[value] = {"n": n, "evidence": float(said.evidence[chosen].mean()), **scores}
        found[column] = rows
        if column == "gender" and len(values) == 2:
            first, second = (
                label_measure(space, examples, said, counted=labelled & (names == value), only=_ONLY)
                for value in values
            )
            found["gap"] = {name: x.to_dict() for name, x in difference([first], [second], draw).items()}
    return found


def _clusters(draw: Draw, chosen: Bools, column: str) -> Any:
    if draw.clusters is None or column == "speaker":
        return None
    return np.unique(draw.clusters[chosen], return_inverse=True)[1].astype(np.intp)
