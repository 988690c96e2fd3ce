"""The native engine: what it adds to its parts, from C++ and from Python; start and memory.

The C++ half is ``bench_engine``, built by ``make cpp-test``; without it these benchmarks are skipped by name.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edgeemo import Recognizer, TextRecognizer
from edgeemo.backends import litert_library
from edgeemo.bundle import shipped

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "build" / "werror" / "tests" / "bench_engine"
TEXT = (
    "I had been looking forward to this for weeks, and then it rained all day; "
    "still, we laughed so much that nobody minded in the end, did they?"
)
START = "import edgeemo; edgeemo.Recognizer.open('text').predict('I love this')"


@pytest.fixture(scope="module")
def native() -> dict[str, Any]:
    """What the C++ program measured."""
    if not PROGRAM.is_file():
        pytest.skip(f"{PROGRAM} is not built: run `make cpp-test`")
    here = shipped()
    command = [str(part) for part in (PROGRAM, litert_library(), here["text"], here["face"], here["voice"])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    print(told)
    return told


@pytest.mark.parametrize("modality", ["text", "face"])
def test_native_predict_costs_little_more_than_its_parts(modality: str, native: dict[str, Any]) -> None:
    costs = native[modality]
    assert costs["predict_us"] <= 1.05 * (costs["frontend_us"] + costs["run_us"]), native


@pytest.mark.parametrize("modality", ["text", "face"])
def test_two_engines_in_two_threads_do_nearly_twice_as_much(modality: str, native: dict[str, Any]) -> None:
    assert native[modality]["two_threads"] >= 1.8, native


def test_all_models_and_the_detector_fit_into_64_megabytes(native: dict[str, Any]) -> None:
    assert native["resident_mb"] <= 64, native


def test_predict_from_python(benchmark: Any, native: dict[str, Any]) -> None:
    """Within 20 µs of the C++ call."""
    with Recognizer.open("text") as recognizer:
        assert isinstance(recognizer, TextRecognizer)
        assert recognizer.runtime.info.backend == "native"
        result = benchmark(recognizer.predict, TEXT)
    assert result.evidence == 1
    assert benchmark.stats.stats.median * 1e6 <= native["text"]["predict_us"] + 20


def test_a_cold_python_answers_soon() -> None:
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", START], check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    print(f"cold start of Python to the first answer: {1000 * statistics.median(times):.0f} ms")
    assert min(times) <= 0.3


def test_a_cold_c_program_answers_soon(tmp_path: Path) -> None:
    from edgeemo import native_paths

    paths = native_paths.paths()
    kiosk = tmp_path / "kiosk"
    source = ROOT / "cpp" / "examples" / "kiosk.cpp"
    flags = [f"-I{paths['include']}", f"-L{paths['lib']}", f"-Wl,-rpath,{paths['lib']}", "-ledgeemo"]
    subprocess.run(["c++", "-O2", source, "-o", kiosk, *flags], check=True)
    (tmp_path / "text").write_text("I love this")
    command = [kiosk, shipped()["text"], "--library", litert_library(), tmp_path / "text"]
    times, busy = [], []
    for _ in range(7):
        begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(part) for part in command], check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(
        f"cold start of C++ to the first answer: {1000 * statistics.median(times):.0f} ms, "
        f"processor {1000 * statistics.median(busy):.0f} ms"
    )
    assert min(times) <= 0.05
