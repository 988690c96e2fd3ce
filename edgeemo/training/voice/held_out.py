"""What a cross-validation measures beside UAR: calm speech, bursts, and which label is taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...card import ModelCard
from ...data.folds import who
from ...data.manifest import Example
from ...evaluation.bootstrap import Draw, intervals
from ...evaluation.calm import ALARMS
from ...evaluation.metrics import LabelMeasure
from ...types import EMOTIONS
from .batches import set_of
from .bursts import NONE

Arrays = Mapping[str, npt.NDArray[Any]]


def beside_emotions(card: ModelCard, examples: Sequence[Example], answers: Arrays) -> dict[str, Any]:
    """Return the parts ``calm`` and ``bursts`` of a report; a part without clips is left out.

    Args:
        examples: all clips of the recipe.
        answers: as the file ``answers.npz`` of a fold holds them, of all folds.
    """
    found: dict[str, Any] = {}
    if len(answers["calm"]):
        found["calm"] = _calm([examples[i] for i in answers["calm"]], answers["said_calm"])
    if len(answers["bursts"]):
        own = [examples[i] for i in answers["bursts"]]
        found["bursts"] = _bursts(card, own, answers["said_bursts"])
    return found


def confusion(labels: Sequence[str], truth: Sequence[str], said: npt.NDArray[np.integer]) -> dict[str, Any]:
    """Return ``labels`` and ``counts``: a row a true label, a column a label that was said.

    Args:
        truth: the first label of each clip. said: the place of the likeliest label in ``labels``.
    """
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, ([labels.index(label) for label in truth], said), 1)
    return {"labels": list(labels), "counts": counts.tolist()}


def _calm(examples: Sequence[Example], scores: npt.NDArray[Any]) -> dict[str, Any]:
    """Return for each set of calm speech the share of alarms and of neutral answers."""
    said = np.array(EMOTIONS)[scores.argmax(1)]
    sets = np.array([set_of(e) for e in examples])
    return {
        name: {
            "n": int((sets == name).sum()),
            "alarms": round(float(np.isin(said[sets == name], ALARMS).mean()), 4),
            "neutral": round(float((said[sets == name] == "neutral").mean()), 4),
        }
        for name in dict.fromkeys(sets.tolist())
    }


def _bursts(card: ModelCard, examples: Sequence[Example], probabilities: npt.NDArray[Any]) -> dict[str, Any]:
    """Return UAR over the labels of bursts, and over their emotions; 95 % intervals draw people."""
    labels = card.bursts["labels"]
    truth = np.zeros((len(examples), len(labels)), np.bool_)
    for row, e in zip(truth, examples, strict=True):
        row[labels.index(e.labels[0])] = 1
    heard = probabilities.astype(np.float64).copy()
    heard[:, labels.index(NONE)] = 0  # the question is which burst, not whether there is one
    groups = [g for g in EMOTIONS if g in card.bursts["emotions"]]
    member = np.array([[label in card.bursts["emotions"][g] for g in groups] for label in labels])
    people = np.unique([who(e) for e in examples], return_inverse=True)[1].astype(np.intp)
    draw = Draw(len(examples), clusters=people)

    def uar(true: npt.NDArray[np.bool_], said: npt.NDArray[Any]) -> dict[str, float]:
        best, asked = said == said.max(1, keepdims=True), np.flatnonzero(true.any(0)).tolist()
        measure = LabelMeasure(true, said, best, exclusive=True, only=("uar",), over=asked)
        found: dict[str, float] = intervals([measure], draw)["uar"].to_dict()
        return found

    return {
        "n": len(examples),
        "people": draw.units,
        "labels": uar(truth, heard),
        "emotions": uar(truth @ member, heard @ member),
        "called_none": round(float((probabilities.argmax(1) == labels.index(NONE)).mean()), 4),
    }
