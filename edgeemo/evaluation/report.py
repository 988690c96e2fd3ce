"""`evaluate`: a recognizer and a manifest in, a `Report` out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data.leaks import LeakCheck, Policy
from ..data.manifest import Example
from ..errors import DataError
from ..recognizer import Recognizer
from ..tasks import task_of
from .alignment import Alignment, Finder, measure_alignment
from .bootstrap import Draw, Interval, Measure, clusters_of, few_of, intervals, rounded
from .corruptions import Corruptions
from .field_report import FieldReport
from .groups import measure_groups
from .label_sets import FINE, SCORES, LabelSet, choose
from .metrics import AffectMeasure, LabelMeasure, confusion, per_label
from .predictions import Predictions, Progress, label_measure, predict
from .robustness import ClipAnswers, FaceAnswers, FaceRobustness, Robustness, noise_and_codecs
from .sounds import Noise


@dataclass(frozen=True)
class Level:
    """One label set, measured: ``per_label`` has precision, recall, f1 and support."""

    name: str
    labels: tuple[str, ...]
    per_label: Mapping[str, Mapping[str, float]]
    confusion: Sequence[Sequence[int]]
    reliability: Mapping[str, Sequence[float]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {
            "per_label": {label: dict(row) for label, row in self.per_label.items()},
            "confusion": {"labels": list(self.labels), "matrix": [list(row) for row in self.confusion]},
            "reliability": {name: list(values) for name, values in self.reliability.items()},
        }


_NOTHING = Level("", (), {}, (), {})


@dataclass(frozen=True)
class Report:
    """How well a bundle reads a manifest.

    Attributes:
        n: examples measured, without dropped leaks; ``n_labelled`` of them carry a label, ``n_affect``
            valence or arousal.
        metrics: by name (`metrics` defines them). The first of ``levels`` has the plain names; a coarser one
            its name in front (``ekman_macro_f1``; ``emotion_accuracy`` for the emotion scores).
        levels: label sets measured, finest first; empty if the manifest has no labels.
        leaks: training texts among the examples.
        bootstrap: what was resampled (examples, or whole speakers), how often, with which seed.
        bundle: name, version, file, size and runtime.
        evidence: its ``mean``; ``none`` counts the examples with too little for any answer but neutral.
        groups: accuracy and UAR of each speaker, gender, age and ethnicity, where the manifest names several.
        robustness: the scores in noise and through codecs, or of corrupted pictures, if asked for.
        field: how a voice bundle holds in the field, if asked for.
        alignment: how far from the eyes a detector finds them, if asked for.
        peer: the comparison with a simple system, if asked for.
        notes: what a reader should know beside the numbers.
    """

    n: int
    n_labelled: int
    n_affect: int
    metrics: Mapping[str, Interval]
    levels: tuple[Level, ...]
    leaks: LeakCheck
    bootstrap: Mapping[str, Any]
    bundle: Mapping[str, Any]
    evidence: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    robustness: Robustness | FaceRobustness | None = None
    field: FieldReport | None = None
    alignment: Alignment | None = None
    peer: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        main = (self.levels or (_NOTHING,))[0].to_dict()
        found: dict[str, Any] = {
            "n": self.n,
            "n_labelled": self.n_labelled,
            "n_affect": self.n_affect,
            "labels": self.levels[0].name if self.levels else None,
            "metrics": {name: value.to_dict() for name, value in self.metrics.items()},
            **main,
            "leaks": self.leaks.to_dict(),
            "bootstrap": dict(self.bootstrap),
            "bundle": dict(self.bundle),
            "evidence": dict(self.evidence),
            "groups": {column: dict(rows) for column, rows in self.groups.items()},
            "levels": {level.name: level.to_dict() for level in self.levels[1:]},
            "notes": list(self.notes),
        }
        if self.robustness is not None:
            found["robustness"] = self.robustness.to_dict()
        if self.field is not None:
            found["field"] = self.field.to_dict()
        if self.alignment is not None:
            found["alignment"] = self.alignment.to_dict()
        if self.peer is not None:
            found["peer"] = dict(self.peer)
        return found

    def for_card(self) -> dict[str, Any]:
        """Return n and the scores that a card states, rounded."""
        wanted = ("accuracy", "macro_f1", "uar", "ece", "valence_r", "arousal_r")
        return {"n": self.n} | rounded({k: x for k, x in self.metrics.items() if k.endswith(wanted)})


def evaluate(
    recognizer: Recognizer,
    examples: Sequence[Example],
    *,
    labels: str | None = None,
    leaks: Policy = "refuse",
    train: Path | None = None,
    resamples: int = 1000,
    seed: int = 0,
    noise: Noise | None = None,
    corruptions: Corruptions | None = None,
    field: Callable[..., FieldReport] | None = None,
    find: Finder | None = None,
    without: Sequence[str] = (),
    apart: Sequence[str] = (),
    peer: Callable[[Sequence[Example], Predictions, Sequence[LabelSet], Draw], Mapping[str, Any]]
    | None = None,
    progress: Progress = iter,
    damage: Corruptions | None = None,
) -> Report:
    """Measure a recognizer on examples, with 95 % bootstrap intervals.

    Args:
        labels: the label set to compare in; by default the finest that knows all labels of the manifest.
        leaks: what to do with examples that were trained on, and with speakers who were.
        train: the training manifest, to look for leaks.
        resamples: bootstrap resamples; 0 for none.
        noise: measures robustness with this noise; speech only.
        corruptions: measures robustness with pictures corrupted so; faces only. ``damage`` is its old name.
        field: measures a voice in the field: `edgeemo.evaluation.field.field` with the sounds to play.
        find: a detector, whose alignment error is measured where the manifest has ``eyes``; faces only.
        without: labels to leave out, with their examples. Probabilities are divided by their sum over the
            other labels. Exclusive labels only.
        apart: rare labels: means over labels are also given without them, as ``rest_uar`` and so on.
        peer: compares with another system; see `edgeemo.evaluation.peers`.
        progress: wraps the examples while they are looked at, for a progress bar.

    Raises:
        LeakError: see ``leaks``.
        DataError: the labels are unknown, there is nothing to compare with, or a clip or picture cannot be
            read.
        RuntimeUnavailableError: clips need soundfile, pictures OpenCV.
    """
    if damage is not None:
        warnings.warn("damage= is now corruptions=.", DeprecationWarning, stacklevel=2)
        corruptions = damage
    card, task = recognizer.card, task_of(recognizer.card)
    spaces = choose(card, examples, labels) if any(e.labels for e in examples) else []
    if (noise is not None or corruptions is not None) and not spaces:
        raise DataError("Robustness is measured by labels: add the column labels to the manifest.")
    if (without or apart) and not spaces:
        raise DataError(
            "No example has labels, so none can be left out: add the column labels to the manifest."
        )
    given, examples = len(examples), spaces[0].without(examples, without) if without else examples
    notes = [f"Left out: {given - len(examples):,} examples of {', '.join(without)}."] if without else []
    path = recognizer.bundle.path
    kept, check = task.check_leaks(examples, path, progress, policy=leaks, train=train)
    if examples and not kept:
        raise DataError(
            f"All {check.n} test {task.leaked} also stand in the training data: nothing is left to measure."
        )
    labelled = np.array([bool(e.labels) for e in kept], np.bool_)
    affect = np.array([(_nan(e.valence), _nan(e.arousal)) for e in kept], np.float64).reshape(-1, 2)
    has_affect = np.isfinite(affect).any(1)
    if not (labelled.any() or has_affect.any()):
        raise DataError("No example has labels, valence or arousal: add such a column to the manifest.")
    spaces = spaces if labelled.any() else []
    if task.narrows or without:
        spaces, note = _narrowed(spaces, kept)
        notes += note
    predictions = predict(recognizer, kept, progress)
    by, clusters = clusters_of(kept)
    draw = Draw(len(kept), resamples, seed, clusters)
    if clusters is None:
        notes += [
            f"Only {n} {column}s: too few to draw from, so single examples are drawn."
            for column, n in few_of(kept)
        ]
    measures: list[Measure] = [
        AffectMeasure("valence_r", affect[:, 0], predictions.valence),
        AffectMeasure("arousal_r", affect[:, 1], predictions.arousal),
    ]
    robustness: Robustness | FaceRobustness | None = None
    if noise is not None and spaces:
        clips = ClipAnswers.collect(recognizer, kept, noise_and_codecs(noise), progress)
        robustness = clips.measure(kept, predictions, spaces[0], draw, noise.name)
    elif corruptions is not None and spaces:
        faces = FaceAnswers.collect(recognizer, kept, corruptions, progress)
        robustness = faces.measure(kept, predictions, spaces[0], draw)
    if apart and spaces:
        measures.append(_rest(spaces[0], kept, predictions, apart))
    return Report(
        n=len(kept),
        n_labelled=int(labelled.sum()),
        n_affect=int(has_affect.sum()),
        metrics=intervals([*_label_measures(spaces, kept, predictions), *measures], draw),
        levels=tuple(_levels(spaces, kept, predictions)),
        leaks=check,
        bootstrap={"resamples": resamples, "seed": seed, "by": by, "units": draw.units},
        bundle=_about(recognizer),
        evidence=_evidence(recognizer, predictions),
        groups=measure_groups(spaces[0], kept, predictions, draw) if spaces else {},
        robustness=robustness,
        field=None if field is None else field(recognizer, kept, resamples=resamples, progress=progress),
        alignment=None if find is None else measure_alignment(find, kept, draw, progress),
        peer=None if peer is None else peer(kept, predictions, spaces, draw),
        notes=tuple(notes),
    )


def prefix_of(space: LabelSet) -> str:
    """Return what stands before a coarser level's metric names."""
    return {FINE: "", SCORES: "emotion_"}.get(space.name, f"{space.name}_")


def _narrowed(spaces: Sequence[LabelSet], examples: Sequence[Example]) -> tuple[list[LabelSet], list[str]]:
    """Return the spaces of the labels that the examples have, and a note if these are fewer."""
    found = [space.narrowed(examples) for space in spaces]
    notes = [
        f"The manifest has {len(new.labels)} of the model's {len(old.labels)} labels "
        f"({', '.join(new.labels)}): probabilities are divided by their sum over these."
        for old, new in list(zip(spaces, found, strict=True))[:1]
        if new is not old
    ]
    return found, notes


def _evidence(recognizer: Recognizer, said: Predictions) -> dict[str, float]:
    least = float(getattr(recognizer.card, "evidence", {}).get("least", 0.0))
    none = (said.evidence <= 0) | (said.evidence < least)
    return {"mean": float(said.evidence.mean()), "none": int(none.sum())}


def _label_measures(
    spaces: Sequence[LabelSet], examples: Sequence[Example], said: Predictions
) -> Iterator[Measure]:
    counted = np.array([bool(e.labels) for e in examples], np.bool_)
    for i, space in enumerate(spaces):
        prefix = prefix_of(space) if i else ""
        only = ("accuracy", "ece") if prefix == "emotion_" else ()  # of scores beside labels, the top
        yield label_measure(space, examples, said, prefix=prefix, counted=counted, only=only)


def _rest(
    space: LabelSet, examples: Sequence[Example], said: Predictions, apart: Sequence[str]
) -> LabelMeasure:
    over = sorted(set(range(len(space.labels))) - set(space.indices(apart)))
    if not over:
        raise DataError(f"Without {', '.join(apart)} no label is left for a mean; name fewer.")
    counted = np.array([bool(e.labels) for e in examples], np.bool_)
    return label_measure(
        space, examples, said, prefix="rest_", counted=counted, only=("macro_f1", "uar"), over=over
    )


def _levels(spaces: Sequence[LabelSet], examples: Sequence[Example], said: Predictions) -> Iterator[Level]:
    counted = np.array([bool(e.labels) for e in examples], np.bool_)
    named = [e for e in examples if e.labels]
    return (_level(space, named, said.rows(counted)) for space in spaces)


def _level(space: LabelSet, examples: Sequence[Example], said: Predictions) -> Level:
    probability = space.probability(said.probabilities, said.scores)
    truth, active = space.truth(examples), space.active(probability)
    hit, chosen, gold = (x.sum(0).astype(np.float64) for x in (truth & active, active, truth))
    counts = [np.nan_to_num(x) for x in per_label(hit, chosen, gold)]
    rows = {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(space.labels, *counts, gold, strict=True)
    }
    measure = LabelMeasure(truth, probability, active, exclusive=space.exclusive)
    return Level(space.name, space.labels, rows, confusion(truth, probability), measure.reliability())


def _about(recognizer: Recognizer) -> dict[str, Any]:
    card, bundle, info = recognizer.card, recognizer.bundle, recognizer.runtime.info
    return {
        "name": card.name,
        "version": card.version,
        "commercial": card.commercial,
        "file": None if bundle.path is None else bundle.path.name,
        "flatbuffer_bytes": len(bundle.flatbuffer),
        "flatbuffer_sha256": card.flatbuffer_sha256,
        "runtime": f"{info.backend}/{info.delegate}",
    }


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value
