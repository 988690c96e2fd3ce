"""From logits to probabilities and scores: what a recognizer says against the definition, and its rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import small_text
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeemo import Bundle, EmotionResult, Runtime, TextRecognizer
from edgeemo.backends import FakeBackend, TensorInfo
from edgeemo.card import Calibration, ModelCard
from edgeemo.errors import BundleCorruptError, InferenceError
from edgeemo.types import EMOTIONS

Floats = NDArray[np.float32]


def card(
    *,
    multi_label: bool = True,
    scale: Sequence[float] = (1.0, 1.0),
    bias: Sequence[float] = (0.0, 0.0),
    groups: Sequence[Sequence[int]] = ((0,), (1,)),
    temperature: float = 1.0,
) -> ModelCard:
    """Return a card with a label for each number of ``scale``; group i is the i-th of `EMOTIONS`."""
    labels = tuple(f"label {i}" for i in range(max(len(scale), len(bias))))
    return small_text.card(
        labels=labels,
        multi_label=multi_label,
        emotions={EMOTIONS[i]: tuple(labels[k] for k in group) for i, group in enumerate(groups)},
        groups={},
        calibration=Calibration(tuple(scale), tuple(bias), temperature),
        thresholds=dict.fromkeys(labels, 0.5),
    )


def read(card: ModelCard, logits: Sequence[float]) -> EmotionResult:
    """Return what a recognizer with this card says where the model gives these logits."""
    n, floats = len(card.labels), np.dtype(np.float32)
    backend = FakeBackend(
        lambda ids: [np.zeros((1, 2), np.float32), np.array([logits], np.float32)],
        [TensorInfo("ids", (1, small_text.LENGTH), np.dtype(np.int32), 0.0, 0)],
        [TensorInfo("affect", (1, 2), floats, 0.0, 0), TensorInfo("labels", (1, n), floats, 0.0, 0)],
    )
    bundle = Bundle(b"", card, small_text.bundle().assets)
    return TextRecognizer(bundle, Runtime(b"", backend=backend)).predict("happy")


def by_definition(
    logits: Sequence[float],
    multi_label: bool,
    scale: Sequence[float],
    bias: Sequence[float],
    groups: Sequence[Sequence[int]],
    temperature: float,
) -> tuple[Floats, Floats]:
    z = np.clip(np.array(scale) * np.array(logits) + np.array(bias), -80, 80)
    p = 1 / (1 + np.exp(-z)) if multi_label else np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    join = (lambda some: 1 - math.prod(1 - q for q in some)) if multi_label else sum
    groups = [*groups, *[[]] * (len(EMOTIONS) - len(groups))]
    group = np.array([join([p[i] for i in members]) if members else 0.0 for members in groups])
    weight = np.maximum(group, 1e-9) ** (1 / temperature) * [bool(members) for members in groups]
    return p.astype(np.float32), (weight / weight.sum()).astype(np.float32)


finite = st.floats(-30, 30, width=32)
three = st.tuples(finite, finite, finite)


@settings(max_examples=150, deadline=None)
@given(
    logits=three,
    multi_label=st.booleans(),
    scale=st.tuples(*[st.floats(-3, 3, width=32)] * 3),
    bias=three,
    groups=st.sampled_from([[[0], [1], [2]], [[0, 2], [], [1]], [[1], []], [[0, 1, 2]]]),
    temperature=st.sampled_from([0.5, 1.0, 2.0, 20.0]),
)
def test_probabilities_and_scores_follow_the_definition(
    logits: tuple[float, ...],
    multi_label: bool,
    scale: tuple[float, ...],
    bias: tuple[float, ...],
    groups: list[list[int]],
    temperature: float,
) -> None:
    rule: dict[str, Any] = {"multi_label": multi_label, "scale": scale, "bias": bias, "groups": groups}
    result = read(card(**rule, temperature=temperature), logits)
    probabilities, scores = by_definition(logits, **rule, temperature=temperature)
    np.testing.assert_allclose(result.probabilities, probabilities, rtol=2e-3, atol=2e-6)
    np.testing.assert_allclose(result.scores, scores, rtol=2e-3, atol=2e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0, 20.0])
@pytest.mark.parametrize("logit", [-80.0, -20.0, 0.0, 80.0])
def test_scores_sum_to_one_even_where_every_probability_is_tiny(temperature: float, logit: float) -> None:
    result = read(card(temperature=temperature), [logit] * 2)
    assert result.scores.tolist() == [0.5, 0.5, 0, 0, 0, 0, 0, 0]


def test_a_lower_temperature_sharpens_and_keeps_the_winner() -> None:
    results = [read(card(temperature=t), [0.2, -0.4]) for t in (2.0, 1.0, 0.5)]
    highest = [result.confidence for result in results]
    assert {result.label for result in results} == {"neutral"}
    assert highest == sorted(highest)
    assert highest[0] < highest[-1]


def test_a_logit_that_is_no_number_is_an_error_that_names_the_model() -> None:
    with pytest.raises(InferenceError, match=r"small-text: .*NaN"):
        read(card(), [0.0, float("nan")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": [0.0]}, "one scale and one bias"),
        ({"scale": [float("nan")] * 2}, "not valid|not JSON"),
        ({"groups": [[0], [0]]}, "each at most once"),
        ({"groups": [[]]}, "known labels"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": float("inf")}, "not valid|not JSON"),
        ({"temperature": True}, "temperature"),
    ],
)
def test_a_rule_that_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleCorruptError, match=message):
        card(**change)


def test_an_emotion_is_any_of_its_labels() -> None:
    made = small_text.card(emotions={"happiness": ("joy", "neutral"), "anger": ("anger",)})
    result = read(made, [-9, 0, 0, 3, 0])
    p = result.probabilities
    by_emotion = dict(zip(EMOTIONS, result.scores.tolist(), strict=True))
    either = float(1 - (1 - p[0]) * (1 - p[3]))
    assert by_emotion["happiness"] == pytest.approx(either / (either + float(p[2])))
    assert by_emotion["sadness"] == 0
