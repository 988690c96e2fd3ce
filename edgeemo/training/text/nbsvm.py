"""The first weights of a network that counts: naive Bayes ratios in a support vector machine.

Wang and Manning 2012, "Baselines and bigrams: simple, good sentiment and topic classification" (ACL). Each
count is multiplied by how much more often it occurs in texts of the label. Then a linear SVM with squared
hinge loss is fitted. They count a word once a text; we count every occurrence, which was better in
cross-validation on IMDB's training reviews. The problem is convex: nothing is left for gradient descent.
"""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from scipy.sparse import csr_matrix

from ...types import FloatArray
from .models import hashed_pairs

SMOOTHING, STRENGTH = 3.0, 0.01
"""Added to every count; the C of the SVM. Chosen by cross-validation on IMDB's training reviews."""


def set_first_weights(
    model: keras.Model, pieces: int, ids: npt.NDArray[np.int32], truth: FloatArray, seed: int
) -> None:
    """Fit `edgeemo.training.text.models.text_counts` to exclusive labels and put the weights in place.

    Args:
        model: changed in place.
        pieces: how many the vocabulary has.
        ids: ``(n, length)``, padded with 0.
        truth: ``(n, labels)``, 1 for the label.
        seed: of the order in which the solver goes through the texts.
    """
    from sklearn.svm import LinearSVC

    table = model.get_layer("counts")
    real = ids[:, : max(2, int((ids != 0).sum(1).max()))]  # no longer than the longest text
    pairs = ops.convert_to_numpy(hashed_pairs(real, pieces, table.input_dim - pieces))
    counts = _counts(np.concatenate([real, pairs], 1), table.input_dim)
    columns, biases = [], []
    for label in range(table.output_dim):
        has = truth[:, label] > 0.5
        within, without = (SMOOTHING + np.asarray(counts[rows].sum(0)).ravel() for rows in (has, ~has))
        ratio = np.log(within / within.sum() / (without / without.sum())).astype(np.float32)
        svm = LinearSVC(C=STRENGTH, random_state=seed).fit(counts.multiply(ratio).tocsr(), has)
        columns.append(ratio * svm.coef_[0].astype(np.float32))
        biases.append(svm.intercept_[0])
    table.set_weights([np.stack(columns, 1)])
    # of two labels with one column, one has half the sum and the other half its opposite
    turn = np.eye(len(biases)) if len(biases) == truth.shape[1] else np.array([[0.5, -0.5]])
    model.get_layer("labels").set_weights([turn.astype(np.float32), np.array(biases, np.float32) @ turn])


def _counts(rows: npt.NDArray[np.int32], size: int) -> csr_matrix:
    """Return how often each value but 0, which is padding, stands in each row of ``rows``: ``(n, size)``."""
    texts, places = np.nonzero(rows)
    found = csr_matrix(
        (np.ones(len(texts), np.float32), (texts, rows[texts, places])), shape=(len(rows), size)
    )
    found.sum_duplicates()
    return found
