"""Figures of a cross-validation beside UAR: calm speech, bursts, and which label is taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...card import Calibration, ModelCard
from ...data.clips import read_clip
from ...data.folds import who
from ...data.manifest import Example
from ...evaluation.bootstrap import Draw, intervals
from ...evaluation.calm import ALARMS
from ...evaluation.metrics import LabelMeasure
from ...types import EMOTIONS
from .batches import set_of
from .bursts import NONE
from .features import Indices

Arrays = Mapping[str, npt.NDArray[Any]]


def read_beside(
    recognizer: Any, examples: Sequence[Example], calm: Indices, bursts: Indices
) -> dict[str, npt.NDArray[Any]]:
    """Return what a bundle says of calm speech and of bursts, both given as places in ``examples``.

    ``calm_scores`` ``(n, 8)``, ``calm_labels`` ``(n, labels)``, and ``calm_s`` ``(n,)``, how long each clip
    is; ``burst_labels`` ``(m, burst labels)``.
    """
    read = [read_clip(examples[i]) for i in calm.tolist()]
    said = [recognizer.predict(*clip) for clip in read]
    heard = [recognizer.predict(*read_clip(examples[i])).burst_probabilities for i in bursts.tolist()]
    return {
        "calm_scores": np.array([r.scores for r in said]),
        "calm_labels": np.array([r.probabilities for r in said]),
        "calm_s": np.array([len(pcm) / rate_hz for pcm, rate_hz in read]),
        "burst_labels": np.array(heard),
    }


def neutral_bias(card: ModelCard, examples: Sequence[Example], answers: Arrays, most: float = 0.04) -> float:
    """Return what to add to the logits of neutral labels, from −3 to 3; 0 without calm speech.

    Calm speech makes a network prefer neutral, more than its share of life justifies. The bias is the lowest
    at which at most ``most`` of the clips of each calm set raise an alarm. The clips are held out.
    """
    if not len(answers["calm"]):
        return 0.0
    sets = np.array([set_of(examples[i]) for i in answers["calm"]])
    still = np.isin(card.labels, card.emotions["neutral"])
    alarm = np.isin(card.labels, [x for emotion in ALARMS for x in card.emotions.get(emotion, ())])
    logs = np.log(np.clip(answers["calm_labels"].astype(np.float64), 1e-9, 1))
    member = np.array([[x in card.emotions.get(e, ()) for e in EMOTIONS] for x in card.labels], np.float64)
    raises = np.array([bool((member[:, i] * alarm).any()) for i in range(len(EMOTIONS))])
    for bias in np.arange(-30, 31) / 10:
        said = (np.exp(logs + bias * still) @ member).argmax(1)
        if max(raises[said[sets == name]].mean() for name in np.unique(sets)) <= most:
            return float(bias)
    return 3.0


def calibrated(card: ModelCard, bias: float, scale: float) -> Calibration:
    """Return ``softmax(scale * (logit + bias))`` with ``bias`` for the neutral labels alone."""
    values = tuple(scale * bias if x in card.emotions["neutral"] else 0.0 for x in card.labels)
    return Calibration((scale,) * len(values), values)


def alarm_thresholds(card: ModelCard, answers: Arrays, most: float = 0.01) -> dict[str, float]:
    """Return for each label of an alarm the probability that at most ``most`` of calm clips reach.

    A label that is part of no alarm is left out; so are all where no calm speech was heard.
    """
    if not len(answers["calm"]):
        return {}
    labels = [label for emotion in ALARMS for label in card.emotions.get(emotion, ())]
    values = {x: answers["calm_labels"][:, card.labels.index(x)].astype(np.float64) for x in labels}
    return {x: round(min(float(np.quantile(v, 1 - most)) + 1e-4, 0.99), 4) for x, v in values.items()}


def beside_emotions(card: ModelCard, examples: Sequence[Example], answers: Arrays) -> dict[str, Any]:
    """Return the parts ``calm`` and ``bursts`` of a report; a part without clips is left out.

    Args:
        examples: all clips of the recipe.
        answers: as the file ``answers.npz`` of a fold holds them, of all folds.
    """
    found: dict[str, Any] = {}
    if len(answers["calm"]):
        found["calm"] = _calm([examples[i] for i in answers["calm"]], answers)
        found["alarm_thresholds"] = alarm_thresholds(card, answers)
    if len(answers["bursts"]):
        own = [examples[i] for i in answers["bursts"]]
        found["bursts"] = _bursts(card, own, answers["burst_labels"])
    return found


def confusion(labels: Sequence[str], truth: Sequence[str], said: npt.NDArray[np.integer]) -> dict[str, Any]:
    """Return ``labels`` and ``counts``: a row a true label, a column a label that was said.

    Args:
        truth: the first label of each clip. said: the place of the likeliest label in ``labels``.
    """
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, (np.array([labels.index(label) for label in truth]), said), 1)
    return {"labels": list(labels), "counts": counts.tolist()}


def _calm(examples: Sequence[Example], answers: Arrays) -> dict[str, Any]:
    """Return shares of alarms and of neutral, and alarms an hour: of all calm speech and of each set."""
    said = np.array(EMOTIONS)[answers["calm_scores"].argmax(1)]
    alarms, sets = np.isin(said, ALARMS), np.array([set_of(e) for e in examples])
    found = {}
    for name in ("all", *dict.fromkeys(sets.tolist())):
        own = np.ones(len(sets), np.bool_) if name == "all" else sets == name
        found[name] = {
            "n": int(own.sum()),
            "alarms": round(float(alarms[own].mean()), 4),
            "neutral": round(float((said[own] == "neutral").mean()), 4),
            "alarms_an_hour": round(float(alarms[own].sum() / answers["calm_s"][own].sum() * 3600), 1),
        }
    return found


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
