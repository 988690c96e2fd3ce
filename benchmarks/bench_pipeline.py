"""From a sentence to an `EmotionResult`: what predict adds to the frontend and the bare interpreter.

Run with ``pytest benchmarks/bench_pipeline.py``. The bundle is the shipped ``text`` where it is there, else
the small text bundle of the tests; the sentence has 150 characters. Both ways are timed in turns in the same
run, in processor time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.bench_runtime import a_bare_interpreter, a_bundle
from benchmarks.timing import interleaved_ratio
from edgeemo import EMOTIONS, Runtime, TextRecognizer
from edgeemo.bundle import shipped

TARGET_US = 15
SENTENCE = (
    "I can't believe how kind everybody was to me yesterday; it made me so happy, and I keep smiling when I "
    "think of the little cake they had baked for me."
    if "text" in shipped()
    else "so happy, so sad! so so angry? " * 5
)[:150]
OTHERS = ["I miss her.", "So angry!", "", "The meeting is on Tuesday.", SENTENCE * 3]


@pytest.fixture(scope="module")
def recognizer() -> TextRecognizer:
    bundle = a_bundle()
    return TextRecognizer(bundle, Runtime(bundle.flatbuffer))


def test_the_sentence_has_150_characters() -> None:
    assert len(SENTENCE) == 150


def test_predict_beside_frontend_and_interpreter(
    recognizer: TextRecognizer, benchmark: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    interpreter, given, outputs = a_bare_interpreter(recognizer.bundle)
    frontend = recognizer.frontend

    def bare() -> list[np.ndarray[Any, np.dtype[Any]]]:
        encoding = frontend.encode(SENTENCE)
        interpreter.set_tensor(given, encoding.ids[np.newaxis])
        interpreter.invoke()
        return [interpreter.get_tensor(detail["index"]) for detail in outputs.values()]

    labels = recognizer.card.outputs["labels"]
    said = dict(zip(outputs, bare(), strict=True))[labels]
    ids = frontend.encode(SENTENCE).ids[np.newaxis]
    assert said.argmax() == recognizer.runtime.run(ids)[labels].argmax()

    alone, ours, _ = interleaved_ratio(bare, lambda: recognizer.predict(SENTENCE))
    added = ours - alone
    benchmark.extra_info.update(bundle=recognizer.card.name, bare_us=alone, predict_us=ours, added_us=added)
    with capsys.disabled():
        print(
            f"\n{recognizer.card.name}: frontend and interpreter {alone:.1f} µs, predict {ours:.1f} µs: "
            f"{added:+.1f} µs (target {TARGET_US})"
        )
    result = benchmark(recognizer.predict, SENTENCE)
    assert result.evidence > 0


def test_encode(recognizer: TextRecognizer, benchmark: Any) -> None:
    encoding = benchmark(recognizer.frontend.encode, SENTENCE)
    assert encoding.n_understood > 0


def test_a_batch_beside_its_texts_one_by_one(recognizer: TextRecognizer, benchmark: Any) -> None:
    texts = [*OTHERS, SENTENCE] * 8
    together, apart, ratio = interleaved_ratio(
        lambda: recognizer.predict_batch(texts), lambda: [recognizer.predict(text) for text in texts]
    )
    benchmark.extra_info.update(batch_us=together, one_by_one_us=apart, ratio=ratio, texts=len(texts))
    results = benchmark(recognizer.predict_batch, texts)
    assert [r.label for r in results] == [recognizer.predict(text).label for text in texts]


def test_to_dict(recognizer: TextRecognizer, benchmark: Any) -> None:
    values = benchmark(lambda: recognizer.predict(SENTENCE).to_dict())
    assert list(values["scores"]) == list(EMOTIONS)
