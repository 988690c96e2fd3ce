"""What is installed for C and C++: header, symbols, pkg-config, CMake package; examples built from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import parrot
import pytest
import wordy

from edgeemo import Recognizer, VoiceRecognizer, native_paths
from edgeemo.backends import litert_library
from edgeemo.cli import main
from edgeemo.errors import RuntimeUnavailableError

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "cpp" / "examples"
GOLDEN = Path(__file__).parent / "golden" / "abi.txt"


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    try:
        return native_paths.paths()
    except RuntimeUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def flags(paths: dict[str, Path]) -> list[str]:
    if shutil.which("pkg-config") is None:
        pytest.skip("needs pkg-config")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(paths["pkgconfig"])}
    command = ["pkg-config", "--cflags", "--libs", "edgeemo"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def run(*command: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def examples(paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, built by CMake against the installed package and nothing else."""
    cmake = shutil.which("cmake", path=f"{ROOT / '.venv-test' / 'bin'}:{os.environ['PATH']}")
    if cmake is None:
        pytest.skip("needs cmake")
    source = shutil.copytree(EXAMPLES, tmp_path_factory.mktemp("examples") / "source")
    build = source.parent / "build"
    run(cmake, "-S", source, "-B", build, f"-Dedgeemo_DIR={paths['cmake']}", "-DCMAKE_BUILD_TYPE=Release")
    run(cmake, "--build", build)
    return build


def test_paths_are_told_as_json(paths: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paths", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {name: str(path) for name, path in paths.items()}
    assert (paths["include"] / "edgeemo" / "edgeemo.h").is_file()
    assert (paths["pkgconfig"] / "edgeemo.pc").is_file()
    assert (paths["cmake"] / "edgeemoConfig.cmake").is_file()


def test_the_program_that_tries_a_gpu_lies_beside_the_library(paths: dict[str, Path]) -> None:
    program = paths["lib"] / "edgeemo" / "edgeemo-probe"
    assert os.access(program, os.X_OK)
    told = run(program, code=2).stderr  # for edgeemo, not for people
    assert "edgeemo delegates" in told


def test_without_the_library_paths_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native_paths, "LIBRARY", "libnone.so")
    assert main(["paths"]) == 1
    assert "built without it" in capsys.readouterr().err


LAYOUT = """
#include <edgeemo/edgeemo.h>
#include <stdio.h>
#define SIZE(s) printf("%s %u\\n", #s, (unsigned)sizeof(s))
#define AT(s, f) printf("%s.%s %u\\n", #s, #f, (unsigned)offsetof(s, f))
int main(void) {
    FIELDS
    return 0;
}
"""


def test_symbols_and_structs_are_those_that_were_promised(
    paths: dict[str, Path], flags: list[str], tmp_path: Path
) -> None:
    """A binary of an old release runs with this one: lines may join the golden file, none may go."""
    header = (paths["include"] / "edgeemo" / "edgeemo.h").read_text("utf-8")
    structs = re.findall(r"typedef struct (edgeemo_\w+) \{(.*?)\}", header, re.DOTALL)
    lines = []
    for name, body in structs:
        code = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        fields = re.findall(r"(\w+)(?:\[\w+\])?;", code)
        lines += [f"SIZE({name});", *(f"AT({name}, {field});" for field in fields)]
    (tmp_path / "layout.c").write_text(LAYOUT.replace("FIELDS", "\n    ".join(lines)))
    run(
        "cc",
        "-std=c99",
        "-pedantic",
        "-Wall",
        "-Werror",
        tmp_path / "layout.c",
        "-o",
        tmp_path / "layout",
        *flags,
    )
    layout = run(tmp_path / "layout").stdout.splitlines()
    exported = run("nm", "-D", "--defined-only", paths["lib"] / native_paths.LIBRARY).stdout
    symbols = sorted(line.split()[-1] for line in exported.splitlines() if " T " in line)
    promised = GOLDEN.read_text().splitlines()
    assert set(symbols) | set(layout) == set(promised)
    declared = set(re.findall(r"EDGEEMO_API [\w \*]+?\*?(edgeemo_\w+)\(", header))
    assert {symbol.split("@")[0] for symbol in symbols} == declared


@pytest.mark.parametrize(("compiler", "standard"), [("cc", "c99"), ("cc", "c11"), ("c++", "c++17")])
def test_the_header_stands_alone(
    compiler: str, standard: str, paths: dict[str, Path], tmp_path: Path
) -> None:
    source = tmp_path / ("only.c" if compiler == "cc" else "only.cpp")
    source.write_text("#include <edgeemo/edgeemo.h>\nint main(void) { return (int)edgeemo_abi_version(); }\n")
    strict = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", f"-std={standard}"]
    run(compiler, *strict, f"-I{paths['include']}", "-c", source, "-o", tmp_path / "only.o")


def test_the_toy_hears_what_python_hears(examples: Path, parrot_path: Path, tmp_path: Path) -> None:
    pcm = np.concatenate([parrot.voice("anger", 2), parrot.silence(1)])
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(pcm.tobytes())
    told = run(examples / "toy", parrot_path, tmp_path / "speech.wav", litert_library()).stdout.splitlines()
    with Recognizer.open(parrot_path) as recognizer:
        assert isinstance(recognizer, VoiceRecognizer)
        spans = recognizer.timeline(pcm, rate_hz=16_000)
        whole = recognizer.predict(pcm, rate_hz=16_000)
    assert [(int(line.split()[0]), line.split()[2]) for line in told[:-1]] == [
        (s.start_ms, s.label) for s in spans
    ]
    assert told[-1] == f"all in all {whole.label} {whole.confidence:.2f}"


def test_the_toy_refuses_in_words(examples: Path, parrot_path: Path, tmp_path: Path) -> None:
    (tmp_path / "not.wav").write_bytes(b"RIFF")
    assert "no WAV file" in run(examples / "toy", parrot_path, tmp_path / "not.wav", code=1).stderr
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    told = run(examples / "toy", tmp_path / "none.tflite", tmp_path / "speech.wav", code=1)
    assert "There is no bundle" in told.stderr


def test_the_kiosk_reads_texts(examples: Path, tmp_path: Path) -> None:
    bundle = wordy.write(tmp_path)
    for name in ("happy", "sad"):
        (tmp_path / name).write_text(f"so {name} !")
    files = [tmp_path / "happy", tmp_path / "sad"]
    told = run(examples / "kiosk", bundle, "--library", litert_library(), *files).stdout.splitlines()
    with Recognizer.open(bundle) as recognizer:
        expected = [recognizer.predict(file.read_text()) for file in files]
    for line, result in zip(told, expected, strict=True):
        words = line.split(": ")[1].split()
        assert words == [result.label, f"{result.confidence:.2f}", *result.active]


def test_the_readmes_program_compiles_and_answers(flags: list[str], tmp_path: Path) -> None:
    (code,) = re.findall(
        r"^```c\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "day.c").write_text(code)
    shutil.copy(wordy.write(tmp_path), tmp_path / "text.tflite")
    run("cc", "-std=c99", "-Wall", "-Werror", tmp_path / "day.c", "-o", tmp_path / "day", *flags)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(Path(litert_library()).parent)}
    done = subprocess.run(
        [tmp_path / "day"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    with Recognizer.open(tmp_path / "text.tflite") as recognizer:
        result = recognizer.predict("What a day!")
    assert done.stdout == f"{result.label} {result.confidence:.2f}\n", done.stderr


@pytest.mark.slow
def test_valgrind_finds_nothing_of_ours(examples: Path, parrot_path: Path, tmp_path: Path) -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("needs valgrind")
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(parrot.voice("anger", 1).tobytes())
    done = run(
        "valgrind", "--error-exitcode=0", "--leak-check=full", examples / "toy", parrot_path,
        tmp_path / "speech.wav", litert_library(),
    )  # fmt: skip
    reports = re.split(r"==\d+== \n", done.stderr)
    ours = [r for r in reports if re.search(r"(by|at) 0x.*(edgeemo|toy)", r) and "definitely lost" not in r]
    ours = [r for r in ours if re.search(r"Invalid|uninitialised|lost in loss record", r)]
    assert not ours, "\n".join(ours)
