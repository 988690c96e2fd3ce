"""Results know themselves: their model, its version, their own form and the stream they come from."""

from __future__ import annotations

import ctypes
import pickle
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import c_abi
import numpy as np
import pytest
import small_face
import small_voice

import edgeemo
from edgeemo import EmotionResult, FaceRecognizer, Recognizer, VoiceRecognizer, errors, native_paths
from edgeemo.errors import EdgeemoError, InputTypeError
from edgeemo.types import RESULT_SCHEMA

CLIP = small_voice.voice("sadness", 2.0)
SCENE = small_face.scene([("happiness", 100, 20, 60)])


@pytest.fixture
def voice(small_voice_path: Path) -> Iterator[VoiceRecognizer]:
    with VoiceRecognizer.open(small_voice_path) as opened:
        yield opened


def who(result: EmotionResult) -> tuple[Any, ...]:
    said = result.to_dict()
    names = ("model", "version", "schema", "source")
    assert tuple(said[name] for name in names) == tuple(getattr(result, name) for name in names)
    return tuple(said[name] for name in names)


def test_a_result_names_its_model_and_no_source(
    small_text_path: Path, voice: VoiceRecognizer, small_face_recognizer: FaceRecognizer
) -> None:
    with Recognizer.open(small_text_path) as text:
        assert who(text.predict("so happy")) == ("small-text", "1.0.0", RESULT_SCHEMA, None)
        assert who(text.predict("")) == ("small-text", "1.0.0", RESULT_SCHEMA, None)
    assert who(voice.predict(CLIP, small_voice.RATE))[3] is None
    card = small_face_recognizer.card
    for result in (*small_face_recognizer.predict_all(SCENE), small_face_recognizer.predict(SCENE)):
        assert who(result) == (card.name, card.version, RESULT_SCHEMA, None)


@pytest.mark.parametrize("source", ["front-door", "Küche", None])
def test_results_of_a_stream_carry_its_name(
    source: str | None, voice: VoiceRecognizer, small_face_recognizer: FaceRecognizer
) -> None:
    stream = voice.stream(small_voice.RATE, source=source)
    results = [*stream.push(CLIP, 0), *stream.flush(), stream.summary()]
    faces = small_face_recognizer.stream(source=source)
    results += [result for i in range(3) for result in faces.push(SCENE, 40 * i)]
    assert len(results) > 4
    assert {result.source for result in results} == {source}
    assert (stream.source, faces.source) == (source, source)


def test_a_source_that_is_no_text_is_refused(
    voice: VoiceRecognizer, small_face_recognizer: FaceRecognizer
) -> None:
    with pytest.raises(InputTypeError, match="expected a str as source, got int"):
        voice.stream(small_voice.RATE, source=5)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="expected a str as source, got bytes"):
        small_face_recognizer.stream(source=b"x")  # type: ignore[arg-type]


def test_the_stream_of_a_result_is_part_of_its_value(voice: VoiceRecognizer) -> None:
    one, other = (voice.stream(small_voice.RATE, source=name).summary() for name in ("a", "b"))
    assert one != other
    assert replace(one, source="b") == other
    assert pickle.loads(pickle.dumps(one)) == one


# --- C ---


def test_results_of_c_know_themselves(small_text_path: Path, small_voice_path: Path) -> None:
    with c_abi.opened(small_text_path) as recognizer:
        result = c_abi.text(recognizer, b"so happy")
        assert (result.model, result.version) == (b"small-text", b"1.0.0")
        assert (result.schema, result.source) == (RESULT_SCHEMA, None)
    with c_abi.opened(small_voice_path) as recognizer:
        stream = c_abi.Stream(recognizer, small_voice.RATE)
        handle, result = stream._handle, c_abi.result_for(recognizer)
        for name in (b"front-door", None):
            assert c_abi.LIB.edgeemo_stream_set_source(handle, name) == c_abi.OK
            stream.push(CLIP, 0)
            assert c_abi.LIB.edgeemo_stream_summary(handle, ctypes.byref(result)) == c_abi.OK
            assert result.source == name
        stream.close()


def test_an_old_program_gets_no_more_than_it_knows(small_text_path: Path) -> None:
    with c_abi.opened(small_text_path) as recognizer:
        result = c_abi.result_for(recognizer)
        result.struct_size = c_abi.Result.model.offset
        code = c_abi.LIB.edgeemo_predict_text(
            recognizer, b"so happy", ctypes.c_size_t(8), ctypes.byref(result)
        )
        assert code == c_abi.OK
        assert (result.model, result.version, result.source, result.schema) == (None, None, None, 0)


def all_errors(root: type[EdgeemoError] = EdgeemoError) -> Iterator[type[EdgeemoError]]:
    yield root
    for kind in root.__subclasses__():
        yield from all_errors(kind)


def test_the_codes_of_errors_are_those_of_c() -> None:
    header = (native_paths.paths()["include"] / "edgeemo" / "edgeemo.h").read_text("utf-8")
    codes = {name: int(code) for name, code in re.findall(r"EDGEEMO_ERROR_(\w+) \((-\d+)\)", header)}
    ours = {
        "INPUT": errors.InputError, "SPEC": errors.SpecError, "NOT_FOUND": errors.BundleNotFoundError,
        "CORRUPT": errors.BundleCorruptError, "VERSION": errors.BundleVersionError,
        "MISMATCH": errors.BundleMismatchError, "BUNDLE": errors.BundleError,
        "RUNTIME": errors.RuntimeUnavailableError, "DELEGATE": errors.DelegateError,
        "INFERENCE": errors.InferenceError, "INTERNAL": errors.EdgeemoError,
    }  # fmt: skip
    assert {name: kind.code for name, kind in ours.items()} == {
        n: c for n, c in codes.items() if n != "MEMORY"
    }
    assert all(kind.code < 0 for kind in all_errors())
    assert errors.InputTypeError("x").code == errors.InputError.code


# --- one crossing ---


def crossings(work: Callable[[], object]) -> list[str]:
    """Return the native functions that Python calls while ``work`` runs."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, function: Any) -> None:
        owner = type(getattr(function, "__self__", None)).__name__
        if event == "c_call" and ("pybind11" in owner or owner == "PyCapsule"):
            calls.append(function.__name__)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_a_text_a_push_and_a_frame_cross_the_border_once(
    small_text_path: Path, voice: VoiceRecognizer, small_face_recognizer: FaceRecognizer
) -> None:
    with Recognizer.open(small_text_path) as text:
        assert crossings(lambda: text.predict("so happy")) == ["predict_text"]
    stream, second = voice.stream(small_voice.RATE), np.tile(CLIP, 2)
    assert crossings(lambda: stream.push(second, 0)) == ["push"]
    assert crossings(lambda: voice.predict(second, small_voice.RATE)) == ["predict_pcm"]
    faces = small_face_recognizer.stream()
    faces.push(SCENE, 0)  # opens the detector, which is the tests' own: it calls compute
    assert crossings(lambda: faces.push(SCENE, 40)) == ["push", "compute"]
    assert crossings(lambda: small_face_recognizer.predict(SCENE)) == ["predict_front", "compute"]


def test_the_package_is_quiet_until_it_is_asked(
    caplog: pytest.LogCaptureFixture, small_text_path: Path
) -> None:
    with caplog.at_level("INFO", logger="edgeemo"):
        edgeemo.Recognizer.open(small_text_path).close()
    assert [record.name for record in caplog.records] == ["edgeemo"]
    assert "native/cpu" in caplog.text
