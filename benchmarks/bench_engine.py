"""The native engine: what it adds to its parts, from C++ and from Python; start and memory.

The C++ half is ``bench_engine``, built by ``make cpp-test``; without it these benchmarks are skipped by name.
With ``-s`` each prints its row for the table in docs/explanation/native-engine.md.
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
MODALITIES = ("text", "face", "voice")


@pytest.fixture(scope="module")
def native() -> dict[str, Any]:
    """The numbers of the C++ program."""
    if not PROGRAM.is_file():
        pytest.skip(f"{PROGRAM} is not built: run `make cpp-test`")
    here = shipped()
    command = [str(part) for part in (PROGRAM, litert_library(), here["text"], here["face"], here["voice"])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    print(found)
    return found


@pytest.mark.parametrize("modality", MODALITIES)
def test_native_predict_costs_little_more_than_its_parts(modality: str, native: dict[str, Any]) -> None:
    costs = native[modality]
    parts_us = costs["frontend_us"] + costs["run_us"]
    ratio = costs["predict_us"] / parts_us
    row(
        f"native `predict` (C++) over frontend + bare model, `{modality}`",
        f"{ratio:.3f} ({costs['predict_us']:.1f} over {costs['frontend_us']:.1f} + {costs['run_us']:.1f} µs)",
        "1.05",
    )
    assert ratio <= 1.05, native


@pytest.mark.parametrize("modality", MODALITIES)
def test_two_engines_in_two_threads_do_nearly_twice_as_much(modality: str, native: dict[str, Any]) -> None:
    twice = native[modality]["two_threads"]
    row(f"two threads with an engine each over one, `{modality}`", f"{twice:.2f}×", "1.8×")
    assert twice >= 1.8, native


def test_all_models_and_the_detector_fit_into_64_megabytes(native: dict[str, Any]) -> None:
    row("resident memory of a C++ process with all models", f"{native['resident_mb']:.1f} MB", "64 MB")
    assert native["resident_mb"] <= 64, native


def test_predict_from_python(benchmark: Any, native: dict[str, Any]) -> None:
    """Within 20 µs of the C++ call."""
    with Recognizer.open("text") as recognizer:
        assert isinstance(recognizer, TextRecognizer)
        assert recognizer.runtime.info.backend == "native"
        result = benchmark(recognizer.predict, TEXT)
    assert result.evidence == 1
    more_us = benchmark.stats.stats.median * 1e6 - native["text"]["predict_us"]
    row("`predict` from Python beside the same call from C++", f"{more_us:+.0f} µs", "+20 µs")
    assert more_us <= 20


def test_cold_programs_answer_soon(tmp_path: Path) -> None:
    """Python and C++ from nothing to the first answer, in turns."""
    from edgeemo import native_paths

    paths = native_paths.paths()
    kiosk = tmp_path / "kiosk"
    source = ROOT / "cpp" / "examples" / "kiosk.cpp"
    flags = [f"-I{paths['include']}", f"-L{paths['lib']}", f"-Wl,-rpath,{paths['lib']}", "-ledgeemo"]
    subprocess.run(["c++", "-O2", source, "-o", kiosk, *flags], check=True)
    (tmp_path / "text").write_text("I love this")
    library = litert_library()
    commands = {
        "Python": [sys.executable, "-c", START],
        "C++": [str(kiosk), str(shipped()["text"]), "--library", library, str(tmp_path / "text")],
    }
    starts: dict[str, list[Start]] = {name: [] for name in commands}
    for _ in range(7):
        for name, command in commands.items():
            starts[name].append(started(command))
    for name, aim_ms in (("Python", 300), ("C++", 50)):
        walls, busy = ([1000 * start[i] for start in starts[name]] for i in range(2))
        row(
            f"{name} from start to its first answer, processor time; wall",
            f"{statistics.median(busy):.0f} ms ({min(busy):.0f} to {max(busy):.0f}); "
            f"{statistics.median(walls):.0f} ms",
            f"{aim_ms} ms",
        )
        assert statistics.median(busy) <= aim_ms, starts  # the wall is the machine's, too


Start = tuple[float, float]
"""Seconds of wall and of processor."""


def started(command: list[str]) -> Start:
    """Run a program to its end."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(what: str, measured: str, aim: str) -> None:
    print(f"| {what} | {measured} | {aim} |")
