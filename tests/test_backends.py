"""Backends: every interpreter gives the same answers from the same bundle."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import small_text

from edgeemo import Bundle, Recognizer, Runtime
from edgeemo.backends import INTERPRETERS, Backend, FakeBackend, InterpreterBackend, TensorInfo
from edgeemo.bundle import shipped
from edgeemo.card import ModelCard
from edgeemo.errors import DelegateError, InferenceError, RuntimeUnavailableError

ROOT = Path(__file__).parent.parent
LEGACY_PYTHON = Path(os.environ.get("EDGEEMO_LEGACY_PYTHON", ROOT / ".venv-legacy" / "bin" / "python"))
TEXTS = [
    *(text for text, _, _ in small_text.TABLE),
    "I love you so much, this made my day!",
    "This is disgusting and I am so angry.",
    "The meeting is on Tuesday.",
    "I'm scared that they will leave.",
]
SCRIPT = """
import json, sys
import numpy as np
from edgeemo import Recognizer
texts = json.loads(sys.argv[3])

def buzz(seed):  # made-up syllables: a gliding, pulsed harmonic tone in a little noise, 3 s
    rng = np.random.default_rng(seed)
    t = np.arange(48000) / 16000
    phase = 2 * np.pi * np.cumsum(rng.uniform(100, 250) * (1 + 0.2 * np.sin(2 * np.pi * t))) / 16000
    tone = sum(np.sin(k * phase) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 2 * t) > -0.3)
    return (0.1 * tone + 0.001 * rng.normal(size=t.size)).astype(np.float32)

with Recognizer.open(sys.argv[1], backend=sys.argv[2]) as recognizer:
    info = recognizer.runtime.info
    if recognizer.card.modality == "voice":
        results = [recognizer.predict(buzz(i), rate_hz=16000).to_dict() for i, _ in enumerate(texts)]
    elif recognizer.card.modality == "face":  # a drawing: bright, with dark eyes and a mouth that opens
        results = []
        for i, _ in enumerate(texts):
            picture = np.full((96, 96), 200, np.uint8)
            picture[30:38, 22:38] = picture[30:38, 58:74] = 40
            picture[66 : 70 + 2 * i, 30:66] = 80
            results.append(recognizer.predict(picture, "gray", [(0, 0, 96, 96)]).to_dict())
    else:
        results = [recognizer.predict(text).to_dict() for text in texts]
print(json.dumps({"backend": info.backend, "results": results}))
"""


def bundles() -> list[str]:
    """The small text bundle and whatever is shipped."""
    return ["small-text", *(name for name in shipped() if isinstance(Bundle.open(name).card, ModelCard))]


def answers(python: Path | str, bundle: str, backend: str) -> list[dict[str, object]]:
    """Predict in a process of its own: two TensorFlow Lite runtimes in one process is nobody's use."""
    environment = {**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [python, "-c", SCRIPT, bundle, backend, json.dumps(TEXTS)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    assert answer["backend"] == backend
    results: list[dict[str, object]] = answer["results"]
    return results


def assert_alike(
    ours: list[dict[str, object]], theirs: list[dict[str, object]], *, tolerance: float = 0.02
) -> None:
    for text, a, b in zip(TEXTS, ours, theirs, strict=True):
        for field in ("scores", "fine"):
            x, y = a[field], b[field]
            assert isinstance(x, dict)
            assert isinstance(y, dict)
            assert y == pytest.approx(x, abs=tolerance), text
        assert b["valence"] == pytest.approx(a["valence"], abs=tolerance)
        assert b["arousal"] == pytest.approx(a["arousal"], abs=tolerance)
        best, second = sorted(a["scores"].values(), reverse=True)[:2]  # type: ignore[attr-defined]
        if best - second > 2 * tolerance:
            assert b["label"] == a["label"], text


@pytest.mark.parametrize("bundle", bundles())
def test_tf_lite_answers_as_litert_does(bundle: str, small_text_path: Path) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("needs edgeemo[train]")
    path = str(small_text_path) if bundle == "small-text" else bundle
    assert_alike(answers(sys.executable, path, "litert"), answers(sys.executable, path, "tf.lite"))


@pytest.mark.parametrize("bundle", bundles())
def test_tflite_runtime_answers_as_litert_does(bundle: str, small_text_path: Path) -> None:
    if not LEGACY_PYTHON.exists():
        pytest.skip(f"no environment with edgeemo[legacy] at {LEGACY_PYTHON}: run `make legacy`")
    path = str(small_text_path) if bundle == "small-text" else str(shipped()[bundle])
    # a block of speech at its threshold moves the evidence, by which all scores of a voice are weighed
    assert_alike(
        answers(sys.executable, path, "litert"),
        answers(LEGACY_PYTHON, path, "tflite-runtime"),
        tolerance=0.05 if bundle == "voice" else 0.02,
    )


def test_a_comparison_of_different_answers_fails(small_text_path: Path) -> None:
    ours = answers(sys.executable, str(small_text_path), "litert")
    theirs = json.loads(json.dumps(ours))
    theirs[0]["fine"]["joy"] -= 0.05
    with pytest.raises(AssertionError):
        assert_alike(ours, theirs)


def test_native_is_the_default(small_text_path: Path) -> None:
    with Recognizer.open(small_text_path) as recognizer:
        assert recognizer.runtime.info.backend == "native"


def test_tensors_are_described_by_signature_name() -> None:
    backend = InterpreterBackend(small_text.FLATBUFFER.read_bytes())
    assert [(i.name, i.shape, i.dtype.name, i.scale) for i in backend.inputs] == [
        ("ids", (1, small_text.LENGTH), "int32", 0.0)
    ]
    assert [(o.name, o.shape, o.dtype.name) for o in backend.outputs] == [
        ("affect", (1, 2), "int8"),
        ("labels", (1, 5), "int8"),
    ]
    assert all(o.scale > 0 for o in backend.outputs)


def test_outputs_are_new_arrays_each_time() -> None:
    backend = InterpreterBackend(small_text.FLATBUFFER.read_bytes())
    empty, happy = np.zeros((1, 8), np.int32), np.full((1, 8), 2, np.int32)
    first = backend.invoke(empty)
    before = [value.copy() for value in first]
    backend.invoke(happy)
    for value, was in zip(first, before, strict=True):
        np.testing.assert_array_equal(value, was)


@pytest.mark.parametrize("name", ["", "onnx", "LiteRT"])
def test_an_unknown_backend_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(RuntimeUnavailableError, match=r"litert, tflite-runtime, tf\.lite"):
        InterpreterBackend(small_text.FLATBUFFER.read_bytes(), name=name)


@pytest.mark.parametrize("name", list(INTERPRETERS))
def test_a_missing_package_is_named_with_the_way_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, INTERPRETERS[name][0], None)
    with pytest.raises(RuntimeUnavailableError, match="pip install"):
        InterpreterBackend(small_text.FLATBUFFER.read_bytes(), name=name)


def test_a_package_built_for_another_numpy_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise SystemError("returned a result with an exception set")

    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", SimpleNamespace(Interpreter=broken))
    monkeypatch.setitem(sys.modules, "tflite_runtime", SimpleNamespace())
    with pytest.raises(RuntimeUnavailableError, match=r"pip install 'edgeemo\[legacy\]'"):
        InterpreterBackend(small_text.FLATBUFFER.read_bytes(), name="tflite-runtime")


@pytest.mark.parametrize("delegate", ["gpu", "", "XNNPACK", "AUTO", "/nowhere/delegate.so"])
def test_a_delegate_we_do_not_have_is_refused_not_replaced(delegate: str) -> None:
    with pytest.raises(DelegateError, match=r"has no GPU|expected 'auto', 'cpu', 'gpu' or the path"):
        InterpreterBackend(small_text.FLATBUFFER.read_bytes(), delegate=delegate)


@pytest.mark.parametrize("flatbuffer", [b"\x1c\0\0\0TFL3" + bytes(100), b"nothing like a model" * 10])
def test_a_model_the_library_refuses_is_an_inference_error(flatbuffer: bytes) -> None:
    with pytest.raises(InferenceError, match=r"litert refuses the model: .* upgrade the runtime"):
        InterpreterBackend(flatbuffer)


@pytest.mark.parametrize(
    "inputs",
    [
        (),
        (np.zeros((1, 8), np.int32), np.zeros((1, 8), np.int32)),
        (np.zeros((1, 9), np.int32),),
        (np.zeros((1, 8), np.int64),),
        (np.zeros((1, 8), np.float32),),
        (np.zeros(8, np.int32),),
        (np.full((1, 8), 1_000_000, np.int32),),
    ],
    ids=["none", "two", "too long", "int64", "float", "flat", "ids out of range"],
)
def test_tensors_the_model_cannot_take_are_an_inference_error(inputs: tuple[np.ndarray, ...]) -> None:
    backend = InterpreterBackend(small_text.FLATBUFFER.read_bytes())
    with pytest.raises(InferenceError, match="litert could not run the model"):
        backend.invoke(*inputs)
    assert len(backend.invoke(np.zeros((1, 8), np.int32))) == 2  # and works on


def test_a_python_function_can_stand_in_for_a_model() -> None:
    info = TensorInfo("x", (1,), np.dtype(np.float32), 0.0, 0)
    fake: Backend = FakeBackend(lambda x: [x * 2], [info], [info])
    made = Runtime(b"", backend=fake).run(np.array([3.0], np.float32))
    assert made["x"].tolist() == [6.0]
