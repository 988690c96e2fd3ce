"""The native code under clang's fuzzer and the thread sanitizer, as `make fuzz` and `make tsan` build it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SECONDS = os.environ.get("FUZZ_SECONDS", "600")
"""Seconds for each target, as before a release; `make test` and `.ci/run` take less."""


def make(*arguments: str) -> str:
    """Run a target of the Makefile in the existing environment, without making another."""
    command = ["make", "--no-print-directory", "--old-file=.venv-test/.stamp", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.slow
def test_fuzzers_find_nothing() -> None:
    if shutil.which("clang++") is None:
        pytest.skip("needs clang")
    printed = make("fuzz", f"FUZZ_SECONDS={SECONDS}")
    natives = [path.stem for path in (ROOT / "tests" / "cpp").glob("fuzz_*.cpp")]
    assert len(natives) >= 6
    assert printed.count("Done ") == len(natives), printed[
        -4000:
    ]  # what libFuzzer says of a target it ran to the end


@pytest.mark.slow
def test_threads_race_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.cpp").write_text("int main() {}")
    tried = ["c++", "-fsanitize=thread", str(tmp_path / "empty.cpp"), "-o", str(tmp_path / "empty")]
    if shutil.which("c++") is None or subprocess.run(tried, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs a C++ compiler with libtsan")
    assert "100% tests passed" in make("tsan")
