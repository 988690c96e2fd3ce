"""TF-IDF of words and word pairs with linear models: the peer of the text model, kept once it is trained.

The settings are those of `edgeemo.evaluation.peers` (strengths that served the peer best); the file holds
terms and weights, so nothing in it is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeemo.evaluation.bootstrap import Array, Bools

STRENGTH, RIDGE = 4.0, 1.0


@dataclass(frozen=True)
class TfIdf:
    """Linear models over the terms: of labels (``logistic``, one regression each) or of a number."""

    vectorizer: Any
    weights: Array
    bias: Array
    logistic: bool

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return ``(texts, outputs)``: probabilities of labels, or numbers."""
        found = np.asarray(self.vectorizer.transform(texts) @ self.weights + self.bias)
        return 1 / (1 + np.exp(-found)) if self.logistic else found

    def save(self, path: Path) -> None:
        """Keep it as arrays."""
        path.parent.mkdir(parents=True, exist_ok=True)
        terms = np.array(self.vectorizer.get_feature_names_out(), np.str_)
        np.savez_compressed(
            path,
            terms=terms,
            idf=self.vectorizer.idf_,
            weights=self.weights.astype(np.float32),
            bias=self.bias,
            logistic=self.logistic,
        )

    @classmethod
    def load(cls, path: Path) -> TfIdf:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            vectorizer = _vectorizer(vocabulary=kept["terms"].tolist())
            vectorizer.idf_ = kept["idf"]
            weights = kept["weights"].astype(np.float64)
            return cls(vectorizer, weights, kept["bias"], bool(kept["logistic"]))


def train_labels(texts: Sequence[str], truth: Bools) -> TfIdf:
    """Fit a logistic regression for each column of ``truth``, ``(texts, labels)``."""
    from sklearn.linear_model import LogisticRegression

    vectorizer = _vectorizer(min_df=2)
    seen = vectorizer.fit_transform(texts)
    models = [LogisticRegression(C=STRENGTH, solver="liblinear").fit(seen, gold) for gold in truth.T]
    weights = np.concatenate([model.coef_ for model in models]).T
    return TfIdf(vectorizer, weights, np.concatenate([model.intercept_ for model in models]), True)


def train_number(texts: Sequence[str], gold: Sequence[float]) -> TfIdf:
    """Fit a ridge regression."""
    from sklearn.linear_model import Ridge

    vectorizer = _vectorizer()
    model = Ridge(alpha=RIDGE).fit(vectorizer.fit_transform(texts), gold)
    return TfIdf(vectorizer, np.asarray(model.coef_)[:, None], np.array([model.intercept_]), False)


def _vectorizer(**options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, **options)
