"""Scores of single speakers and of groups of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.manifest import Example
from .bootstrap import Bools, Draw, difference, intervals
from .label_sets import LabelSet
from .predictions import Predictions, label_measure

COLUMNS = ("speaker", "gender", "age", "ethnicity")
_ONLY = ("accuracy", "uar")


def measure_groups(
    space: LabelSet, examples: Sequence[Example], said: Predictions, draw: Draw
) -> dict[str, dict[str, Any]]:
    """Return accuracy and UAR of each speaker, gender, age and ethnicity that the manifest names, if several.

    Intervals of a speaker draw the speaker's examples, others whole speakers (or what ``draw`` draws). Ages
    in numbers are read in tens: 34 is ``30–39``. ``uar`` is the mean over the labels the group has
    (``labels`` is their number): compare groups with different labels by accuracy. With two genders, ``gap``
    is the first minus the second (in alphabetical order), resampled in pairs.

    Returns:
        ``{"speaker": {"07": {"n": …, "labels": …, "evidence": …, "uar": {"value", "low", "high"}, …}}, …}``.
    """
    labelled = np.array([bool(e.labels) for e in examples], np.bool_)
    found: dict[str, dict[str, Any]] = {}
    for column in COLUMNS:
        names = np.array([_group(getattr(e, column), column) for e in examples], np.str_)
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
            labels = int(space.truth(own).any(0).sum())
            evidence = float(said.evidence[chosen].mean())
            rows[value] = {"n": n, "labels": labels, "evidence": evidence, **scores}
        found[column] = rows
        if column == "gender" and len(values) == 2:
            first, second = (
                label_measure(space, examples, said, counted=labelled & (names == value), only=_ONLY)
                for value in values
            )
            found["gap"] = {name: x.to_dict() for name, x in difference([first], [second], draw).items()}
    return found


def _group(value: str, column: str) -> str:
    if column != "age":
        return str(value)
    try:
        ten = int(float(value) // 10 * 10)
    except (ValueError, OverflowError):  # words, nothing, infinite
        return str(value)
    return f"{ten}–{ten + 9}"


def _clusters(draw: Draw, chosen: Bools, column: str) -> Any:
    if draw.clusters is None or column == "speaker":
        return None
    return np.unique(draw.clusters[chosen], return_inverse=True)[1].astype(np.intp)
