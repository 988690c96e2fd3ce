"""Each check of the doctor finds its own trouble."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import small_text
import small_voice
from board import FAULTS, Board, Fault, microphone, portrait, voice
from edgeemo.converters.golden import RATE_HZ, signal

from edgeemo import Bundle, FaceDetector, Runtime, TextRecognizer, VoiceRecognizer
from edgeemo.cli import main
from edgeemo.delegates import DelegateReport, survey
from edgeemo.doctor import CHECKS, Context, Finding, examine
from edgeemo.doctor.devices import forbidden
from edgeemo.doctor.model_runs import TOLERANCE, run_bundles, shipped_runs
from edgeemo.doctor.picture import BLUE_SKIN, color_order

Plant = Callable[..., Context]
BY_ID = {fault.id: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return Board(tmp_path_factory.mktemp("board"))


@pytest.fixture
def plant(board: Board, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    yield partial(board.with_faults, monkeypatch)
    board.heal()


def ids(said: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in said["findings"]]


# --- glibc: every place that tells of it ---

CPU = ("proc/cpuinfo", "processor: 0\nFeatures : fp asimd asimddp\nCPU part : 0xd0b\n")
ELF = b"\x7fELF\2\1\1" + bytes(11) + (183).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"lib/aarch64-linux-gnu/libc.so.6": "GNU C Library stable release version 2.31."}, True),
        ({"lib/aarch64-linux-gnu/libc.so.6": "GNU C Library stable release version 2.34."}, False),
        ({"lib/x86_64-linux-gnu/libc.so.6": "GNU C Library stable release version 2.31."}, False),
        ({"usr/lib/aarch64-linux-gnu/libc-2.31.so": ""}, True),
        ({"lib64/libc-2.31.so": ELF.decode("latin-1")}, True),
        (dict([CPU, ("etc/os-release", "VERSION_CODENAME=bullseye\nID=raspbian\n")]), True),
        (dict([CPU, ("etc/os-release", 'ID=ubuntu\nVERSION_ID="20.04"\n')]), True),
        (dict([CPU, ("etc/os-release", 'ID=debian\nVERSION_ID="12"\n')]), False),
    ],
)
def test_a_glibc_too_old_for_litert(files: dict[str, str], named: bool, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode("latin-1"))
    (checked,) = examine(Context(root=tmp_path), only={"glibc"})
    assert [finding.id for finding in checked.findings] == (["litert-needs-glibc"] if named else [])


@pytest.mark.parametrize(("litert", "named"), [("2.1.0", False), ("2.1.2", True), ("", True)])
def test_glibc_of_this_process(litert: str, named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.31"))
    monkeypatch.setattr("edgeemo.doctor.glibc.version_of", lambda _: litert)
    monkeypatch.setattr("edgeemo.doctor.glibc.litert_library", lambda: "")
    (checked,) = examine(Context(), only={"glibc"})
    assert [finding.id for finding in checked.findings] == (["litert-needs-glibc"] if named else [])


def test_the_library_itself_tells_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "libLiteRt.so").write_bytes(b"\0GLIBC_2.9\0GLIBC_2.99\0GLIBC_2.17\0")
    monkeypatch.setattr("edgeemo.doctor.glibc.litert_library", lambda: str(tmp_path / "libLiteRt.so"))
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36"))
    (checked,) = examine(Context(), only={"glibc"})
    assert "2.99" in checked.findings[0].what


# --- LiteRT, in processes of their own ---


def in_a_process(path: Path) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "edgeemo.cli", "doctor", "--json"]
    done = subprocess.run(
        command, capture_output=True, timeout=120, env={**os.environ, "PYTHONPATH": str(path)}
    )
    return done.returncode, json.loads(done.stdout)


def test_without_litert(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ai_edge_litert'] = None\n")
    """An installed engine finds the library beside it without Python's help: then it is a warning only."""
    code, said = in_a_process(tmp_path)
    missing = next(f for f in said["findings"] if f["id"] == "litert-missing")
    goldens = next(check for check in said["checks"] if check["name"] == "goldens")
    if goldens["state"] == "skipped":
        assert "no bundle runs here" in goldens["reason"]
        assert (missing["severity"], code) == ("error", 3)
    else:
        assert missing["severity"] == "warning"
        assert "models run on another LiteRT" in missing["what"]


def test_a_litert_that_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert/__init__.py").write_text("")
    (tmp_path / "ai_edge_litert/libLiteRt.so").write_bytes(b"\x7fELF and no more")
    code, said = in_a_process(tmp_path)
    assert code == 3
    broken = next(f for f in said["findings"] if f["id"] == "litert-does-not-load")
    assert "libLiteRt.so" in broken["evidence"]


def test_a_litert_that_kills_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -ILL $$\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.syspath_prepend(str(tmp_path))  # another path is another trial
    assert {run.error for run in shipped_runs()} == {"the process died of SIGILL"}
    (checked,) = examine(plant(), only={"engine"})
    assert [finding.id for finding in checked.findings] == ["litert-does-not-load"]
    assert "SIGILL" in checked.findings[0].evidence


def test_the_bundle_that_kills_is_told_from_those_around_it(small_text_path: Path, tmp_path: Path) -> None:
    deadly = tmp_path / "deadly.tflite"
    deadly.write_bytes(b"")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, edgeemo.bundle as b\nreal = b.find\n"
        "def find(name):\n"
        "    if 'deadly' in str(name): os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    return real(name)\n"
        "b.find = find\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        before, killer, after = run_bundles([str(small_text_path), str(deadly), str(small_text_path)])
    assert before.ok
    assert after.ok
    assert (killer.kind, killer.error) == ("Died", "the process died of SIGSEGV")


def test_what_lies_in_the_current_folder_is_not_imported(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("numpy.py", "json.py", "importlib.py"):
        (tmp_path / name).write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    (run,) = run_bundles([str(small_text_path)])
    assert run.ok, run.error


@pytest.mark.parametrize(("kind", "name"), [("picture", "face-detector"), ("recording", "voice")])
def test_a_bundle_that_died_is_not_opened_by_the_doctor_itself(
    kind: str, name: str, plant: Plant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = {Path(run.bundle).stem: run for run in shipped_runs()}
    runs[name] = replace(runs[name], error="died", kind="Died")
    monkeypatch.setattr("edgeemo.doctor.model_runs.shipped_runs", lambda: tuple(runs.values()))
    given = portrait(tmp_path) if kind == "picture" else voice(tmp_path)
    (checked,) = examine(plant(context=Context(**cast("dict[str, Any]", {kind: given}))), only={kind})
    assert (checked.state, checked.findings) == ("skipped", ())
    assert f"{name} does not run here: died" in checked.reason


@pytest.mark.parametrize("kind", ["picture", "recording"])
def test_a_file_that_kills_the_model_is_named(kind: str, plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, edgeemo.runtime as r\nreal = r.Runtime.__init__\n"
        "def deadly(self, *given, **rest):\n"
        "    import sys\n"
        "    if sys.argv[2] in ('face-detector', 'voice'): os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    real(self, *given, **rest)\n"
        "r.Runtime.__init__ = deadly\n"
    )
    given = portrait(tmp_path) if kind == "picture" else voice(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        (checked,) = examine(plant(context=Context(**cast("dict[str, Any]", {kind: given}))), only={kind})
    (finding,) = checked.findings
    assert (finding.id, finding.severity) == (f"{kind}-fails", "error")
    assert "SIGSEGV" in finding.evidence


def test_a_recording_that_no_recognizer_takes_is_named(plant: Plant, tmp_path: Path) -> None:
    given = voice(tmp_path, lambda pcm: np.repeat(pcm[:, None], 33, 1) * np.linspace(0.5, 1, 33, dtype="f4"))
    (checked,) = examine(plant(context=Context(recording=given)), only={"recording"})
    assert checked.state == "done"
    assert [f.id for f in checked.findings if f.severity == "error"] == ["recording-fails"]


# --- golden answers ---


@pytest.mark.parametrize(("share", "named"), [(0.9, False), (1.1, True), (5.0, True)])
def test_a_golden_answer_may_be_off_by_the_tolerance(
    share: float, named: bool, recognizer: TextRecognizer, tmp_path: Path
) -> None:
    """Another winner is not needed: the largest difference decides."""
    assert TOLERANCE == 0.05
    scores = recognizer.predict("so happy").scores.tolist()
    least = min(range(8), key=lambda i: scores[i])
    scores[least] += share * 0.05
    golden = {"text": "so happy", "scores": scores, "valence": 0.0, "arousal": 0.0}
    path = small_text.bundle(golden=(golden,)).write(tmp_path / "given.tflite").path
    (run,) = run_bundles([str(path)])
    assert (run.error, run.n_golden, len(run.differences)) == ("", 1, int(named))


def test_a_golden_answer_has_bursts(tmp_path: Path) -> None:
    with VoiceRecognizer.open(small_voice.write(tmp_path, **small_voice.HEARS_BURSTS)) as hears:
        said = hears.predict(signal("hiss"), RATE_HZ)
    assert said.bursts is not None
    bursts = dict.fromkeys(said.bursts, 0.25)
    golden = {"signal": "hiss", "rate_hz": RATE_HZ, "scores": said.scores.tolist(), "bursts": bursts}
    path = small_voice.write(tmp_path, **small_voice.HEARS_BURSTS, golden=(golden,))
    (run,) = run_bundles([str(path)])
    wrong = [
        f"'hiss': {label} {p:.2f}" for label, p in sorted(said.bursts.items()) if abs(p - 0.25) > TOLERANCE
    ]
    assert [line.split(",")[0] for line in run.differences] == wrong != []


# --- devices ---


@pytest.mark.parametrize("listed", [True, False])
def test_an_access_list_gives_what_the_mode_does_not(
    listed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "renderD128").touch(mode=0o600 if listed else 0o666)
    monkeypatch.setattr("os.geteuid", lambda: 65_534)
    monkeypatch.setattr("os.access", lambda path, rights: listed and rights == os.R_OK | os.W_OK)
    pattern = str(tmp_path / "renderD*").lstrip("/")
    found = [finding.id for finding in forbidden(Context(), pattern, "gpu-permission", "render")]
    assert found == ([] if listed else ["gpu-permission"])


@pytest.mark.parametrize(
    ("device_hz", "product_hz", "found"),
    [
        (48_000, None, []),
        (16_000, 16_000, []),
        (48_000, 16_000, [("sample-rate-resampled", "info")]),
        (16_000, 48_000, [("sample-rate-resampled", "info")]),
        (48_000, 8_000, [("sample-rate-low", "warning")]),
        (8_000, None, [("sample-rate-low", "warning")]),
    ],
)
def test_the_rates_of_microphone_and_product(
    device_hz: int, product_hz: int | None, found: list[tuple[str, str]], plant: Plant
) -> None:
    fault = Fault("", patches=microphone(rate_hz=device_hz), options={"rate_hz": product_hz})
    (checked,) = examine(plant(fault), only={"microphone"})
    assert [(finding.id, finding.severity) for finding in checked.findings] == found


# --- heat ---


@pytest.mark.parametrize(
    ("milli", "files", "hot"),
    [
        (84_000, {}, False),
        (91_000, {}, True),
        (84_000, {"trip_point_0_type": "passive", "trip_point_0_temp": "83000"}, True),
        (95_000, {"trip_point_0_type": "passive", "trip_point_0_temp": "97000"}, False),
        (60_000, {"trip_point_0_type": "active", "trip_point_0_temp": "55000"}, False),  # its fan
        (84_000, {"trip_point_0_type": "passive", "trip_point_0_temp": "-274000"}, False),
        (40_000, {"trip_point_0_type": "passive", "trip_point_0_temp": "0"}, False),
        (88_000, {"trip_point_0_type": "critical", "trip_point_0_temp": "110000"}, False),
    ],
)
def test_hot_is_what_the_sensor_itself_calls_hot(
    milli: int, files: dict[str, str], hot: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "sys/class/thermal/thermal_zone0"
    folder.mkdir(parents=True)
    for name, text in {"temp": str(milli), **files}.items():
        (folder / name).write_text(f"{text}\n")
    (checked,) = examine(Context(root=tmp_path), only={"heat"})
    assert [(f.id, f.severity) for f in checked.findings] == ([("hot", "warning")] if hot else [])


def test_throttling_of_the_past_is_told_and_that_of_now_is_a_warning(
    plant: Plant, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = plant(BY_ID["throttled-before"])
    (past,) = (finding for check in examine(context, only={"throttling"}) for finding in check.findings)
    assert (past.id, past.severity) == ("throttled-before", "info")
    counter = board.root / "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"

    def python(context: Context) -> Iterator[Finding]:
        counter.write_text("13")
        yield from ()

    monkeypatch.setitem(CHECKS["installation"], "python", python)
    found = examine(replace(context), only={"python", "throttling"})[1].findings
    assert [(f.id, f.severity) for f in found] == [("throttled", "warning")]


# --- cores ---


@pytest.mark.parametrize(
    ("present", "offline", "control", "named"),
    [
        ("0-3", "2-3", "on", True),
        ("0-1", "2-127", "on", False),  # a virtual machine's, that it never had
        ("0-3", "3,4-127", "notsupported", True),
        ("", "2-3", "", True),
        ("0-7", "4-7", "off", False),  # hyper-threads, and on purpose
        ("0-7", "1,3,5,7", "forceoff", False),
        ("0-7", "3-7", "off", True),
        ("0-7", "4-7", "on", True),
    ],
)
def test_cores_that_are_off(present: str, offline: str, control: str, named: bool, tmp_path: Path) -> None:
    folder = tmp_path / "sys/devices/system/cpu"
    (folder / "smt").mkdir(parents=True)
    for name, text in {"present": present, "offline": offline, "smt/control": control}.items():
        (folder / name).write_text(f"{text}\n")
    (checked,) = examine(Context(root=tmp_path), only={"cores"})
    assert [finding.id for finding in checked.findings] == (["cores-offline"] if named else [])


# --- delegates ---


def test_the_doctor_says_of_delegates_what_edgeemo_delegates_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept: list[object] = []

    def stands_in(
        bundle: Bundle, *, threads: int, delegate_options: Mapping[str, str], delegate: str | None = None
    ) -> list[DelegateReport]:
        kept.append(delegate_options.get("probe_records"))
        good = bundle.card.name == "text"
        gpu = DelegateReport("gpu", good, "" if good else "wrong numbers", 0.5 if good else None)
        return [DelegateReport("cpu", True, "", 1.0), gpu]

    monkeypatch.setenv("VK_DRIVER_FILES", str(tmp_path / "icd.json"))
    monkeypatch.setattr("edgeemo.doctor.gpu.survey", stands_in)
    (checked,) = examine(Context(), only={"delegates"})
    assert set(kept) == {""}  # the doctor changes nothing
    monkeypatch.setattr("edgeemo.delegates.survey", stands_in)
    assert main(["delegates", "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["reports"]
    refused = {report["bundle"] for report in reports if not report["usable"]}
    (finding,) = checked.findings
    assert (finding.id, finding.severity) == ("delegate-unusable", "info")
    assert set(finding.what.partition("is not used for ")[2].rstrip(".").split(", ")) == refused
    assert "text" not in refused
    assert "wrong numbers" in finding.evidence


def test_a_driver_that_is_none_is_told_by_the_survey_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VK_DRIVER_FILES", str(tmp_path / "icd.json"))
    bundle = Bundle.open("text")
    (_, gpu) = survey(bundle, delegate_options={"probe_records": ""})
    (checked,) = examine(Context(), only={"delegates"})
    assert (gpu.usable, checked.state) == (False, "done")
    assert gpu.reason in checked.findings[0].evidence


def test_without_a_driver_no_delegate_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeemo.doctor.gpu._drivers", lambda _: [])
    (checked,) = examine(Context(), only={"delegates"})
    assert (checked.state, checked.findings) == ("skipped", ())


# --- on real pictures ---


def test_exchanged_colours_on_portraits(data_dir: Callable[[str], Path]) -> None:
    pytest.importorskip("PIL", reason="needs edgeemo[face]")
    from edgeemo.sources.photos import read_photo

    pictures = sorted((data_dir("face") / "photos").glob("*.jpg"))[::2]
    warm = []
    bundle = Bundle.open("face-detector")
    with FaceDetector(bundle, Runtime(bundle.flatbuffer)) as detector:
        for path in pictures:
            image = read_photo(path)
            faces = detector.detect(image)
            assert faces
            found, exchanged = color_order(image, faces), color_order(image[..., ::-1], faces)
            assert found is not None
            assert exchanged == pytest.approx(-found, abs=1e-6)
            warm.append(found)
    assert np.mean(np.array(warm) > BLUE_SKIN) >= 0.95  # of exchanged ones are named
    assert np.mean(np.array(warm) < -BLUE_SKIN) <= 0.02  # of right ones
