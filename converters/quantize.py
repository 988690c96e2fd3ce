"""Full-integer quantization in a process of its own, because TensorFlow's converter can crash.

Run as ``python -m edgeemo.converters.quantize quantize MODEL.keras INPUTS.npy OUT.tflite``; use `quantize`.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo.errors import ConversionError


def quantize(model: Path, inputs: npt.NDArray[Any]) -> bytes:
    """Convert a Keras model to a full-int8 flatbuffer with one signature.

    Weights are quantized per channel where the kernels allow, activations by the minimum and maximum seen
    on ``inputs`` (Jacob et al. 2018, arXiv:1712.05877). Ids stay int32, features and outputs become int8.

    Args:
        model: a ``.keras`` file with one input ``(batch, …)`` and a mapping of outputs.
        inputs: the calibration set as the frontend makes it: ids int32 ``(n, length)`` of texts, or features
            float32 of spans ``(n, frames, mels)`` or of faces ``(n, height, width, channels)``.

    Raises:
        ConversionError: no Keras model, or the converter refused or crashed; says how.
    """
    require_keras(model)
    with tempfile.TemporaryDirectory(prefix="edgeemo-") as folder:
        given, made = Path(folder, "inputs.npy"), Path(folder, "model.tflite")
        np.save(given, inputs)
        _child("quantize", str(model), str(given), str(made))
        if not made.is_file() or made.stat().st_size == 0:
            raise ConversionError("The converter wrote nothing. Free some disk space and try again.")
        return made.read_bytes()


def require_keras(model: Path) -> None:
    """Refuse any file but a ``.keras`` file, before computing anything.

    Raises:
        ConversionError: it is none.
    """
    if not zipfile.is_zipfile(model):
        raise ConversionError(
            f"{model} is not a Keras model: expected a file that `edgeemo train` or Keras' model.save wrote."
        )


def worst_layers(model: Path, inputs: npt.NDArray[Any], n: int = 3) -> tuple[str, ...]:
    """Name the layers that lose most in int8, worst first, by TensorFlow's quantization debugger.

    Each is given as ``name (error)``: the root mean square error in steps of its own scale. Rounding alone
    costs 0.29.
    """
    with tempfile.TemporaryDirectory(prefix="edgeemo-") as folder:
        given, made = Path(folder, "inputs.npy"), Path(folder, "layers.txt")
        np.save(given, inputs)
        _child("layers", str(model), str(given), str(made))
        return tuple(made.read_text("utf-8").splitlines()[:n])


def _child(*arguments: str) -> None:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-m", __name__, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        died = f"was killed by signal {-done.returncode}" if done.returncode < 0 else "failed"
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise ConversionError(
            f"TensorFlow's converter {died}: {lines[-1] if lines else 'no message'}. Use layers that convert "
            "to int8 (convolution, dense, pooling; recurrent ones unrolled)."
        )


def _converter(model: str, inputs: str) -> tuple[Any, Callable[[], Iterator[list[npt.NDArray[Any]]]]]:
    import keras
    import tensorflow as tf

    given = np.load(inputs)
    loaded = keras.models.load_model(model, compile=False)
    one = keras.Input(batch_shape=(1, *given.shape[1:]), dtype=given.dtype.name, name=loaded.inputs[0].name)
    fixed = keras.models.clone_model(loaded, input_tensors=one)
    fixed.set_weights(loaded.get_weights())

    def representative() -> Iterator[list[npt.NDArray[Any]]]:
        for row in given:
            yield [row[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if given.dtype == np.float32:
        converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter, representative


def _main(what: str, model: str, inputs: str, out: str) -> None:
    import tensorflow as tf

    converter, representative = _converter(model, inputs)
    if what == "quantize":
        Path(out).write_bytes(converter.convert())
        return
    debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_dataset=representative)
    debugger.run()
    table = io.StringIO()
    debugger.layer_statistics_dump(table)
    errors = {
        f"{row['op_name'].lower()} {row['tensor_name'].split(';')[0]}": sqrt(float(row["mean_squared_error"]))
        / float(row["scale"])
        for row in csv.DictReader(io.StringIO(table.getvalue()))
        if float(row["scale"])
    }
    worst = sorted(errors, key=errors.__getitem__, reverse=True)
    Path(out).write_text("".join(f"{name} ({errors[name]:.2f})\n" for name in worst), "utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
