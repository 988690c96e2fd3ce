"""Long texts in windows, and the student that counts pairs of pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeemo import Runtime
from edgeemo.manifest import Example

pytest.importorskip("keras", reason="needs edgeemo[train]")

import keras
from edgeemo.converters.quantize import quantize

from edgeemo.training.models import text_ngrams
from edgeemo.training.windows import WORDS, opened, whole, windows

LONG = " ".join(f"w{i}" for i in range(400))


def test_windows_are_runs_of_words_one_in_each_part_of_the_text() -> None:
    found, owners = windows([LONG, "short one", ""], 3, np.random.default_rng(0))
    assert owners.tolist() == [0, 0, 0, 1, 2]
    assert found[3:] == ["short one", ""]
    starts = []
    for window in found[:3]:
        words = window.split()
        start = int(words[0][1:])
        assert words == LONG.split()[start : start + WORDS]
        starts.append(start)
    spare = 400 - WORDS
    assert all(i * spare / 3 <= s + 1 and s <= (i + 1) * spare / 3 for i, s in enumerate(starts))


def test_a_text_says_what_its_windows_say_on_average() -> None:
    said = np.array([[1, 3], [3, 5], [7, 7]], np.float32)
    assert whole(said, np.array([0, 0, 1])).tolist() == [[2, 4], [7, 7]]


def test_windows_keep_the_annotation_of_their_text() -> None:
    part = opened({"imdb": [Example(text=LONG, labels=("positive",))]}, 2, np.random.default_rng(0))
    assert [e.labels for e in part["imdb"]] == [("positive",)] * 2


def test_padding_counts_for_nothing() -> None:
    """So the network trained on cut batches is the one that reads texts of full length."""
    keras.utils.set_random_seed(0)
    model = text_ngrams(100, None, {"labels": 2}, width=8, filters=8, pairs=64, kernels=(1,))  # type: ignore[arg-type]
    table = model.get_layer("words").get_weights()[0]
    table[0] = 0  # a filter of width 1 sees padding as a word of its own: make it none
    model.get_layer("words").set_weights([table])
    ids = np.random.default_rng(0).integers(1, 100, (3, 12)).astype(np.int32)
    padded = np.pad(ids, ((0, 0), (0, 20)))
    np.testing.assert_allclose(
        model.predict(ids, verbose=0)["labels"], model.predict(padded, verbose=0)["labels"], atol=1e-5
    )


def test_pairs_are_told_apart_from_their_words_in_another_order() -> None:
    keras.utils.set_random_seed(1)
    model = text_ngrams(100, 4, {"labels": 2}, width=8, filters=8, pairs=4096, kernels=(1,))
    one, other = (
        model.predict(np.array([ids], np.int32), verbose=0)["labels"] for ids in ([5, 6, 7, 8], [6, 5, 8, 7])
    )
    assert np.abs(one - other).max() > 1e-6, "without pairs the order could not matter"


def test_it_becomes_int8_and_hashes_on_the_device(tmp_path: Path) -> None:
    keras.utils.set_random_seed(2)
    model = text_ngrams(200, 16, {"labels": 2}, width=8, filters=8, pairs=512)
    model.save(tmp_path / "model.keras")
    ids = np.random.default_rng(0).integers(0, 200, (64, 16)).astype(np.int32)
    runtime = Runtime(quantize(tmp_path / "model.keras", ids))
    exact = model.predict(ids, verbose=0)["labels"]
    said = np.concatenate([runtime.run(row[np.newaxis])["labels"] for row in ids])
    assert np.corrcoef(exact.ravel(), said.ravel())[0, 1] > 0.99
