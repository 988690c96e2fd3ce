"""Does the int8 bundle, on the device's own runtime, say what the float model says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeemo.bundle import Bundle
from edgeemo.data.manifest import Example
from edgeemo.errors import DataError
from edgeemo.evaluation.bootstrap import Draw, Interval, difference, measure
from edgeemo.evaluation.label_sets import FINE, label_sets_of
from edgeemo.evaluation.metrics import LabelMeasure
from edgeemo.evaluation.predictions import Predictions, Progress, predict
from edgeemo.recognizer import Recognizer
from edgeemo.runtime import Runtime
from edgeemo.tasks import task_of

from .float_reference import float_reference
from .inspect import graph_facts

CLEAR = 0.10
"""The float model is clear about an example if its two highest probabilities differ by more."""


@dataclass(frozen=True)
class Budget:
    """The budget of int8: agreement of the top label, and loss of macro-F1 as a fraction.

    With fewer labelled examples than ``few``, or fewer than ``rare`` of a label, a single example moves
    macro-F1 by more than ``drop``. Then a drop also passes if its paired 95 % interval holds 0.
    """

    agreement: float = 0.97
    clear_agreement: float = 0.99
    drop: float = 0.005
    few: int = 2000
    rare: int = 50


@dataclass(frozen=True)
class Verification:
    """Float model against int8 bundle on ``n`` examples.

    Attributes:
        agreement: share of examples with the same top label of the model's own labels.
        clear_agreement: the same among the ``n_clear`` examples the float model is clear about; see `CLEAR`.
        float_f1, int8_f1: macro-F1 where the examples carry labels, else None.
        drop: float minus int8, with its paired 95 % bootstrap interval.
        largest_difference: of any probability.
        evidence_difference: for speech, the largest difference of evidence; else None.
        per_label: label → F1 of float and int8, and how often both agree that it is active.
        foreign_operators: custom or Flex operators; there must be none.
        float_tensors: tensors that the converter left in float32, without a warning; there must be none.
        problems: the budgets missed, as sentences; empty means passed.
    """

    bundle: str
    n: int
    agreement: float
    n_clear: int
    clear_agreement: float
    float_f1: float | None
    int8_f1: float | None
    drop: Interval | None
    largest_difference: float
    per_label: dict[str, dict[str, float]]
    foreign_operators: tuple[str, ...]
    float_tensors: int
    evidence_difference: float | None = None
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {**asdict(self), "drop": None if self.drop is None else self.drop.to_dict()}

    def summary(self) -> dict[str, Any]:
        """Return what the card keeps, rounded."""
        names = ["n", "agreement", "clear_agreement", "n_clear"]
        names += ["evidence_difference"] if self.evidence_difference is not None else []
        kept = {name: round(getattr(self, name), 4) for name in names}
        if self.drop is not None and self.float_f1 is not None and self.int8_f1 is not None:
            kept |= {
                "macro_f1_float": round(self.float_f1, 4),
                "macro_f1_int8": round(self.int8_f1, 4),
                "drop": {k: round(v, 5) for k, v in self.drop.to_dict().items()},
            }
        return kept


def verify(
    model: Path, bundle: Path, manifest: Path, *, budget: Any = None, progress: Progress = iter
) -> Any:
    """Compare a Keras model with the bundle made of it, on a manifest (of marked pictures for a detector).

    Args:
        model: the ``.keras`` file.
        bundle: the bundle that `edgeemo convert` made of it.
        manifest: inputs like those the model will read.
        budget: a `Budget`; for a detector an `edgeemo.converters.verify_detector.DetectorBudget`.
        progress: wraps the examples while they are read.

    Returns:
        a `Verification`; for a detector a `DetectorVerification`.

    Raises:
        BundleError: the bundle cannot be opened. DataError: the manifest cannot be used.
        ConversionError: the Keras model cannot be read, or has other outputs.
    """
    opened = Bundle.open(bundle)
    task = task_of(opened.card)
    examples = task.read(manifest)
    device, reference = task.opener(opened, Runtime(opened.flatbuffer)), float_reference(model, opened)
    return task.compare(device, reference, examples, budget=budget, progress=progress)


def compare(
    device: Recognizer,
    reference: Recognizer,
    examples: Sequence[Example],
    *,
    budget: Budget | None = None,
    progress: Progress = iter,
) -> Verification:
    """Compare as `verify` does; both networks stand in the same recognizer, behind the same frontend."""
    card, task = device.card, task_of(device.card)
    if any(getattr(e, task.column) is None for e in examples):
        raise DataError(f"Verification of a {task.name} model needs a manifest with a {task.column} column.")
    said, exact = (predict(reader, examples, progress) for reader in (device, reference))
    # where nothing is understood, or nobody speaks, the device does not ask the model
    asked = (said.evidence > 0) | (exact.evidence > 0)
    if not asked.any():
        raise DataError(f"Nothing in the manifest was understood: {task.unanswered}")
    examples = [example for example, used in zip(examples, asked, strict=True) if used]
    said, exact = said.rows(asked), exact.rows(asked)

    top = np.sort(exact.probabilities, axis=1)
    clear = top[:, -1] - top[:, -2] > CLEAR
    same = exact.probabilities.argmax(1) == said.probabilities.argmax(1)
    speech = "speech" in card.outputs
    found = Verification(
        bundle=card.name,
        n=len(examples),
        agreement=float(same.mean()),
        n_clear=int(clear.sum()),
        clear_agreement=float(same[clear].mean()) if clear.any() else 1.0,
        largest_difference=float(np.abs(exact.probabilities - said.probabilities).max()),
        evidence_difference=float(np.abs(exact.evidence - said.evidence).max()) if speech else None,
        **graph_facts(device.bundle.flatbuffer),
        **_scores(device, examples, exact, said),
    )
    return replace(found, problems=tuple(_problems(found, budget or Budget())))


def _problems(found: Verification, budget: Budget) -> list[str]:
    problems = below(found, budget, {
        "agreement": "the top label agrees on",
        "clear_agreement": "where the float model is clear, the top label agrees on",
    })  # fmt: skip
    drop = found.drop
    rarest = min((own["n"] for own in found.per_label.values() if own.get("n")), default=found.n)
    uncertain = found.n < budget.few or rarest < budget.rare
    if drop is not None and drop.value > budget.drop and not (uncertain and drop.low <= 0):
        problems.append(f"macro-F1 drops by {drop.value:.4f}, expected {budget.drop} or less")
    return problems + graph_problems(found)


def below(found: Any, budget: Any, shares: dict[str, str]) -> list[str]:
    """Return a problem for each share that is below its budget: ``shares`` maps its name to words."""
    return [
        f"{words} {getattr(found, name):.1%}, expected {getattr(budget, name):.0%} or more"
        for name, words in shares.items()
        if getattr(found, name) < getattr(budget, name)
    ]


def graph_problems(found: Any) -> list[str]:
    """Return what is wrong with a graph that should be int8 throughout."""
    problems = []
    if found.foreign_operators:
        problems.append(f"the model has operators devices lack: {', '.join(found.foreign_operators)}")
    if found.float_tensors:
        problems.append(f"{found.float_tensors} tensors are float32 still; try another form of the layers")
    return problems


def _scores(
    device: Recognizer, examples: Sequence[Example], exact: Predictions, said: Predictions
) -> dict[str, Any]:
    space = label_sets_of(device.card)[FINE]
    active = [space.active(space.probability(p.probabilities, p.scores)) for p in (exact, said)]
    agree = (active[0] == active[1]).mean(0)
    named = {label for example in examples for label in example.labels}
    per_label = {label: {"agreement": float(a)} for label, a in zip(space.labels, agree, strict=True)}
    if not named or not named <= set(space.labels):
        return {"float_f1": None, "int8_f1": None, "drop": None, "per_label": per_label}
    truth = space.truth(examples)
    measures = [
        LabelMeasure(truth, p.probabilities, a, exclusive=space.exclusive)
        for p, a in zip((exact, said), active, strict=True)
    ]
    before, after = (measure([m])["macro_f1"] for m in measures)
    drop = difference(measures[:1], measures[1:], Draw(len(examples)))["macro_f1"]
    for label, n in zip(space.labels, truth.sum(0).tolist(), strict=True):
        per_label[label]["n"] = n
    for name, a in zip(("float_f1", "int8_f1"), active, strict=True):
        hits, sums = (truth & a).sum(0), a.sum(0) + truth.sum(0)
        for label, hit, total in zip(space.labels, hits.tolist(), sums.tolist(), strict=True):
            per_label[label][name] = 2 * hit / total if total else 0.0
    return {"float_f1": before, "int8_f1": after, "drop": drop, "per_label": per_label}
