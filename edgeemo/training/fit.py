"""One training step: Keras' own loop with progress bar, early stopping, TensorBoard log and resumption."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from ..types import FloatArray
from .material import cut
from .recipe import Step

Batch: TypeAlias = tuple[npt.NDArray[Any], dict[str, FloatArray]]
"""What the network reads ``(batch, …)``, and per head what it should say; NaN means "not annotated"."""


class Lesson(Protocol):
    """What a network learns or is measured on."""

    def __len__(self) -> int:
        """How many examples one epoch has."""
        ...

    def batches(self, size: int, rng: np.random.Generator | None) -> Iterator[Batch]:
        """Yield one epoch in batches of ``size`` (the last may be smaller), shuffled if there is ``rng``."""
        ...


def binary(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Sigmoid cross-entropy, summed over the annotated labels; truth may be soft."""
    known = ops.cast(ops.isfinite(truth), "float32")
    wanted = ops.where(ops.isfinite(truth), truth, 0.0)
    loss = ops.maximum(logits, 0.0) - logits * wanted + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.sum(loss * known, axis=-1)


def categorical(
    truth: keras.KerasTensor, logits: keras.KerasTensor, absent: float = 0.0
) -> keras.KerasTensor:
    """Softmax cross-entropy over the annotated labels; truth may be soft, its sum is the example's weight.

    ``absent`` of it goes over all labels instead, those not annotated counting as "not".
    """
    known = ops.isfinite(truth)
    wanted = ops.where(known, truth, 0.0)
    own = -ops.sum(wanted * ops.log_softmax(ops.where(known, logits, -1e4), axis=-1), axis=-1)
    if not absent:
        return own
    every = -ops.sum(wanted * ops.log_softmax(logits, axis=-1), axis=-1)
    return (1 - absent) * own + absent * every


def squared(truth: keras.KerasTensor, value: keras.KerasTensor) -> keras.KerasTensor:
    """Squared error, summed over what is annotated; weighed 3 to count like a label head."""
    known = ops.cast(ops.isfinite(truth), "float32")
    error = ops.where(ops.isfinite(truth), truth, 0.0) - value
    return 3.0 * ops.sum(ops.square(error) * known, axis=-1)


def fit(
    model: keras.Model,
    step: Step,
    train: Lesson,
    valid: Lesson | None,
    losses: Mapping[str, object],
    out: Path,
    seed: int,
) -> None:
    """Train ``model`` in place; with 0 epochs nothing is done and nothing written.

    Leaves it at its best validation loss, or, without ``valid`` or with a patience of 0, as it is after all
    epochs. An interrupted run goes on from its last whole epoch when called again with the same ``out``.
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
        shuffle=False,  # the lesson has done so
    )


def predict(model: keras.Model, inputs: npt.NDArray[Any], batch: int = 256) -> dict[str, FloatArray]:
    """Run the model over many inputs ``(n, …)``; where length varies, texts of like length share a batch."""
    vary_length = model.input_shape[1] is None
    order = np.argsort((inputs != 0).sum(1), kind="stable") if vary_length else np.arange(len(inputs))
    shape = [None, None] if vary_length else [None, *inputs.shape[1:]]
    signature = [tf.TensorSpec(shape, inputs.dtype)]
    forward = tf.function(lambda x: model(x, training=False), input_signature=signature)
    bar = keras.utils.Progbar(len(inputs), unit_name="example")

    def answer(rows: npt.NDArray[np.int64]) -> dict[str, FloatArray]:
        answers = forward(cut(inputs[rows]) if vary_length else np.ascontiguousarray(inputs[rows]))
        return {name: np.asarray(ops.cast(value, "float32")) for name, value in answers.items()}

    parts: list[dict[str, FloatArray]] = []
    # one batch alone leaves cores idle
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(answer, np.split(order, range(batch, len(order), batch))):
            parts.append(part)
            bar.add(len(next(iter(part.values()))))
    back = np.argsort(order)
    return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}


def _dataset(lesson: Lesson, batch: int, shuffle: np.random.Generator | None) -> tf.data.Dataset:
    def endless() -> Iterator[Batch]:
        while True:
            yield from lesson.batches(batch, shuffle)

    x, heads = next(lesson.batches(2, None))
    # ids may be cut to the longest of their batch
    free = [None, None] if x.ndim == 2 else [None, *x.shape[1:]]
    signature = (
        tf.TensorSpec(free, x.dtype),
        {k: tf.TensorSpec([None, *v.shape[1:]], tf.float32) for k, v in heads.items()},
    )
    return tf.data.Dataset.from_generator(endless, output_signature=signature).prefetch(4)
