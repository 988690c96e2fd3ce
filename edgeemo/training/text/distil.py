"""Distillation: a teacher's answers to real and made texts, and the first embedding it gives a student."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from ...data.leaks import digest
from ...frontends import TextFrontend
from ...types import FloatArray
from ..fit import predict
from ..recipe import Step
from .batches import TextBatches, TextData


def distilled(
    data: TextData,
    step: Step,
    teacher: keras.Model,
    reads: TextFrontend,
    real: TextBatches,
    folder: Path,
    seed: int,
) -> TextBatches:
    """Return the student's targets: label and teacher mixed for real texts, the teacher alone for made ones.

    The function keeps the teacher's answers in ``folder`` and uses them again.
    """
    texts = data.texts
    texts += augment(texts, step.augment, np.random.default_rng(seed))
    kept = folder / f"answers-{digest(chr(10).join(texts)):016x}.npz"  # of these very texts
    if not kept.is_file():
        answers = predict(teacher, reads.compute_batch(texts))
        answers["labels"] = _probabilities(answers["labels"], data.recipe.data["multi_label"])
        np.savez(kept, allow_pickle=False, **{head: answers[head] for head in real.heads})
    with np.load(kept) as file:
        answers = {head: file[head] for head in real.heads}
    heads = {}
    for head, label in real.heads.items():
        soft = answers[head]
        first = soft[: len(label)]
        mixed = np.where(np.isfinite(label), step.soft * first + (1 - step.soft) * label, first)
        heads[head] = np.concatenate([mixed, soft[len(label) :]]).astype(np.float32)
    return TextBatches(data.frontend.compute_batch(texts), heads)


def first_embedding(
    teacher: keras.Model, reads: TextFrontend, pieces: Sequence[str], width: int
) -> FloatArray:
    """Return ``(pieces, width)``: the teacher's reading of each piece alone, in its principal components.

    The idea is that of static embeddings distilled from sentence encoders (Model2Vec, 2024). The rows have
    mean 0 and a standard deviation of 0.1 on average; ``[PAD]`` is 0.
    """
    pooled = keras.Model(teacher.input, {"pooled": teacher.get_layer("pooled").output})
    ids = reads.compute_batch([piece.removeprefix("##") for piece in pieces])
    vectors = predict(pooled, ids)["pooled"].astype(np.float64)
    vectors -= vectors.mean(0)
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    found = vectors @ axes[:, ::-1][:, :width]
    found *= 0.1 / found.std()
    found[0] = 0.0
    return np.asarray(found, np.float32)


def augment(texts: Sequence[str], times: int, rng: np.random.Generator) -> list[str]:
    """Make ``times`` texts per real one: halves of two texts joined, and words dropped at random.

    They carry no label: the teacher says what they express.
    """
    made: list[str] = []
    words = [text.split() for text in texts]
    for turn in range(times):
        for own in words:
            if turn % 2:
                kept = [w for w, keep in zip(own, rng.random(len(own)) > 0.2, strict=True) if keep]
                made.append(" ".join(kept or own))
            else:
                other = words[int(rng.integers(len(words)))]
                first, second = _part(own, rng), _part(other, rng)
                made.append(" ".join(first + second if rng.random() < 0.5 else second + first))
    return made


def _part(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Return a run of about half the words."""
    n = max(1, round(len(words) * rng.uniform(0.3, 0.8)))
    start = int(rng.integers(len(words) - n + 1)) if len(words) >= n else 0
    return list(words[start : start + n])


def _probabilities(logits: FloatArray, multi_label: bool) -> FloatArray:
    if multi_label:
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
    e = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True), np.float32)
