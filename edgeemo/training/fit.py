"""One training step: Keras' own loop with progress bar, early stopping, TensorBoard log and resumption."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from ..types import FloatArray
from .material import Ids, Targets
from .recipe import Step


def binary(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Sigmoid cross-entropy, summed over the annotated labels; truth may be soft."""
    known = ops.cast(ops.isfinite(truth), "float32")
    wanted = ops.where(ops.isfinite(truth), truth, 0.0)
    loss = ops.maximum(logits, 0.0) - logits * wanted + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.sum(loss * known, axis=-1)


def categorical(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Softmax cross-entropy; truth may be soft."""
    return ops.categorical_crossentropy(truth, logits, from_logits=True)


def squared(truth: keras.KerasTensor, value: keras.KerasTensor) -> keras.KerasTensor:
    """Squared error, summed over what is annotated; weighed 3 to count like a label head."""
    known = ops.cast(ops.isfinite(truth), "float32")
    error = ops.where(ops.isfinite(truth), truth, 0.0) - value
    return 3.0 * ops.sum(ops.square(error) * known, axis=-1)


def fit(
    model: keras.Model,
    step: Step,
    train: Targets,
    valid: Targets,
    losses: Mapping[str, object],
    out: Path,
    seed: int,
) -> None:
    """Train ``model`` in place; leaves it at its best validation loss.

    An interrupted run goes on from its last whole epoch when called again with the same ``out``.
    A model whose input has no fixed length reads batches cut to their longest text.
    """
    vary_length = model.input_shape[1] is None
    batches = -(-len(train) // step.batch)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, int(0.94 * batches * step.epochs)),
        warmup_target=step.learning_rate,
        warmup_steps=max(1, int(0.06 * batches * step.epochs)),
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            schedule, weight_decay=step.weight_decay, beta_2=0.98, global_clipnorm=1.0
        ),
        loss=dict(losses),
    )
    out.mkdir(parents=True, exist_ok=True)
    model.fit(
        _dataset(train, step.batch, vary_length, np.random.default_rng(seed)),
        steps_per_epoch=batches,
        epochs=step.epochs,
        validation_data=_dataset(valid, 256, vary_length, None),
        validation_steps=-(-len(valid) // 256),
        callbacks=[
            keras.callbacks.BackupAndRestore(out / "backup"),
            keras.callbacks.TensorBoard(out / "tensorboard"),
            keras.callbacks.CSVLogger(out / "log.csv", append=True),
            keras.callbacks.EarlyStopping(patience=step.patience, restore_best_weights=True),
        ],
        verbose="auto",
    )


def predict(model: keras.Model, ids: Ids, batch: int = 256) -> dict[str, FloatArray]:
    """Run the model over many texts, the short ones together; the answers come in the order of ``ids``."""
    vary_length = model.input_shape[1] is None
    order = np.argsort((ids != 0).sum(1), kind="stable")
    signature = [tf.TensorSpec([None, None if vary_length else ids.shape[1]], tf.int32)]
    forward = tf.function(lambda x: model(x, training=False), input_signature=signature)
    bar = keras.utils.Progbar(len(ids), unit_name="text")

    def answer(rows: npt.NDArray[np.int64]) -> dict[str, FloatArray]:
        answers = forward(_cut(ids[rows], vary_length))
        return {name: np.asarray(ops.cast(value, "float32")) for name, value in answers.items()}

    parts: list[dict[str, FloatArray]] = []
    # one batch alone leaves cores idle
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(answer, np.split(order, range(batch, len(order), batch))):
            parts.append(part)
            bar.add(len(next(iter(part.values()))))
    back = np.argsort(order)
    return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}


def _dataset(
    targets: Targets, batch: int, vary_length: bool, shuffle: np.random.Generator | None
) -> tf.data.Dataset:
    def endless() -> Iterator[tuple[Ids, dict[str, FloatArray]]]:
        while True:
            for rows in _epoch(targets, batch, vary_length, shuffle):
                yield _cut(targets.ids[rows], vary_length), {k: v[rows] for k, v in targets.heads.items()}

    length = None if vary_length else targets.ids.shape[1]
    signature = (
        tf.TensorSpec([None, length], tf.int32),
        {k: tf.TensorSpec([None, v.shape[1]], tf.float32) for k, v in targets.heads.items()},
    )
    return tf.data.Dataset.from_generator(endless, output_signature=signature).prefetch(4)


def _epoch(
    targets: Targets, batch: int, vary_length: bool, shuffle: np.random.Generator | None
) -> Sequence[npt.NDArray[np.int64]]:
    """Return the rows of each batch; where length varies, texts of like length share a batch."""
    n = len(targets)
    order = np.arange(n) if shuffle is None else shuffle.permutation(n)
    if shuffle is not None and vary_length:
        lengths = (targets.ids != 0).sum(1)
        many = batch * 40
        order = np.concatenate(
            [part[np.argsort(lengths[part], kind="stable")] for part in np.split(order, range(many, n, many))]
        )
    rows = np.split(order, range(batch, n, batch))
    if shuffle is not None:
        shuffle.shuffle(rows)
    return rows


def _cut(ids: Ids, vary_length: bool) -> Ids:
    if not vary_length:
        return ids
    longest = int((ids != 0).sum(1).max())
    return np.ascontiguousarray(ids[:, : max(8, -(-longest // 8) * 8)])
