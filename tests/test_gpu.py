"""LiteRT's real accelerator for GPUs, on a driver of Vulkan in software (`make vulkan`) and without any."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest
import small_voice

from edgeemo import Bundle, FaceRecognizer, Recognizer, TextRecognizer, VoiceRecognizer
from edgeemo._core import golden_drawing
from edgeemo.backends import litert_library
from edgeemo.bundle import shipped
from edgeemo.cli import main
from edgeemo.delegates import survey
from edgeemo.errors import DelegateError
from edgeemo.types import EmotionResult

ROOT = Path(__file__).parent.parent
DRIVER = ROOT / "build" / "vulkan" / "usr" / "lib" / "chromium" / "vk_swiftshader_icd.json"
SLOW = {"probe_most_ratio": 1e6, "probe_timeout_ms": 120_000}  # software is some hundred times slower
TEXTS = ("I love you so much!", "How dare you.", "I miss her.", "", "The meeting is on Tuesday.")

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def accelerator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not (Path(litert_library()).parent / "libLiteRtWebGpuAccelerator.so").is_file():
        pytest.skip("this ai-edge-litert has no accelerator for GPUs")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    icd = os.environ.get("EDGEEMO_VULKAN_DRIVER", str(DRIVER))
    if not Path(icd).is_file() or find_library("vulkan") is None:
        pytest.skip("no driver of Vulkan in software: run `make vulkan`")
    monkeypatch.setenv("VK_ICD_FILENAMES", icd)


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VK_ICD_FILENAMES", "/nowhere/driver.json")


def need(name: str) -> str:
    if name not in shipped():
        pytest.skip(f"edgeemo/zoo/{name}.tflite is not in this checkout")
    return name


def answers(recognizer: Recognizer) -> list[EmotionResult]:
    if isinstance(recognizer, TextRecognizer):
        return recognizer.predict_batch(TEXTS)
    if isinstance(recognizer, VoiceRecognizer):
        pcm = np.concatenate(
            [small_voice.voice("anger", 2), small_voice.noise(1), small_voice.voice("sadness", 2)]
        )
        return [recognizer.predict(pcm, rate_hz=16_000)]
    assert isinstance(recognizer, FaceRecognizer)
    return [
        recognizer.predict(golden_drawing(n), "gray", [(0, 0, 96, 96)]) for n in ("level", "smile", "open")
    ]


@pytest.mark.parametrize("name", ["text", "voice", "face"])
def test_the_gpu_answers_as_the_cpu_does(name: str, driver: None) -> None:
    (_, gpu) = survey(Bundle.open(need(name)), delegate_options=SLOW)
    assert (gpu.usable, gpu.reason) == (True, "")
    with (
        Recognizer.open(name, delegate="auto", delegate_options=SLOW) as ours,
        Recognizer.open(name, delegate="cpu") as theirs,
    ):
        assert ours.runtime.info.delegate == "gpu"
        for a, b in zip(answers(ours), answers(theirs), strict=True):
            np.testing.assert_allclose(a.scores, b.scores, rtol=0, atol=0.02)


@pytest.mark.parametrize("named", [True, False], ids=["with another date", "as if it were the same"])
def test_a_driver_that_was_replaced_by_one_that_crashes(
    named: bool, driver: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("text")
    shutil.copytree(Path(os.environ["VK_ICD_FILENAMES"]).parent, tmp_path / "driver")
    (library,) = (tmp_path / "driver").glob("*.so")
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "driver" / DRIVER.name))
    assert survey(Bundle.open("text"), delegate_options=SLOW)[1].usable
    was = library.stat()
    source = tmp_path / "crash.c"
    source.write_text("#include <signal.h>\n__attribute__((constructor)) void f(void) { raise(SIGSEGV); }\n")
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", source, "-o", library], check=True)
    if not named:
        os.truncate(library, was.st_size)
        os.utime(library, ns=(was.st_atime_ns, was.st_mtime_ns))
    script = (
        f"import edgeemo; info = edgeemo.Recognizer.open('text', delegate_options={SLOW}).runtime.info\n"
        "print(info.delegate, info.reason)"
    )
    starts = [
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
        for _ in range(3)
    ]
    assert [start.returncode for start in starts] == [0 if named else -signal.SIGSEGV, 0, 0]
    why = (
        "no probe of the GPU is on record"
        if named
        else "the last process that opened it here did not come back"
    )
    for start in starts[1:]:
        assert start.stdout.startswith("cpu ")
        assert why in start.stdout


def test_software_is_slower_than_the_cpu_and_so_not_used(driver: None) -> None:
    slow = {"probe_timeout_ms": 120_000, "probe_most_ratio": 0}  # so any time is too long
    (_, gpu) = survey(Bundle.open(need("text")), delegate_options=slow)
    assert not gpu.usable
    with Recognizer.open("text", delegate_options=slow) as recognizer:
        assert recognizer.runtime.info.delegate == "cpu"
        assert "times as long as the CPU" in recognizer.runtime.info.reason
    with pytest.raises(DelegateError, match="times as long as the CPU"):
        Recognizer.open("text", delegate="gpu", delegate_options=slow)


def test_without_a_driver_the_cpu_is_used_and_says_why(no_driver: None) -> None:
    with pytest.raises(DelegateError, match="no GPU, or no driver of Vulkan"):
        Recognizer.open(need("text"), delegate="gpu")
    with Recognizer.open("text") as recognizer:
        assert recognizer.runtime.info.delegate == "cpu"
        assert "no GPU, or no driver of Vulkan" in recognizer.runtime.info.reason
        assert recognizer.predict("I love you so much!").evidence > 0


def test_what_the_accelerator_prints_does_not_stand_among_results(
    driver: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    survey(Bundle.open(need("text")), delegate_options=SLOW)
    for record in tmp_path.rglob("*.probe"):  # as if it were quick
        record.write_text(re.sub(r"millionths \d+", "millionths 900000", record.read_text()))
    assert Recognizer.open("text").runtime.info.delegate == "gpu"
    capfd.readouterr()
    assert main(["predict", "I love you so much!", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["label"] == "happiness"
