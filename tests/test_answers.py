"""Bundles of earlier releases answer as they did, to the bit.

`tests/bundles` keeps five bundles for ever, and their answers to 2,100 texts, 200 clips, 210 pictures and a
video. `answers` computes the answers again, through Python and through the C ABI. Where the processor, the
release of LiteRT or a decoder is another, int8 rounds differently; then the answers must be close.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
pytest.importorskip("PIL", reason="needs edgeemo[face]")

if not (Path(__file__).parent / "bundles" / "text.tflite").is_file():
    pytest.skip("tests/bundles is not in this copy of the source", allow_module_level=True)

import answers as a
import c_abi as c

from edgeemo import FaceDetector, Recognizer, TextRecognizer, VoiceRecognizer

pytestmark = pytest.mark.filterwarnings("ignore::edgeemo.LicenseWarning")

ALL = {**a.GROUPS, **a.OWN_GROUPS}
PLACES = 10  # the last columns of a face: box, eyes, score, track
CLOSE, CLOSE_PLACES = 0.05, 2.0  # on another machine; places in pixels
MOST_FAR = 0.05  # the share of inputs whose answers may lie further away there


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    if request.param in a.GROUPS and not a.DATA.is_dir():
        pytest.skip(f"the data are not at {a.DATA}; set EDGEEMO_DATA")
    return str(request.param)


@cache
def given(name: str) -> dict[str, Any]:
    return dict(ALL[name].inputs(a.DATA))


@cache
def stored() -> tuple[dict[str, Any], dict[str, a.Answers]]:
    return a.stored()


@cache
def same_machine(name: str) -> bool:
    """Whether answers must agree to the bit: the machine and the decoded inputs are those of the file."""
    facts = stored()[0]
    return bool(facts["machine"] == a.here() and facts["groups"][name]["inputs"] == digest(name))


@cache
def digest(name: str) -> str:
    return a.digest_of(list(given(name).values()))


def check(name: str, found: list[a.Rows], kind: type[np.floating[Any]]) -> None:
    """Compare answers with the stored ones, as float64 or float32."""
    wanted = stored()[1][name].split()
    assert len(found) == len(wanted)
    ours = [np.reshape(rows, (len(rows), want.shape[1])) for rows, want in zip(found, wanted, strict=True)]
    different = []
    for one, rows, want in zip(given(name), ours, wanted, strict=True):
        if not np.array_equal(rows.astype(kind), want.astype(kind)):
            different.append((one, rows, want))
    if same_machine(name):
        assert not different, f"{len(different)} answers changed, the first is that to {different[0]}"
    far = [one for one, rows, want in different if not close(rows, want, ALL[name].bundle == "face")]
    assert len(far) <= MOST_FAR * len(wanted), f"{len(far)} answers are far from the stored ones: {far[:9]}"


def close(rows: np.ndarray, want: np.ndarray, face: bool) -> bool:
    if rows.shape != want.shape:
        return False
    places = PLACES if face else 0
    numbers = np.abs(rows - want)[:, : rows.shape[1] - places].max(initial=0)
    return bool(numbers <= CLOSE and np.abs(rows - want)[:, -places:].max(initial=0) <= CLOSE_PLACES)


def test_python_answers_as_before(name: str) -> None:
    group = ALL[name]
    found = group.python(group.path, list(given(name).values()))
    check(name, found, np.float64)
    if same_machine(name):
        assert a.Answers.of(found).digest() == stored()[0]["groups"][name]["answers"]


def test_c_answers_as_before(name: str) -> None:
    group = ALL[name]
    check(name, group.native(group.path, list(given(name).values())), np.float32)


@pytest.fixture(params=[name for name, group in ALL.items() if group.bundle.startswith("voice")])
def clips(request: pytest.FixtureRequest) -> tuple[str, Path]:
    if request.param in a.GROUPS and not a.DATA.is_dir():
        pytest.skip(f"the data are not at {a.DATA}; set EDGEEMO_DATA")
    return request.param, ALL[request.param].path


def test_random_chunks_answer_as_the_whole_in_python(clips: tuple[str, Path]) -> None:
    name, path = clips
    with VoiceRecognizer.open(path) as recognizer:
        found = [
            a.chunks_in_python(recognizer, clip, a.cut(clip, seed))
            for seed, clip in enumerate(given(name).values())
        ]
    check(name, found, np.float64)


def test_random_chunks_answer_as_the_whole_in_c(clips: tuple[str, Path]) -> None:
    name, path = clips
    with c.opened(path) as handle:
        found = []
        for seed, clip in enumerate(given(name).values()):
            spans, summary = a.chunks_in_c(handle, clip, a.cut(clip, seed + 1_000))
            found.append([summary, *spans])
    check(name, found, np.float32)


def test_a_batch_of_texts_answers_as_single_texts() -> None:
    texts = list(given("own texts").values())
    with TextRecognizer.open(a.BUNDLES / "text.tflite") as recognizer:
        found = [[c.numbers_of(result)] for result in recognizer.predict_batch(texts)]
    check("own texts", found, np.float64)


def test_the_detector_alone_finds_the_faces_that_are_read() -> None:
    wanted = dict(zip(given("own pictures"), stored()[1]["own pictures"].split(), strict=True))
    with FaceDetector.open(a.BUNDLES / "face-detector.tflite") as detector:
        for one, picture in given("own pictures").items():
            if picture.boxes is None:
                found = [[*f.box, *f.eyes[0], *f.eyes[1], f.score] for f in detector.detect(*picture[:2])]
                places = wanted[one][1:, -PLACES:-1]
                assert len(found) == len(places), one
                np.testing.assert_allclose(
                    np.reshape(found, places.shape),
                    places,
                    atol=CLOSE_PLACES * (not same_machine("own pictures")),
                )


def test_the_bundles_are_unchanged_and_open() -> None:
    wanted = stored()[0]["bundles"]
    assert len(wanted) == 5
    for name, sha in wanted.items():
        assert hashlib.sha256((a.BUNDLES / name).read_bytes()).hexdigest() == sha, name
        with (FaceDetector if name == "face-detector.tflite" else Recognizer).open(
            a.BUNDLES / name
        ) as opened:
            assert opened.card.version == "1.0.0"


def test_a_change_in_the_last_bit_of_one_answer_is_noticed() -> None:
    rows = [table.tolist() for table in stored()[1]["own texts"].split()]
    check("own texts", rows, np.float64)
    rows[3][0][9] = float(np.nextafter(rows[3][0][9], 1.0))
    if same_machine("own texts"):
        with pytest.raises(AssertionError, match=r"1 answers changed.*sentence 3"):
            check("own texts", rows, np.float64)
    for row in rows[:2]:
        row[0][0] += 2 * CLOSE
    with pytest.raises(AssertionError, match="sentence 0"):
        check("own texts", rows, np.float64)
