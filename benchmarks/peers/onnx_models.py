"""Our models as ONNX: tf2onnx converts the `.tflite`, in int8 as it is (QDQ) or in float."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edgeemo import Bundle
from edgeemo.errors import ConversionError

from ..parts.row import CACHE

BUNDLES = ("text", "voice", "face", "face-detector")
KINDS = {"int8": (), "float": ("--dequantize",)}
OPSET = 17


def path_of(bundle: Bundle, kind: str) -> Path:
    """Return the path of this model as ONNX."""
    return CACHE / "copies" / f"{bundle.card.name}-{bundle.card.flatbuffer_sha256[:12]}-{kind}.onnx"


def make() -> None:
    """Write the ONNX models that are missing.

    Raises:
        ConversionError: tf2onnx failed; its last words.
    """
    for name in BUNDLES:
        bundle = Bundle.open(name)
        for kind, options in KINDS.items():
            out = path_of(bundle, kind)
            if out.is_file():
                continue
            out.parent.mkdir(parents=True, exist_ok=True)
            model = out.with_suffix(".tflite")
            model.write_bytes(bundle.flatbuffer)
            command = [sys.executable, "-m", "tf2onnx.convert", "--tflite", str(model), "--opset", str(OPSET)]
            partial = out.with_suffix(".new")
            done = subprocess.run(
                [*command, "--output", str(partial), *options], capture_output=True, text=True, check=False
            )
            model.unlink()
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
                raise ConversionError(f"tf2onnx cannot read {name}: {last}; see its other versions.")
            partial.rename(out)
