"""``edgeemo bench``: what a result says, of bundles whose answers are known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeemo import Recognizer, TextRecognizer, VoiceRecognizer
from edgeemo.bench import inputs, measure, new_process, run, streaming
from edgeemo.bench.inputs import Inputs
from edgeemo.bench.run import Setup, bench
from edgeemo.bench.stage_times import STAGES, staged
from edgeemo.bench.timing import Effort
from edgeemo.bundle import Bundle, shipped
from edgeemo.cli import main
from edgeemo.errors import BundleError, DelegateError, InferenceError, InputError

FEW = Effort(rounds=60)
QUANTILES = {"p50", "p95", "p99"}


@pytest.fixture(autouse=True)
def one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fresh process for each measurement is enough here."""
    monkeypatch.setattr(run, "STARTS", 1)


@pytest.fixture
def shipped_face() -> str:
    """The name of the shipped face bundle; skips the test in a checkout without it, or without a detector."""
    if not {"face", "face-detector"} <= set(shipped()):
        pytest.skip("edgeemo/zoo/face.tflite or face-detector.tflite is not in this checkout")
    return "face"


def fields_of_the_issue(result: dict[str, Any]) -> None:
    assert {"bundle", "delegate", "threads", "stages_us", "total_us", "n", "noisy"} <= set(result)
    assert set(result["total_us"]) == QUANTILES
    assert all(set(stage) == QUANTILES for stage in result["stages_us"].values())


def test_a_text(small_text_path: Path) -> None:
    result = bench(Setup(str(small_text_path)), Inputs(text="so happy!"), FEW)
    fields_of_the_issue(result)
    assert (result["bundle"], result["delegate"], result["threads"], result["batch"]) == (
        "small-text",
        "auto",
        1,
        1,
    )
    assert set(result["stages_us"]) == {"frontend", "invoke", "dequantize", "post"}
    assert result["absent"]["quantize"] == "the model takes int32"
    assert result["absent"]["capture"] == "a text needs no capture"
    assert result["input"] == "a text, 9 characters"
    assert result["n"] == 60
    assert result["hop"] is None
    assert result["runs"]["delegate"] == "cpu"


def test_every_result_carries_where_it_comes_from(small_text_path: Path) -> None:
    result = bench(Setup(str(small_text_path)), effort=FEW, context=run.Context("edgeemo bench small-text"))
    assert len(result["sha256"]) == 64
    assert result["path"] == str(small_text_path)
    assert {"edgeemo", "numpy", "python", "bundle", "frontend"} <= set(result["versions"])
    assert result["machine"]["cores"] >= 1
    assert result["command"] == "edgeemo bench small-text"
    assert result["date"].startswith("20")
    assert set(result["condition"]) == {"before", "after"}
    json.dumps(result, allow_nan=False)


def test_a_cold_start_is_all_of_its_parts_and_memory_is_that_of_the_fresh_process(
    small_text_path: Path,
) -> None:
    result = bench(Setup(str(small_text_path)), effort=FEW)
    parts = result["import_us"] + result["open_us"] + result["first_us"]
    assert 0 < parts < result["cold_start_us"]
    assert 10 < result["peak_memory_mb"] < 500


def test_stages_and_rest_are_the_whole(small_text_path: Path) -> None:
    result = bench(Setup(str(small_text_path)), effort=FEW)
    stated = sum(stage["p50"] for stage in result["stages_us"].values()) + result["rest_us"]
    assert stated == pytest.approx(result["total_us"]["p50"], abs=0.01)
    assert 0 < result["interval_us"][0] <= result["interval_us"][1]
    assert set(result["tails_us"]) == {"p95", "p99"}
    assert result["tail_noise"]["p95"] == result["tail_noise"]["p99"] == "it cannot be known from 60 calls"


def test_a_batch_counts_its_texts(small_text_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[Any, ...]]] = []
    real = new_process.run_in_new_process

    def spy(name: str, method: str, arguments: tuple[Any, ...], *more: Any) -> dict[str, Any]:
        asked.append((method, arguments))
        return real(name, method, arguments, *more)

    monkeypatch.setattr(run, "run_in_new_process", spy)
    many = bench(Setup(str(small_text_path), batch=32), Inputs(text="so happy"), FEW)
    assert asked == [("predict_batch", (["so happy"] * 32,))]
    assert many["throughput_per_s"] == pytest.approx(32e6 / many["mean_us"], rel=1e-3)


def test_a_text_of_which_nothing_is_understood_asks_no_model(small_text_path: Path) -> None:
    result = bench(Setup(str(small_text_path)), Inputs(text="zzz"), FEW)
    assert set(result["stages_us"]) == {"frontend", "post"}
    assert "the model did not run" in result["absent"]["invoke"]


def test_a_tail_lies_in_its_interval(small_text_path: Path) -> None:
    result = bench(Setup(str(small_text_path)), effort=Effort(rounds=4000))
    for name, (low, high) in result["tails_us"].items():
        assert low <= result["total_us"][name]
        assert high is None or result["total_us"][name] <= high


def test_a_voice_has_a_hop(small_voice_path: Path) -> None:
    result = bench(Setup(str(small_voice_path)), effort=FEW)
    fields_of_the_issue(result)
    assert {"frontend", "invoke", "post"} <= set(result["stages_us"])
    assert "a made hum of one span" in result["input"]
    hop = result["hop"]
    assert hop["share"] == pytest.approx(hop["cost_us"]["p50"] / hop["budget_us"], abs=1e-6)
    assert "ms pushed into a stream" in hop["what"]


def test_a_slow_stream_gives_signs_of_life(voice: VoiceRecognizer) -> None:
    import small_voice

    ticks: list[int] = []
    found = streaming.stream_cost(
        voice, (small_voice.voice("anger", 3), small_voice.RATE), Effort(rounds=25), lambda: ticks.append(1)
    )
    assert found is not None
    assert len(ticks) == 12 + 25


def test_an_audio_file_is_captured(small_voice_path: Path, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    import small_voice

    clip = tmp_path / "clip.wav"
    soundfile.write(
        clip, np.stack([small_voice.voice("anger", 0.2)] * 2, axis=1), small_voice.RATE
    )  # shorter than a hop
    result = bench(Setup(str(small_voice_path)), Inputs(audio=clip), FEW)
    assert "capture" in result["stages_us"]
    assert result["input"] == f"clip.wav, 0.20 s at {small_voice.RATE:,} Hz, 2 channels"
    assert result["hop"]["cost_us"]["p50"] > 0


def test_an_audio_file_without_a_sample_is_refused(small_voice_path: Path, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.int16), 16_000)
    with pytest.raises(InputError, match=r"empty.wav holds no sample. Give a recording."):
        bench(Setup(str(small_voice_path)), Inputs(audio=tmp_path / "empty.wav"), FEW)


def test_a_face_is_found_and_read(shipped_face: str) -> None:
    result = bench(Setup(shipped_face), effort=FEW)
    assert set(result["stages_us"]) == set(STAGES) - {"quantize"}
    assert result["absent"]["quantize"] == "the frontend writes int8 itself"
    assert result["hop"]["budget_us"] == pytest.approx(33_333.3)
    assert min(stage["p50"] for stage in result["stages_us"].values()) > 0


def test_a_picture_without_a_face_says_so(shipped_face: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (200, 100), (90, 90, 90)).save(tmp_path / "wall.png")
    result = bench(Setup(shipped_face), Inputs(image=tmp_path / "wall.png"), FEW)
    assert {"capture", "detect"} <= set(result["stages_us"])
    assert "or no face" in result["absent"]["invoke"]
    assert result["input"] == "wall.png, 200 × 100"


def test_a_detector_is_measured_too(shipped_face: str) -> None:
    result = bench(Setup("face-detector"), effort=FEW)
    assert set(result["stages_us"]) == set(STAGES) - {"detect", "quantize"}
    assert result["hop"] is None


# --- stages -------------------------------------------------------------------------------------------------


class Staged:
    """A recognizer whose engine needs 300 ns for the frontend and 600 ns for the model."""

    def __init__(self) -> None:
        self.now, self.switches = 0, list[bool]()

    def time_stages(self, on: bool) -> None:
        self.switches.append(on)

    def stage_times(self) -> dict[str, int]:
        return {"calls": 1, **dict.fromkeys(STAGES, 0), "frontend": 300, "invoke": 600}

    def predict(self, ns: int) -> None:
        self.now += ns


def test_the_time_between_the_stages_is_the_rest_of_the_call() -> None:
    opened = Staged()
    call = staged(opened, "predict", (1000,), clock=lambda: opened.now)
    assert call() == {"frontend": 300, "invoke": 600, "between": 100}
    assert opened.switches == [True, False]


def test_calls_that_are_timed_as_a_whole_are_not_timed_by_stage(
    recognizer: TextRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches: list[bool] = []
    calls: list[bool] = []
    monkeypatch.setattr(recognizer, "time_stages", switches.append)
    monkeypatch.setattr(recognizer, "stage_times", lambda: dict.fromkeys(STAGES, 1))
    monkeypatch.setattr(recognizer, "predict", lambda text: calls.append(bool(switches and switches[-1])))
    monkeypatch.setattr(measure, "stream_cost", lambda *_: None)
    found = measure.measure(recognizer, "predict", ("so happy",), rounds=40)
    assert calls.count(False) >= found["n"] == 40
    assert calls.count(True) >= 10


# --- new processes ------------------------------------------------------------------------------------------


def test_an_error_of_a_fresh_process_is_the_same_here(small_text_path: Path) -> None:
    with pytest.raises(DelegateError, match="There is no delegate 'quantum'"):
        bench(Setup(str(small_text_path), delegate="quantum"), effort=FEW)
    with pytest.raises(BundleError, match="There is no bundle 'nix'"):
        bench(Setup("nix"), effort=FEW)


@pytest.mark.parametrize(("delegate", "kind"), [("auto", InferenceError), ("gpu", DelegateError)])
def test_a_process_that_dies_is_told(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch, delegate: str, kind: type[Exception]
) -> None:
    monkeypatch.setattr(new_process, "_RUN", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(kind, match=r"ended with code -9 \(without a message\)\. Try another delegate"):
        bench(Setup(str(small_text_path), delegate=delegate), effort=FEW)


def test_a_process_that_does_not_answer_is_given_up(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_process, "_RUN", "import time; time.sleep(60)")
    monkeypatch.setattr(new_process, "_TIMEOUT_S", 0.2)
    with pytest.raises(InferenceError, match=r"did not answer for 0.2 s"):
        bench(Setup(str(small_text_path)), effort=FEW)


def test_slow_calls_are_repeated_for_a_second_only_and_give_signs_of_life(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = (
        "import edgeemo, edgeemo.bench.worker as worker; now = [worker.perf_counter_ns()]; "
        "worker.perf_counter_ns = lambda: now[0]; predict = edgeemo.TextRecognizer.predict; "
        "edgeemo.TextRecognizer.predict = lambda *a: (now.append(now.pop() + 600_000_000), predict(*a))[1]; "
    )
    monkeypatch.setattr(new_process, "_RUN", slow + new_process._RUN)
    ticks: list[tuple[str, float]] = []
    found = new_process.run_in_new_process(
        str(small_text_path), "predict", ("so happy",), {}, tick=lambda *how: ticks.append(how)
    )
    assert found["first_us"] == 600_000
    assert ticks == [("cold start", 0.0)] * 2, "30 calls would take 18 s"


def test_what_lies_in_the_current_folder_is_not_imported(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("numpy.py", "json.py", "edgeemo.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    assert bench(Setup(str(small_text_path.resolve())), effort=FEW)["n"] == 60


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "time.sleep(60)"])
def test_an_answer_counts_however_the_process_ends(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(
        new_process, "_RUN", f"import os; print('hello from a driver'); {new_process._RUN}; {end}"
    )
    monkeypatch.setattr(new_process, "_LEAVE_S", 0.2)
    assert bench(Setup(str(small_text_path)), effort=FEW)["n"] == 60


def test_made_inputs_are_read_by_the_shipped_bundles(shipped_face: str) -> None:
    source = inputs.input_of(Bundle.open(shipped_face).card)
    with Recognizer.open(shipped_face) as opened:
        assert opened.predict(*source.arguments).face is not None
    assert source.capture is None


def test_threads_reach_the_model(small_text_path: Path) -> None:
    result = bench(Setup(str(small_text_path), threads=2), effort=FEW)
    assert (result["threads"], result["runs"]["threads"]) == (2, 2)


def test_what_cannot_be_measured_in_batches_is_a_row_beside_what_can(
    small_text_path: Path, small_voice_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [str(small_text_path), str(small_voice_path)]
    assert main(["bench", *names, "--batch", "1", "--batch", "4", "--rounds", "40", "--json"]) == 0
    ran = {(r["bundle"], r["batch"]): r for r in json.loads(capsys.readouterr().out)["results"]}
    assert [r["total_us"] is not None for r in ran.values()] == [True, True, True, False]
    said = ran["small-voice", 4]["error"]
    assert said == "small-voice reads voice one at a time: batches are for texts. Use batch 1."


def test_a_row_that_did_not_run_carries_where_it_comes_from(small_text_path: Path) -> None:
    ran = bench(Setup(str(small_text_path)), effort=FEW, context=run.Context("edgeemo bench small-text"))
    error = DelegateError("There is no GPU here.")
    row = run.failed_result(
        Setup(str(small_text_path), "gpu"), error, run.Context("edgeemo bench small-text")
    )
    assert (row["total_us"], row["n"], row["error"]) == (None, 0, "There is no GPU here.")
    for key in ("sha256", "path", "modality", "versions", "machine", "command"):
        assert row[key] == ran[key], key
    assert row["date"].startswith("20")


@pytest.mark.parametrize(
    ("package", "backend", "stated"),
    [
        ("ai_edge_litert", "native", ("litert", "9.1")),
        ("ai_edge_litert", "litert", ("litert", "9.1")),
        ("ai_edge_litert_nightly", "native", ("litert", "9.1 (ai-edge-litert-nightly)")),
        ("tflite_runtime", "tflite-runtime", ("tflite-runtime", "9.1")),
        ("tensorflow_cpu", "tf.lite", ("tf.lite", "9.1 (tensorflow-cpu)")),
        ("numpy", "native", ("litert", "unknown: no Python package")),
    ],
)
def test_the_version_of_the_runtime_that_ran_is_told(
    package: str, backend: str, stated: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / f"{package}-9.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {package.replace('_', '-')}\nVersion: 9.1\n")
    (info / "top_level.txt").write_text(package.removesuffix("_nightly").removesuffix("_cpu"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert stated in run.versions(backend).items()


def test_the_command_line_prints_exactly_machine_and_results(
    small_text_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(small_text_path), "--rounds", "40", "--json"]) == 0
    stated = json.loads(capsys.readouterr().out)
    assert set(stated) == {"machine", "results"}
    (result,) = stated["results"]
    fields_of_the_issue(result)
    assert (result["delegate"], result["threads"], result["batch"]) == ("auto", 1, 1)
    assert result["command"] == f"edgeemo bench {small_text_path} --rounds 40 --json"


def test_old_names_still_work() -> None:
    for old, new in (("Case", Setup), ("Offered", Inputs), ("refused", run.failed_result)):
        with pytest.warns(DeprecationWarning, match=f"{old} is now called {new.__name__}"):
            assert getattr(run, old) is new
