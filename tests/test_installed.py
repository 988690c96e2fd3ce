"""The installation for C and C++: header, symbols, pkg-config, CMake package; examples build with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import wave
from pathlib import Path
from xml.etree import ElementTree

import float_text
import numpy as np
import pytest
import small_voice

from edgeemo import FaceRecognizer, Recognizer, VoiceRecognizer, native_paths
from edgeemo.backends import litert_library
from edgeemo.bundle import shipped
from edgeemo.cli import main
from edgeemo.errors import RuntimeUnavailableError

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "cpp" / "examples"


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
    printed = json.loads(capsys.readouterr().out)
    assert printed == {name: str(path) for name, path in paths.items()}
    assert (paths["include"] / "edgeemo" / "edgeemo.h").is_file()
    assert (paths["pkgconfig"] / "edgeemo.pc").is_file()
    assert (paths["cmake"] / "edgeemoConfig.cmake").is_file()


def test_the_program_that_tries_a_gpu_lies_beside_the_library(paths: dict[str, Path]) -> None:
    program = paths["lib"] / "edgeemo" / "edgeemo-probe"
    assert os.access(program, os.X_OK)
    printed = run(program, code=2).stderr  # for edgeemo, not for people
    assert "edgeemo delegates" in printed


def test_without_the_library_paths_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native_paths, "LIBRARY", "libnone.so")
    assert main(["paths"]) == 1
    assert "built without the C library" in capsys.readouterr().err


@pytest.mark.parametrize(("compiler", "standard"), [("cc", "c99"), ("cc", "c11"), ("c++", "c++17")])
def test_the_header_stands_alone(
    compiler: str, standard: str, paths: dict[str, Path], tmp_path: Path
) -> None:
    source = tmp_path / ("only.c" if compiler == "cc" else "only.cpp")
    source.write_text("#include <edgeemo/edgeemo.h>\nint main(void) { return (int)edgeemo_abi_version(); }\n")
    strict = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", f"-std={standard}"]
    run(compiler, *strict, f"-I{paths['include']}", "-c", source, "-o", tmp_path / "only.o")


def test_the_toy_hears_what_python_hears(examples: Path, small_voice_path: Path, tmp_path: Path) -> None:
    pcm = np.concatenate([small_voice.voice("anger", 2), small_voice.silence(1)])
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(pcm.tobytes())
    printed = run(
        examples / "toy", small_voice_path, tmp_path / "speech.wav", litert_library()
    ).stdout.splitlines()
    with Recognizer.open(small_voice_path) as recognizer:
        assert isinstance(recognizer, VoiceRecognizer)
        spans = recognizer.timeline(pcm, rate_hz=16_000)
        whole = recognizer.predict(pcm, rate_hz=16_000)
    assert [(int(line.split()[0]), line.split()[2]) for line in printed[:-1]] == [
        (s.start_ms, s.label) for s in spans
    ]
    assert printed[-1] == f"all in all {whole.label} {whole.confidence:.2f}"
    whole_file = (tmp_path / "speech.wav").read_bytes()
    at = whole_file.index(b"data") + 4
    for length in (0xFFFFFFFF, 0x7FFFFFFE):  # written as it came: its length was not known yet
        (tmp_path / "streamed.wav").write_bytes(
            whole_file[:at] + length.to_bytes(4, "little") + whole_file[at + 4 :]
        )
        again = run(examples / "toy", small_voice_path, tmp_path / "streamed.wav", litert_library())
        assert again.stdout.splitlines() == printed


def test_the_toy_refuses_in_words(examples: Path, small_voice_path: Path, tmp_path: Path) -> None:
    (tmp_path / "not.wav").write_bytes(b"RIFF")
    assert "no WAV file" in run(examples / "toy", small_voice_path, tmp_path / "not.wav", code=1).stderr
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    printed = run(examples / "toy", tmp_path / "none.tflite", tmp_path / "speech.wav", code=1)
    assert "There is no bundle" in printed.stderr


def test_the_kiosk_reads_texts(examples: Path, tmp_path: Path) -> None:
    bundle = float_text.write(tmp_path)
    for name in ("happy", "sad"):
        (tmp_path / name).write_text(f"so {name} !")
    files = [tmp_path / "happy", tmp_path / "sad"]
    printed = run(examples / "kiosk", bundle, "--library", litert_library(), *files).stdout.splitlines()
    with Recognizer.open(bundle) as recognizer:
        expected = [recognizer.predict(file.read_text()) for file in files]
    for line, result in zip(printed, expected, strict=True):
        words = line.split(": ")[1].split()
        assert words == [result.label, f"{result.confidence:.2f}", *result.active]


@pytest.mark.filterwarnings("ignore::edgeemo.errors.LicenseWarning")
def test_the_kiosk_follows_faces(examples: Path, tmp_path: Path) -> None:
    if not {"face", "face-detector"} <= set(shipped()):
        pytest.skip("face and face-detector are not in this checkout")
    pytest.importorskip("cv2", reason="draws faces")
    from drawings import film

    frames = film(12)
    files = [tmp_path / f"{i:02}.ppm" for i in range(len(frames))]
    for file, frame in zip(files, frames, strict=True):
        file.write_bytes(b"P6\n# of a camera\n%d %d 255\n" % frame.shape[1::-1] + frame.tobytes())
    printed = run(examples / "kiosk", shipped()["face"], "--library", litert_library(), *files).stdout
    expected = []
    with Recognizer.open("face") as recognizer:
        assert isinstance(recognizer, FaceRecognizer)
        stream = recognizer.stream()
        for i, (file, frame) in enumerate(zip(files, frames, strict=True)):
            line = f"{file}:"
            for result in stream.push(frame, 40 * i):
                assert result.face is not None
                x, y = result.face.box[:2]
                over = [
                    name
                    for name, p, least in zip(
                        result.labels, result.probabilities, result.thresholds, strict=True
                    )
                    if p >= least
                ]
                words = [f"[{result.track_id} at {x:.0f}, {y:.0f}]", result.label, f"{result.confidence:.2f}"]
                line += "".join(f" {word}" for word in [*words, *over])
            expected.append(line)
    assert printed.splitlines() == expected
    assert "[1 at" in printed
    (tmp_path / "not.ppm").write_bytes(b"P3 1 1 255\n0 0 0")
    done = run(
        examples / "kiosk", shipped()["face"], "--library", litert_library(), tmp_path / "not.ppm", code=1
    )
    assert "binary PPM" in done.stderr


def test_the_program_of_the_tutorial_compiles_and_answers(flags: list[str], tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorials" / "toy-in-c.md").read_text("utf-8")
    (code,) = re.findall(r"^```c\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "day.c").write_text(code)
    shutil.copy(float_text.write(tmp_path), tmp_path / "text.tflite")
    run("cc", "-std=c99", "-Wall", "-Werror", tmp_path / "day.c", "-o", tmp_path / "day", *flags)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(Path(litert_library()).parent)}
    done = subprocess.run(
        [tmp_path / "day"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    with Recognizer.open(tmp_path / "text.tflite") as recognizer:
        result = recognizer.predict("What a day!")
    assert done.stdout == f"{result.label} {result.confidence:.2f}\n", done.stderr


def write_speech(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(small_voice.voice("anger", 1).tobytes())
    return path


def reports_of_ours(folder: Path, *command: object) -> list[str]:
    """Return the reports of memcheck that show a frame of the program or of libedgeemo.so."""
    if shutil.which("valgrind") is None:
        pytest.skip("needs valgrind")
    xml = folder / "memcheck.xml"
    run("valgrind", "--leak-check=full", "--xml=yes", f"--xml-file={xml}", *map(str, command))
    ours = {Path(str(command[0])).name, native_paths.LIBRARY}
    found = []
    for error in ElementTree.parse(xml).getroot().iter("error"):
        frames = [
            (Path(f.findtext("obj", "")).name, f.findtext("fn", "?")) for f in error.iterfind("stack/frame")
        ]
        if any(name in ours for name, _ in frames):
            found.append(f"{error.findtext('kind')}: {frames}")
    return found


@pytest.mark.slow
def test_valgrind_finds_nothing_of_ours(examples: Path, small_voice_path: Path, tmp_path: Path) -> None:
    toy: list[str | Path] = [
        examples / "toy",
        small_voice_path,
        write_speech(tmp_path / "speech.wav"),
        litert_library(),
    ]
    assert reports_of_ours(tmp_path, *toy) == []
    (tmp_path / "text").write_text("so happy !")
    kiosk: list[str | Path] = [
        examples / "kiosk",
        float_text.write(tmp_path),
        "--library",
        litert_library(),
        tmp_path / "text",
    ]
    assert reports_of_ours(tmp_path, *kiosk) == []


@pytest.mark.slow
def test_valgrind_finds_nothing_of_ours_in_faces(examples: Path, tmp_path: Path) -> None:
    if not {"face", "face-detector"} <= set(shipped()):
        pytest.skip("face and face-detector are not in this checkout")
    drawings = pytest.importorskip("drawings", reason="draws faces with OpenCV")
    files = [tmp_path / f"{i:02}.ppm" for i in range(4)]
    for file, frame in zip(files, drawings.film(4), strict=True):
        file.write_bytes(b"P6\n# of a camera\n%d %d 255\n" % frame.shape[1::-1] + frame.tobytes())
    kiosk = [examples / "kiosk", shipped()["face"], "--library", litert_library(), *files]
    assert reports_of_ours(tmp_path, *kiosk) == []


UNUSABLE = """
int of_another_system(void);
int LiteRtCreateCompiledModel(void) { return of_another_system(); }
"""
OPEN_DEFAULT = """
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.edgeemo_last_error.restype = ctypes.c_char_p
print(lib.edgeemo_open(sys.argv[2].encode(), None, ctypes.byref(ctypes.c_void_p())))
print(lib.edgeemo_last_error().decode())
"""


def opened_without_options(library: Path, bundle: Path) -> list[str]:
    """Return what edgeemo_open reports where the system's loader also finds LiteRT."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(Path(litert_library()).parent)}
    command = [sys.executable, "-c", OPEN_DEFAULT, str(library), str(bundle)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_why_litert_beside_the_library_cannot_be_loaded_is_told(
    paths: dict[str, Path], tmp_path: Path
) -> None:
    """It is not passed over for another one, even where the system has one."""
    library = tmp_path / native_paths.LIBRARY
    shutil.copy(paths["lib"] / native_paths.LIBRARY, library)
    bundle = float_text.write(tmp_path)
    assert opened_without_options(library, bundle)[0] == "0"
    (tmp_path / "unusable.c").write_text(UNUSABLE)
    run("cc", "-shared", "-fPIC", tmp_path / "unusable.c", "-o", tmp_path / "libLiteRt.so")
    code, why = opened_without_options(library, bundle)
    assert code == "-8"
    assert f"{tmp_path / 'libLiteRt.so'}: undefined symbol: of_another_system" in why


def test_of_a_system_too_old_for_litert_the_sentence_names_the_version(
    paths: dict[str, Path], tmp_path: Path
) -> None:
    """As on a board with an older glibc: here a library of our own lost the version it was linked to."""
    library, system = tmp_path / native_paths.LIBRARY, tmp_path / "libsystem.so"
    shutil.copy(paths["lib"] / native_paths.LIBRARY, library)
    (tmp_path / "system.c").write_text("int of_another_system(void) { return 0; }\n")
    (tmp_path / "unusable.c").write_text(UNUSABLE)
    shared = ["cc", "-shared", "-fPIC"]
    for version in ("GLIBC_9.99", "GLIBC_9.98"):
        (tmp_path / "map").write_text(f"{version} {{ global: of_another_system; }};\n")
        run(*shared, tmp_path / "system.c", f"-Wl,--version-script={tmp_path / 'map'}", "-o", system)
        if not (tmp_path / "libLiteRt.so").exists():
            run(*shared, tmp_path / "unusable.c", system, "-o", tmp_path / "libLiteRt.so")
    code, why = opened_without_options(library, float_text.write(tmp_path))
    assert code == "-8"
    assert "version `GLIBC_9.99' not found" in why
    assert "older than that release of LiteRT needs" in why


def test_without_proc_the_sentence_names_it(paths: dict[str, Path], tmp_path: Path) -> None:
    hidden = "mount -t tmpfs none /proc"
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if shutil.which("unshare") is None or subprocess.run([*alone, hidden], check=False).returncode != 0:
        pytest.skip("needs the right to hide /proc")
    library = str(paths["lib"] / native_paths.LIBRARY)
    program = [sys.executable, "-c", OPEN_DEFAULT, library, str(float_text.write(tmp_path))]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(Path(litert_library()).parent)}
    done = subprocess.run(
        [*alone, f'{hidden}; exec "$@"', "sh", *program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    code, why = done.stdout.splitlines()
    assert code == "-10"
    assert "mount /proc" in why


FORGETFUL = """
#include <edgeemo/edgeemo.h>
int main(int argc, char** argv) {
    edgeemo_recognizer* recognizer = 0;
    edgeemo_options options = {sizeof options, 0, argv[argc - 1]};
    int code = edgeemo_open(argv[1], &options, &recognizer);
    recognizer = 0;
    return code;
}
"""


@pytest.mark.slow
def test_valgrind_would_find_what_is_ours(flags: list[str], tmp_path: Path) -> None:
    (tmp_path / "forgetful.c").write_text(FORGETFUL)
    run("cc", "-std=c99", "-g", tmp_path / "forgetful.c", "-o", tmp_path / "forgetful", *flags)
    reports = reports_of_ours(tmp_path, tmp_path / "forgetful", float_text.write(tmp_path), litert_library())
    assert any(report.startswith("Leak_DefinitelyLost") for report in reports)
