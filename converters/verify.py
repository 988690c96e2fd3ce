"""Does the int8 bundle, on the device's own runtime, say what the float model says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeemo.bundle import Bundle
from edgeemo.data.manifest import Example, read_manifest
from edgeemo.errors import DataError
from edgeemo.evaluation.bootstrap import Draw, Interval, distribution, interval, measure
from edgeemo.evaluation.metrics import LabelMeasure
from edgeemo.evaluation.predictions import Predictions, Progress, predict
from edgeemo.evaluation.spaces import FINE, spaces_of
from edgeemo.recognizer import Recognizer
from edgeemo.runtime import Runtime

from .inspect import dissect
from .twin import float_detector, float_recognizer
from .verify_detector import (
    DetectorBudget,
    DetectorVerification,
    compare_detectors,
    is_detector,
    marked_in,
)

CLEAR = 0.10
"""Two probabilities that differ by more are told apart clearly."""


@dataclass(frozen=True)
class Budget:
    """What int8 may cost. Agreement of the top label, and loss of macro-F1 as a fraction."""

    agreement: float = 0.97
    clear_agreement: float = 0.99
    drop: float = 0.005
    few: int = 2000
    rare: int = 50
    """With fewer labelled examples than ``few``, or than ``rare`` of a label, a drop also passes within its
    paired 95 % interval: a single example then moves macro-F1 by more than ``drop``."""


@dataclass(frozen=True)
class Verification:
    """Float model against int8 bundle on ``n`` examples.

    Attributes:
        agreement: share of examples with the same top label of the model's own labels.
        clear_agreement: the same among the ``n_clear`` whose float top two differ by more than 0.10.
        float_f1, int8_f1: macro-F1 where the examples carry labels, else None.
        drop: float minus int8, with its paired 95 % bootstrap interval.
        largest_difference: of any probability.
        evidence_difference: of speech, the largest difference of evidence; else None.
        per_label: label → F1 of float and int8, and how often both agree that it is active.
        foreign_operators: custom or Flex operators; there must be none.
        float_tensors: tensors the converter left in float32, as it does without a word; there must be none.
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


def verify(
    model: Path,
    bundle: Path,
    manifest: Path,
    *,
    budget: Budget | DetectorBudget | None = None,
    progress: Progress = iter,
) -> Verification | DetectorVerification:
    """Compare a Keras model with the bundle made of it, on a manifest; of a detector, one of marked pictures.

    Raises:
        BundleError: the bundle cannot be opened. DataError: the manifest cannot be used.
        ConversionError: the Keras model cannot be read, or has other outputs.
    """
    opened = Bundle.open(bundle)
    if is_detector(opened):
        own = budget if isinstance(budget, DetectorBudget) else None
        twin = float_detector(model, opened)
        return compare_detectors(opened, twin, marked_in(manifest), budget=own, progress=progress)
    spent = budget if isinstance(budget, Budget) else None
    return compare(model, opened, read_manifest(manifest), budget=spent, progress=progress)


def compare(
    model: Path,
    bundle: Bundle,
    examples: Sequence[Example],
    *,
    budget: Budget | None = None,
    progress: Progress = iter,
) -> Verification:
    """Compare as `verify` does; both networks stand in the same recognizer, behind the same frontend."""
    budget = budget or Budget()
    voice = bundle.card.modality == "voice"
    column = "text" if bundle.card.modality == "text" else "path"
    if any(getattr(e, column) is None for e in examples):
        raise DataError(
            f"Verification of a {bundle.card.modality} model needs a manifest with a {column} column."
        )
    recognizer = Recognizer(bundle, Runtime(bundle.flatbuffer))
    twin = float_recognizer(model, bundle)
    device, exact = (predict(reader, examples, progress) for reader in (recognizer, twin))
    # what the device never asks the model (nothing understood, nobody speaks) is not the model's to agree on
    asked = (device.evidence > 0) | (exact.evidence > 0)
    if not asked.any():
        why = "is there speech in its clips?" if voice else "is it in the model's language?"
        raise DataError(f"Nothing in the manifest was understood: {why}")
    examples = [example for example, used in zip(examples, asked, strict=True) if used]
    device, exact = device.rows(asked), exact.rows(asked)

    top = np.sort(exact.probabilities, axis=1)
    clear = top[:, -1] - top[:, -2] > CLEAR
    same = exact.probabilities.argmax(1) == device.probabilities.argmax(1)
    scores = _scores(recognizer, examples, exact, device)
    anatomy = dissect(bundle.flatbuffer)
    found = Verification(
        bundle=bundle.card.name,
        n=len(examples),
        agreement=float(same.mean()),
        n_clear=int(clear.sum()),
        clear_agreement=float(same[clear].mean()) if clear.any() else 1.0,
        largest_difference=float(np.abs(exact.probabilities - device.probabilities).max()),
        evidence_difference=float(np.abs(exact.evidence - device.evidence).max()) if voice else None,
        foreign_operators=anatomy.foreign,
        float_tensors=anatomy.tensors.get("float32", 0),
        **scores,
    )
    return Verification(**{**found.__dict__, "problems": tuple(_problems(found, budget))})


def _problems(found: Verification, budget: Budget) -> list[str]:
    problems = []
    if found.agreement < budget.agreement:
        problems.append(
            f"the top label agrees on {found.agreement:.1%}, expected {budget.agreement:.0%} or more"
        )
    if found.clear_agreement < budget.clear_agreement:
        problems.append(
            f"where the float model is clear, the top label agrees on {found.clear_agreement:.1%}, "
            f"expected {budget.clear_agreement:.0%} or more"
        )
    drop = found.drop
    rarest = min((own["n"] for own in found.per_label.values() if own.get("n")), default=found.n)
    uncertain = found.n < budget.few or rarest < budget.rare
    if drop is not None and drop.value > budget.drop and not (uncertain and drop.low <= 0):
        problems.append(f"macro-F1 drops by {drop.value:.4f}, expected {budget.drop} or less")
    if found.foreign_operators:
        problems.append(f"the model has operators devices lack: {', '.join(found.foreign_operators)}")
    if found.float_tensors:
        problems.append(f"{found.float_tensors} tensors are float32 still; try another form of the layers")
    return problems


def _scores(
    recognizer: Recognizer, examples: Sequence[Example], exact: Predictions, device: Predictions
) -> dict[str, Any]:
    space = spaces_of(recognizer.card)[FINE]
    active = [space.active(space.probability(p.probabilities, p.scores)) for p in (exact, device)]
    agree = (active[0] == active[1]).mean(0)
    named = {label for example in examples for label in example.labels}
    per_label = {label: {"agreement": float(a)} for label, a in zip(space.labels, agree, strict=True)}
    if not named or not named <= set(space.labels):
        return {"float_f1": None, "int8_f1": None, "drop": None, "per_label": per_label}
    truth = space.truth(examples)
    measures = [LabelMeasure(truth, p.probabilities, a, exclusive=space.exclusive)
                for p, a in zip((exact, device), active, strict=True)]  # fmt: skip
    before, after = (measure([m])["macro_f1"] for m in measures)
    draw = Draw(len(examples))
    spread = [distribution([m], draw)["macro_f1"] for m in measures]
    for label, n in zip(space.labels, truth.sum(0).tolist(), strict=True):
        per_label[label]["n"] = n
    for name, a in zip(("float_f1", "int8_f1"), active, strict=True):
        hits, sums = (truth & a).sum(0), a.sum(0) + truth.sum(0)
        for label, hit, total in zip(space.labels, hits.tolist(), sums.tolist(), strict=True):
            per_label[label][name] = 2 * hit / total if total else 0.0
    drop = interval(before - after, spread[0] - spread[1])
    return {"float_f1": before, "int8_f1": after, "drop": drop, "per_label": per_label}
