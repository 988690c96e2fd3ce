"""Verification and calibration on numbers known beforehand: no network is trained or converted here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import float_text
import numpy as np
import numpy.typing as npt
import pytest
from edgeemo.converters import verify as verifying
from edgeemo.converters.verify import Budget, Verification, compare

from edgeemo import Recognizer
from edgeemo.data.manifest import Example
from edgeemo.evaluation.predictions import Predictions
from edgeemo.training import calibrate

EXAMPLES = [Example(text=text, labels=("joy",)) for text in ("happy", "so happy", "happy !", "so")]
EXACT = np.array(
    [[0.9, 0.1, 0, 0, 0], [0.1, 0.8, 0, 0, 0.1], [0.45, 0.4, 0.05, 0.1, 0], [0.4, 0.38, 0, 0.2, 0]]
)


def predictions(probabilities: npt.NDArray[np.float64]) -> Predictions:
    n = len(probabilities)
    return Predictions(probabilities, np.zeros((n, 8)), np.zeros(n), np.zeros(n), np.ones(n))


def compared(
    device: npt.NDArray[np.float64],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    budget: Budget | None = None,
) -> Verification:
    """Compare a device that says ``device`` with a float model that says `EXACT`."""
    with Recognizer.open(float_text.write(tmp_path, multi_label=False)) as recognizer:
        reference = SimpleNamespace(card=recognizer.card)
        said = {id(recognizer): predictions(device), id(reference): predictions(EXACT)}
        monkeypatch.setattr(verifying, "predict", lambda reader, *_: said[id(reader)])
        return compare(recognizer, reference, EXAMPLES)  # type: ignore[arg-type]


def test_clear_agreement_counts_only_where_the_float_model_is_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = EXACT.copy()
    device[2:] = device[2:][:, [1, 0, 2, 3, 4]]  # the unclear two say another label
    found = compared(device, tmp_path, monkeypatch)
    assert (found.n, found.n_clear) == (4, 2)
    assert found.agreement == 0.5
    assert found.clear_agreement == 1.0
    device = EXACT.copy()
    device[1] = device[1][[1, 0, 2, 3, 4]]  # a clear one says another label
    found = compared(device, tmp_path, monkeypatch)
    assert (found.agreement, found.clear_agreement) == (0.75, 0.5)
    assert found.largest_difference == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("missed", "says"),
    [
        ({"agreement": 0.5}, "the top label agrees on 50.0%, expected 97% or more"),
        (
            {"clear_agreement": 0.5},
            "where the float model is clear, the top label agrees on 50.0%",
        ),
        ({"foreign_operators": ("FlexErf",)}, "operators devices lack: FlexErf"),
        ({"float_tensors": 2}, "2 tensors are float32 still"),
    ],
    ids=["agreement", "clear agreement", "operators", "tensors"],
)
def test_each_budget_is_checked(
    missed: dict[str, object], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = replace(compared(EXACT, tmp_path, monkeypatch), float_tensors=0, foreign_operators=())
    assert verifying._problems(good, Budget()) == []
    (problem,) = verifying._problems(replace(good, **missed), Budget())  # type: ignore[arg-type]
    assert says in problem


def test_scale_and_bias_of_calibration_are_platts() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 2))
    true_scale, true_bias = np.array([0.5, 2.0]), np.array([-1.0, 0.5])
    truth = (rng.random(logits.shape) < 1 / (1 + np.exp(-(true_scale * logits + true_bias)))).astype(float)
    found, probability = calibrate.multi_label(logits, truth, ["a", "b"], {"anger": ["a"], "fear": ["b"]})
    np.testing.assert_allclose(found.scale, true_scale, rtol=0.15)
    np.testing.assert_allclose(found.bias, true_bias, atol=0.15)
    stated = 1 / (1 + np.exp(-(np.array(found.scale) * logits + np.array(found.bias))))
    np.testing.assert_allclose(probability, stated, atol=1e-6)
