"""Recognizer: from any text to a documented result, the same from any thread."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_text
from unreadable import reading_all_but_the_beginning_kills

from edgeemo import EMOTIONS, Bundle, EmotionResult, Recognizer, Runtime, TextRecognizer
from edgeemo.backends import FakeBackend, TensorInfo
from edgeemo.errors import (
    BundleMismatchError,
    BundleNotFoundError,
    EdgeemoError,
    InferenceError,
    InputError,
    InputTypeError,
)
from edgeemo.evaluation.label_sets import label_sets_of
from edgeemo.types import FloatArray

NEUTRAL = [1.0, 0, 0, 0, 0, 0, 0, 0]


def fake(labels: list[float], affect: tuple[float, float] = (0.0, 0.0), **changes: Any) -> Recognizer:
    """Return a recognizer whose model always says the same."""
    outputs = [np.array([affect], np.float32), np.array([labels], np.float32)]
    backend = FakeBackend(
        lambda ids: outputs,
        [TensorInfo("ids", (1, small_text.LENGTH), np.dtype(np.int32), 0.0, 0)],
        [
            TensorInfo("affect", (1, 2), np.dtype(np.float32), 0.0, 0),
            TensorInfo("labels", (1, len(labels)), np.dtype(np.float32), 0.0, 0),
        ],
    )
    return Recognizer(small_text.bundle(**changes), Runtime(b"", backend=backend))


# --- what it says ---


@pytest.mark.parametrize(("text", "label", "emotion"), small_text.TABLE)
def test_it_reads_what_the_words_vote_for(
    recognizer: TextRecognizer, text: str, label: str, emotion: str
) -> None:
    result = recognizer.predict(text)
    assert result.label == emotion
    assert max(result.fine, key=lambda name: result.fine[name]) == label
    assert result.active == (label,)
    assert result.evidence == 1.0


def test_valence_and_arousal_come_from_the_model(recognizer: TextRecognizer) -> None:
    happy, angry = recognizer.predict("happy happy"), recognizer.predict("angry angry")
    assert happy.valence > 0.5 > 0 > angry.valence
    assert angry.arousal > 0.5


def test_valence_and_arousal_come_from_the_labels_where_the_model_has_none() -> None:
    affect = dict.fromkeys(small_text.LABELS, (0.0, 0.0)) | {"joy": (0.8, 0.4), "anger": (-0.6, 0.6)}
    result = fake_with_table([20, -20, -20, -20, -20], affect).predict("so happy")
    assert [result.valence, result.arousal] == pytest.approx([0.8, 0.4])
    both = fake_with_table([20, -20, 20, -20, -20], affect).predict("so happy")
    assert [both.valence, both.arousal] == pytest.approx([0.2, 1.0])


def fake_with_table(labels: list[float], table: dict[str, tuple[float, float]]) -> Recognizer:
    made = fake(labels)
    return Recognizer(small_text.bundle(affect=table), made.runtime)


@pytest.mark.parametrize("beyond", [7.0, -7.0])
def test_valence_and_arousal_stay_within_one(beyond: float) -> None:
    result = fake([0] * 5, affect=(beyond, -beyond)).predict("so happy")
    assert {abs(result.valence), abs(result.arousal)} == {1.0}


def test_fine_labels_are_independent_and_scores_their_normalised_view() -> None:
    result = fake([5, 5, -5, -5, -5]).predict("so happy")
    assert result.fine["joy"] == result.fine["sadness"] > 0.99
    assert result.active == ("joy", "sadness")
    assert result.scores.sum() == pytest.approx(1.0, abs=1e-6)
    assert result.label == "happiness"


def test_emotions_without_a_label_score_zero(recognizer: TextRecognizer) -> None:
    scores = recognizer.predict("so happy").scores
    assert scores[EMOTIONS.index("fear")] == scores[EMOTIONS.index("disgust")] == 0


def test_a_label_is_active_from_its_threshold_in_the_card() -> None:
    logits = [0.0, 0.0, 0.0, 0.0, 0.0]
    thresholds = dict(zip(small_text.LABELS, (0.4, 0.5, 0.51, 0.9, 0.0), strict=True))
    assert fake(logits, thresholds=thresholds).predict("so happy").active == ("joy", "sadness", "scorn")


EXCLUSIVE: dict[str, Any] = {"multi_label": False, "thresholds": dict.fromkeys(small_text.LABELS, 0.2)}


@pytest.mark.parametrize(
    ("logits", "active"),
    [
        ([0, 2, 2.5, 0, 0], "anger"),  # sadness, too, lies above 1/5
        ([0, 2, 2, 0, 0], "sadness"),  # a tie goes to the first
        ([1, 1, 1, 1, 1], "joy"),
    ],
)
def test_of_exclusive_labels_the_likeliest_alone_is_active_as_evaluation_counts(
    logits: list[float], active: str
) -> None:
    result = fake(logits, **EXCLUSIVE).predict("so happy")
    assert result.active == (active,)
    space = label_sets_of(small_text.card(**EXCLUSIVE))["fine"]
    counted = space.active(result.probabilities[np.newaxis].astype(np.float64))[0]
    assert [label for label, hit in zip(space.labels, counted, strict=True) if hit] == [active]


@pytest.mark.parametrize(
    ("emotions", "active"),
    [
        ({"neutral": ("neutral",), "happiness": ("joy",)}, ("neutral",)),
        ({"neutral": ("scorn", "anger"), "happiness": ("joy",)}, ("scorn",)),
        ({"happiness": ("joy",), "sadness": ("sadness",)}, ()),
    ],
    ids=["neutral", "the first of its group", "no label means neutral"],
)
def test_without_evidence_an_exclusive_label_is_active_only_if_it_means_neutral(
    emotions: dict[str, tuple[str, ...]], active: tuple[str, ...]
) -> None:
    result = fake([9, 0, 0, 0, 0], emotions=emotions, **EXCLUSIVE).predict("")
    assert result.active == active


# --- odd but valid ---

LONG = "so happy " * (10_000_000 // 9)
NOTHING = {
    "empty": "",
    "spaces": " \t\n\r\v\f ",
    "no-break and ideographic spaces": "\u00a0\u3000\u2028",
    "an emoji it does not know": "🦖🦕",
    "NUL": "\0\0\0",
    "direction marks": "\u200e\u200f\u202e\u2066\u2069",
    "joiners": "\u200d\u200b\ufeff",
    "lone surrogates": "\ud83d\udc00\ud800",
    "punctuation": "?! ... --",
    "another script": "Ꮳ ᐃᓄᒃ",
    "one private character": "\U0010fffd",
    "bytes that are no UTF-8": b"\xff\xfe\x80",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_text_of_which_nothing_is_understood_is_neutral_without_evidence(
    recognizer: TextRecognizer, text: str | bytes
) -> None:
    result = recognizer.predict(text)
    assert result.evidence == 0.0
    assert result.scores.tolist() == NEUTRAL
    assert (result.label, result.confidence) == ("neutral", 1.0)
    assert (result.valence, result.arousal) == (0.0, 0.0)
    assert dict(result.fine) == {"joy": 0, "sadness": 0, "anger": 0, "neutral": 1, "scorn": 0}
    assert result.active == ("neutral",)
    assert not result.truncated


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("happy", 1.0),
        ("happy 🦖", 0.5),
        ("happy zzz", 0.5),
        ("zzz happy zzz qqq", 0.25),
        ("happy!", 1.0),
        ("😀", 1.0),
    ],
)
def test_evidence_is_the_share_of_words_it_understood(
    recognizer: TextRecognizer, text: str, evidence: float
) -> None:
    assert recognizer.predict(text).evidence == evidence


@pytest.mark.parametrize(
    "text",
    [
        "\u202eso happy\u202c",
        "so\0 happy",
        "so happy\ud800",
        "ＳＯ　ＨＡＰＰＹ",
        "So HAPPY",
        "so\u200b happy",
        b"so happy\xff",
        np.str_("so happy"),
    ],
    ids=["direction", "NUL", "surrogate", "full width", "capitals", "zero width", "bytes", "numpy"],
)
def test_marks_and_wounds_do_not_hide_the_words(recognizer: TextRecognizer, text: str | bytes) -> None:
    assert recognizer.predict(text).label == "happiness"


def test_bytes_are_utf8(recognizer: TextRecognizer) -> None:
    assert recognizer.predict("so 😀!".encode()) == recognizer.predict("so 😀!")


@pytest.mark.parametrize(
    ("text", "truncated"),
    [("so " * 8, False), ("so " * 9, True), (LONG, True), (LONG.encode(), True), ("zzzz" * 9, True)],
    ids=["fits", "one too many", "10 MB", "10 MB of bytes", "unknown"],
)
def test_cut_text_says_so(recognizer: TextRecognizer, text: str | bytes, truncated: bool) -> None:
    assert recognizer.predict(text).to_dict()["truncated"] is truncated


def predict_afresh(text: str | bytes) -> EmotionResult:
    """Predict on a model opened here: a forked child may not use that of its parent."""
    return fake([0.0] * 5).predict(text)


@pytest.mark.parametrize("text", [LONG, LONG.encode()], ids=["str", "bytes"])
def test_of_ten_megabytes_only_the_beginning_is_read(text: str | bytes) -> None:
    assert not reading_all_but_the_beginning_kills(predict_afresh, text)


def test_reading_on_would_be_seen() -> None:
    assert reading_all_but_the_beginning_kills(predict_afresh, " " * len(LONG))


@pytest.mark.parametrize(
    "wrong", [5, None, 1.5, ["so happy"], ("so",), bytearray(b"so"), {"text": "so"}, object()]
)
def test_what_is_not_a_text_is_refused(recognizer: TextRecognizer, wrong: object) -> None:
    with pytest.raises(InputTypeError, match=r"expected str or bytes, got \w+; pass one text at a time"):
        recognizer.predict(wrong)  # type: ignore[arg-type]


# --- what a result is ---


@pytest.mark.parametrize("text", ["so happy", ""])
def test_scores_are_eight_read_only_float32_that_sum_to_one(recognizer: TextRecognizer, text: str) -> None:
    result = recognizer.predict(text)
    assert isinstance(result, EmotionResult)
    for array, size in ((result.scores, 8), (result.probabilities, 5), (result.thresholds, 5)):
        assert array.dtype == np.float32
        assert array.shape == (size,)
        assert not array.flags.writeable
    assert result.scores.sum() == pytest.approx(1.0, abs=1e-6)
    assert ((result.scores >= 0) & (result.scores <= 1)).all()


def test_a_result_does_not_change_when_the_next_text_is_read(recognizer: TextRecognizer) -> None:
    first = recognizer.predict("so happy")
    before = first.to_dict()
    recognizer.predict("so sad")
    assert first.to_dict() == before


# --- batches and threads ---

TEXTS = [text for text, _, _ in small_text.TABLE] + ["", "zzz", "so " * 50, "happy sad"]


def test_a_batch_is_one_by_one(recognizer: TextRecognizer) -> None:
    assert recognizer.predict_batch(TEXTS) == [recognizer.predict(text) for text in TEXTS]


def test_a_batch_can_be_empty_or_any_iterable(recognizer: TextRecognizer) -> None:
    assert recognizer.predict_batch([]) == []
    expected = recognizer.predict_batch(TEXTS)
    assert recognizer.predict_batch(iter(TEXTS)) == expected
    assert recognizer.predict_batch(np.array(TEXTS)) == expected


@pytest.mark.parametrize("wrong", ["so happy", b"so happy", 5, None, [None], ["so", 5], {"so happy": 1}])
def test_a_batch_of_something_else_is_refused(recognizer: TextRecognizer, wrong: object) -> None:
    with pytest.raises(InputTypeError):
        recognizer.predict_batch(wrong)  # type: ignore[arg-type]


def test_threads_give_the_same_answers(recognizer: TextRecognizer) -> None:
    expected = [recognizer.predict(text) for text in TEXTS]
    wrong: list[str] = []

    def work(offset: int) -> None:
        for i in range(400):
            n = (i + offset) % len(TEXTS)
            if recognizer.predict(TEXTS[n]) != expected[n]:
                wrong.append(TEXTS[n])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_recognizers_are_independent(small_text_path: Path) -> None:
    with Recognizer.open(small_text_path) as one, Recognizer.open(small_text_path) as other:
        one.close()
        assert other.predict("so happy").label == "happiness"


# --- opening and closing ---


def test_open_takes_names_and_paths(small_text_path: Path) -> None:
    for given in (small_text_path, str(small_text_path)):
        with Recognizer.open(given) as recognizer:
            assert recognizer.card.name == "small-text"
            assert recognizer.bundle.path == small_text_path
    with pytest.raises(BundleNotFoundError):
        Recognizer.open("no such bundle")


def test_it_tells_what_runs(recognizer: TextRecognizer) -> None:
    info = recognizer.runtime.info
    assert (info.backend, info.delegate, info.threads) == ("native", "cpu", 1)
    assert info.reason
    assert repr(recognizer) == "<TextRecognizer small-text 1.0.0 on native/cpu>"


def test_the_card_gives_thresholds_groups_and_the_verdict(recognizer: TextRecognizer) -> None:
    assert recognizer.card.thresholds["joy"] == 0.5
    assert recognizer.card.groups["mood"]["bad"].labels == ("sadness", "anger")
    assert recognizer.card.commercial == "cleared"


@pytest.mark.parametrize("text", ["so happy", "", "zzz"])
def test_a_closed_recognizer_refuses_every_text(small_text_path: Path, text: str) -> None:
    with Recognizer.open(small_text_path) as recognizer:
        recognizer.predict(text)
    with pytest.raises(InferenceError, match="was closed; open it again"):
        recognizer.predict(text)
    recognizer.close()


def test_an_error_inside_the_context_goes_through(small_text_path: Path) -> None:
    with pytest.raises(KeyError), Recognizer.open(small_text_path):
        raise KeyError


@pytest.mark.parametrize(
    "options", [{"threads": 0}, {"threads": 65}, {"delegate": "npu"}, {"backend": "onnx"}]
)
def test_wrong_options_are_refused(small_text_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(EdgeemoError, match="expected"):
        Recognizer.open(small_text_path, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize("backend", [None, 1, object(), ["litert"]])
def test_a_backend_is_a_name_or_something_that_invokes(small_text_path: Path, backend: object) -> None:
    with pytest.raises(
        InputTypeError, match=r"expected one of auto, native, litert, .*tf\.lite, or a Backend"
    ):
        Recognizer.open(small_text_path, backend=backend)  # type: ignore[call-overload]


@pytest.mark.parametrize("threads", [0, True + 64])
def test_threads_out_of_range_are_an_input_error(small_text_path: Path, threads: int) -> None:
    with pytest.raises(InputError):
        Recognizer.open(small_text_path, threads=threads)


def test_a_model_that_gives_nan_is_an_inference_error() -> None:
    with pytest.raises(InferenceError, match="NaN"):
        fake([float("nan"), 0, 0, 0, 0]).predict("so happy")


@pytest.mark.parametrize("affect", [(float("nan"), 0.0), (0.0, float("nan"))])
def test_valence_or_arousal_that_is_nan_is_an_inference_error(affect: tuple[float, float]) -> None:
    with pytest.raises(InferenceError, match="valence or arousal is NaN"):
        fake([0] * 5, affect=affect).predict("so happy")


@pytest.mark.parametrize("labels", [[0.0] * 4, [0.0] * 6])
def test_a_model_with_another_number_of_labels_is_refused(labels: list[float]) -> None:
    with pytest.raises(BundleMismatchError, match=r"labels need an output labels of \(1, 5\)"):
        fake(labels)


# --- the shipped bundle ---


def test_the_shipped_bundle_keeps_its_golden_answers(shipped_text: str) -> None:
    bundle = Bundle.open(shipped_text)
    assert bundle.card.golden
    with Recognizer.open(shipped_text) as recognizer:
        for example in bundle.card.golden:
            result = recognizer.predict(example["text"])
            said = result.to_dict()
            golden: FloatArray = np.array(example["scores"], np.float32)
            np.testing.assert_allclose(result.scores, golden, atol=0.05)
            assert said["label"] == EMOTIONS[int(golden.argmax())]


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("I am so happy today, this is wonderful!", "happiness"),
        ("I miss him so much, I can't stop crying.", "sadness"),
        ("I am furious, how dare you do this to me!", "anger"),
        ("I'm terrified of what might happen to us.", "fear"),
    ],
)
def test_the_shipped_bundle_reads_plain_feelings(shipped_text: str, text: str, emotion: str) -> None:
    with Recognizer.open(shipped_text) as recognizer:
        assert recognizer.predict(text).label == emotion


@pytest.mark.parametrize("text", ["", "   ", "\0", "\ud800", "?!"])
def test_the_shipped_bundle_has_no_opinion_on_nothing(shipped_text: str, text: str) -> None:
    with Recognizer.open(shipped_text) as recognizer:
        result = recognizer.predict(text)
        assert (result.evidence, result.label, result.valence, result.arousal) == (0, "neutral", 0, 0)


def test_a_batch_says_which_text_is_none(recognizer: TextRecognizer) -> None:
    with pytest.raises(InputTypeError, match="Text 1: expected str or bytes, got NoneType"):
        recognizer.predict_batch(["fine", None])  # type: ignore[list-item]
