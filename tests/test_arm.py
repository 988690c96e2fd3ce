"""64-bit ARM boards, emulated by `.ci/run --arm`: the integers of x86-64 and its answers, in C and Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edgeemo.converters.golden import RATE_HZ, SIDE, TEXTS, drawing, signal

from edgeemo import Bundle, native_paths
from edgeemo.backends import litert_library
from edgeemo.bundle import shipped
from edgeemo.card import ModelCard
from edgeemo.types import EMOTIONS

TESTS = Path(__file__).parent
ARM = TESTS.parent / "build" / "arm"
EMULATOR = "qemu-aarch64-static"
CORES = ("cortex-a72", "cortex-a76")
CLOSE = 0.02  # probabilities of int8 models, from machine to machine

pytestmark = [
    pytest.mark.arm,
    pytest.mark.skipif(
        not (ARM / "site" / "edgeemo").is_dir() or shutil.which(EMULATOR) is None,
        reason="there is no board to emulate here: .ci/run --arm lays it out",
    ),
]
Answers = dict[str, Any]


def run(
    *command: str | Path, board: str = "", path: tuple[Path, ...] = (), timeout: float = 1800
) -> subprocess.CompletedProcess[str]:
    """Run a program, on an emulated board if one is named; it must end well."""
    words = [str(word) for word in command]
    if board:
        words = [EMULATOR, "-cpu", board, "-L", str(ARM / board), *words]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        words, env=environment, cwd=ARM, capture_output=True, text=True, check=False, timeout=timeout
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done


def python(board: str, *arguments: str | Path, path: tuple[Path, ...] = (ARM / "site", TESTS)) -> str:
    """Run the board's own Python and return what it prints."""
    (interpreter,) = (ARM / "root" / "usr" / "bin").glob("python3.*[0-9]")
    return run(interpreter, "-P", *arguments, board=board, path=path).stdout


@pytest.fixture(scope="module")
def here() -> Answers:
    printed = run(sys.executable, "-P", TESTS / "arm_answers.py", path=(TESTS,)).stdout
    return dict(json.loads(printed))


@pytest.fixture(scope="module", params=CORES)
def core(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def there(core: str) -> Answers:
    return dict(json.loads(python(core, TESTS / "arm_answers.py")))


def test_the_board_is_what_it_should_be(core: str, there: Answers) -> None:
    assert there["machine"] == "aarch64"
    assert {"cortex-a72": "0xd08", "cortex-a76": "0xd0b"}[core] in there["cpuinfo"]
    assert there["dot_products"] == (core == "cortex-a76")


def test_ids_spans_and_crops_are_those_of_this_machine_to_the_bit(here: Answers, there: Answers) -> None:
    assert len(there["integers"]) > 200
    assert there["integers"] == here["integers"]
    inputs = {name: printed["inputs"] for name, printed in here["bundles"].items() if "inputs" in printed}
    assert set(inputs) >= {"text", "voice", "face"}
    assert {name: there["bundles"][name]["inputs"] for name in inputs} == inputs


@pytest.mark.parametrize(
    "name", [n for n, p in shipped().items() if isinstance(Bundle.open(p).card, ModelCard)]
)
def test_answers_are_those_of_this_machine_and_of_the_card(
    name: str, here: Answers, there: Answers, core: str
) -> None:
    ours, theirs = there["bundles"][name], here["bundles"][name]
    assert ours["backend"] == "native", ours["reason"]
    assert ours["labels"] == theirs["labels"]
    np.testing.assert_allclose(ours["numbers"], theirs["numbers"], atol=CLOSE)
    np.testing.assert_allclose(ours["from_c"], ours["numbers"], atol=2e-6)
    golden = [example["scores"] for example in Bundle.open(shipped()[name]).card.golden]
    np.testing.assert_allclose(ours["scores"], golden, atol=CLOSE)
    assert ours["labels"] == [EMOTIONS[int(np.argmax(scores))] for scores in golden]
    steps = np.abs(np.subtract(ours["outputs"], theirs["outputs"]))
    assert steps.max() <= 3, "int8 outputs are further apart than rounding explains"
    furthest = np.abs(np.subtract(ours["numbers"], theirs["numbers"])).max()
    print(f"{name} as a {core}: numbers within {furthest:.2g} of x86-64;", end=" ")
    print(f"on noise {np.mean(steps > 0):.2%} of int8 outputs differ, by at most {steps.max()}")


def test_the_detector_finds_the_same_faces(here: Answers, there: Answers) -> None:
    ours, theirs = there["bundles"]["face-detector"]["faces"], here["bundles"]["face-detector"]["faces"]
    assert any(theirs)
    for faces, wanted in zip(ours, theirs, strict=True):
        assert len(faces) == len(wanted)
        np.testing.assert_allclose(np.reshape(faces, -1), np.reshape(wanted, -1), atol=0.5)


# --- C programs, against the wheel's native folder ---


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    (folder / "words").write_text(TEXTS[0], encoding="utf-8")
    (folder / "face.pgm").write_bytes(b"P5 %d %d 255\n" % (SIDE, SIDE) + drawing("smile").tobytes())
    with wave.open(str(folder / "hum.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(signal("low hum").tobytes())
    return folder


def build(package: Path, folder: Path, *options: str) -> Path:
    """Build the examples against an installed edgeemo and nothing else."""
    cmake = shutil.which("cmake", path=f"{TESTS.parent / '.venv-test' / 'bin'}:{os.environ['PATH']}")
    assert cmake is not None
    source = shutil.copytree(TESTS.parent / "cpp" / "examples", folder / "source")
    run(cmake, "-S", source, "-B", folder / "build", f"-Dedgeemo_DIR={package}", *options)
    run(cmake, "--build", folder / "build")
    return folder / "build"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    toolchain = TESTS.parent / "cpp" / "toolchains" / "aarch64.cmake"
    package = ARM / "site" / "edgeemo" / "native" / "lib" / "cmake" / "edgeemo"
    return build(package, tmp_path_factory.mktemp("aarch64"), f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")


@pytest.fixture(scope="module")
def printed_here(material: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return say(
        build(native_paths.paths()["cmake"], tmp_path_factory.mktemp("native")), material, litert_library()
    )


def say(programs: Path, material: Path, library: Path | str, board: str = "") -> list[str]:
    """Return what the examples print for a text, a face and a voice, without the paths."""
    printed = []
    for program, name, options in (
        ("kiosk", "text", ["--library", library, material / "words"]),
        ("kiosk", "face", ["--library", library, material / "face.pgm"]),
        ("toy", "voice", [material / "hum.wav", library]),
    ):
        printed += run(programs / program, shipped()[name], *options, board=board).stdout.splitlines()
    return [line.removeprefix(f"{material}{os.sep}") for line in printed]


LIBRARIES = {
    "the newest": ARM / "site" / "ai_edge_litert" / "libLiteRt.so",
    "2.1.0": ARM / "old" / "2.1.0" / "ai_edge_litert" / "libLiteRt.so",
    "1.4.0": ARM / "old" / "1.4.0" / "ai_edge_litert" / "libLiteRtRuntimeCApi.so",
}


@pytest.mark.parametrize("litert", list(LIBRARIES))
def test_c_programs_say_what_they_say_on_this_machine(
    litert: str, core: str, programs: Path, material: Path, printed_here: list[str]
) -> None:
    printed = say(programs, material, LIBRARIES[litert], core)
    assert len(printed) >= 4
    number = re.compile(r"-?\d+\.\d+")
    assert [number.sub("", line) for line in printed] == [number.sub("", line) for line in printed_here]
    for ours, theirs in zip(printed, printed_here, strict=True):
        numbers = [[float(x) for x in number.findall(line)] for line in (ours, theirs)]
        np.testing.assert_allclose(numbers[0], numbers[1], atol=CLOSE + 0.011)  # printed with two digits


# --- Python, further ---


# our own code is the same on both cores; what LiteRT does is not
ON_BOTH = ["native.py::test_native_gives_the_interpreters_bits"]
ON_ONE = [
    "quant.py",
    "scores.py",
    "smooth.py",
    "text_frontend.py",
    "face_frontend.py",
    "face_detect.py",
    "c_abi.py",
]


@pytest.mark.parametrize(
    ("board", "tests"),
    [
        *((board, tests) for board in CORES for tests in ON_BOTH),
        *((CORES[0], tests) for tests in ON_ONE),
    ],
)
def test_tests_pass_there(board: str, tests: str) -> None:
    root = TESTS.parent
    options = ("-q", "-p", "no:cacheprovider", "-c", f"{root}/pyproject.toml", f"--rootdir={root}")
    printed = python(board, "-m", "pytest", *options, f"{TESTS}/test_{tests}")
    print(printed.splitlines()[-1])
    assert re.search(r"[1-9]\d* passed", printed)


OLD = """
import sys, edgeemo
with edgeemo.Recognizer.open("text", backend=sys.argv[1]) as recognizer:
    assert recognizer.runtime.info.backend == sys.argv[1]
    print(recognizer.predict(sys.argv[2]).label)
"""


@pytest.mark.parametrize("backend", ["litert", "tflite-runtime"])
def test_interpreters_answer_there(backend: str, core: str, here: Answers, tmp_path: Path) -> None:
    path: tuple[Path, ...] = (ARM / "site",)
    if backend == "tflite-runtime":
        if not (ARM / "legacy").is_dir():
            pytest.skip("tflite-runtime needs a Python before 3.12")
        (tmp_path / "edgeemo").symlink_to(ARM / "site" / "edgeemo")
        path = (ARM / "legacy", tmp_path)
    assert python(core, "-c", OLD, backend, TEXTS[0], path=path).split() == [
        here["bundles"]["text"]["labels"][0]
    ]
