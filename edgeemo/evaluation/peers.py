"""The peer every bundle has to beat: TF-IDF of words and word pairs with linear models (extra ``eval``).

Both systems' thresholds are fitted on one half of the test and applied to the other, both ways, for several
random halves (cross-fitting). So a card's thresholds that came from this very data flatter neither system.
Differences are resampled in pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..data.leaks import text_of
from ..data.manifest import Example
from ..errors import DataError, RuntimeUnavailableError
from .bootstrap import Array, Bools, Draw, Measure, difference, measure
from .label_sets import SCORES, LabelSet, one_hot
from .metrics import AffectMeasure, LabelMeasure
from .predictions import Predictions
from .report import prefix_of

Track: TypeAlias = Callable[[Sequence[Any]], Iterable[Any]]

NAME = "TF-IDF with logistic regression and ridge"
PROTOCOL = (
    "Peer: TF-IDF of words and word pairs, one logistic regression a label, ridge for valence and arousal. "
    "Thresholds of both systems fitted on one half, scored on the other, both ways, mean of {repeats} random "
    "halvings; 95 % interval of the paired difference."
)
REPEATS = 5
# The strengths (1 / regularisation) that served the peer best. On GoEmotions dev (28 labels) we tried 1 and
# 4, with even and balanced class weights. On IMDB we tried 4 and 20, on EmoBank dev a ridge of 1 … 10.
_SEVERAL, _ONE, _RIDGE = 4.0, 20.0, 1.0


def compare(
    train: Sequence[Example],
    test: Sequence[Example],
    said: Predictions,
    spaces: Sequence[LabelSet],
    draw: Draw,
    *,
    track: Track = iter,
) -> dict[str, Any]:
    """Train the peer on ``train`` and compare it with the answers of a bundle to ``test``.

    Returns:
        ``name``, ``protocol``, metrics of ``bundle`` and ``peer``, and their ``difference`` with intervals.

    Raises:
        RuntimeUnavailableError: scikit-learn is not installed.
        DataError: the training data has neither the labels nor the valence and arousal of the test.
    """
    _require()
    jobs = [space for space in spaces if space.name != SCORES or space is spaces[0]]
    ours: list[Measure] = []
    theirs: list[Measure] = []
    counted = np.array([bool(example.labels) for example in test], np.bool_)
    for space, probability in _label_peers(jobs, train, test, track):
        truth = space.truth(test)
        own = space.probability(said.probabilities, said.scores)
        prefix = "" if space is spaces[0] else prefix_of(space)
        ours.append(_scored(space, truth, own, counted, prefix))
        theirs.append(_scored(space, truth, probability, counted, prefix))
    for name in ("valence", "arousal"):
        gold = np.array([_number(example, name) for example in test])
        predicted = _affect_peer(name, train, test) if np.isfinite(gold).sum() > 2 else None
        if predicted is not None:
            ours.append(AffectMeasure(f"{name}_r", gold, getattr(said, name)))
            theirs.append(AffectMeasure(f"{name}_r", gold, predicted))
    if not ours:
        raise DataError(
            "The training manifest has none of the test's labels or affect; give another --train."
        )
    return {
        "name": NAME,
        "protocol": PROTOCOL.format(repeats=REPEATS),
        "bundle": measure(ours),
        "peer": measure(theirs),
        "difference": {name: x.to_dict() for name, x in difference(ours, theirs, draw).items()},
    }


def best_thresholds(truth: Bools, probability: Array) -> Array:
    """Return for each label the threshold of the highest F1; 2, never active, where none has the label."""
    found = np.full(truth.shape[1], 2.0)
    for k in np.flatnonzero(truth.any(0)):
        order = np.argsort(-probability[:, k], kind="stable")
        ranked = probability[order, k]
        f1 = 2 * np.cumsum(truth[order, k]) / (np.arange(1, len(order) + 1) + truth[:, k].sum())
        f1[:-1][ranked[:-1] == ranked[1:]] = -1  # a threshold cannot separate equal probabilities
        best = int(f1.argmax())
        found[k] = (ranked[best] + ranked[best + 1]) / 2 if best + 1 < len(ranked) else ranked[best]
    return found


class _Mean:
    """The mean of measures over several halvings."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self.measures = measures
        self.rows: Array = np.concatenate([one.rows for one in measures], 1)

    def finish(self, sums: Array) -> dict[str, Array]:
        parts = np.split(sums, np.cumsum([one.rows.shape[1] for one in self.measures])[:-1], axis=1)
        found = [one.finish(part) for one, part in zip(self.measures, parts, strict=True)]
        return {name: np.mean([each[name] for each in found], axis=0) for name in found[0]}


def _scored(space: LabelSet, truth: Bools, probability: Array, counted: Bools, prefix: str) -> Measure:
    """Measure one system: exclusive labels by the likeliest, others with cross-fitted thresholds."""
    only = ("accuracy", "macro_f1", "uar") if space.exclusive else ("accuracy", "macro_f1", "micro_f1")
    actives = [one_hot(probability)] if space.exclusive else list(_cross_fitted(truth, probability, counted))
    return _Mean(
        [
            LabelMeasure(
                truth, probability, active, prefix=prefix, exclusive=True, counted=counted, only=only
            )
            for active in actives
        ]
    )


def _cross_fitted(truth: Bools, probability: Array, counted: Bools) -> Iterable[Bools]:
    for repeat in range(REPEATS):
        rows = np.random.default_rng(repeat).permutation(np.flatnonzero(counted))
        halves = rows[::2], rows[1::2]
        active = np.zeros(truth.shape, np.bool_)
        for fit, score in (halves, halves[::-1]):
            active[score] = probability[score] >= best_thresholds(truth[fit], probability[fit])
        yield active


def _label_peers(
    spaces: Sequence[LabelSet], train: Sequence[Example], test: Sequence[Example], track: Track
) -> Iterable[tuple[LabelSet, Array]]:
    """Yield each space and the peer's probabilities on the test, one regression a label."""
    from sklearn.linear_model import LogisticRegression

    known = [example for example in train if example.labels]
    if not known or not spaces:
        return
    seen, unseen = _features(known, test, rarest=2)
    found = [np.zeros((len(test), len(space.labels))) for space in spaces]
    truths = [space.truth(known) for space in spaces]
    for s, k in track([(s, k) for s, space in enumerate(spaces) for k in range(len(space.labels))]):
        gold, strength = truths[s][:, k], _ONE if spaces[s].exclusive else _SEVERAL
        if gold.any() and not gold.all():
            model = LogisticRegression(C=strength, solver="liblinear").fit(seen, gold)
            found[s][:, k] = model.predict_proba(unseen)[:, 1]
    yield from (
        pair for pair, truth in zip(zip(spaces, found, strict=True), truths, strict=True) if truth.any()
    )


def _affect_peer(name: str, train: Sequence[Example], test: Sequence[Example]) -> Array | None:
    from sklearn.linear_model import Ridge

    known = [example for example in train if getattr(example, name) is not None]
    if len(known) < 2:
        return None
    seen, unseen = _features(known, test, rarest=1)
    model = Ridge(alpha=_RIDGE).fit(seen, [getattr(example, name) for example in known])
    return np.asarray(model.predict(unseen), np.float64)


def _features(train: Sequence[Example], test: Sequence[Example], *, rarest: int) -> tuple[Any, Any]:
    """Return TF-IDF of train and test; of a thousand texts or more, terms in at least ``rarest``."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=rarest if len(train) >= 1000 else 1
    )
    try:
        seen = vectorizer.fit_transform([text_of(example) for example in train])
    except ValueError as error:
        raise DataError(f"The training manifest has no words ({error}); give another --train.") from error
    return seen, vectorizer.transform([text_of(example) for example in test])


def _require() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise RuntimeUnavailableError(
            f"The peer needs {error.name}: `pip install 'edgeemo[eval]'`."
        ) from error


def _number(example: Example, name: str) -> float:
    value = getattr(example, name)
    return float("nan") if value is None else float(value)
