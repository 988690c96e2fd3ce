"""Keras to int8 bundle: quantize, verify, write (extra `train`). Installed as ``edgeemo.converters``.

`edgeemo.converters.inspect` looks into finished bundles and needs no TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .verify import Verification


def convert(
    model: Path, calibration: Path, out: Path, *, card: Path | None = None, vocab: Path | None = None
) -> Verification:
    """See `edgeemo.converters.convert.convert`."""
    from .convert import convert

    return convert(model, calibration, out, card=card, vocab=vocab)


def verify(model: Path, bundle: Path, manifest: Path) -> Verification:
    """See `edgeemo.converters.verify.verify`."""
    from .verify import verify

    return verify(model, bundle, manifest)
