"""Delegates: what is asked for runs or says why not; what a probe found is kept; a crash is not ours.

The GPU here is that of a library that stands in for LiteRT; `test_gpu.py` has the real one.
"""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_text

from edgeemo import Bundle, FaceDetector, Recognizer, Runtime, backends, delegates
from edgeemo._core import golden_drawing, golden_signal
from edgeemo.backends import NativeBackend, TensorInfo
from edgeemo.bundle import shipped
from edgeemo.cli import main
from edgeemo.delegates import golden_inputs, option_lines, records_folder, survey
from edgeemo.errors import DelegateError, InputError, InputTypeError, RuntimeUnavailableError
from edgeemo.external import difference
from edgeemo.frontends import frontend_for

ROOT = Path(__file__).parent.parent
SMALL_TEXT = small_text.FLATBUFFER.read_bytes()
PATIENT = {"probe_most_ratio": 1e6}  # stand-ins take no time worth comparing


@pytest.fixture(autouse=True)
def own_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def opened(path: Path, delegate: str, **options: Any) -> Any:
    with Recognizer.open(path, delegate=delegate, delegate_options={**PATIENT, **options}) as recognizer:
        return recognizer.runtime.info


# --- the GPU of the stand-in ---


def test_auto_is_the_cpu_until_a_good_probe_is_on_record(standing_in: None, small_text_path: Path) -> None:
    before = opened(small_text_path, "auto")
    assert (before.asked, before.backend, before.delegate) == ("auto", "native", "cpu")
    assert "no probe of the GPU is on record" in before.reason
    cpu, gpu = survey(Bundle.open(small_text_path), delegate="gpu", delegate_options=PATIENT)
    assert (cpu.name, cpu.usable, cpu.reason, cpu.ratio) == ("cpu", True, "", 1.0)
    assert (gpu.name, gpu.usable, gpu.reason) == ("gpu", True, "")
    assert gpu.ratio is not None
    assert gpu.ratio > 0
    after = opened(small_text_path, "auto")
    assert (after.asked, after.delegate) == ("auto", "gpu")
    assert "of the CPU's time in the probe" in after.reason
    asked = opened(small_text_path, "cpu")
    assert (asked.asked, asked.delegate, asked.reason) == ("cpu", "cpu", "asked for")


def test_gpu_leaves_a_record_and_does_not_probe_again(
    standing_in: None, own_records: Path, small_text_path: Path
) -> None:
    info = opened(small_text_path, "gpu")
    assert (info.asked, info.delegate) == ("gpu", "gpu")
    (record,) = own_records.rglob("*.probe")
    assert record.stat().st_mode & 0o777 == 0o600
    assert record.parent == Path(records_folder())
    # with a helper that cannot work: it is not needed
    assert opened(small_text_path, "gpu", probe_program="/bin/false").delegate == "gpu"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("sigill", "SIGILL, an instruction this processor does not know while loading"),
        ("sigsegv", "SIGSEGV while loading"),
        ("crash", "SIGSEGV while running"),
        ("device", "no GPU, or no driver of Vulkan"),
        ("wrong", "differs from the CPU's by up to"),
        ("hang", "did not answer within 500 ms and was ended"),
    ],
)
def test_what_a_gpu_does_wrong_is_said_and_not_suffered(
    fault: str, reason: str, standing_in: None, small_text_path: Path
) -> None:
    options = {"fault": fault, "probe_timeout_ms": 500} if fault == "hang" else {"fault": fault}
    with pytest.raises(
        DelegateError, match=r"The GPU cannot be used: .*Use delegate 'auto' or 'cpu'"
    ) as error:
        opened(small_text_path, "gpu", **options)
    assert reason in str(error.value)
    info = opened(small_text_path, "auto", **options)
    assert info.delegate == "cpu"
    assert reason in info.reason


def test_a_gpu_slower_than_the_cpu_is_not_used(standing_in: None, small_text_path: Path) -> None:
    slow: dict[str, Any] = {"fault": "slow", "probe_most_ratio": 0}  # so any time is too long
    (_, gpu) = survey(Bundle.open(small_text_path), delegate_options=slow)
    assert not gpu.usable
    assert gpu.ratio is not None
    assert "times as long as the CPU (probe_most_ratio allows 0.00)" in gpu.reason
    assert opened(small_text_path, "auto", **slow).delegate == "cpu"
    with pytest.raises(DelegateError, match="times as long as the CPU"):
        opened(small_text_path, "gpu", **slow)
    assert (
        opened(small_text_path, "auto", fault="slow").delegate == "gpu"
    )  # the asker decides what is too slow


def test_a_gpu_that_answers_wrongly_only_here_is_found_at_load(
    standing_in: None, small_text_path: Path
) -> None:
    bad: dict[str, Any] = {**PATIENT, "fault": "wrong_here"}
    assert survey(Bundle.open(small_text_path), delegate_options=bad)[1].usable
    info = opened(small_text_path, "auto", **bad)
    assert info.delegate == "cpu"
    assert "differs from the CPU's" in info.reason


def test_a_damaged_record_is_not_believed(
    standing_in: None, own_records: Path, small_text_path: Path
) -> None:
    opened(small_text_path, "gpu")
    (record,) = own_records.rglob("*.probe")
    record.write_bytes(b"\0" * 300)
    info = opened(small_text_path, "auto")
    assert info.delegate == "cpu"
    assert f"{record} is damaged; remove it" in info.reason


def test_where_nothing_can_be_kept_the_probe_says_so(standing_in: None, own_records: Path) -> None:
    own_records.write_text("a file in place of the folder")
    (_, gpu) = survey(small_text.bundle(), delegate_options=PATIENT)
    assert gpu.usable
    assert "the verdict is not kept: cannot write in" in gpu.reason


def test_drivers_chosen_by_the_environment_have_records_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = records_folder()
    monkeypatch.setenv("VK_ICD_FILENAMES", "/opt/driver.json")
    chosen = records_folder()
    assert chosen != usual
    assert Path(chosen).parent == Path(usual)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert records_folder().startswith("/home/somebody/.cache/edgeemo/delegates/")


def test_a_driver_that_is_replaced_has_records_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver, manifest = tmp_path / "libdriver.so", tmp_path / "driver.json"
    driver.write_bytes(b"a driver")
    manifest.write_text('{"ICD": {"library_path": "./libdriver.so"}}')
    for name, value in (
        ("VK_ICD_FILENAMES", f"/nowhere.json:{manifest}"),
        ("VK_DRIVER_FILES", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
        before = records_folder()
        assert records_folder() == before
        driver.write_bytes(driver.read_bytes() + b", another")
        assert records_folder() != before
        monkeypatch.delenv(name)


def test_a_gpu_that_fails_here_is_not_tried_again(standing_in: None, small_text_path: Path) -> None:
    bad: dict[str, Any] = {**PATIENT, "fault": "device_here"}
    assert survey(Bundle.open(small_text_path), delegate_options=bad)[1].usable
    first = opened(small_text_path, "auto", **bad)
    assert first.delegate == "cpu"
    assert "status 3" in first.reason
    (record,) = Path(records_folder()).glob("*.probe")
    assert "usable no" in record.read_text()
    assert opened(small_text_path, "auto", **bad).reason == first.reason


def test_a_gpu_that_ended_its_host_is_not_loaded_again(
    standing_in: None, stand_in: Path, small_text_path: Path
) -> None:
    bad: dict[str, Any] = {**PATIENT, "fault": "crash_here"}
    assert survey(Bundle.open(small_text_path), delegate_options=bad)[1].usable
    script = (
        f"from edgeemo import Recognizer, backends; backends.litert_library = lambda: {str(stand_in)!r}\n"
        f"Recognizer.open({str(small_text_path)!r}, delegate_options={bad})"
    )
    host = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert host.returncode == -signal.SIGSEGV
    info = opened(small_text_path, "auto", **bad)
    assert info.delegate == "cpu"
    assert "the last process that opened it here did not come back" in info.reason
    with pytest.raises(DelegateError, match="did not come back"):
        opened(small_text_path, "gpu", **bad)


def test_without_the_native_engine_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, small_text_path: Path
) -> None:
    for module in (backends, delegates):
        monkeypatch.setattr(module, "litert_library", lambda: "/nowhere/libLiteRt.so")
    with pytest.raises(DelegateError, match="native engine's, which is not usable"):
        opened(small_text_path, "gpu")
    assert opened(small_text_path, "auto").backend == "litert"
    cpu, gpu = survey(Bundle.open(small_text_path))
    assert cpu.usable
    assert not gpu.usable
    assert "/nowhere/libLiteRt.so" in gpu.reason


# --- external delegates ---


def test_an_external_delegate_that_proves_itself_runs(
    external: str, own_records: Path, small_text_path: Path
) -> None:
    info = opened(small_text_path, external)
    assert (info.asked, info.backend, info.delegate) == (external, "litert", external)
    assert "asked for; a run took" in info.reason
    assert len(list(own_records.rglob("*.probe"))) == 1
    with Recognizer.open(small_text_path, delegate=Path(external), delegate_options=PATIENT) as recognizer:
        assert recognizer.predict("so happy!").label == "happiness"
    report = survey(Bundle.open(small_text_path), delegate=Path(external), delegate_options=PATIENT)[-1]
    assert (report.name, report.usable) == (external, True)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("crash", "was ended by SIGSEGV while loading"),
        ("hang", "did not answer within 6000 ms and was ended while loading"),
        ("refuse", "there is no such device"),
        ("wrong", "differs from the CPU's"),
    ],
)
def test_what_an_external_delegate_does_wrong_is_said(
    fault: str, reason: str, external: str, small_text_path: Path
) -> None:
    options = {"fault": fault, "probe_timeout_ms": 6000 if fault == "hang" else 20000}
    with pytest.raises(DelegateError, match=r"cannot be used: .*Use delegate 'auto' or 'cpu'") as error:
        opened(small_text_path, external, **options)
    assert reason in str(error.value)


def test_a_slow_external_delegate_is_refused(external: str, small_text_path: Path) -> None:
    with pytest.raises(DelegateError, match=r"times as long as the CPU \(probe_most_ratio allows 0.00\)"):
        opened(small_text_path, external, probe_most_ratio=0)


def test_no_delegate_is_taken_for_one(external: str, small_text_path: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.so").write_text("no library")
    with pytest.raises(DelegateError, match="is not loaded as a delegate"):
        opened(small_text_path, str(tmp_path / "plain.so"))
    for nothing in ("npu", str(tmp_path / "none.so"), str(tmp_path), ""):
        with pytest.raises(DelegateError, match="expected 'auto', 'cpu', 'gpu' or the path"):
            opened(small_text_path, nothing)
    with pytest.raises(DelegateError, match="native backend knows no external delegates"):
        Runtime(SMALL_TEXT, backend="native", delegate=external)
    with pytest.raises(InputTypeError, match="delegate is 3"):
        Runtime(SMALL_TEXT, delegate=3)  # type: ignore[arg-type]


def test_a_backend_that_was_given_runs_where_it_runs() -> None:
    info = [TensorInfo("x", (1,), np.dtype(np.float32), 0.0, 0)]
    fake = backends.FakeBackend(lambda x: [x], info, info)
    assert Runtime(b"", backend=fake, delegate="cpu").info.delegate == "cpu"
    with pytest.raises(DelegateError, match="runs on cpu, not on gpu"):
        Runtime(b"", backend=fake, delegate="gpu")


def test_the_other_interpreters_take_external_delegates_too(external: str, small_text_path: Path) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("needs edgeemo[train]")
    options = {**PATIENT, "probe_timeout_ms": 120_000}
    with Recognizer.open(
        small_text_path, backend="tf.lite", delegate=external, delegate_options=options
    ) as recognizer:
        assert (recognizer.runtime.info.backend, recognizer.runtime.info.delegate) == ("tf.lite", external)


# --- what they are compared on ---


class Bent:
    """A backend whose answers are moved by a share of their range."""

    name, delegate = "bent", "bent"

    def __init__(self, by: float) -> None:
        self._right, self._by = NativeBackend(SMALL_TEXT), by
        self.inputs, self.outputs = self._right.inputs, self._right.outputs

    def invoke(self, *inputs: np.ndarray) -> list[np.ndarray]:
        values = self._right.invoke(*inputs)
        return [np.clip(np.round(v + self._by * 255), -128, 127).astype(np.int8) for v in values]


@pytest.mark.parametrize(("by", "alike"), [(0.0, True), (0.005, True), (0.2, False), (-0.2, False)])
def test_answers_may_differ_a_little(by: float, alike: bool) -> None:
    frontend = frontend_for("text", small_text.bundle().card.spec, small_text.bundle().assets)
    goldens = [frontend.compute(text) for text in ("so happy!", "sad", "angry angry", "")]
    wrong = difference(NativeBackend(SMALL_TEXT), Bent(by), goldens)
    assert (wrong == "") == alike
    assert alike or "differs from the CPU's by up to" in wrong


def test_not_a_number_is_no_answer() -> None:
    info = [TensorInfo("x", (2,), np.dtype(np.float32), 0.0, 0)]
    right = backends.FakeBackend(lambda x: [x], info, info)
    broken = backends.FakeBackend(lambda x: [x * np.float32(np.nan)], info, info)
    assert difference(right, right, []) == ""
    assert difference(right, broken, []) == "its output x is not a number"


@pytest.mark.parametrize("name", [n for n in ("text", "voice", "face", "face-detector") if n in shipped()])
def test_golden_inputs_are_what_the_model_takes(name: str) -> None:
    bundle = Bundle.open(name)
    (info,) = NativeBackend(bundle.flatbuffer).inputs
    made = golden_inputs(bundle)
    assert len(made) == len(bundle.card.golden) >= 4
    assert {value.size for value in made} == {int(np.prod(info.shape))}
    if name == "text":
        for value, golden in zip(made, bundle.card.golden, strict=True):
            assert value.tolist()[: len(golden["ids"])] == golden["ids"]


def test_golden_signals_and_drawings_stay_as_they_are() -> None:
    """Cards keep answers to them: a sum of each, as the first release made them."""
    signals = {name: golden_signal(name) for name in ("silence", "hiss", "low hum", "high hum")}
    assert {name: (len(s), int(s.astype(np.int64) @ np.arange(48_000))) for name, s in signals.items()} == {
        "silence": (48_000, 0), "hiss": (48_000, -6522741148), "low hum": (48_000, -325931665),
        "high hum": (48_000, -77424877),
    }  # fmt: skip
    drawings = {name: golden_drawing(name) for name in ("level", "smile", "frown", "open")}
    places = np.arange(96 * 96)
    assert {name: int(d.ravel().astype(np.int64) @ places) for name, d in drawings.items()} == {
        "level": 5732649600, "smile": 5713556400, "frown": 5719489200, "open": 5619762000,
    }  # fmt: skip
    assert golden_signal("a voice").size == golden_drawing("a face").size == 0


# --- options and the command line ---


def test_options_become_lines() -> None:
    lines = option_lines({"precision": 1, "flag": True, "probe_records": ""}).splitlines()
    assert sorted(lines) == ["flag = true", "precision = 1", "probe_records = "]
    assert option_lines(None) == f"probe_records = {records_folder()}\n"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ([("a", "b")], InputTypeError),
        ({1: "x"}, InputTypeError),
        ({"a": None}, InputTypeError),
        ({"a": "b\nprobe_program = /bin/sh"}, InputError),
        ({"a=b": "c"}, InputError),
        ({" ": "c"}, InputError),
        ({"probe_other": "1"}, InputError),
        ({"probe_timeout_ms": "soon"}, InputError),
        ({"probe_timeout_ms": 1}, InputError),
    ],
)
def test_options_that_are_none_are_refused(options: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Runtime(SMALL_TEXT, delegate_options=options)


def test_the_command_lists_what_there_is(
    standing_in: None, external: str, small_text_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    patient = ["--option", "probe_most_ratio=1e6"]
    assert main(["delegates", str(small_text_path), "--json", "--delegate", external, *patient]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["records"] == records_folder()
    assert [(r["name"], r["usable"], r["reason"]) for r in report["reports"]] == [
        ("cpu", True, ""), ("gpu", True, ""), (external, True, ""),
    ]  # fmt: skip
    assert opened(small_text_path, "auto").delegate == "gpu"
    assert main(["delegates", str(small_text_path), "--option", "fault=sigill"]) == 0
    assert "SIGILL" in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["nowhere.tflite"], 1), (["--option", "x"], 2), (["--delegate", "/nowhere.so"], 2),
     (["--option", "probe_x=1"], 1), (["--threads", "0"], 1)],
)  # fmt: skip
def test_the_command_refuses_what_it_cannot_use(
    arguments: list[str], code: int, small_text_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["delegates", *([] if "nowhere.tflite" in arguments else [str(small_text_path)]), *arguments])
        == code
    )
    assert capfd.readouterr().err


def test_a_detector_takes_delegates_too(standing_in: None) -> None:
    if "face-detector" not in shipped():
        pytest.skip("edgeemo/zoo/face-detector.tflite is not in this checkout")
    with FaceDetector.open(delegate="gpu", delegate_options=PATIENT) as detector:
        assert detector.runtime.info.delegate == "gpu"
    with pytest.raises(DelegateError, match="SIGILL"):
        FaceDetector.open(delegate="gpu", delegate_options={"fault": "sigill"})


def test_nothing_of_this_is_paid_for_by_who_never_probes() -> None:
    script = (
        "import sys, edgeemo, edgeemo.runtime\n"
        f"edgeemo.Runtime(open({str(small_text.FLATBUFFER)!r}, 'rb').read())\n"
        "print('subprocess' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before = subprocess.run(
        [sys.executable, "-c", "import sys, numpy\nprint('subprocess' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == before.stdout


def test_errors_name_the_missing_runtime() -> None:
    with pytest.raises(RuntimeUnavailableError):
        NativeBackend(SMALL_TEXT, delegate="gpu", library="/nowhere/libLiteRt.so")
