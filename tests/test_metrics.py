"""Metrics and intervals: against scikit-learn, and against cases worked by hand."""

from typing import Any

import numpy as np
import pytest

from edgeemo.data.manifest import Example
from edgeemo.evaluation.bootstrap import Draw, clusters_of, difference, distribution, intervals, measure
from edgeemo.evaluation.metrics import AffectMeasure, LabelMeasure, confusion


def some(n: int = 400, k: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random((n, k)) < 0.25
    truth[:, 0] |= ~truth.any(1)
    probability = np.clip(0.5 * truth + rng.random((n, k)) * 0.6, 0, 1)
    return truth, probability, probability >= 0.55


def test_multi_label_scores_equal_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    truth, probability, active = some()
    found = measure([LabelMeasure(truth, probability, active)])
    for average in ("macro", "micro"):
        precision, recall, f1, _ = sklearn.precision_recall_fscore_support(
            truth, active, average=average, zero_division=0
        )
        assert found[f"{average}_precision"] == pytest.approx(precision)
        assert found[f"{average}_recall"] == pytest.approx(recall)
        assert found[f"{average}_f1"] == pytest.approx(f1)
    assert found["exact_match"] == pytest.approx(sklearn.accuracy_score(truth, active))
    assert found["uar"] == pytest.approx(sklearn.recall_score(truth, active, average="macro"))


def test_exclusive_scores_equal_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 4, 300)
    probability = rng.dirichlet(np.ones(4), 300) + 0.4 * np.eye(4)[gold]
    probability /= probability.sum(1, keepdims=True)
    top = probability.argmax(1)
    truth, active = np.eye(4, dtype=bool)[gold], np.eye(4, dtype=bool)[top]
    found = measure([LabelMeasure(truth, probability, active, exclusive=True)])
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(gold, top))
    assert found["uar"] == pytest.approx(sklearn.balanced_accuracy_score(gold, top))
    assert found["macro_f1"] == pytest.approx(sklearn.f1_score(gold, top, average="macro"))
    assert "exact_match" not in found
    assert confusion(truth, probability) == sklearn.confusion_matrix(gold, top).tolist()


def test_correlation_equals_numpy_and_skips_unknown_values() -> None:
    rng = np.random.default_rng(2)
    gold, said = rng.normal(0.5, 0.2, 200), rng.normal(-0.1, 0.3, 200)
    said += gold
    gold[50:] = np.where(rng.random(150) < 0.5, np.nan, gold[50:])
    known = np.isfinite(gold)
    found = measure([AffectMeasure("valence_r", gold, said)])
    assert found["valence_r"] == pytest.approx(np.corrcoef(gold[known], said[known])[0, 1])


@pytest.mark.parametrize("gold", [[0.3, 0.3, 0.3], [np.nan] * 3], ids=["constant", "unknown"])
def test_correlation_without_spread_is_left_out(gold: list[float]) -> None:
    assert measure([AffectMeasure("r", np.array(gold), np.array([0.1, 0.2, 0.3]))]) == {}


def slow_ece(probability: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    error = 0.0
    for low in range(bins):
        inside = (probability > low / bins) & (probability <= (low + 1) / bins)
        if low == 0:
            inside |= probability == 0
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - probability[inside].mean())
    return error


def test_calibration_error_equals_its_definition() -> None:
    truth, probability, active = some()
    top = probability.argmax(1)
    found = measure([LabelMeasure(truth, probability, active)])
    assert found["ece"] == pytest.approx(slow_ece(probability.max(1), truth[np.arange(len(top)), top]))
    assert found["ece_pooled"] == pytest.approx(slow_ece(probability.ravel(), truth.ravel()))


def test_calibration_error_by_hand() -> None:
    # four texts said with 0.8: three right → |0.75 - 0.8|; one said with 0.4, wrong → 0.4
    probability = np.array([[0.8, 0.2]] * 4 + [[0.4, 0.1]])
    truth = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], bool)
    found = measure([LabelMeasure(truth, probability, probability > 0.5)])
    assert found["ece"] == pytest.approx(0.8 * 0.05 + 0.2 * 0.4)


def test_a_probability_on_an_edge_belongs_to_the_bin_below() -> None:
    # 0.19 and 3/15 share a bin: |one half right − 0.195|; apart the error would be 0.505
    probability = np.array([[0.19, 0.0], [0.2, 0.0]])
    truth = np.array([[1, 0], [0, 1]], bool)
    assert measure([LabelMeasure(truth, probability, truth)])["ece"] == pytest.approx(0.305)


def test_scores_by_hand() -> None:
    truth = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]], bool)
    probability = np.array([[0.9, 0.2, 0.6], [0.3, 0.1, 0.2], [0.7, 0.6, 0.1]])
    found = measure([LabelMeasure(truth, probability, probability >= 0.5)])
    assert found["accuracy"] == pytest.approx(2 / 3)  # the last text's top label is wrong
    assert found["exact_match"] == 0
    assert found["macro_f1"] == pytest.approx((2 * 1 / 4 + 2 * 1 / 3) / 2)  # the third label never occurs
    assert found["micro_f1"] == pytest.approx(2 * 2 / (4 + 4))


def test_several_gold_labels_count_once_in_the_confusion_matrix() -> None:
    truth = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]], bool)
    probability = np.array([[0.1, 0.9, 0.0], [0.1, 0.2, 0.9], [1.0, 0.0, 0.0]])
    assert confusion(truth, probability) == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_examples_outside_the_count_change_nothing() -> None:
    truth, probability, active = some(100)
    counted = np.arange(100) < 60
    whole = measure([LabelMeasure(truth, probability, active, counted=counted)])
    part = measure([LabelMeasure(truth[:60], probability[:60], active[:60])])
    assert whole == pytest.approx(part)


def test_interval_of_an_accuracy_has_the_textbook_width() -> None:
    rng = np.random.default_rng(3)
    right = rng.random(2000) < 0.7
    truth = np.stack([right, ~right], 1)
    probability = np.tile([0.9, 0.1], (2000, 1))
    found = intervals([LabelMeasure(truth, probability, probability > 0.5, exclusive=True)], Draw(2000))[
        "accuracy"
    ]
    half = 1.96 * np.sqrt(found.value * (1 - found.value) / 2000)
    assert found.low == pytest.approx(found.value - half, abs=0.003)
    assert found.high == pytest.approx(found.value + half, abs=0.003)


def test_each_interval_holds_its_value_and_the_seed_fixes_it() -> None:
    measures = [LabelMeasure(*some(80))]
    first, again, other = (intervals(measures, Draw(80, 200, seed)) for seed in (7, 7, 8))
    assert first == again != other
    assert all(x.low <= x.value <= x.high for x in first.values())


def test_without_resamples_the_interval_is_the_value() -> None:
    found = intervals([LabelMeasure(*some(50))], Draw(50, 0))["macro_f1"]
    assert found.low == found.value == found.high


def test_paired_difference_is_narrower_than_two_intervals() -> None:
    truth, probability, active = some(600)
    worse = active.copy()
    worse[::50] = ~worse[::50]
    a, b = LabelMeasure(truth, probability, active), LabelMeasure(truth, probability, worse)
    draw = Draw(600, 500)
    gap = difference([a], [b], draw)["macro_f1"]
    alone = intervals([a], draw)["macro_f1"]
    assert gap.value == pytest.approx(measure([a])["macro_f1"] - measure([b])["macro_f1"])
    assert gap.low > 0
    assert gap.high - gap.low < alone.high - alone.low


def test_a_system_beside_itself_differs_by_nothing() -> None:
    measures = [LabelMeasure(*some(100))]
    assert all(
        (x.low, x.value, x.high) == (0, 0, 0) for x in difference(measures, measures, Draw(100, 50)).values()
    )


def test_whole_speakers_are_drawn() -> None:
    # ten speakers, each entirely right or wrong: as examples they look ten times as sure as they are
    right = np.repeat(np.arange(10) < 5, 100)
    truth = np.stack([right, ~right], 1)
    probability = np.tile([0.9, 0.1], (1000, 1))
    measures = [LabelMeasure(truth, probability, probability > 0.5, exclusive=True)]
    by, clusters = clusters_of([Example(text="", speaker=f"s{i // 100}") for i in range(1000)])
    assert by == "speaker"
    spread = {
        name: distribution(measures, Draw(1000, 500, 0, drawn))["accuracy"].std()
        for name, drawn in (("examples", None), ("speakers", clusters))
    }
    assert spread["examples"] == pytest.approx(np.sqrt(0.25 / 1000), rel=0.2)
    assert spread["speakers"] == pytest.approx(np.sqrt(0.25 / 10), rel=0.2)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([{"speaker": "a"}, {"speaker": "b"}] * 5, "example"),  # two speakers tell nothing of the spread
        ([{"subject": str(i)} for i in range(8)], "subject"),
        ([{"group": str(i), "speaker": str(i)} for i in range(8)], "speaker"),
        ([{}] * 8, "example"),
    ],
)
def test_what_is_drawn_follows_the_manifest(columns: list[dict[str, Any]], expected: str) -> None:
    by, clusters = clusters_of([Example(text="x", **row) for row in columns])
    assert by == expected
    assert (clusters is None) == (expected == "example")


def test_examples_without_a_speaker_are_drawn_one_by_one() -> None:
    names = ["a", "", "b", "a", "", "c", "d", "e"]
    by, clusters = clusters_of([Example(text="x", speaker=name) for name in names])
    assert by == "speaker"
    assert clusters is not None
    groups = [{i for i, own in enumerate(clusters.tolist()) if own == one} for one in set(clusters.tolist())]
    assert sorted(map(sorted, groups)) == [[0, 3], [1], [2], [4], [5], [6], [7]]


def test_a_thousand_resamples_are_worked_out_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call for each resample would take minutes at this size."""
    at_once: list[int] = []
    finish = LabelMeasure.finish

    def counted(self: LabelMeasure, sums: np.ndarray) -> dict[str, np.ndarray]:
        at_once.append(len(sums))
        return finish(self, sums)

    monkeypatch.setattr(LabelMeasure, "finish", counted)
    intervals([LabelMeasure(*some(5426, 28))], Draw(5426, 1000))
    assert sum(at_once) == 1000 + 1  # and all examples once
    assert len(at_once) <= 20
