"""libedgeemo.so as a C program sees it, through ctypes; for tests."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_double, c_float, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np

from edgeemo.backends import litert_library
from edgeemo.errors import InputError
from edgeemo.native_paths import LIBRARY, paths

OK, NOTHING, INPUT, SPEC, NOT_FOUND, CORRUPT, VERSION, MISMATCH, BUNDLE = 0, 1, -1, -2, -3, -4, -5, -6, -7
RUNTIME, DELEGATE, INFERENCE = -8, -9, -10
COLORS = ("gray", "rgb", "bgr", "rgba", "yuyv", "nv12")


class Sized(ctypes.Structure):
    """A struct that begins with its own size."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(struct_size=ctypes.sizeof(type(self)), **fields)


class Options(Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("threads", c_int32),
        ("library", ctypes.c_char_p),
        ("delegate", ctypes.c_char_p),
        ("detector", ctypes.c_char_p),
        ("delegate_options", ctypes.c_char_p),
    ]


class Result(Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("label", c_int32),
        ("probabilities", POINTER(c_float)),
        ("n_probabilities", c_uint32),
        ("truncated", c_uint32),
        ("scores", c_float * 8),
        ("confidence", c_float),
        ("valence", c_float),
        ("arousal", c_float),
        ("evidence", c_float),
        ("start_ms", c_int64),
        ("end_ms", c_int64),
        ("track_id", c_int64),
        ("box", c_double * 4),
        ("eyes", c_double * 4),
        ("face_score", c_double),
        ("model", ctypes.c_char_p),
        ("version", ctypes.c_char_p),
        ("source", ctypes.c_char_p),
        ("schema", c_int32),
        ("reserved", c_int32),
        ("kind", c_int32),
        ("unused", c_int32),
        ("bursts", POINTER(c_float)),
        ("burst_labels", POINTER(ctypes.c_char_p)),
        ("n_bursts", c_uint32),
        ("burst", c_int32),
        ("burst_scores", c_float * 8),
        ("burst_valence", c_float),
        ("burst_arousal", c_float),
    ]

    def numbers(self) -> list[float]:
        """All that `numbers_of` a Python result are."""
        own = [self.probabilities[i] for i in range(self.n_probabilities)]
        rest = [self.valence, self.arousal, self.evidence, self.truncated, self.start_ms, self.end_ms]
        return [*self.scores, *own, *rest]

    def burst_numbers(self) -> list[float]:
        """All that a Python result says of bursts."""
        own = [self.bursts[i] for i in range(self.n_bursts)]
        return [*own, *self.burst_scores, self.burst_valence, self.burst_arousal]

    def face(self) -> list[float]:
        """All that `face_of` a Python result is."""
        return [*self.box, *self.eyes, self.face_score, self.track_id]


class Pcm(Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("channels", c_int32),
        ("int16", c_void_p),
        ("float32", c_void_p),
        ("samples", c_size_t),
    ]


class Image(Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("color", c_int32),
        ("pixels", c_void_p),
        ("width", c_int32),
        ("height", c_int32),
        ("row_stride", ctypes.c_ssize_t),
    ]


class VoiceOptions(Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("results", c_uint32),
        ("onset", c_double),
        ("end", c_double),
        ("least_ms", c_int32),
        ("hang_over_ms", c_int32),
        ("most_ms", c_int32),
        ("reserved", c_int32),
    ]


class FaceOptions(Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("least_hits", c_int32),
        ("most_gap_ms", c_int32),
        ("smooth_ms", c_int32),
    ]


def numbers_of(result: Any) -> list[float]:
    own = [*result.scores.tolist(), *result.probabilities.tolist(), result.valence, result.arousal]
    return [*own, result.evidence, float(result.truncated), result.start_ms, result.end_ms]


def face_of(result: Any) -> list[float]:
    face = result.face
    if face is None:
        return [0.0] * 9 + [result.track_id or 0]
    return [*face.box, *face.eyes[0], *face.eyes[1], face.score, result.track_id or 0]


def load() -> ctypes.CDLL:
    lib = ctypes.CDLL(str(paths()["lib"] / LIBRARY))
    for name in ("last_error", "emotion", "name", "modality", "commercial", "label"):
        getattr(lib, f"edgeemo_{name}").restype = ctypes.c_char_p
    lib.edgeemo_threshold.restype = c_float
    lib.edgeemo_n_labels.restype = lib.edgeemo_n_bursts.restype = c_uint32
    return lib


LIB = load()


def error() -> str:
    return str(LIB.edgeemo_last_error().decode())


def try_open(path: Path | str, **options: Any) -> tuple[int, c_void_p]:
    handle = c_void_p()
    options.setdefault("library", litert_library().encode())
    code = LIB.edgeemo_open(str(path).encode(), byref(Options(**options)), byref(handle))
    return code, handle


@contextmanager
def opened(path: Path | str, **options: Any) -> Iterator[c_void_p]:
    code, handle = try_open(path, **options)
    assert code == OK, error()
    try:
        yield handle
    finally:
        LIB.edgeemo_close(handle)


def result_for(handle: c_void_p) -> Result:
    """A result with room for the labels of a recognizer, and for its bursts."""
    n, m = LIB.edgeemo_n_labels(handle), LIB.edgeemo_n_bursts(handle)
    return Result(probabilities=(c_float * n)(), n_probabilities=n, bursts=(c_float * m)(), n_bursts=m)


def pcm_of(array: np.ndarray) -> Pcm:
    kind = "int16" if array.dtype == np.int16 else "float32"
    channels = 1 if array.ndim == 1 else array.shape[1]
    return Pcm(channels=channels, samples=len(array), **{kind: array.ctypes.data})


def text(handle: c_void_p, given: bytes) -> Result:
    result = result_for(handle)
    assert LIB.edgeemo_predict_text(handle, given, c_size_t(len(given)), byref(result)) == OK, error()
    return result


def clip(handle: c_void_p, array: np.ndarray, rate_hz: int) -> Result:
    result = result_for(handle)
    assert LIB.edgeemo_predict_pcm(handle, byref(pcm_of(array)), rate_hz, byref(result)) == OK, error()
    return result


def stream_results(handle: c_void_p, array: np.ndarray, rate_hz: int, options: VoiceOptions) -> list[Result]:
    """All results of a stream that hears one array and ends; InputError where the options are refused."""
    stream = c_void_p()
    code = LIB.edgeemo_stream_open_voice(handle, rate_hz, 1, byref(options), byref(stream))
    if code == INPUT:
        raise InputError(error())
    assert code == OK, error()
    assert LIB.edgeemo_stream_push(stream, byref(pcm_of(array)), c_int64(0)) == OK, error()
    assert LIB.edgeemo_stream_flush(stream) == OK, error()
    found = [result_for(handle)]
    while LIB.edgeemo_stream_next(stream, byref(found[-1])) == OK:
        found.append(result_for(handle))
    LIB.edgeemo_stream_close(stream)
    return found[:-1]


def image_of(array: np.ndarray, color: str) -> Image:
    """Rows may be apart, pixels not."""
    height, width = array.shape[:2]
    height = height // 3 * 2 if color == "nv12" else height
    place = {"pixels": array.ctypes.data, "row_stride": array.strides[0]}
    image = Image(color=COLORS.index(color), width=width, height=height, **place)
    image.keep = array  # as long as somebody points there
    return image


def picture(handle: c_void_p, array: np.ndarray, color: str, box: tuple[float, ...] | None = None) -> Result:
    image = image_of(array, color)
    result = result_for(handle)
    corners = (c_double * 4)(*box) if box else None
    assert LIB.edgeemo_predict_image(handle, byref(image), corners, byref(result)) == OK, error()
    return result


def front(handle: c_void_p, array: np.ndarray, color: str) -> Result:
    result = result_for(handle)
    code = LIB.edgeemo_predict_front(handle, byref(image_of(array, color)), byref(result))
    assert code == OK, error()
    return result


def faces(handle: c_void_p, array: np.ndarray, color: str, room: int = 64) -> list[Result]:
    results = (Result * room)(*(result_for(handle) for _ in range(room)))
    n = c_uint32(room)
    code = LIB.edgeemo_predict_faces(handle, byref(image_of(array, color)), results, byref(n))
    assert code == OK, error()
    return list(results[: n.value])


class Stream:
    """A voice stream; results as `Result.numbers`."""

    def __init__(self, recognizer: c_void_p, rate_hz: int, channels: int = 1) -> None:
        self._recognizer, self._handle = recognizer, c_void_p()
        code = LIB.edgeemo_stream_open(recognizer, rate_hz, channels, byref(self._handle))
        assert code == OK, error()

    def push(self, chunk: np.ndarray, t_ms: int) -> list[list[float]]:
        code = LIB.edgeemo_stream_push(self._handle, byref(pcm_of(chunk)), c_int64(t_ms))
        if code != OK:
            raise ValueError(error())
        return self._waiting()

    def flush(self) -> list[list[float]]:
        assert LIB.edgeemo_stream_flush(self._handle) == OK, error()
        return self._waiting()

    def summary(self) -> list[float]:
        result = result_for(self._recognizer)
        assert LIB.edgeemo_stream_summary(self._handle, byref(result)) == OK, error()
        return result.numbers()

    def reset(self) -> None:
        assert LIB.edgeemo_stream_reset(self._handle) == OK, error()

    def close(self) -> None:
        LIB.edgeemo_stream_close(self._handle)

    def _waiting(self) -> list[list[float]]:
        found: list[list[float]] = []
        while True:
            result = result_for(self._recognizer)
            code = LIB.edgeemo_stream_next(self._handle, byref(result))
            if code == NOTHING:
                return found
            assert code == OK, error()
            found.append(result.numbers())


class FaceStream:
    """A stream of faces."""

    def __init__(self, recognizer: c_void_p, options: FaceOptions | None = None) -> None:
        self.recognizer, self.handle = recognizer, c_void_p()
        given = None if options is None else byref(options)
        code = LIB.edgeemo_stream_open_faces(recognizer, given, byref(self.handle))
        assert code == OK, error()

    def push(self, frame: np.ndarray, t_ms: int, color: str = "rgb") -> list[Result]:
        code = LIB.edgeemo_stream_push_image(self.handle, byref(image_of(frame, color)), c_int64(t_ms))
        if code != OK:
            raise ValueError(error())
        return self.waiting()

    def waiting(self) -> list[Result]:
        found: list[Result] = []
        while True:
            result = result_for(self.recognizer)
            code = LIB.edgeemo_stream_next(self.handle, byref(result))
            if code == NOTHING:
                return found
            assert code == OK, error()
            found.append(result)

    def reset(self) -> None:
        assert LIB.edgeemo_stream_reset(self.handle) == OK, error()

    def close(self) -> None:
        LIB.edgeemo_stream_close(self.handle)
