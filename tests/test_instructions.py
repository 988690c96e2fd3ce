"""The guard of instruction counts: it sees one per cent, fails at four, and says when it cannot judge."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import instructions
from edgeemo.errors import DataError

ROOT = Path(__file__).parent.parent

# one stage that loops LOOPS times; `spend` before `counted` must not count
PROGRAM = r"""
#include <cstdio>
#include <cstring>
static volatile unsigned sink;
static void spend(unsigned n) { for (unsigned i = 0; i < n; ++i) sink = sink * 3u + i; }
extern "C" __attribute__((noinline)) void counted() { spend(LOOPS); }
int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--built") == 0) {
        std::puts("{\"compiler\": \"C 1\", \"flags\": \"-O1\", \"architecture\": \"any\", "
                  "\"stages\": [\"loop\"]}");
        return 0;
    }
    spend(123456);
    counted();
    return 0;
}
"""

needs_valgrind = pytest.mark.skipif(
    shutil.which("valgrind") is None or shutil.which("c++") is None, reason="valgrind or c++ is not installed"
)


def build(folder: Path, loops: int) -> Path:
    source, program = folder / "loop.cpp", folder / f"loop{loops}"
    source.write_text(PROGRAM)
    subprocess.run(["c++", "-O1", f"-DLOOPS={loops}u", source, "-o", program], check=True)
    return program


@needs_valgrind
def test_a_slowed_function_fails_and_a_little_more_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = tmp_path / "baseline.json"
    arguments = ["--baseline", str(baseline)]
    assert instructions.main([str(build(tmp_path, 10_000)), *arguments, "--update"]) == 0
    before = json.loads(baseline.read_text())["stages"]["loop"]
    assert 20_000 < before < 100_000  # the loop, not what ran before it
    assert instructions.main([str(build(tmp_path, 10_000)), *arguments]) == 0
    assert "+0.0%" in capsys.readouterr().out
    assert instructions.main([str(build(tmp_path, 10_200)), *arguments]) == 0
    assert instructions.main([str(build(tmp_path, 10_400)), *arguments]) == 3
    said = capsys.readouterr().out
    assert "FAILED  loop" in said
    assert "make instructions-baseline" in said
    assert instructions.main([str(build(tmp_path, 9_000)), *arguments]) == 0
    assert "the baseline should follow" in capsys.readouterr().out


@pytest.mark.parametrize("program", ["no/such/program", "/bin/true", "/bin/false", "."])
def test_a_program_that_is_none_is_an_error_with_the_remedy(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)  # so far valgrind is not asked
    assert instructions.main([program]) == 1
    assert "`make instructions` builds it." in capsys.readouterr().err


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", '{"stages": 3}', '{"stages": {"a": "b"}}', "\xff"])
def test_a_damaged_baseline_is_an_error_with_the_remedy(tmp_path: Path, damaged: str) -> None:
    baseline = tmp_path / "baseline.json"
    with pytest.raises(DataError, match="is missing: make instructions-baseline"):
        instructions.read(baseline)
    baseline.write_bytes(damaged.encode("latin-1"))
    with pytest.raises(
        DataError, match=r"baseline.json is damaged .*git checkout.*make instructions-baseline"
    ):
        instructions.read(baseline)
    baseline.write_text(json.dumps(counts()))
    assert instructions.read(baseline) == counts()


def counts(**changes: Any) -> dict[str, Any]:
    return {"compiler": "GNU 12", "flags": "-O3", "architecture": "any", "stages": {"a": 1000}} | changes


def test_another_compiler_is_skipped_by_name_with_the_remedy() -> None:
    skipped, changes = instructions.compare(counts(compiler="GNU 13"), counts())
    assert "GNU 12" in skipped
    assert "GNU 13" in skipped
    assert "make instructions-baseline" in skipped
    assert not changes


def test_other_flags_are_no_excuse() -> None:
    with pytest.raises(DataError, match="make instructions-baseline"):
        instructions.compare(counts(flags="-O2"), counts())


@pytest.mark.parametrize(
    ("stages", "failed"),
    [({"a": 1030}, False), ({"a": 1031}, True), ({"a": 900}, False), ({}, True), ({"a": 1, "b": 1}, True)],
)
def test_stages_fail_beyond_three_per_cent_or_when_they_come_or_go(
    stages: dict[str, int], failed: bool
) -> None:
    _, changes = instructions.compare(counts(stages=stages), counts())
    assert any(change.failed for change in changes) == failed


def test_only_the_programs_own_code_counts() -> None:
    text = "\n".join(
        [
            "events: Ir",
            "ob=(1) /x/program",
            "fn=(1) counted",
            "12 5",
            "+3 4",
            "cob=(2) /lib/libc.so",
            "cfn=(2) memcpy",
            "calls=1 0",
            "* 1000",
            "* 2",
            "ob=(2)",
            "fn=(2)",
            "0 1000",
            "ob=(1)",
            "fn=(3) more",
            "7 30",
            "totals: 1041",
        ]
    )
    assert instructions.own_instructions(text, "/x/program") == 41


BESIDE_US = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
TOOLS = {name: shutil.which(name, path=BESIDE_US) for name in ("cmake", "ninja", "c++")}


@pytest.mark.skipif(None in TOOLS.values(), reason="cmake, ninja or c++ is not installed")
def test_the_flags_told_are_those_that_each_file_is_compiled_with(tmp_path: Path) -> None:
    configure = [str(TOOLS["cmake"]), "-S", str(ROOT / "cpp"), "-B", str(tmp_path), "-G", "Ninja"]
    options = ["CMAKE_BUILD_TYPE=Release", "EDGEEMO_TESTS=ON", "CMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    defined = [f"-D{option}" for option in (*options, f"CMAKE_MAKE_PROGRAM={TOOLS['ninja']}")]
    subprocess.run(configure + defined, check=True, capture_output=True)
    commands = json.loads((tmp_path / "compile_commands.json").read_text("utf-8"))
    words = {Path(c["file"]): shlex.split(c["command"]) for c in commands}
    program = next(w for file, w in words.items() if file.name == "count_instructions.cpp")
    (flags,) = (json.loads(w.partition("=")[2]) for w in program if w.startswith("-DEDGEEMO_FLAGS="))
    common, *of_files = re.split(r" (src/\S+): ", flags)
    own = dict(zip(of_files[::2], of_files[1::2], strict=True))
    core = [c for c in commands if "edgeemo_core.dir" in c["command"]]
    assert len(core) > 10
    for file in (Path(c["file"]) for c in core):
        used = [w for w in words[file] if re.match("-(O|std|m|f(?!PIC|visibility))", w)]
        of_file = own.pop(f"src/{file.parent.name}/{file.name}", "")
        said = f"{common} {of_file}".replace("-DNDEBUG", "").split()
        assert used == said, file
    assert not own


def test_the_committed_baseline_names_what_it_was_counted_with() -> None:
    baseline = json.loads(instructions.BASELINE.read_text("utf-8"))
    assert baseline["compiler"]
    assert "-O3" in baseline["flags"]
    assert baseline["valgrind"].startswith("valgrind-")
    assert {"text nfkc", "voice log, baseline", "detect", "track"} <= set(baseline["stages"])
