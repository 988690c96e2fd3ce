"""Faces through the C ABI: found, read and followed as in Python, to the bit."""

from __future__ import annotations

import copy
import ctypes
import json
import random
import shutil
from collections.abc import Iterator
from ctypes import byref, c_int64, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import float_text
import numpy as np
import numpy.typing as npt
import pytest
import small_face
import small_voice

from edgeemo import Bundle, EmotionResult, FaceDetector, FaceRecognizer, Recognizer, errors
from edgeemo.bundle import CARD_NAME, _zip, shipped
from edgeemo.faces import TrackerSpec

drawings = pytest.importorskip("drawings", reason="draws faces with OpenCV")
c = pytest.importorskip(
    "c_abi", exc_type=errors.RuntimeUnavailableError, reason="built without libedgeemo.so"
)
if not {"face", "face-detector"} <= set(shipped()):
    pytest.skip("face and face-detector are not in this checkout", allow_module_level=True)
pytestmark = pytest.mark.filterwarnings("ignore::edgeemo.errors.LicenseWarning")

drawn, film = drawings.drawn, drawings.film
FACE, DETECTOR = (shipped()[name] for name in ("face", "face-detector"))
Pixels = npt.NDArray[np.uint8]


def same(ours: Any, theirs: EmotionResult) -> None:
    assert ours.face() == c.face_of(theirs)
    numbers = np.array(c.numbers_of(theirs)).astype(np.float32)  # evidence is float32 in C
    np.testing.assert_array_equal(np.array(ours.numbers(), np.float32), numbers)
    assert c.LIB.edgeemo_emotion(ours.label).decode() == theirs.label


@pytest.fixture
def reader() -> Any:
    with Recognizer.open("face") as opened:
        assert isinstance(opened, FaceRecognizer)
        yield opened


def in_all_colors(rgb: Pixels) -> dict[str, tuple[Pixels, str]]:
    import cv2

    gray = np.ascontiguousarray(rgb[..., 1])
    middle = np.full_like(gray, 128)
    wide = np.zeros((rgb.shape[0], rgb.shape[1] + 7, 3), np.uint8)
    wide[:, :-7] = rgb
    return {
        "rgb": (rgb, "rgb"), "bgr": (np.ascontiguousarray(rgb[..., ::-1]), "bgr"), "gray": (gray, "gray"),
        "rgba": (cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), "rgba"),
        "yuyv": (np.dstack([gray, middle]), "yuyv"),
        "nv12": (np.concatenate([gray, middle[: len(gray) // 2]]), "nv12"),
        "rows apart": (wide[:, :-7], "rgb"), "upwards": (rgb[::-1].copy()[::-1], "rgb"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["rgb", "bgr", "gray", "rgba", "yuyv", "nv12", "rows apart", "upwards"])
def test_every_face_is_read_as_in_python(kind: str, reader: FaceRecognizer) -> None:
    array, color = in_all_colors(drawn((2, 10, 30, 90), (5, 180, 90, 120)))[kind]
    with c.opened(FACE) as handle:
        theirs = reader.predict_all(array, color)
        ours = c.faces(handle, array, color)
        assert len(ours) == len(theirs) >= 1
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
        same(c.front(handle, array, color), reader.predict(array, color))
        assert [r.face() for r in c.faces(handle, array, color, room=1)] == [ours[0].face()]


def test_where_there_is_no_face_nothing_is_said(reader: FaceRecognizer) -> None:
    nobody = np.full((120, 160), 90, np.uint8)
    with c.opened(FACE) as handle:
        assert c.faces(handle, nobody, "gray") == []
        result = c.front(handle, nobody, "gray")
        same(result, reader.predict(nobody, "gray"))
        assert result.face() == [0.0] * 10
        assert (result.evidence, result.scores[0]) == (0, 1)
        c.front(handle, drawn((2, 60, 30, 150)), "rgb")
        assert (
            c.front(handle, nobody, "gray").numbers() == result.numbers()
        )  # nothing is left of the one before


def test_a_given_box_is_the_face(reader: FaceRecognizer) -> None:
    picture, box = drawn((2, 60, 30, 150)), (60.5, 30.0, 210.0, 180.25)
    with c.opened(FACE) as handle:
        same(c.picture(handle, picture, "rgb", box), reader.predict(picture, "rgb", [box]))


@pytest.mark.parametrize("seed", range(6))
def test_a_stream_follows_as_pythons(seed: int, reader: FaceRecognizer) -> None:
    """Random rates, gaps, second frames at one time, refused frames and resets."""
    choose = random.Random(seed)
    hits, gap, smooth = ((0, 0, 0), (1, 200, -1), (3, 60_000, 1000))[seed % 3]
    tracker = TrackerSpec(least_hits=hits or 2, most_gap_ms=gap or 600)
    options = c.FaceOptions(least_hits=hits, most_gap_ms=gap, smooth_ms=smooth) if seed else None
    theirs = reader.stream(smooth_ms={0: 300.0, -1: 0.0}.get(smooth, smooth), tracker=tracker)
    with c.opened(FACE) as handle:
        ours, heard, t_ms = c.FaceStream(handle, options), 0, choose.randrange(-1000, 1000)
        for frame in film():
            t_ms += choose.choice((0, 20, 33, 40, 40, 100, 450))
            said, got = theirs.push(frame, t_ms), ours.push(frame, t_ms)
            assert len(got) == len(said)
            for a, b in zip(got, said, strict=True):
                same(a, b)
            heard += len(said)
            if choose.random() < 0.2:
                with pytest.raises(ValueError, match="t_ms went back"):
                    ours.push(frame, t_ms - 1)
                assert ours.waiting() == []
            if choose.random() < 0.05:
                theirs.reset()
                ours.reset()
        assert heard > 10
        ours.close()


def test_what_is_not_taken_goes_with_the_next_frame() -> None:
    frame = drawn((2, 60, 30, 150))
    with c.opened(FACE) as handle:
        stream = c.FaceStream(handle)
        for i in range(5):
            image = c.image_of(frame, "rgb")
            assert c.LIB.edgeemo_stream_push_image(stream.handle, byref(image), c_int64(40 * i)) == c.OK
        (last,) = stream.waiting()
        assert (last.start_ms, last.end_ms, last.track_id) == (0, 160, 1)
        assert c.LIB.edgeemo_stream_flush(stream.handle) == c.OK
        assert stream.waiting() == []
        stream.close()


def test_streams_outlive_their_recognizer() -> None:
    code, handle = c.try_open(FACE)
    assert code == c.OK
    stream = c.FaceStream(handle)
    c.LIB.edgeemo_close(handle)
    image, result = c.image_of(drawn((2, 60, 30, 150)), "rgb"), c.Result()
    for i in range(2):
        assert c.LIB.edgeemo_stream_push_image(stream.handle, byref(image), c_int64(40 * i)) == c.OK
    assert c.LIB.edgeemo_stream_next(stream.handle, byref(result)) == c.OK
    stream.close()


def test_each_kind_of_stream_takes_its_own(small_voice_path: Path) -> None:
    pcm, image, result = c.pcm_of(small_voice.voice("anger", 0.1)), c.image_of(drawn(), "rgb"), c.Result()
    stream = c_void_p(1)
    with c.opened(FACE) as faces, c.opened(small_voice_path) as voices:
        watcher = c.FaceStream(faces)
        assert c.LIB.edgeemo_stream_push(watcher.handle, byref(pcm), c_int64(0)) == c.MISMATCH
        assert "edgeemo_stream_open" in c.error()
        assert c.LIB.edgeemo_stream_summary(watcher.handle, byref(result)) == c.MISMATCH
        watcher.close()
        assert c.LIB.edgeemo_stream_open_faces(voices, None, byref(stream)) == c.MISMATCH
        assert stream.value is None
        assert c.LIB.edgeemo_stream_open(voices, 16_000, 1, byref(stream)) == c.OK
        assert c.LIB.edgeemo_stream_push_image(stream, byref(image), c_int64(0)) == c.MISMATCH
        assert "edgeemo_stream_open_faces" in c.error()
        c.LIB.edgeemo_stream_close(stream)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("least_hits", -4), ("least_hits", 101), ("most_gap_ms", -1), ("most_gap_ms", 60_001),
     ("smooth_ms", -7), ("smooth_ms", 60_001)],
)  # fmt: skip
def test_an_option_out_of_range_is_refused_by_its_name(field: str, wrong: int) -> None:
    stream = c_void_p(1)
    with c.opened(FACE) as handle:
        options = c.FaceOptions(**{field: wrong})
        assert c.LIB.edgeemo_stream_open_faces(handle, byref(options), byref(stream)) == c.INPUT
        assert c.error().startswith(f"{field} must be in [")
        assert f"got {wrong}" in c.error()
        assert stream.value is None


def test_a_detector_may_be_named(tmp_path: Path, boxes_are_crops: None) -> None:
    alone = small_face.write(tmp_path)
    picture = drawn((2, 60, 30, 150))
    with c.opened(alone) as handle:
        image, result = c.image_of(picture, "rgb"), c.Result()
        assert c.LIB.edgeemo_predict_image(handle, byref(image), None, byref(result)) == c.OK
        assert c.LIB.edgeemo_predict_front(handle, byref(image), byref(result)) == c.NOT_FOUND
        assert "Put face-detector.tflite beside small-face" in c.error()
    with c.opened(alone, detector=str(DETECTOR).encode()) as handle:
        named = c.front(handle, picture, "rgb")
    shutil.copy(DETECTOR, tmp_path / "face-detector.tflite")
    with c.opened(alone) as handle:
        beside = c.front(handle, picture, "rgb")
    with FaceDetector.open() as detector:
        (face,) = detector.detect(picture)
    assert named.face() == beside.face() == [*face.box, *face.eyes[0], *face.eyes[1], face.score, 0]
    assert named.numbers() == beside.numbers()


def test_detectors_that_cannot_be_are_refused(tmp_path: Path) -> None:
    junk = tmp_path / "junk.tflite"
    junk.write_bytes(b"no bundle")
    text = Path(float_text.write(tmp_path))
    named = str(DETECTOR).encode()
    assert c.try_open(FACE, detector=str(tmp_path / "none").encode())[0] == c.NOT_FOUND
    assert c.try_open(FACE, detector=str(junk).encode())[0] == c.CORRUPT
    assert c.try_open(FACE, detector=str(FACE).encode())[0] == c.MISMATCH
    assert "finds no faces" in c.error()
    assert c.try_open(DETECTOR)[0] == c.MISMATCH
    assert "recognizes no emotion" in c.error()
    assert c.try_open(text, detector=named)[0] == c.INPUT
    assert "leave the detector out" in c.error()


CODES = {
    errors.SpecError: c.SPEC,
    errors.BundleCorruptError: c.CORRUPT,
    errors.BundleVersionError: c.VERSION,
    errors.BundleMismatchError: c.MISMATCH,
}


def odd_cards(n: int) -> Iterator[dict[str, Any]]:
    """Cards of the shipped detector with one odd value each."""
    good = json.loads(Bundle.open(DETECTOR).card.to_json())
    yield good
    odd: list[dict[str, Any]] = [
        {"detector": {}}, {"labels": ["neutral"]}, {"modality": "voice"}, {"spec_digest": "0" * 16},
        {"outputs": {"logits": "logits", "boxes": "boxes"}}, {"schema": 99},
        {"outputs": {"logits": "logits", "boxes": "boxes", "eyes": "none"}},
        {"outputs": {"logits": "logits", "boxes": "eyes", "eyes": "logits"}},
        {"detector": {**good["detector"], "width": 96}}, {"detector": {**good["detector"], "merge": "worst"}},
        {"detector": {**good["detector"], "most_faces": 257}},
        {"detector": {**good["detector"], "of_mine": 1}},
        {"spec": {**good["spec"], "width": 96, "height": 96}},
    ]  # fmt: skip
    yield from ({**good, **changes} for changes in odd)
    choose = random.Random(2)
    for _ in range(n):
        card = copy.deepcopy(good)
        node = choose.choice([card, card, card["detector"], card["detector"], card["spec"], card["outputs"]])
        node[choose.choice([*node, "other"])] = choose.choice((None, True, -1, 0, 1e9, 3.5, "x", [], {}, "1"))
        yield card


def test_detectors_are_judged_as_python_judges_them(tmp_path: Path) -> None:
    model = Bundle.open(DETECTOR).flatbuffer
    path, good, agreed = tmp_path / "odd.tflite", 0, 0
    for card in odd_cards(150):
        path.write_bytes(model + _zip({CARD_NAME: json.dumps(card).encode()}, len(model)))
        try:
            FaceDetector.open(path).close()
            theirs = c.OK
        except errors.EdgeemoError as error:
            theirs = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
        ours, handle = c.try_open(FACE, detector=str(path).encode())
        c.LIB.edgeemo_close(handle)
        assert (ours == c.OK) == (theirs == c.OK), (card, c.error())
        good += theirs == c.OK
        agreed += ours == theirs
    assert good > 5
    assert agreed > 140


def test_a_program_that_knew_no_faces_runs_as_before() -> None:
    """Its structs are shorter: nothing is written beyond them; what they do not say is the default."""
    size, room = c.Result.track_id.offset, ctypes.sizeof(c.Result)
    options = c.Options(library=c.litert_library().encode(), detector=b"/nowhere")
    options.struct_size = c.Options.detector.offset
    handle = c_void_p()
    assert c.LIB.edgeemo_open(str(FACE).encode(), byref(options), byref(handle)) == c.OK
    memory = (ctypes.c_ubyte * (2 * room))(*([0xA5] * 2 * room))
    for i in range(2):
        ctypes.memset(ctypes.addressof(memory) + i * size, 0, size)
        c_uint32.from_buffer(memory, i * size).value = size
    image, n = c.image_of(drawn((2, 10, 30, 90), (5, 180, 90, 120)), "rgb"), c_uint32(2)
    assert c.LIB.edgeemo_predict_faces(handle, byref(image), memory, byref(n)) == c.OK, c.error()
    whole = c.faces(handle, drawn((2, 10, 30, 90), (5, 180, 90, 120)), "rgb")
    assert n.value == min(2, len(whole))
    short = c.Result.from_buffer(memory)
    assert list(short.scores) == list(whole[0].scores)
    assert bytes(memory[2 * size :]) == b"\xa5" * (2 * room - 2 * size)
    c_uint32.from_buffer(memory, 0).value = size - 8
    assert c.LIB.edgeemo_predict_front(handle, byref(image), memory) == c.INPUT
    c.LIB.edgeemo_close(handle)


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_results_of_different_sizes_are_refused_before_any_is_written(odd: int) -> None:
    """However many faces there are."""
    results = (c.Result * 3)(c.Result(), c.Result(), c.Result())
    results[odd].struct_size = c.Result.track_id.offset
    before = bytes(results)
    image, n = c.image_of(drawn((2, 10, 30, 90)), "rgb"), c_uint32(3)
    with c.opened(FACE) as handle:
        assert c.LIB.edgeemo_predict_faces(handle, byref(image), results, byref(n)) == c.INPUT
        assert "all the same" in c.error()
    assert n.value == 0
    assert bytes(results) == before


@pytest.mark.parametrize("size", [89, 92, 169])
def test_results_that_would_not_lie_aligned_are_refused(size: int) -> None:
    memory = (ctypes.c_ubyte * 1024)()
    for i in range(2):
        ctypes.memmove(ctypes.addressof(memory) + i * size, size.to_bytes(4, "little"), 4)
    image, n = c.image_of(drawn((2, 10, 30, 90)), "rgb"), c_uint32(2)
    with c.opened(FACE) as handle:
        assert c.LIB.edgeemo_predict_faces(handle, byref(image), memory, byref(n)) == c.INPUT
        assert "not a sizeof" in c.error()
