"""The C ABI: what a C program gets is what Python gets; whatever comes in, only a code comes out."""

from __future__ import annotations

import random
import threading
from ctypes import byref, c_float, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Any

import contrast_face
import float_text
import numpy as np
import pytest
import small_voice

from edgeemo import Bundle, Recognizer, TextRecognizer, VoiceRecognizer, errors
from edgeemo.bundle import shipped
from edgeemo.card import ModelCard
from edgeemo.errors import EdgeemoError
from edgeemo.frontends import frontend_for
from edgeemo.types import EMOTIONS

c = pytest.importorskip(
    "c_abi", exc_type=errors.RuntimeUnavailableError, reason="built without libedgeemo.so"
)

CODES = {
    errors.SpecError: c.SPEC,
    errors.BundleCorruptError: c.CORRUPT,
    errors.BundleVersionError: c.VERSION,
    errors.BundleMismatchError: c.MISMATCH,
    errors.BundleError: c.BUNDLE,
}
TEXTS = [
    "so happy!", "sad, so sad", "angry angry happy", "", "   ", "xyzzy", "happy " * 50, "😀", "a\0b",
    "ﬁne ÄÖ",
]  # fmt: skip


def alike(ours: list[float], theirs: list[float]) -> bool:
    return len(ours) == len(theirs) and np.allclose(ours, theirs, rtol=0, atol=2e-6)


@pytest.fixture
def float_text_path(tmp_path: Path) -> Path:
    return Path(float_text.write(tmp_path))


def test_a_card_is_told_as_python_tells_it(small_voice_path: Path) -> None:
    card = Bundle.open(small_voice_path).card
    assert isinstance(card, ModelCard)
    with c.opened(small_voice_path) as handle:
        assert c.LIB.edgeemo_name(handle).decode() == card.name
        assert c.LIB.edgeemo_modality(handle).decode() == card.modality
        assert c.LIB.edgeemo_commercial(handle).decode() == card.commercial
        n = c.LIB.edgeemo_n_labels(handle)
        assert tuple(c.LIB.edgeemo_label(handle, i).decode() for i in range(n)) == card.labels
        thresholds = [c.LIB.edgeemo_threshold(handle, i) for i in range(n)]
        assert thresholds == pytest.approx([card.thresholds[label] for label in card.labels])
        assert c.LIB.edgeemo_label(handle, n) is None
    assert tuple(c.LIB.edgeemo_emotion(i).decode() for i in range(8)) == EMOTIONS
    assert c.LIB.edgeemo_emotion(8) is None
    assert c.LIB.edgeemo_emotion(-1) is None
    assert c.LIB.edgeemo_abi_version() == 5


@pytest.mark.parametrize("name", ["float-text", *(n for n in ("text",) if n in shipped())])
def test_texts_are_read_as_in_python(name: str, float_text_path: Path) -> None:
    path = float_text_path if name == "float-text" else shipped()[name]
    with c.opened(path) as handle, Recognizer.open(path) as recognizer:
        assert isinstance(recognizer, TextRecognizer)
        for text in [*TEXTS, "I love this so much!", "How dare you?"]:
            theirs = recognizer.predict(text)
            ours = c.text(handle, text.encode())
            assert alike(ours.numbers(), c.numbers_of(theirs)), text
            assert c.LIB.edgeemo_emotion(ours.label).decode() == theirs.label
            assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-6)


def sounds() -> dict[str, tuple[np.ndarray, int]]:
    mono = np.concatenate(
        [small_voice.voice("anger", 1.3), small_voice.silence(0.7), small_voice.voice("sadness", 1.9)]
    )
    wide = np.concatenate([small_voice.voice("neutral", 1.0, 44_100), small_voice.noise(1.0, 44_100)])
    stereo = np.stack([wide, wide // 2], 1).astype(np.float32) / 32768
    return {
        "mono": (mono, 16_000), "stereo": (np.ascontiguousarray(stereo), 44_100),
        "short": (mono[:300], 16_000), "one sample": (mono[:1], 16_000), "nothing": (mono[:0], 16_000),
        "silence": (small_voice.silence(3), 16_000),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(sounds()))
@pytest.mark.parametrize(
    "bundle", ["small-voice", *(n for n in ("voice", "voice-research") if n in shipped())]
)
def test_clips_are_read_as_in_python(name: str, bundle: str, small_voice_path: Path) -> None:
    path = small_voice_path if bundle == "small-voice" else shipped()[bundle]
    pcm, rate_hz = sounds()[name]
    with c.opened(path) as handle, Recognizer.open(path) as recognizer:
        assert isinstance(recognizer, VoiceRecognizer)
        theirs = c.numbers_of(recognizer.predict(pcm, rate_hz=rate_hz))
        for _ in range(2):  # the second clip is read by the same stream
            assert alike(c.clip(handle, pcm, rate_hz).numbers(), theirs)


@pytest.mark.parametrize("seed", range(8))
def test_a_stream_with_jitter_gaps_and_any_chunks_says_what_pythons_says(
    seed: int, small_voice_path: Path
) -> None:
    choose = random.Random(seed)
    pcm, rate_hz = sounds()["mono" if seed % 2 else "stereo"]
    channels = 1 if pcm.ndim == 1 else pcm.shape[1]
    with c.opened(small_voice_path) as handle, Recognizer.open(small_voice_path) as recognizer:
        assert isinstance(recognizer, VoiceRecognizer)
        ours, theirs = c.Stream(handle, rate_hz, channels), recognizer.stream(rate_hz, channels)
        t_ms, at, heard = choose.randrange(-5000, 5000), 0, 0
        while at < len(pcm):
            n = choose.choice((0, 1, 7, 160, 801, 5000, 20_000))
            chunk = pcm[at : at + n]
            jitter = choose.choice((0, 0, 0, 3, -3, 1000, -700))
            said = theirs.push(chunk, t_ms + jitter)
            got = ours.push(chunk, t_ms + jitter)
            assert len(got) == len(said)
            assert all(alike(a, c.numbers_of(b)) for a, b in zip(got, said, strict=True))
            heard += len(said)
            at += n
            t_ms += jitter * (abs(jitter) > 500) + n * 1000 // rate_hz
            if choose.random() < 0.05:
                assert len(ours.flush()) == len(theirs.flush())
            assert alike(ours.summary(), c.numbers_of(theirs.summary()))
        assert all(alike(a, c.numbers_of(b)) for a, b in zip(ours.flush(), theirs.flush(), strict=True))
        assert alike(ours.summary(), c.numbers_of(theirs.summary()))
        assert heard > 0
        ours.reset()
        theirs.reset()
        assert alike(ours.summary(), c.numbers_of(theirs.summary()))
        ours.close()


def pictures() -> dict[str, tuple[np.ndarray, str]]:
    rng = np.random.default_rng(4)
    slope = np.arange(96, dtype=np.uint8)[:, None, None] * 2 + np.zeros((1, 80, 1), np.uint8)
    return {
        "bright below": (np.repeat(slope, 3, 2), "rgb"),
        "dark below": (np.ascontiguousarray(np.repeat(slope[::-1], 3, 2)), "bgr"),
        "gray": (np.ascontiguousarray(slope[:, :, 0]), "gray"),
        "noise": (rng.integers(0, 256, (50, 41, 4), dtype=np.uint8), "rgba"),
        "camera": (rng.integers(0, 256, (48, 64, 2), dtype=np.uint8), "yuyv"),
    }


@pytest.mark.parametrize("name", list(pictures()))
@pytest.mark.parametrize("box", [None, (5.0, 6.5, 35.0, 40.25)])
def test_pictures_are_read_as_in_python(name: str, box: Any, tmp_path: Path) -> None:
    path = contrast_face.write(tmp_path)
    array, color = pictures()[name]
    with c.opened(path) as handle, Recognizer.open(path) as recognizer:
        height, width = array.shape[:2]
        theirs = recognizer.predict(array, color, [box or (0, 0, width, height)])  # C looks for no faces
        ours = c.picture(handle, array, color, box)
        assert alike(ours.numbers(), c.numbers_of(theirs))
        if name.endswith("below") and not box:
            assert theirs.label == {"bright below": "happiness", "dark below": "sadness"}[name]


def test_pictures_that_cannot_be_are_refused(tmp_path: Path) -> None:
    array, result = np.zeros((16, 16), np.uint8), c.Result()
    good = {"color": 0, "pixels": array.ctypes.data, "width": 16, "height": 16}
    with c.opened(contrast_face.write(tmp_path)) as handle:
        for wrong in ({"color": 6}, {"color": -1}, {"pixels": None}, {"width": 0}, {"height": 40_000}):
            image = c.Image(**{**good, **wrong})
            assert c.LIB.edgeemo_predict_image(handle, byref(image), None, byref(result)) == c.INPUT
            assert c.error()
        for corners in ((3, 3, 2, 2), (100, 100, 120, 120), (float("nan"), 0, 5, 5)):
            box = (c.c_double * 4)(*corners)
            assert c.LIB.edgeemo_predict_image(handle, byref(c.Image(**good)), box, byref(result)) == c.INPUT


@pytest.mark.parametrize("stride", [10, -10, 15, -15, 1 << 31, 1 << 40, -(1 << 40), 1 << 62, -(1 << 63)])
def test_strides_that_lead_out_of_the_picture_are_refused(stride: int, tmp_path: Path) -> None:
    array, result = np.zeros((16, 16), np.uint8), c.Result()
    image = c.Image(color=0, pixels=array.ctypes.data, width=16, height=16, row_stride=stride)
    with c.opened(contrast_face.write(tmp_path)) as handle:
        assert c.LIB.edgeemo_predict_image(handle, byref(image), None, byref(result)) == c.INPUT
        assert f"row_stride is {stride}" in c.error()


def test_rows_may_lie_upwards_but_not_of_nv12(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rgb = rng.integers(0, 256, (48, 40, 3), dtype=np.uint8)
    camera = rng.integers(0, 256, (72, 64), dtype=np.uint8)
    with c.opened(contrast_face.write(tmp_path)) as handle:
        upwards = c.picture(handle, rgb[::-1].copy()[::-1], "rgb")
        assert upwards.numbers() == c.picture(handle, rgb, "rgb").numbers()
        image, result = c.image_of(camera[::-1], "nv12"), c.Result()
        assert c.LIB.edgeemo_predict_image(handle, byref(image), None, byref(result)) == c.INPUT
        assert "from the top down" in c.error()


def test_a_refused_chunk_changes_nothing(small_voice_path: Path) -> None:
    pcm = small_voice.voice("anger", 3).astype(np.float32) / 32768
    bad = pcm[:1000].copy()
    bad[500] = np.nan
    with c.opened(small_voice_path) as handle:
        disturbed, smooth = c.Stream(handle, 16_000), c.Stream(handle, 16_000)
        for at in range(0, len(pcm), 8000):
            with pytest.raises(ValueError, match="sample 500 is NaN"):
                disturbed.push(bad, at // 16)
            with pytest.raises(ValueError, match="sample 500 is NaN"):
                disturbed.push(bad, 1_000_000)  # behind a gap, too
            with pytest.raises(ValueError, match="channels"):
                disturbed.push(np.stack([bad, bad], 1), at // 16)
            assert disturbed.push(pcm[at : at + 8000], at // 16) == smooth.push(pcm[at : at + 8000], at // 16)
        assert disturbed.flush() == smooth.flush()
        assert disturbed.summary() == smooth.summary()


@pytest.mark.parametrize("far", [2**52 + 1, -(2**52) - 1, 2**63 - 1, -(2**63)])
def test_a_time_that_doubles_do_not_hold_is_refused(far: int, small_voice_path: Path) -> None:
    pcm = small_voice.voice("anger", 2)
    with c.opened(small_voice_path) as handle:
        disturbed, smooth = c.Stream(handle, 16_000), c.Stream(handle, 16_000)
        for t_ms in (-(2**52), 2**52):  # the second behind a gap
            with pytest.raises(ValueError, match="t_ms must be within 2"):
                disturbed.push(pcm, far)
            assert disturbed.push(pcm, t_ms) == smooth.push(pcm, t_ms)
        assert disturbed.flush() == smooth.flush()
        assert disturbed.summary() == smooth.summary()


def test_streams_outlive_their_recognizer(small_voice_path: Path) -> None:
    pcm = small_voice.voice("anger", 3)
    with c.opened(small_voice_path) as handle:
        expected = c.Stream(handle, 16_000).push(pcm, 0)
        stream = c.Stream(handle, 16_000)
    code = c.LIB.edgeemo_stream_push(stream._handle, byref(c.pcm_of(pcm)), c_int64(0))
    assert code == c.OK
    first = c.Result(probabilities=(c_float * 4)(), n_probabilities=4)
    assert c.LIB.edgeemo_stream_next(stream._handle, byref(first)) == c.OK
    assert first.numbers() == expected[0]
    stream.close()


def test_probabilities_may_be_left_out_or_have_less_room(float_text_path: Path) -> None:
    with c.opened(float_text_path) as handle:
        whole = c.text(handle, b"so happy")
        none, two = c.Result(), c.Result(probabilities=(c_float * 2)(), n_probabilities=2)
        for result in (none, two):
            assert c.LIB.edgeemo_predict_text(handle, b"so happy", c_size_t(8), byref(result)) == c.OK
        assert none.n_probabilities == 0
        assert two.n_probabilities == 2
        assert [two.probabilities[i] for i in range(2)] == whole.numbers()[8:10]


def test_errors_have_a_code_and_a_sentence_with_a_remedy(float_text_path: Path, tmp_path: Path) -> None:
    junk = tmp_path / "junk.tflite"
    junk.write_bytes(b"no bundle")
    assert c.try_open(tmp_path / "none.tflite")[0] == c.NOT_FOUND
    assert "expected the path of a file" in c.error()
    assert c.try_open(tmp_path)[0] == c.NOT_FOUND
    assert c.try_open(junk)[0] == c.CORRUPT
    assert "Fetch or convert" in c.error()
    assert c.try_open(float_text_path, library=b"/nowhere/libLiteRt.so")[0] == c.RUNTIME
    assert "install ai-edge-litert" in c.error()
    assert c.try_open(float_text_path, delegate=b"npu")[0] == c.DELEGATE
    assert c.try_open(float_text_path, threads=65)[0] == c.INPUT
    with c.opened(float_text_path, threads=2, delegate=b"cpu") as handle:
        pcm = c.pcm_of(np.zeros(8000, np.int16))
        result = c.Result()
        assert c.LIB.edgeemo_predict_pcm(handle, byref(pcm), 16_000, byref(result)) == c.MISMATCH
        assert "reads text, not voice" in c.error()
        image = c.Image(color=0, pixels=pcm.int16, width=8, height=8)
        assert c.LIB.edgeemo_predict_image(handle, byref(image), None, byref(result)) == c.MISMATCH
        stream = c_void_p(1)
        assert c.LIB.edgeemo_stream_open(handle, 16_000, 1, byref(stream)) == c.MISMATCH
        assert stream.value is None


def test_null_is_refused_everywhere_and_closing_null_is_allowed(float_text_path: Path) -> None:
    result, lib = c.Result(), c.LIB
    handle = c_void_p()
    assert lib.edgeemo_open(None, None, byref(handle)) == c.INPUT
    assert lib.edgeemo_open(b"x", None, None) == c.INPUT
    pcm = c.Pcm(samples=8)
    for code in (
        lib.edgeemo_predict_text(None, b"x", c_size_t(1), byref(result)),
        lib.edgeemo_predict_pcm(None, byref(pcm), 16_000, byref(result)),
        lib.edgeemo_predict_pcm(None, None, 16_000, byref(result)),
        lib.edgeemo_predict_image(None, None, None, byref(result)),
        lib.edgeemo_predict_front(None, None, byref(result)),
        lib.edgeemo_predict_faces(None, None, byref(result), None),
        lib.edgeemo_stream_open(None, 16_000, 1, byref(handle)),
        lib.edgeemo_stream_open_faces(None, None, byref(handle)),
        lib.edgeemo_stream_push_image(None, None, c_int64(0)),
        lib.edgeemo_stream_push(None, byref(pcm), c_int64(0)),
        lib.edgeemo_stream_flush(None),
        lib.edgeemo_stream_next(None, byref(result)),
        lib.edgeemo_stream_summary(None, byref(result)),
        lib.edgeemo_stream_reset(None),
    ):
        assert code == c.INPUT
        assert c.error()
    lib.edgeemo_close(None)
    lib.edgeemo_stream_close(None)
    with c.opened(float_text_path) as handle:
        assert lib.edgeemo_predict_text(handle, None, c_size_t(3), byref(result)) == c.INPUT
        assert lib.edgeemo_predict_text(handle, None, c_size_t(0), byref(result)) == c.OK
        assert lib.edgeemo_predict_text(handle, b"x", c_size_t(1), None) == c.INPUT
        result.struct_size = 8
        assert lib.edgeemo_predict_text(handle, b"x", c_size_t(1), byref(result)) == c.INPUT
        assert "struct_size" in c.error()


def test_each_thread_has_its_own_last_error() -> None:
    assert c.try_open("/first/bundle")[0] == c.NOT_FOUND
    seen: list[str] = []

    def other() -> None:
        seen.append(c.error())
        c.try_open("/second/bundle")
        seen.append(c.error())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen[0] == ""
    assert "/second/bundle" in seen[1]
    assert "/first/bundle" in c.error()


def python_says(data: bytes) -> int:
    try:
        bundle = Bundle.from_bytes(data)
        frontend_for(bundle.card.modality, bundle.card.spec, bundle.assets)
    except EdgeemoError as error:
        return int(next(CODES[kind] for kind in type(error).__mro__ if kind in CODES))
    return int(c.OK)


def test_bundles_are_judged_as_python_judges_them(tmp_path: Path) -> None:
    """The corpus and mutations: what Python refuses C refuses; C reads JSON more strictly, and says so."""
    import fuzz_bundle

    choose = random.Random(11)
    seeds = [fuzz_bundle.GOOD, *(p.read_bytes() for p in sorted(fuzz_bundle.CORPUS.glob("*")))]
    path = tmp_path / "mutated.tflite"
    stricter = agreed = good = 0
    for data in [*seeds, *(fuzz_bundle.mutate(choose.choice(seeds), choose) for _ in range(1500))]:
        path.write_bytes(data)
        theirs = python_says(data)
        ours, handle = c.try_open(path)
        c.LIB.edgeemo_close(handle)
        good += theirs == c.OK == ours
        if theirs != c.OK:
            assert ours != c.OK, f"refused by Python ({theirs}), taken by C"
            agreed += ours == theirs
        elif ours != c.OK:
            assert ours in (c.CORRUPT, c.MISMATCH, c.SPEC), c.error()
            stricter += 1
    assert good >= 3
    assert agreed > 300
    assert stricter < 60


def test_several_threads_share_a_recognizer(float_text_path: Path) -> None:
    with c.opened(float_text_path) as handle:
        expected = {text: c.text(handle, text.encode()).numbers() for text in TEXTS}
        wrong: list[Any] = []

        def work() -> None:
            for _ in range(100):
                wrong.extend(t for t in TEXTS if c.text(handle, t.encode()).numbers() != expected[t])

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong
