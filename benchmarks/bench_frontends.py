"""The text frontend beside Hugging Face tokenizers: the same ids, in the same run.

Run with ``pytest benchmarks/bench_frontends.py``; `benchmarks.peers.text_frontend` says what is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from benchmarks.peers.text_frontend import (
    AT_LEAST,
    LENGTH,
    SAMPLES,
    assert_equal,
    each_of,
    our_frontend,
    their_encode,
    trained_pieces,
)
from benchmarks.timing import interleaved_ratio
from edgeemo.frontends import TextFrontend, TextSpec


@pytest.fixture(scope="module")
def pieces() -> list[str]:
    return trained_pieces()


@pytest.fixture(scope="module")
def theirs(pieces: list[str]) -> Callable[[str], Any]:
    return their_encode(pieces)


@pytest.fixture(scope="module")
def frontend(pieces: list[str]) -> TextFrontend:
    return our_frontend(pieces)


@pytest.mark.parametrize("sample", SAMPLES)
def test_edgeemo_bert(
    benchmark: Any, frontend: TextFrontend, theirs: Callable[[str], Any], sample: str
) -> None:
    texts = SAMPLES[sample]
    assert_equal(frontend, theirs, texts)
    _, _, ratio = interleaved_ratio(each_of(frontend.compute, texts), each_of(theirs, texts))
    benchmark.extra_info["times faster than tokenizers"] = round(ratio, 1)
    source = cycle(texts)
    benchmark(lambda: frontend.compute(next(source)))


@pytest.mark.parametrize("sample", SAMPLES)
def test_edgeemo_nfkc(benchmark: Any, pieces: list[str], sample: str) -> None:
    frontend = TextFrontend(TextSpec(length=LENGTH), pieces)
    source = cycle(SAMPLES[sample])
    assert frontend.encode(SAMPLES[sample][0]).n_understood > 5
    benchmark(lambda: frontend.encode(next(source)))


@pytest.mark.parametrize("sample", SAMPLES)
def test_tokenizers(benchmark: Any, theirs: Callable[[str], Any], sample: str) -> None:
    source = cycle(SAMPLES[sample])
    assert 1 not in theirs(SAMPLES[sample][0]).ids
    benchmark(lambda: theirs(next(source)))


@pytest.mark.parametrize("sample", SAMPLES)
def test_edgeemo_is_faster_by(frontend: TextFrontend, theirs: Callable[[str], Any], sample: str) -> None:
    texts = SAMPLES[sample]
    ours_us, theirs_us, ratio = interleaved_ratio(
        each_of(frontend.compute, texts), each_of(theirs, texts), len(texts)
    )
    print(f"{sample}: edgeemo {ours_us:.2f} us, tokenizers {theirs_us:.1f} us, {ratio:.1f} times")
    assert ratio >= AT_LEAST[sample]
