"""From logits to probabilities and scores: the native map against a slow reference, and its rules."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import small_text
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeemo._core import ScoreMap
from edgeemo.recognizer import score_map
from edgeemo.types import EMOTIONS

Floats = NDArray[np.float32]


def slow_twin(
    logits: Sequence[float],
    multi_label: bool,
    scale: Sequence[float],
    bias: Sequence[float],
    groups: Sequence[Sequence[int]],
    temperature: float,
) -> tuple[Floats, Floats]:
    z = np.clip(np.array(scale) * np.array(logits) + np.array(bias), -80, 80)
    p = 1 / (1 + np.exp(-z)) if multi_label else np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    read = (lambda some: 1 - math.prod(1 - q for q in some)) if multi_label else sum
    group = np.array([read([p[i] for i in members]) if members else 0.0 for members in groups])
    weight = np.maximum(group, 1e-9) ** (1 / temperature) * [bool(members) for members in groups]
    return p.astype(np.float32), (weight / weight.sum()).astype(np.float32)


finite = st.floats(-30, 30, width=32)
three = st.tuples(finite, finite, finite)


@settings(max_examples=400, deadline=None)
@given(
    logits=three,
    multi_label=st.booleans(),
    scale=st.tuples(*[st.floats(-3, 3, width=32)] * 3),
    bias=three,
    groups=st.sampled_from([[[0], [1], [2]], [[0, 2], [], [1]], [[1], []], [[0, 1, 2]]]),
    temperature=st.sampled_from([0.5, 1.0, 2.0, 20.0]),
)
def test_the_map_is_its_slow_twin(
    logits: tuple[float, ...],
    multi_label: bool,
    scale: tuple[float, ...],
    bias: tuple[float, ...],
    groups: list[list[int]],
    temperature: float,
) -> None:
    fast = ScoreMap(multi_label=multi_label, scale=scale, bias=bias, groups=groups, temperature=temperature)
    slow = slow_twin(logits, multi_label, scale, bias, groups, temperature)
    for made, expected in zip(fast(np.array(logits, np.float32)), slow, strict=True):
        assert made.dtype == np.float32
        np.testing.assert_allclose(made, expected, rtol=2e-3, atol=2e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0, 20.0])
@pytest.mark.parametrize("logit", [-80.0, -20.0, 0.0, 80.0])
def test_scores_sum_to_one_even_where_every_probability_is_tiny(temperature: float, logit: float) -> None:
    fast = ScoreMap(
        multi_label=True, scale=[1] * 2, bias=[0] * 2, groups=[[0], [1], []], temperature=temperature
    )
    _, scores = fast(np.full(2, logit, np.float32))
    assert scores.tolist() == [0.5, 0.5, 0.0]


def test_a_lower_temperature_sharpens_and_keeps_the_winner() -> None:
    highest = []
    for temperature in (2.0, 1.0, 0.5):
        fast = ScoreMap(
            multi_label=True, scale=[1] * 2, bias=[0] * 2, groups=[[0], [1]], temperature=temperature
        )
        scores = fast(np.array([0.2, -0.4], np.float32))[1]
        assert scores.argmax() == 0
        highest.append(float(scores.max()))
    assert highest == sorted(highest)
    assert highest[0] < highest[-1]


@pytest.mark.parametrize(
    ("logits", "error"),
    [
        (np.zeros(2, np.float32), ValueError),
        (np.zeros(4, np.float32), ValueError),
        (np.array([0, np.nan, 0], np.float32), ValueError),
        (np.zeros(3, np.float64), TypeError),
        (np.zeros(3, np.int8), TypeError),
        ([0.0, 0.0, 0.0], TypeError),
    ],
)
def test_other_logits_are_refused(logits: object, error: type[Exception]) -> None:
    fast = ScoreMap(multi_label=True, scale=[1] * 3, bias=[0] * 3, groups=[[0]])
    with pytest.raises(error):
        fast(logits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": []}, "at least one label"),
        ({"bias": [0.0]}, "one scale and one bias"),
        ({"scale": [float("nan")] * 2}, "finite"),
        ({"groups": [[2]]}, "a label the model does not have"),
        ({"groups": [[-1]]}, "a label the model does not have"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
    ],
)
def test_a_rule_that_does_not_fit_together_is_refused(change: dict[str, object], message: str) -> None:
    rule: dict[str, object] = {"multi_label": True, "scale": [1.0] * 2, "bias": [0.0] * 2, "groups": [[0]]}
    with pytest.raises(ValueError, match=message):
        ScoreMap(**{**rule, **change})  # type: ignore[arg-type]


def test_the_card_says_how_scores_are_formed() -> None:
    card = small_text.card(emotions={"happiness": ("joy", "neutral"), "anger": ("anger",)})
    probabilities, scores = score_map(card)(np.array([-9, 0, 0, 3, 0], np.float32))
    by_emotion = dict(zip(EMOTIONS, scores.tolist(), strict=True))
    either = float(1 - (1 - probabilities[0]) * (1 - probabilities[3]))
    assert by_emotion["happiness"] == pytest.approx(either / (either + float(probabilities[2])))
    assert by_emotion["sadness"] == 0
