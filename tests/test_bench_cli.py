"""``edgeemo bench`` prints, draws, compares and refuses; test_bench.py tests the measuring itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from bench_results import HERE, result

from edgeemo.bench import html_page, report
from edgeemo.bench.run import Setup
from edgeemo.cli import bench as command
from edgeemo.cli import main
from edgeemo.errors import DelegateError, EdgeemoError, InferenceError


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Setup]]:
    """Let the command measure nothing and give these results, in turns; tell which cases it asked for."""

    def take(*results: dict[str, Any] | EdgeemoError) -> list[Setup]:
        asked: list[Setup] = []

        def fake(setup: Setup, *_: object) -> dict[str, Any]:
            found = results[len(asked) % len(results)]
            asked.append(setup)
            if isinstance(found, EdgeemoError):
                raise found
            how = setup.to_dict()
            return {**found, **how}

        monkeypatch.setattr(command, "bench", fake)
        return asked

    return take


# --- tables, Markdown, pictures -----------------------------------------------------------------------------


def test_the_table_says_the_whole_its_stages_and_its_needs(
    measures: Callable[..., list[Setup]], small_text_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measures(result(noisy=True, noise=["the load was 9 on 2 cores"]))
    assert main(["bench", str(small_text_path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "text native cpu 50 µs 55 µs 60 µs 20,000 1,000 noisy" in shown
    assert "bundle frontend invoke between text 5 µs 40 µs 6 µs" in shown
    assert "text 50 µs 200 ms 100 ms 20 ms 100 µs 41 MiB –" in shown
    assert "text is too noisy to quote: the load was 9 on 2 cores." in shown
    assert "temperature 50 → 50 °C; clock 1800 → 1800 MHz; load 0.5 → 0.5; governor ondemand." in shown
    assert "text 1.0.0 read a text, 9 characters." in shown


def test_options_given_twice_are_combined(
    measures: Callable[..., list[Setup]], small_text_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = measures(result())
    options = ["--threads", "1", "--threads", "2", "--batch", "1", "--batch", "4", "--delegate", "cpu"]
    assert main(["bench", str(small_text_path), *options, "--markdown"]) == 0
    name = str(small_text_path)
    assert asked == [Setup(name, "cpu", t, b) for t in (1, 2) for b in (1, 4)]
    assert "| text, cpu, 2 threads, batch 4 |" in capsys.readouterr().out


def test_what_is_given_twice_is_measured_once(
    measures: Callable[..., list[Setup]], small_text_path: Path
) -> None:
    asked = measures(result())
    twice = ["--threads", "2", "--threads", "2", "--delegate", "cpu", "--delegate", "cpu", "--batch", "3"]
    assert main(["bench", str(small_text_path), str(small_text_path), *twice, "--batch", "3", "--json"]) == 0
    assert asked == [Setup(str(small_text_path), "cpu", 2, 3)]


def test_markdown_is_of_whole_tables(
    measures: Callable[..., list[Setup]], small_text_path: Path, capsys: Any
) -> None:
    hop = {"what": "", "budget_us": 5e5, "cost_us": {}, "share": 0.0125}
    measures(result(hop=hop, energy={"mj_per_call": 0.25, "why": "RAPL"}))
    assert main(["bench", str(small_text_path), "--markdown"]) == 0
    shown = capsys.readouterr().out
    for block in re.findall(r"(?:^\|.*\n)+", shown, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "| 1.25% | 0.25 mJ |" in shown


@pytest.mark.parametrize(
    ("us", "shown"),
    [
        (0.52, "0.5 µs"),
        (3.456, "3.46 µs"),
        (999.6, "1 ms"),
        (12_345, "12.3 ms"),
        (2.5e6, "2.5 s"),
        (-0.2, "-0.2 µs"),
    ],
)
def test_times_are_told_as_people_read_them(us: float, shown: str) -> None:
    assert report.time_of(us) == shown


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


def test_a_page_holds_all_and_fetches_nothing(
    measures: Callable[..., list[Setup]], small_text_path: Path, tmp_path: Path
) -> None:
    measures(result(), result(70.0, bundle="<b>"))
    target = tmp_path / "out.html"
    options = ["--threads", "1", "--threads", "2", "--picture", str(target)]
    assert main(["bench", str(small_text_path), *options, "--json"]) == 0
    text = target.read_text("utf-8")
    assert not re.search(r"https?://|<script|<link", text)
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    tags = Tags()
    tags.feed(text)
    assert tags.seen.count("table") == 3
    assert tags.seen.count("rect") == 3 + 2 * 3  # a legend of three, two bars of three


def test_the_whole_is_a_mark_of_its_own_beside_what_was_measured_in_other_calls() -> None:
    """Stages and what lies between them are 51 µs here, of calls with clocks; the whole is 50 µs, without."""
    svg = html_page._svg(html_page.bars([result(50.0)]))
    ends = [float(x) + float(w) for x, w in re.findall(r'x="([\d.]+)" y="34.0" width="([\d.]+)"', svg)]
    (mark,) = (float(x) for x in re.findall(r'<path d="M([\d.]+)', svg))
    assert (max(ends) - html_page._NAME) / (mark - html_page._NAME) == pytest.approx(51 / 50, abs=0.001)
    assert "<title>the whole call: 50 µs</title>" in svg


def test_a_tail_that_is_not_known_is_marked_and_said_once() -> None:
    wide = {"p99": "it is known to -9.1% … +11.7% only (at most ±5%)"}
    (_, _, (row,)), *_ = report.tables([result(tail_noise=wide)])
    assert row[2:5] == ["50 µs", "55 µs", "~60 µs"]
    said = [note for note in report.notes([result(tail_noise=wide)]) if "quote" in note]
    assert said == [f"~ text: do not quote its p99, {wide['p99']}."]
    noisy = report.notes([result(tail_noise=wide, noisy=True, noise=["the load was 9 on 2 cores"])])
    assert sum("quote" in note for note in noisy) == 1


def test_bars_are_drawn_to_one_scale() -> None:
    svg = html_page._svg(html_page.bars([result(50.0), result(100.0, threads=2)]))
    invoke = [float(w) for w in re.findall(r'width="([\d.]+)" height="24"[^>]*><title>invoke', svg)]
    assert invoke[1] == pytest.approx(2 * invoke[0], rel=0.01)


def test_a_picture_is_a_png(
    measures: Callable[..., list[Setup]], small_text_path: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    measures(result())
    assert main(["bench", str(small_text_path), "--picture", str(tmp_path / "out.png"), "--json"]) == 0
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["no/such/out.html", "no/such/out.png", "out.nix"])
def test_a_picture_that_cannot_be_written_is_an_error(
    measures: Callable[..., list[Setup]], small_text_path: Path, tmp_path: Path, capsys: Any, name: str
) -> None:
    pytest.importorskip("matplotlib")
    asked = measures(result())
    assert main(["bench", str(small_text_path), "--picture", str(tmp_path / name)]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert not asked, "it was measured for nothing"


def test_page_faults_are_told_where_they_cost() -> None:
    assert not [note for note in report.notes([result(page_faults=0.4)]) if "page" in note]
    (shown,) = [note for note in report.notes([result(page_faults=47.3)]) if "page" in note]
    assert shown.startswith("text takes 47 pages of memory from the system in each call")


# --- delegates ----------------------------------------------------------------------------------------------


def test_a_delegate_that_cannot_be_used_is_a_row_that_says_why(
    measures: Callable[..., list[Setup]], small_text_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["bench", str(small_text_path), "--delegate", "cpu", "--delegate", "gpu"]
    measures(result(), DelegateError("There is no GPU here. Use 'cpu'."))
    assert main([*arguments, "--json"]) == 0
    good, bad = json.loads(capsys.readouterr().out)["results"]
    assert good["total_us"]["p50"] == 50
    assert (bad["bundle"], bad["delegate"], bad["total_us"], bad["n"]) == ("small-text", "gpu", None, 0)
    assert bad["error"] == "There is no GPU here. Use 'cpu'."
    assert main(arguments) == 0
    assert "small-text, gpu did not run: There is no GPU here." in " ".join(capsys.readouterr().out.split())


def test_a_case_that_fails_leaves_the_results_of_the_others(
    measures: Callable[..., list[Setup]], small_text_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measures(result(), InferenceError("The process ended with code -9. Try another backend."))
    assert main(["bench", str(small_text_path), "--threads", "1", "--threads", "2", "--json"]) == 0
    good, bad = json.loads(capsys.readouterr().out)["results"]
    assert good["total_us"]["p50"] == 50
    assert bad["error"] == "The process ended with code -9. Try another backend."


def test_the_input_of_a_later_bundle_is_read_before_the_first_is_measured(
    measures: Callable[..., list[Setup]],
    small_text_path: Path,
    small_voice_path: Path,
    tmp_path: Path,
    capsys: Any,
) -> None:
    asked = measures(result())
    options = [str(small_text_path), str(small_voice_path), "--audio", str(tmp_path / "no.wav")]
    assert main(["bench", *options]) == 1
    assert "no.wav cannot be read" in capsys.readouterr().err
    assert not asked


def test_sigterm_leaves_no_files(small_text_path: Path, tmp_path: Path) -> None:
    files = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "edgeemo.cli", "bench", str(small_text_path), "--seconds", "60"]
    process = subprocess.Popen(command, env=files, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not list(tmp_path.glob("*/0.npy")) and not list(tmp_path.glob("*/stderr")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())


def test_where_nothing_could_run_it_is_an_error(
    small_text_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(small_text_path), "--delegate", "quantum", "--json"]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("edgeemo: error: There is no delegate 'quantum'")


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--threads", "0"], 2, "0 is not in the range"),
        (["--batch", "0"], 2, "0 is not in the range"),
        (["--seconds", "nan"], 2, "nan is not a number"),
        (["--compare", "no.json", "--fail-above", "nan"], 2, "nan is not a number"),
        (["--image", "x.png"], 2, "--image is for face bundles; these read text: give --text."),
        (["--audio", "x.wav", "--text", "hi"], 2, "--audio is for voice bundles"),
        (["--json", "--markdown"], 2, "Give either --json or --markdown."),
        (["--fail-above", "5"], 2, "--fail-above needs --compare"),
        (["--compare", "no.json"], 1, "no.json cannot be read"),
        (["nix"], 1, "There is no bundle 'nix'"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_measured(
    measures: Callable[..., list[Setup]],
    small_text_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    says: str,
) -> None:
    asked = measures(result())
    assert main(["bench", str(small_text_path), *options]) == code
    assert says in capsys.readouterr().err
    assert not asked


def test_batches_are_for_texts(
    measures: Callable[..., list[Setup]], small_voice_path: Path, capsys: Any
) -> None:
    asked = measures(result())
    assert main(["bench", str(small_voice_path), "--batch", "4", "--batch", "8"]) == 2
    assert "--batch is for text bundles (predict_batch)" in capsys.readouterr().err
    assert not asked


def test_a_file_that_cannot_be_read_is_an_error(small_voice_path: Path, capsys: Any, tmp_path: Path) -> None:
    assert main(["bench", str(small_voice_path), "--audio", str(tmp_path / "no.wav")]) == 1
    assert "no.wav cannot be read" in capsys.readouterr().err
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    assert main(["bench", str(small_voice_path), "--audio", str(tmp_path / "broken.wav")]) == 1
    assert "is not audio that libsndfile reads" in capsys.readouterr().err


# --- now and then -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "options", "code", "says"),
    [
        (60.0, [], 0, ""),
        (60.0, ["--fail-above", "5"], 3, "check failed: text: slower, +20.0%"),
        (60.0, ["--fail-above", "25"], 0, ""),
        (50.0, ["--fail-above", "0"], 0, ""),
    ],
)
def test_the_guard_ends_with_exit_code_3(
    measures: Callable[..., list[Setup]],
    small_text_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    now: float,
    options: list[str],
    code: int,
    says: str,
) -> None:
    old = tmp_path / "old.json"
    old.write_text(json.dumps({"machine": HERE, "results": [result()]}))
    measures(result(now))
    assert main(["bench", str(small_text_path), "--compare", str(old), "--json", *options]) == code
    said = capsys.readouterr()
    assert says in said.err
    (shown,) = json.loads(said.out)["results"]
    assert shown["compared"]["ratio"] == pytest.approx(now / 50, abs=0.002)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"results": 3}', '{"results": [{"total_us": {}}]}', '{"results": [{"n": 1}]}', "[" * 9999],
)
def test_what_holds_no_results_is_refused(
    measures: Callable[..., list[Setup]], small_text_path: Path, tmp_path: Path, capsys: Any, text: str
) -> None:
    asked = measures(result())
    (tmp_path / "old.json").write_text(text)
    assert main(["bench", str(small_text_path), "--compare", str(tmp_path / "old.json")]) == 1
    assert "holds no results of edgeemo bench" in capsys.readouterr().err
    assert not asked
