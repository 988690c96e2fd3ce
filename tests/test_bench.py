"""``edgeemo bench``: what a result says, of bundles whose answers are known."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeemo import Recognizer, TextRecognizer, VoiceRecognizer
from edgeemo.bench import fresh, hops, inputs, measure, run
from edgeemo.bench.laps import STAGES, Laps, twin
from edgeemo.bench.run import Case, Offered, bench
from edgeemo.bench.timing import Effort
from edgeemo.bundle import Bundle, shipped
from edgeemo.cli import main
from edgeemo.errors import BundleError, DelegateError, InferenceError, InputError

FEW = Effort(rounds=60)
QUANTILES = {"p50", "p95", "p99"}


@pytest.fixture(autouse=True)
def one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fresh process a case is enough here."""
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
    result = bench(Case(str(small_text_path)), Offered(text="so happy!"), FEW)
    fields_of_the_issue(result)
    assert (result["bundle"], result["delegate"], result["threads"], result["batch"]) == (
        "small-text",
        "auto",
        1,
        1,
    )
    assert set(result["stages_us"]) == {"frontend", "invoke", "dequantize", "post"}
    assert result["absent"]["quantize"] == "the model takes int32"
    assert result["absent"]["capture"] == "a text is there already"
    assert result["input"] == "a text, 9 characters"
    assert result["n"] == 60
    assert result["hop"] is None
    assert result["runs"]["delegate"] == "cpu"


def test_every_result_carries_where_it_comes_from(small_text_path: Path) -> None:
    result = bench(Case(str(small_text_path)), effort=FEW, context=run.Context("edgeemo bench small-text"))
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
    result = bench(Case(str(small_text_path)), effort=FEW)
    parts = result["import_us"] + result["open_us"] + result["first_us"]
    assert 0 < parts < result["cold_start_us"]
    assert 10 < result["peak_memory_mb"] < 500


def test_stages_and_rest_are_the_whole(small_text_path: Path) -> None:
    result = bench(Case(str(small_text_path)), effort=FEW)
    told = sum(stage["p50"] for stage in result["stages_us"].values()) + result["rest_us"]
    assert told == pytest.approx(result["total_us"]["p50"], abs=0.01)
    assert 0 < result["interval_us"][0] <= result["interval_us"][1]
    assert set(result["tails_us"]) == {"p95", "p99"}
    assert result["tail_noise"]["p95"] == result["tail_noise"]["p99"] == "it cannot be told from 60 calls"


def test_a_batch_counts_its_texts(small_text_path: Path) -> None:
    one, many = (bench(Case(str(small_text_path), batch=n), effort=Effort(rounds=200)) for n in (1, 32))
    assert many["total_us"]["p50"] > 4 * one["total_us"]["p50"]
    assert many["throughput_per_s"] == pytest.approx(32e6 / many["mean_us"], rel=1e-3)
    assert many["stages_us"]["frontend"]["p50"] > 4 * one["stages_us"]["frontend"]["p50"]


def test_a_text_of_which_nothing_is_understood_asks_no_model(small_text_path: Path) -> None:
    result = bench(Case(str(small_text_path)), Offered(text="zzz"), FEW)
    assert set(result["stages_us"]) == {"frontend"}
    assert "the model was not asked" in result["absent"]["invoke"]


def test_a_tail_lies_in_its_interval(small_text_path: Path) -> None:
    result = bench(Case(str(small_text_path)), effort=Effort(rounds=4000))
    for name, (low, high) in result["tails_us"].items():
        assert low <= result["total_us"][name]
        assert high is None or result["total_us"][name] <= high


def test_a_voice_has_a_hop(small_voice_path: Path) -> None:
    result = bench(Case(str(small_voice_path)), effort=FEW)
    fields_of_the_issue(result)
    assert {"frontend", "invoke", "post"} <= set(result["stages_us"])
    assert "a made hum of one span" in result["input"]
    hop = result["hop"]
    assert hop["share"] == pytest.approx(hop["cost_us"]["p50"] / hop["budget_us"], abs=1e-6)
    assert "ms pushed into a stream" in hop["what"]


def test_a_slow_stream_gives_signs_of_life(voice: VoiceRecognizer) -> None:
    import small_voice

    told: list[int] = []
    found = hops.hop(
        voice, (small_voice.voice("anger", 3), small_voice.RATE), Effort(rounds=25), lambda: told.append(1)
    )
    assert found is not None
    assert len(told) == 12 + len(found.times)


def test_an_audio_file_is_captured(small_voice_path: Path, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    import small_voice

    clip = tmp_path / "clip.wav"
    soundfile.write(
        clip, np.stack([small_voice.voice("anger", 0.2)] * 2, axis=1), small_voice.RATE
    )  # shorter than a hop
    result = bench(Case(str(small_voice_path)), Offered(audio=clip), FEW)
    assert "capture" in result["stages_us"]
    assert result["input"] == f"clip.wav, 0.20 s at {small_voice.RATE:,} Hz, 2 channels"
    assert result["hop"]["cost_us"]["p50"] > 0


def test_an_audio_file_without_a_sample_is_refused(small_voice_path: Path, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.int16), 16_000)
    with pytest.raises(InputError, match=r"empty.wav holds no sample. Give a recording."):
        bench(Case(str(small_voice_path)), Offered(audio=tmp_path / "empty.wav"), FEW)


def test_a_face_is_found_and_read(shipped_face: str) -> None:
    result = bench(Case(shipped_face), effort=FEW)
    assert set(result["stages_us"]) == set(STAGES)
    assert result["hop"]["budget_us"] == pytest.approx(33_333.3)
    assert min(stage["p50"] for stage in result["stages_us"].values()) > 0


def test_a_picture_without_a_face_says_so(shipped_face: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (200, 100), (90, 90, 90)).save(tmp_path / "wall.png")
    result = bench(Case(shipped_face), Offered(image=tmp_path / "wall.png"), FEW)
    assert {"capture", "detect"} <= set(result["stages_us"])
    assert "or found" in result["absent"]["invoke"]
    assert result["input"] == "wall.png, 200 × 100"


def test_a_detector_is_measured_too(shipped_face: str) -> None:
    result = bench(Case("face-detector"), effort=FEW)
    assert set(result["stages_us"]) == set(STAGES) - {"detect"}
    assert result["hop"] is None


# --- clocks between the stages ------------------------------------------------------------------------------


def test_the_twin_answers_as_the_product_does_and_leaves_it_alone(
    recognizer: TextRecognizer, voice: VoiceRecognizer
) -> None:
    import small_voice

    for opened, arguments in (
        (recognizer, ("so sad",)),
        (voice, (small_voice.voice("anger", 3), small_voice.RATE)),
    ):
        before = dict(opened.__dict__)
        laps = Laps()
        told: list[object] = []
        copied = twin(opened, laps)
        spent = laps.lap(lambda c=copied, a=arguments, t=told: t.append(c.predict(*a)))  # type: ignore[misc]
        assert told == [opened.predict(*arguments)]
        assert {"frontend", "invoke", "post"} <= set(spent)
        assert opened.__dict__ == before


def test_a_twin_that_answers_otherwise_is_no_measurement(
    recognizer: TextRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(opened: Recognizer, laps: Laps) -> Any:
        found = twin(opened, laps)
        found.predict = lambda text: opened.predict("so sad")
        return found

    monkeypatch.setattr(measure, "twin", other)
    with pytest.raises(InferenceError, match="answers differently with clocks"):
        measure.measure(recognizer, "predict", ("so happy",), rounds=5)


def test_it_sees_what_a_loop_of_ones_own_sees(small_text_path: Path) -> None:
    """Small and lenient; `benchmarks/bench_bench.py` holds it to 5 %."""
    for _ in range(3):  # on a busy machine a median can lie
        ratio = statistics.median(beside_ones_own(str(small_text_path)) for _ in range(3))
        if 0.8 < ratio < 1.25:
            break
    assert 0.8 < ratio < 1.25


def beside_ones_own(bundle: str) -> float:
    mine = []
    with Recognizer.open(bundle) as opened:
        for _ in range(3000):
            begin = time.perf_counter_ns()
            opened.predict("so happy!")
            mine.append(time.perf_counter_ns() - begin)
    told = bench(Case(bundle), Offered(text="so happy!"), Effort(rounds=3000))["total_us"]["p50"]
    return float(told / (statistics.median(mine) / 1e3))


# --- fresh processes ----------------------------------------------------------------------------------------


def test_an_error_of_a_fresh_process_is_the_same_here(small_text_path: Path) -> None:
    with pytest.raises(DelegateError, match="There is no delegate 'quantum'"):
        bench(Case(str(small_text_path), delegate="quantum"), effort=FEW)
    with pytest.raises(BundleError, match="There is no bundle 'nix'"):
        bench(Case("nix"), effort=FEW)


@pytest.mark.parametrize(("delegate", "kind"), [("auto", InferenceError), ("gpu", DelegateError)])
def test_a_process_that_dies_is_told(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch, delegate: str, kind: type[Exception]
) -> None:
    monkeypatch.setattr(fresh, "_RUN", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(kind, match=r"ended with code -9 \(it said nothing\)\. Try another delegate"):
        bench(Case(str(small_text_path), delegate=delegate), effort=FEW)


def test_a_process_that_does_not_answer_is_given_up(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "_RUN", "import time; time.sleep(60)")
    monkeypatch.setattr(fresh, "_PATIENCE_S", 0.2)
    with pytest.raises(InferenceError, match=r"gave no sign for 0.2 s"):
        bench(Case(str(small_text_path)), effort=FEW)


def test_slow_calls_are_repeated_for_a_second_only_and_give_signs_of_life(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = (
        "import edgeemo, time; predict = edgeemo.TextRecognizer.predict; "
        "edgeemo.TextRecognizer.predict = lambda *a: (time.sleep(0.6), predict(*a))[1]; "
    )
    monkeypatch.setattr(fresh, "_RUN", slow + fresh._RUN)
    told: list[tuple[str, float]] = []
    begin = time.perf_counter()
    found = fresh.fresh(
        str(small_text_path), "predict", ("so happy",), {}, tick=lambda *how: told.append(how)
    )
    assert found["first_us"] > 600_000
    assert time.perf_counter() - begin < 10, "30 calls take 18 s"
    assert told == [("cold start", 0.0)] * 2


def test_what_lies_in_the_current_folder_is_not_imported(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("numpy.py", "json.py", "edgeemo.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    assert bench(Case(str(small_text_path.resolve())), effort=FEW)["n"] == 60


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "time.sleep(60)"])
def test_an_answer_counts_however_the_process_ends(
    small_text_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(fresh, "_RUN", f"import os; print('hello from a driver'); {fresh._RUN}; {end}")
    monkeypatch.setattr(fresh, "_LEAVE_S", 0.2)
    assert bench(Case(str(small_text_path)), effort=FEW)["n"] == 60


def test_made_inputs_are_read_by_the_shipped_bundles(shipped_face: str) -> None:
    source = inputs.given(Bundle.open(shipped_face).card)
    with Recognizer.open(shipped_face) as opened:
        assert opened.predict(*source.arguments).face is not None
    assert source.capture is None


def test_threads_reach_the_model(small_text_path: Path) -> None:
    result = bench(Case(str(small_text_path), threads=2), effort=FEW)
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
    ran = bench(Case(str(small_text_path)), effort=FEW, context=run.Context("edgeemo bench small-text"))
    error = DelegateError("There is no GPU here.")
    row = run.refused(Case(str(small_text_path), "gpu"), error, run.Context("edgeemo bench small-text"))
    assert (row["total_us"], row["n"], row["error"]) == (None, 0, "There is no GPU here.")
    for key in ("sha256", "path", "modality", "versions", "machine", "command"):
        assert row[key] == ran[key], key
    assert row["date"].startswith("20")


@pytest.mark.parametrize(
    ("package", "backend", "told"),
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
    package: str, backend: str, told: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / f"{package}-9.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {package.replace('_', '-')}\nVersion: 9.1\n")
    (info / "top_level.txt").write_text(package.removesuffix("_nightly").removesuffix("_cpu"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert told in run.versions(backend).items()


def test_the_command_line_prints_exactly_machine_and_results(
    small_text_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(small_text_path), "--rounds", "40", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"machine", "results"}
    (result,) = told["results"]
    fields_of_the_issue(result)
    assert (result["delegate"], result["threads"], result["batch"]) == ("auto", 1, 1)
    assert result["command"] == f"edgeemo bench {small_text_path} --rounds 40 --json"
