"""Versions of the C ABI: what was once promised is still there, and binaries of old releases run.

`golden/abi-N.txt` has the symbols and the layout of structs of that version. Nobody changes the file of a
released version; the last file is the present. `golden/edgeemo-1.h` is the header of version 1.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import contrast_face
import float_text
import numpy as np
import pytest
import small_voice

from edgeemo import FaceRecognizer, Recognizer, VoiceRecognizer, native_paths
from edgeemo.backends import litert_library
from edgeemo.errors import RuntimeUnavailableError

GOLDEN = Path(__file__).parent / "golden"
FIRST = GOLDEN / "edgeemo-1.h"
LAYOUT = """
#include <stdio.h>
#include HEADER
#define SIZE(s) printf("%s %u\\n", #s, (unsigned)sizeof(s))
#define AT(s, f) printf("%s.%s %u\\n", #s, #f, (unsigned)offsetof(s, f))
int main(void) {
    FIELDS
    return 0;
}
"""


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    try:
        return native_paths.paths()
    except RuntimeUnavailableError as error:
        pytest.skip(str(error))


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def layout_of(header: Path, folder: Path) -> list[str]:
    """Sizes and offsets of all structs, as a C compiler sees them."""
    lines = []
    for name, body in re.findall(
        r"typedef struct (edgeemo_\w+) \{(.*?)\}", header.read_text("utf-8"), re.DOTALL
    ):
        code = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        fields = re.findall(r"(\w+)(?:\[\w+\])?;", code)
        lines += [f"SIZE({name});", *(f"AT({name}, {field});" for field in fields)]
    source = LAYOUT.replace("HEADER", f'"{header}"').replace("FIELDS", "\n    ".join(lines))
    (folder / "layout.c").write_text(source)
    strict = ["-std=c99", "-pedantic", "-Wall", "-Werror"]
    run("cc", *strict, folder / "layout.c", "-o", folder / "layout")
    return run(folder / "layout").splitlines()


def is_size(line: str) -> bool:
    return " " in line and "." not in line


def broken(promised: Iterable[str], present: Iterable[str]) -> list[str]:
    """Return the lines of an older version that no longer hold: sizes may grow, everything else stays."""
    kept = set(present)
    sizes = {line.split()[0]: int(line.split()[1]) for line in kept if is_size(line)}
    return [
        line
        for line in promised
        if (sizes.get(line.split()[0], 0) < int(line.split()[1]) if is_size(line) else line not in kept)
    ]


def goldens() -> list[list[str]]:
    files = sorted(GOLDEN.glob("abi-*.txt"), key=lambda file: int(file.stem[4:]))
    assert [file.stem for file in files] == [f"abi-{n}" for n in range(1, len(files) + 1)]
    return [file.read_text().splitlines() for file in files]


def test_symbols_and_structs_are_those_that_were_promised(paths: dict[str, Path], tmp_path: Path) -> None:
    header = paths["include"] / "edgeemo" / "edgeemo.h"
    exported = run("nm", "-D", "--defined-only", paths["lib"] / native_paths.LIBRARY)
    symbols = {line.split()[-1] for line in exported.splitlines() if " T " in line}
    text = header.read_text("utf-8")
    assert symbols | set(layout_of(header, tmp_path)) == set(goldens()[-1])
    assert f"#define EDGEEMO_ABI_VERSION {len(goldens())}\n" in text
    declared = set(re.findall(r"EDGEEMO_API [\w \*]+?\*?(edgeemo_\w+)\(", text))
    assert {symbol.split("@")[0] for symbol in symbols} == declared


def test_no_version_breaks_the_one_before() -> None:
    versions = goldens()
    for older, newer in pairwise(versions):
        assert broken(older, newer) == []


def test_a_promise_that_is_broken_is_seen() -> None:
    first = goldens()[0]
    assert broken(first, [line for line in first if line != "edgeemo_open@@EDGEEMO_1"])
    assert broken(first, [line.replace("edgeemo_result 88", "edgeemo_result 80") for line in first])
    assert broken(first, [line.replace("edgeemo_pcm.samples 24", "edgeemo_pcm.samples 32") for line in first])
    assert broken(first, [line.replace("edgeemo_pcm 32", "edgeemo_pcm 40") for line in first]) == []


def test_version_1_is_what_its_header_says(tmp_path: Path) -> None:
    symbols = {line for line in goldens()[0] if "@@" in line}
    assert set(layout_of(FIRST, tmp_path)) == set(goldens()[0]) - symbols
    declared = set(re.findall(r"EDGEEMO_API [\w \*]+?\*?(edgeemo_\w+)\(", FIRST.read_text("utf-8")))
    assert symbols == {f"{name}@@EDGEEMO_1" for name in declared}


# A program of version 1: text, a clip, a stream and a picture, in results that end where theirs did.
OLD = """
#include "edgeemo-1.h"
#include <stdio.h>
#include <string.h>
static int16_t pcm[32000];
static uint8_t pixels[96 * 80];
static struct { edgeemo_result result; unsigned char guard[256]; } r;
static edgeemo_options options;
static edgeemo_recognizer* open_(const char* path) {
    edgeemo_recognizer* opened = 0;
    if (edgeemo_open(path, &options, &opened) != EDGEEMO_OK) puts(edgeemo_last_error());
    return opened;
}
static void say(int code) {
    size_t i;
    for (i = 0; i < sizeof r.guard; ++i) if (r.guard[i] != 0xA5) puts("written beyond the result");
    printf("%d %s %.4f\\n", code, edgeemo_emotion(r.result.label), (double)r.result.confidence);
    memset(&r, 0xA5, sizeof r);
    memset(&r.result, 0, sizeof r.result);
    r.result.struct_size = sizeof r.result;
}
int main(int argc, char** argv) {
    edgeemo_recognizer *text, *voice, *face;
    edgeemo_stream* stream = 0;
    edgeemo_pcm clip = {sizeof clip, 1, pcm, 0, 32000};
    edgeemo_image image = {sizeof image, EDGEEMO_GRAY, pixels, 80, 96, 0};
    double box[4] = {5, 6.5, 35, 40.25};
    FILE* file = fopen(argv[argc - 1], "rb");
    if (!file || fread(pcm, 1, sizeof pcm, file) != sizeof pcm) return 2;
    if (fread(pixels, 1, sizeof pixels, file) != sizeof pixels) return 2;
    fclose(file);
    options.struct_size = sizeof options;
    options.library = argv[4];
    text = open_(argv[1]); voice = open_(argv[2]); face = open_(argv[3]);
    memset(&r, 0xA5, sizeof r);
    memset(&r.result, 0, sizeof r.result);
    r.result.struct_size = sizeof r.result;
    say(edgeemo_predict_text(text, "so happy!", 9, &r.result));
    say(edgeemo_predict_pcm(voice, &clip, 16000, &r.result));
    edgeemo_stream_open(voice, 16000, 1, &stream);
    edgeemo_stream_push(stream, &clip, 0);
    say(edgeemo_stream_next(stream, &r.result));
    edgeemo_stream_close(stream);
    say(edgeemo_predict_image(face, &image, box, &r.result));
    edgeemo_close(text); edgeemo_close(voice); edgeemo_close(face);
    return 0;
}
"""


def test_a_program_of_version_1_runs(paths: dict[str, Path], small_voice_path: Path, tmp_path: Path) -> None:
    (tmp_path / "old.c").write_text(OLD)
    link = [f"-L{paths['lib']}", f"-Wl,-rpath,{paths['lib']}", "-ledgeemo"]
    run("cc", "-std=c99", f"-I{GOLDEN}", tmp_path / "old.c", "-o", tmp_path / "old", *link)
    pcm = small_voice.voice("anger", 2)[:32_000]
    pixels = np.random.default_rng(6).integers(0, 256, (96, 80), dtype=np.uint8)
    (tmp_path / "input").write_bytes(pcm.tobytes() + pixels.tobytes())
    text, face = Path(float_text.write(tmp_path)), Path(contrast_face.write(tmp_path))
    printed = run(
        tmp_path / "old", text, small_voice_path, face, litert_library(), tmp_path / "input"
    ).splitlines()
    expected = []
    with (
        Recognizer.open(text) as words,
        Recognizer.open(small_voice_path) as voices,
        Recognizer.open(face) as faces,
    ):
        assert isinstance(voices, VoiceRecognizer)
        assert isinstance(faces, FaceRecognizer)
        expected.append(words.predict("so happy!"))
        expected.append(voices.predict(pcm, rate_hz=16_000))
        expected.append(voices.stream(16_000).push(pcm, 0)[0])
        expected.append(faces.predict(pixels, "gray", [(5, 6.5, 35, 40.25)]))
    assert printed == [f"0 {result.label} {result.confidence:.4f}" for result in expected]
