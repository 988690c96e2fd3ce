"""The native engine: the same answers as the Interpreter, refusals before the library sees a byte, no GIL."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import float_text
import numpy as np
import pytest
import small_text
import small_voice

from edgeemo import Bundle, Recognizer, Runtime, backends
from edgeemo.backends import InterpreterBackend, NativeBackend
from edgeemo.bundle import shipped
from edgeemo.errors import (
    BundleCorruptError,
    DelegateError,
    InferenceError,
    InputError,
    InputTypeError,
    RuntimeUnavailableError,
)

SMALL_TEXT = small_text.FLATBUFFER.read_bytes()
NOWHERE = "/nowhere/libLiteRt.so"


def models() -> dict[str, bytes]:
    own = {
        "small-text": SMALL_TEXT,
        "small-voice": small_voice.FLATBUFFER.read_bytes(),
        "float-text": float_text.FLATBUFFER.read_bytes(),
    }
    return own | {name: Bundle.open(path).flatbuffer for name, path in shipped().items()}


def an_input(info: backends.TensorInfo, rng: np.random.Generator) -> np.ndarray:
    if info.dtype == np.float32:
        return rng.normal(size=info.shape).astype(np.float32)
    low, high = (-128, 128) if info.dtype == np.int8 else (0, 4)
    return rng.integers(low, high, info.shape).astype(info.dtype)


@pytest.mark.parametrize("name", list(models()))
def test_native_gives_the_interpreters_bits(name: str) -> None:
    native, interpreter = NativeBackend(models()[name]), InterpreterBackend(models()[name])
    assert native.inputs == interpreter.inputs
    assert native.outputs == interpreter.outputs
    rng = np.random.default_rng(7)
    for _ in range(20):
        values = [an_input(info, rng) for info in native.inputs]
        for ours, theirs in zip(native.invoke(*values), interpreter.invoke(*values), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)


def test_text_predictions_are_equal(shipped_text: str) -> None:
    texts = ["I love you so much!", "How dare you.", "", "😀", "The meeting is on Tuesday. " * 40]
    with Recognizer.open(shipped_text) as ours, Recognizer.open(shipped_text, backend="litert") as theirs:
        assert (ours.runtime.info.backend, theirs.runtime.info.backend) == ("native", "litert")
        assert ours.predict_batch(texts) == theirs.predict_batch(texts)  # type: ignore[attr-defined]


def test_voice_predictions_are_equal(small_voice_path: Path) -> None:
    pcm = np.concatenate(
        [small_voice.voice("anger", 1.5), small_voice.silence(1), small_voice.voice("sadness", 2)]
    )
    with (
        Recognizer.open(small_voice_path) as ours,
        Recognizer.open(small_voice_path, backend="litert") as theirs,
    ):
        assert ours.predict(pcm, rate_hz=16_000) == theirs.predict(pcm, rate_hz=16_000)


def test_without_the_library_the_interpreter_answers_and_info_says_why(
    monkeypatch: pytest.MonkeyPatch, small_text_path: Path
) -> None:
    monkeypatch.setattr(backends, "litert_library", lambda: NOWHERE)
    with Recognizer.open(small_text_path) as recognizer:
        info = recognizer.runtime.info
        assert info.backend == "litert"
        assert "the native engine is not used" in info.reason
        assert NOWHERE in info.reason
        assert recognizer.predict("so happy!").label == "happiness"


def test_the_native_backend_asked_for_by_name_works_or_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Runtime(SMALL_TEXT, backend="native").info.backend == "native"
    monkeypatch.setattr(backends, "litert_library", lambda: NOWHERE)
    with pytest.raises(RuntimeUnavailableError, match="install ai-edge-litert"):
        Runtime(SMALL_TEXT, backend="native")


def test_another_library_is_not_taken_for_litert() -> None:
    with pytest.raises(RuntimeUnavailableError, match="is not LiteRT, or older than"):
        NativeBackend(SMALL_TEXT, library="libm.so.6")


def test_the_folder_of_litert_need_not_be_utf_8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9")))  # noqa: PTH118
    folder.mkdir()
    path = folder / "libLiteRt.so"
    with pytest.raises(RuntimeUnavailableError) as caught:
        NativeBackend(SMALL_TEXT, library=str(path))
    assert str(path) in str(caught.value)
    path.symlink_to(backends.litert_library())
    assert NativeBackend(SMALL_TEXT, library=str(path)).library == str(path)


def test_a_model_must_be_bytes() -> None:
    with pytest.raises(InputTypeError, match="Expected a model as bytes, got str"):
        NativeBackend("text.tflite")  # type: ignore[arg-type]


def test_an_installed_litert_is_found_without_importing_it() -> None:
    script = (
        "import sys\nfrom edgeemo.backends import litert_library\n"
        "print(litert_library(), 'ai_edge_litert' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    path, imported = done.stdout.split()
    assert Path(path).name == "libLiteRt.so"
    assert imported == "False"


@pytest.mark.parametrize("size", [0, 1, 7, 8, 31, 32, 100, len(SMALL_TEXT) // 2, len(SMALL_TEXT) - 1])
def test_a_cut_model_is_refused_before_a_library_is_even_looked_for(size: int) -> None:
    with pytest.raises(BundleCorruptError, match=r"TFLite model|flatbuffer is broken"):
        NativeBackend(SMALL_TEXT[:size], library=NOWHERE)


@pytest.mark.parametrize("root", [0, 1, 4, 0x7FFFFFFF, 0xFFFFFFFF, len(SMALL_TEXT) - 4, len(SMALL_TEXT)])
def test_a_root_that_points_elsewhere_is_refused(root: int) -> None:
    with pytest.raises(BundleCorruptError):
        NativeBackend(struct.pack("<I", root) + SMALL_TEXT[4:], library=NOWHERE)


def test_broken_offsets_are_refused_and_never_read_beyond_the_bytes() -> None:
    choose = random.Random(3)
    structure = SMALL_TEXT[:4096]
    refused = 0
    for _ in range(3000):
        data = bytearray(SMALL_TEXT)
        for _ in range(choose.randint(1, 4)):
            struct.pack_into("<I", data, choose.randrange(0, len(structure) - 4, 4), choose.getrandbits(32))
        try:
            NativeBackend(bytes(data), library=NOWHERE)
        except (BundleCorruptError, InferenceError):
            refused += 1
        except RuntimeUnavailableError:  # whole: a weight or a scale has changed, which digests guard
            pass
    assert refused > 300


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_change_nothing_in_the_answers(threads: int) -> None:
    ids = np.array([[2, 1, 3, 0, 0, 0, 0, 0]], np.int32)
    one, many = NativeBackend(SMALL_TEXT), NativeBackend(SMALL_TEXT, threads=threads)
    for a, b in zip(one.invoke(ids), many.invoke(ids), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [0, -1, 65])
def test_a_number_of_threads_out_of_range_is_refused(threads: int) -> None:
    with pytest.raises(InputError, match="1 to 64"):
        NativeBackend(SMALL_TEXT, threads=threads)


def test_a_delegate_we_do_not_have_is_refused() -> None:
    with pytest.raises(DelegateError, match="expected 'auto', 'cpu' or 'gpu'"):
        NativeBackend(SMALL_TEXT, delegate="npu")


@pytest.mark.parametrize(
    "inputs",
    [
        (),
        (np.zeros((1, 8), np.int32), np.zeros((1, 8), np.int32)),
        (np.zeros((1, 9), np.int32),),
        (np.zeros((1, 8), np.int64),),
        (np.zeros((1, 16), np.int32)[:, ::2],),
        ([[0] * 8],),
        (np.full((1, 8), 1_000_000, np.int32),),
    ],
    ids=["none", "two", "too long", "int64", "gaps", "a list", "ids out of range"],
)
def test_tensors_the_model_cannot_take_are_an_inference_error(inputs: tuple[Any, ...]) -> None:
    backend = NativeBackend(SMALL_TEXT)
    with pytest.raises(InferenceError):
        backend.invoke(*inputs)
    assert len(backend.invoke(np.zeros((1, 8), np.int32))) == 2  # and works on


def test_several_engines_in_several_threads_give_what_one_gives() -> None:
    rng = np.random.default_rng(5)
    ids = [rng.integers(0, 4, (1, 8)).astype(np.int32) for _ in range(50)]
    expected = [NativeBackend(SMALL_TEXT).invoke(x) for x in ids]
    shared = NativeBackend(SMALL_TEXT)
    wrong: list[int] = []

    def work(own: NativeBackend) -> None:
        for _ in range(20):
            for k, x in enumerate(ids):
                for backend in (own, shared):
                    for a, b in zip(backend.invoke(x), expected[k], strict=True):
                        if not np.array_equal(a, b):
                            wrong.append(k)

    threads = [threading.Thread(target=work, args=(NativeBackend(SMALL_TEXT),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_other_threads_run_while_the_model_does(shipped_text: str) -> None:
    backend = NativeBackend(Bundle.open(shipped_text).flatbuffer)
    ids = np.zeros(backend.inputs[0].shape, np.int32)
    before = sys.getswitchinterval()
    sys.setswitchinterval(100)  # nobody is made to give the GIL away
    done = threading.Event()

    def work() -> None:
        for _ in range(2000):
            backend.invoke(ids)
        done.set()

    thread = threading.Thread(target=work)
    try:
        thread.start()
        turns = 0
        while not done.is_set():
            turns += 1
            time.sleep(0)
    finally:
        thread.join()
        sys.setswitchinterval(before)
    assert turns > 10


def test_a_closed_runtime_lets_its_engine_go_while_others_work_on() -> None:
    first, second = Runtime(SMALL_TEXT), Runtime(SMALL_TEXT)
    first.close()
    assert second.run(np.zeros((1, 8), np.int32))["labels"].shape == (1, 5)
