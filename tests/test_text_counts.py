"""The linear model that counts pieces and pairs of pieces: its graph, its solver, its int8 form."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edgeemo import Runtime

pytest.importorskip("keras", reason="needs edgeemo[train]")

import keras
from edgeemo.converters.quantize import quantize

from edgeemo.training.text.models import text_counts
from edgeemo.training.text.nbsvm import set_first_weights

PIECES, LENGTH, PAIRS = 50, 12, 4096


def texts(n: int, seed: int = 0) -> npt.NDArray[np.int32]:
    """Return ids of texts of 2 to `LENGTH` pieces, padded."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, PIECES, (n, LENGTH)).astype(np.int32)
    ids[np.arange(LENGTH) >= rng.integers(2, LENGTH + 1, n)[:, None]] = 0
    return ids


def counting(n_labels: int = 2) -> keras.Model:
    return text_counts(PIECES, LENGTH, {"labels": n_labels}, pairs=PAIRS)


def solved(ids: npt.NDArray[np.int32], truth: npt.NDArray[np.bool_], n_labels: int = 2) -> keras.Model:
    model = counting(n_labels)
    set_first_weights(model, PIECES, ids, truth.astype(np.float32), seed=0)
    return model


def said(model: keras.Model, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    return np.asarray(model.predict(ids, verbose=0)["labels"])


def test_a_logit_is_the_sum_of_what_pieces_and_pairs_weigh() -> None:
    keras.utils.set_random_seed(0)
    model, ids = counting(), texts(20)
    table = model.get_layer("counts").get_weights()[0][:, 0]
    table[0] = 0
    model.get_layer("counts").set_weights([table[:, None]])
    turn, bias = model.get_layer("labels").get_weights()
    expected = []
    for row in ids.tolist():
        text = [piece for piece in row if piece]
        pairs = [PIECES + (a * 10007 - b * 31) % PAIRS for a, b in pairwise(text)]
        expected.append(table[text].sum() + table[pairs].sum())
    np.testing.assert_allclose(said(model, ids), np.array(expected)[:, None] * turn + bias, atol=1e-5)


def test_the_solution_leaves_padding_at_zero() -> None:
    ids = texts(200)
    truth = (ids == 7).any(1)
    model = solved(ids, np.stack([truth, ~truth], 1))
    assert model.get_layer("counts").get_weights()[0][0] == 0


def test_the_solver_finds_a_telling_piece_and_a_telling_order() -> None:
    ids = texts(2000)
    ids[:1000, :2], ids[1000:, :2] = (3, 4), (4, 3)  # the same pieces in both: only the order tells
    truth = np.arange(2000) < 1000
    model = solved(ids, np.stack([truth, ~truth], 1))
    fresh = texts(200, seed=1)
    fresh[:100, :2], fresh[100:, :2] = (3, 4), (4, 3)
    answers = said(model, fresh)
    right = answers.argmax(1) == (np.arange(200) >= 100)
    assert right.mean() > 0.95
    np.testing.assert_allclose(answers[:, 0], -answers[:, 1], atol=1e-5)


def test_more_than_two_labels_have_a_column_each() -> None:
    ids = texts(3000)
    label = np.arange(3000) % 3
    ids[:, 0] = label + 1
    model = solved(ids, label[:, None] == np.arange(3), 3)
    fresh = texts(300, seed=1)
    fresh[:, 0] = np.arange(300) % 3 + 1
    assert (said(model, fresh).argmax(1) == np.arange(300) % 3).mean() > 0.9


def test_it_becomes_int8_and_hashes_on_the_device(tmp_path: Path) -> None:
    ids = texts(500)
    truth = (ids < 10).sum(1) > 2
    model = solved(ids, np.stack([truth, ~truth], 1))
    model.save(tmp_path / "model.keras")
    fresh = texts(100, seed=1)
    runtime = Runtime(quantize(tmp_path / "model.keras", fresh))
    device = np.concatenate([runtime.run(row[np.newaxis])["labels"] for row in fresh])
    assert np.corrcoef(said(model, fresh).ravel(), device.ravel())[0, 1] > 0.999
