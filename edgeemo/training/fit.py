"""One training step by Keras' own loop: progress bar, early stopping, TensorBoard log, resumption."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from ..types import FloatArray
from .batches import Batch, BatchSource, trim_padding
from .recipe import Step


def known_targets(truth: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return which targets are annotated (bool), and the targets with 0 where they are not."""
    known = ops.isfinite(truth)
    return known, ops.where(known, truth, 0.0)


def cross_entropies(target: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Sigmoid cross-entropy of every element, in the form that does not overflow; targets may be soft."""
    return ops.maximum(logits, 0.0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))


def binary(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Sigmoid cross-entropy, summed over the annotated labels; targets may be soft."""
    known, target = known_targets(truth)
    return ops.sum(cross_entropies(target, logits) * ops.cast(known, "float32"), axis=-1)


def categorical(
    truth: keras.KerasTensor, logits: keras.KerasTensor, absent: float = 0.0
) -> keras.KerasTensor:
    """Softmax cross-entropy over the annotated labels; targets may be soft, their sum is the weight.

    A share ``absent`` of the loss goes over all labels instead; there a label without annotation counts as
    "not".
    """
    known, target = known_targets(truth)
    own = -ops.sum(target * ops.log_softmax(ops.where(known, logits, -1e4), axis=-1), axis=-1)
    if not absent:
        return own
    every = -ops.sum(target * ops.log_softmax(logits, axis=-1), axis=-1)
    return (1 - absent) * own + absent * every


def squared(truth: keras.KerasTensor, value: keras.KerasTensor) -> keras.KerasTensor:
    """Squared error, summed over the annotated values; times 3, so that it counts like a label head."""
    known, target = known_targets(truth)
    return 3.0 * ops.sum(ops.square(target - value) * ops.cast(known, "float32"), axis=-1)


def fit(
    model: keras.Model,
    step: Step,
    train: BatchSource,
    valid: BatchSource | None,
    losses: Mapping[str, object],
    out: Path,
    seed: int,
) -> None:
    """Train ``model`` in place. With 0 epochs do and write nothing.

    The model ends with the weights of its best validation loss. Without ``valid``, or with a patience of 0,
    it ends with the weights after all epochs. Called again with the same ``out``, an interrupted run goes on
    from its last whole epoch.
    """
    if not step.epochs:
        return
    batches = -(-len(train) // step.batch)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, int(0.94 * batches * step.epochs)),
        warmup_target=step.learning_rate,
        warmup_steps=max(1, int(0.06 * batches * step.epochs)),
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            schedule,
            weight_decay=step.weight_decay,
            beta_2=0.98,
            global_clipnorm=1.0,
            use_ema=step.average > 0,
            ema_momentum=step.average or None,
        ),
        loss=dict(losses),
    )
    out.mkdir(parents=True, exist_ok=True)
    stop = [keras.callbacks.EarlyStopping(patience=step.patience, restore_best_weights=True)]
    model.fit(
        _dataset(train, step.batch, np.random.default_rng(seed)),
        steps_per_epoch=batches,
        epochs=step.epochs,
        validation_data=None if valid is None else _dataset(valid, 256, None),
        validation_steps=None if valid is None else -(-len(valid) // 256),
        callbacks=[
            keras.callbacks.BackupAndRestore(out / "backup"),
            keras.callbacks.TensorBoard(out / "tensorboard"),
            keras.callbacks.CSVLogger(out / "log.csv", append=True),
            *(stop if valid is not None and step.patience else []),
        ],
        verbose="auto",
        shuffle=False,  # the batch source has done so
    )


def predict(model: keras.Model, inputs: npt.NDArray[Any], batch: int = 256) -> dict[str, FloatArray]:
    """Run the model over inputs ``(n, …)``; texts of similar length share a batch if the length varies."""
    vary_length = model.input_shape[1] is None
    order = np.argsort((inputs != 0).sum(1), kind="stable") if vary_length else np.arange(len(inputs))
    shape = [None, None] if vary_length else [None, *inputs.shape[1:]]
    signature = [tf.TensorSpec(shape, inputs.dtype)]
    forward = tf.function(lambda x: model(x, training=False), input_signature=signature)
    bar = keras.utils.Progbar(len(inputs), unit_name="example")

    def answer(rows: npt.NDArray[np.int64]) -> dict[str, FloatArray]:
        answers = forward(trim_padding(inputs[rows]) if vary_length else np.ascontiguousarray(inputs[rows]))
        return {name: np.asarray(ops.cast(value, "float32")) for name, value in answers.items()}

    parts: list[dict[str, FloatArray]] = []
    # one batch at a time leaves cores idle
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(answer, np.split(order, range(batch, len(order), batch))):
            parts.append(part)
            bar.add(len(next(iter(part.values()))))
    back = np.argsort(order)
    return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}


def _dataset(source: BatchSource, batch: int, shuffle: np.random.Generator | None) -> tf.data.Dataset:
    def endless() -> Iterator[Batch]:
        while True:
            yield from source.batches(batch, shuffle)

    x, heads = next(source.batches(2, None))
    # ids may be trimmed to the longest text of their batch
    free = [None, None] if x.ndim == 2 else [None, *x.shape[1:]]
    signature = (
        tf.TensorSpec(free, x.dtype),
        {k: tf.TensorSpec([None, *v.shape[1:]], tf.float32) for k, v in heads.items()},
    )
    return tf.data.Dataset.from_generator(endless, output_signature=signature).prefetch(4)
