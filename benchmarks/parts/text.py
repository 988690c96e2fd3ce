"""Text: the shipped model beside TF-IDF with linear models and VADER.

VADER only says how pleasant a text is, so VADER is in two tasks. One is the correlation with the valence
that people gave (EmoBank). The other separates comments of pleasant and unpleasant emotions (GoEmotions);
the area under the ROC curve needs no threshold. TF-IDF's pleasantness is its probability of joy minus the
sum of those of anger, disgust, fear and sadness. Comments that also stand in train are left out for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edgeemo import Recognizer
from edgeemo.data.leaks import digests, find_leaks, text_of
from edgeemo.data.manifest import Example
from edgeemo.evaluation.bootstrap import Array, Bools, interval
from edgeemo.evaluation.label_sets import label_sets_of
from edgeemo.evaluation.metrics import area_under_roc
from edgeemo.evaluation.predictions import predict

from ..peers.tfidf import TfIdf
from ..peers.train import EKMAN, VALENCE
from ..timing import batches_of, race
from .row import ROOT, Context, Row, Score, Skip, digest, needs, ours, quiet, versions

SAMPLE, RESAMPLES = 64, 1000  # texts timed, in turns
PLEASANT, UNPLEASANT = ("joy",), ("anger", "disgust", "fear", "sadness")
EKMAN_TASK = "text: likeliest Ekman group, GoEmotions dev"
SIDE_TASK = "text: pleasant or unpleasant, GoEmotions dev"
VALENCE_TASK = "text: valence, EmoBank dev"

Drawn: TypeAlias = npt.NDArray[np.intp]
Statistic: TypeAlias = Callable[[Array, Drawn], float]
"""A metric of what a system said of the examples drawn."""


@dataclass(frozen=True)
class Peer:
    """The answers of a peer, one row a text, or the reason why the peer cannot run."""

    name: str
    say: Callable[[Sequence[str]], Array] | None
    packages: tuple[str, ...]
    cache: Path | None = None
    missing: str = ""


@dataclass(frozen=True)
class Task:
    """Texts and the metric of what is said of them."""

    name: str
    metric: str
    texts: Sequence[str]
    statistic: Statistic


def measure(context: Context) -> Iterator[Row]:
    """Yield three tasks, ours first in each."""
    with quiet(), Recognizer.open("text") as recognizer:
        for part, tasks in ((_goemotions, (EKMAN_TASK, SIDE_TASK)), (_emobank, (VALENCE_TASK,))):
            try:
                yield from part(context, recognizer)
            except Skip as reason:
                for task in tasks:
                    yield Row(task, "edgeemo `text` and its peers", skipped=str(reason))


def _goemotions(context: Context, recognizer: Any) -> Iterator[Row]:
    test = _unseen(context, "goemotions")
    texts = [text_of(e) for e in test]
    space = label_sets_of(recognizer.card)["ekman"]
    truth, said = space.truth(test), predict(recognizer, test)
    tfidf = _tfidf(EKMAN)

    def right(found: Array, drawn: Drawn) -> float:
        return float(truth[drawn, found[drawn].argmax(1)].mean())

    own = space.probability(said.probabilities, said.scores)
    yield from _rows(Task(EKMAN_TASK, "accuracy", texts, right), recognizer, own, [tfidf])

    good, bad = space.indices(PLEASANT), space.indices(UNPLEASANT)
    sided = np.flatnonzero(truth[:, good].any(1) != truth[:, bad].any(1))
    pleasant = np.asarray(truth[sided][:, good].any(1), np.bool_)
    task = Task(SIDE_TASK, "area under ROC", [texts[i] for i in sided], _area_of(pleasant))
    yield from _rows(task, recognizer, said.valence[sided], [_sides(tfidf, good, bad), _vader()])


def _emobank(context: Context, recognizer: Any) -> Iterator[Row]:
    test = [e for e in _unseen(context, "emobank") if e.valence is not None]
    gold = np.array([e.valence for e in test], np.float64)

    def correlation(found: Array, drawn: Drawn) -> float:
        return float(np.corrcoef(gold[drawn], found[drawn].ravel())[0, 1])

    task = Task(VALENCE_TASK, "Pearson's r", [text_of(e) for e in test], correlation)
    yield from _rows(task, recognizer, predict(recognizer, test).valence, [_tfidf(VALENCE), _vader()])


def _rows(task: Task, recognizer: Any, own: Array, peers: Sequence[Peer]) -> Iterator[Row]:
    """Yield ours and each peer's row: scores in pairs, times in turns on the same few texts."""
    n = len(task.texts)
    rng = np.random.default_rng(0)
    some = [task.texts[i] for i in rng.integers(0, n, SAMPLE)]
    asked = {peer.name: peer for peer in peers if peer.say is not None}

    def ask_us() -> None:
        for text in some:
            recognizer.predict(text)

    def asking(say: Callable[[Sequence[str]], Array]) -> Callable[[], None]:
        def ask() -> None:
            for text in some:
                say([text])

        return ask

    batches = {name: batches_of(asking(peer.say)) for name, peer in asked.items() if peer.say}
    contest = race({"ours": batches_of(ask_us), **batches}, seconds=4.0, each=SAMPLE)
    draws = rng.integers(0, n, (RESAMPLES, n))
    values = {"ours": own} | {name: peer.say(task.texts) for name, peer in asked.items() if peer.say}
    spreads = {
        name: np.array([task.statistic(found, drawn) for drawn in draws]) for name, found in values.items()
    }
    whole = {name: task.statistic(found, np.arange(n)) for name, found in values.items()}

    def score(name: str) -> Score:
        ahead = interval(whole["ours"] - whole[name], spreads["ours"] - spreads[name])
        known = interval(whole[name], spreads[name])
        return Score(task.metric, known, n, "texts", difference=None if name == "ours" else ahead)

    yield ours(task.name, "text", score=score("ours")).timed(contest, "ours")
    for peer in peers:
        row = Row(task.name, peer.name, versions=versions(*peer.packages), skipped=peer.missing)
        if peer.name in asked:
            row.score = score(peer.name)
            row.timed(contest, peer.name)
            if peer.cache:
                row.cache, row.sha256 = str(peer.cache.relative_to(ROOT)), digest(peer.cache)
        yield row


def _area_of(positive: Bools) -> Statistic:
    """Return the area under the ROC curve, the positive against the others."""

    def area(found: Array, drawn: Drawn) -> float:
        said, side = found.ravel()[drawn], positive[drawn]
        return area_under_roc(said[side], said[~side])

    return area


def _unseen(context: Context, name: str) -> list[Example]:
    """Return the dev split without what stands in train."""
    train, test = (context.examples(name, "text", split) for split in ("train", "dev"))
    gone = set(find_leaks(test, digests(text_of(e) for e in train)))
    return [e for i, e in enumerate(test) if i not in gone]


def _tfidf(path: Path) -> Peer:
    name = "TF-IDF + logistic regression" if path == EKMAN else "TF-IDF + ridge"
    packages = ("scikit-learn",)
    try:
        needs("sklearn")
    except Skip as reason:
        return Peer(name, None, packages, missing=str(reason))
    if not path.is_file():
        return Peer(name, None, packages, missing=f"{path.name} is not trained: make peers-train DATA=…")
    return Peer(name, TfIdf.load(path), packages, path)


def _sides(tfidf: Peer, good: Sequence[int], bad: Sequence[int]) -> Peer:
    """Return the same peer, saying how much likelier the good groups are than the bad ones."""
    say = tfidf.say
    if say is None:
        return tfidf

    def pleasantness(texts: Sequence[str]) -> Array:
        found = say(texts)
        return np.asarray(found[:, good].sum(1) - found[:, bad].sum(1))

    return replace(tfidf, say=pleasantness)


def _vader() -> Peer:
    packages = ("vaderSentiment",)
    try:
        needs("vaderSentiment")
    except Skip as reason:
        return Peer("VADER", None, packages, missing=str(reason))
    from vaderSentiment.vaderSentiment import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        SentimentIntensityAnalyzer,
    )

    polarity = SentimentIntensityAnalyzer().polarity_scores

    def say(texts: Sequence[str]) -> Array:
        return np.array([polarity(text)["compound"] for text in texts], np.float64)

    return Peer("VADER", say, packages)
