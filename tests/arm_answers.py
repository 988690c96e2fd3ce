"""Print the answers of this machine to fixed inputs, as JSON; `test_arm.py` compares two machines.

Run as ``python -P tests/arm_answers.py``, this folder in ``PYTHONPATH``, by a Python that has edgeemo.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import c_abi
import numpy as np
from edgeemo.converters.golden import RATE_HZ, SIDE, SIGNALS, TEXTS, drawing, signal

from edgeemo import Bundle, FaceDetector, LicenseWarning, Recognizer, _core
from edgeemo.backends import NativeBackend
from edgeemo.bundle import shipped
from edgeemo.card import DetectorCard

HERE = Path(__file__).parent
INT8 = (0.04, 3)  # a scale and a zero point, as models have them
ASIMDDP = 1 << 20  # of HWCAP on aarch64: dot products, which a Cortex-A72 lacks


def main() -> None:
    """Print the answers; the models' own are those of the shipped bundles, from Python and from C."""
    warnings.simplefilter("ignore", LicenseWarning)
    hwcap = ctypes.CDLL(None).getauxval(16)
    answers = {
        "machine": os.uname().machine,
        "cpuinfo": Path("/proc/cpuinfo").read_text("utf-8"),
        "dot_products": bool(hwcap & ASIMDDP),
        "integers": {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in integers()},
        "bundles": {name: read(name, path) for name, path in shipped().items()},
    }
    print(json.dumps(answers))


def integers() -> Iterator[tuple[str, np.ndarray]]:
    """Yield what must be the same to the bit everywhere: ids, mel spans, crops, and all of it in int8."""
    golden = json.loads((HERE / "golden" / "text_frontend.json").read_text("utf-8"))
    for i, case in enumerate(golden["cases"]):
        frontend = _core.TextFrontend(_core.TextSpec.from_dict(case["spec"]), golden["vocab"])
        yield f"ids {i}", frontend.compute_batch([*golden["texts"], *TEXTS])
    for named, spec in VOICES.items():
        voice = _core.VoiceFrontend(spec)
        for name in SIGNALS:
            for rate_hz in (8000, 16_000, 22_050, 44_100, 48_000):
                spans = np.asarray(voice.compute(signal(name), rate_hz).features)
                yield f"mel {named}, {name} at {rate_hz}", spans
                yield f"mel {named}, {name} at {rate_hz}, int8", _core.quantize(spans, *INT8)
    for named, form in FACES.items():
        face = _core.FaceFrontend(form)
        for color, picture in pictures():
            for where, place in PLACES.items():
                what = f"crop {named} of {color}, {where}"
                yield what, face.compute(picture, color, **place)
                yield f"{what}, int8", face.compute_int8(picture, color, *INT8, **place)


VOICES = {
    "default": _core.VoiceSpec(),
    "kaldi": _core.VoiceSpec(window_shape="povey", mel_scale="kaldi", sample_scale=32768.0),
    "pcen": _core.VoiceSpec(
        compression="pcen", normalization="mean_std", mel_scale="slaney", mel_norm="area"
    ),
}
FACES = {
    "gray": _core.FaceSpec(),
    "rgb": _core.FaceSpec(channels="rgb", normalization="mean_std", width=96, height=96, gain=0.5),
}
PLACES: dict[str, dict[str, Any]] = {
    "box": {"box": (20.3, 11.7, 301.2, 190.4)},
    "close": {"box": (40.5, 30.25, 58.0, 49.0)},
    "border": {"box": (-50.0, 100.0, 150.0, 300.0)},
    "eyes": {"eyes": ((100.0, 80.0), (200.0, 107.0))},
}


def pictures() -> Iterator[tuple[Any, np.ndarray]]:
    """Yield noise from a linear congruential generator (Numerical Recipes' constants), over ramps."""
    height, width, x = 240, 320, 1
    noise = np.empty(height * width * 4, np.uint8)
    for i in range(len(noise)):
        x = (1664525 * x + 1013904223) % 2**32
        noise[i] = (x >> 27) + i % (width * 4) // 8
    for color, shape in (("gray", (height, width)), ("rgb", (height, width, 3)), ("bgr", (height, width, 3))):
        yield color, noise[: np.prod(shape)].reshape(shape)
    yield "rgba", noise.reshape(height, width, 4)
    yield "yuyv", noise[: height * width * 2].reshape(height, width, 2)
    yield "nv12", noise[: height * width * 3 // 2].reshape(height * 3 // 2, width)


def read(name: str, path: Path) -> dict[str, Any]:
    """Say what a bundle says of its golden inputs, from Python and, if it recognizes emotions, from C."""
    card = Bundle.open(path).card
    if isinstance(card, DetectorCard):
        with FaceDetector.open(path) as detector:
            found = [
                detector.detect(np.pad(drawing(g["drawing"]), 48, constant_values=90), "gray")
                for g in card.golden
            ]
        return {"faces": [[[*face.box, face.score] for face in faces] for faces in found]}
    with Recognizer.open(path) as recognizer, c_abi.opened(path) as handle:
        reader: Any = recognizer
        tensors: list[np.ndarray] = []
        run = recognizer.runtime.run

        def keep(*inputs: np.ndarray) -> Any:
            tensors.extend(inputs)
            return run(*inputs)

        recognizer.runtime.run = keep  # type: ignore[method-assign]
        results, ours = [], []
        for example in card.golden:
            if card.modality == "text":
                results.append(reader.predict(example["text"]))
                ours.append(c_abi.text(handle, example["text"].encode()))
            elif card.modality == "voice":
                results.append(reader.predict(signal(example["signal"]), rate_hz=RATE_HZ))
                ours.append(c_abi.clip(handle, signal(example["signal"]), RATE_HZ))
            else:
                box = (0, 0, SIDE, SIDE)
                results.append(reader.predict(drawing(example["drawing"]), "gray", [box]))
                ours.append(c_abi.picture(handle, drawing(example["drawing"]), "gray"))
        ((scale, zero_point, dtype),) = {
            (info.scale, info.zero_point, info.dtype) for info in recognizer.runtime.inputs.values()
        }
        exact = [_core.quantize(t, scale, zero_point) if t.dtype != dtype else t for t in tensors]
        return {
            "backend": recognizer.runtime.info.backend,
            "reason": recognizer.runtime.info.reason,
            "inputs": hashlib.sha256(b"".join(array.tobytes() for array in exact)).hexdigest(),
            "labels": [result.label for result in results],
            "scores": [result.scores.tolist() for result in results],
            "numbers": [c_abi.numbers_of(result) for result in results],
            "from_c": [result.numbers() for result in ours],
            "outputs": outputs(recognizer.bundle.flatbuffer),
        }


def outputs(flatbuffer: bytes) -> list[int]:
    """Run a model on noise, and return its int8 outputs as they come."""
    backend, rng, found = NativeBackend(flatbuffer), np.random.default_rng(5), []
    for _ in range(30):
        values = [
            rng.integers(-128, 128, info.shape, np.int8)
            if info.dtype == np.int8
            else rng.integers(0, 1000, info.shape).astype(info.dtype)
            for info in backend.inputs
        ]
        found += [int(x) for output in backend.invoke(*values) for x in output.reshape(-1)]
    return found


if __name__ == "__main__":
    main()
