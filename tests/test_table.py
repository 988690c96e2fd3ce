"""The table beside peers: times in turns, verdicts that can be against us, what lacks is named."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import render, table, verdicts
from benchmarks.parts import runtimes, scaling, text
from benchmarks.parts.row import Context, Row, Score, Skip, ours
from benchmarks.peers import voice_folds
from benchmarks.timing import Spent, Times, batches_of, race
from edgeemo import Bundle
from edgeemo.errors import DataError
from edgeemo.evaluation.bootstrap import Interval
from edgeemo.machine import machine


def test_contestants_run_in_turns_and_the_slower_one_is_found() -> None:
    order: list[str] = []

    def batch(name: str, seconds: float) -> Any:
        def run(calls: int) -> Spent:
            order.append(name)
            return Spent(seconds * calls, 2 * seconds * calls)

        return run

    found = race({"a": batch("a", 1e-3), "b": batch("b", 3e-3)}, seconds=0.2)
    assert found.times["a"].us == pytest.approx(1000)
    assert found.times["a"].wall_us == pytest.approx(2000)
    assert found.ratios["b"] == pytest.approx((3, 3, 3))
    timed = order[-2 * found.times["a"].rounds :]
    assert timed[:4] == ["a", "b", "b", "a"]
    assert race({"a": batch("a", 1e-3)}, seconds=0.1, each=10).times["a"].us == pytest.approx(100)


def test_waiting_is_not_counted_as_work(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = processor = 0

    def wait() -> None:
        nonlocal wall, processor
        wall += 2_000_000
        processor += 3_000

    monkeypatch.setattr("benchmarks.timing.perf_counter_ns", lambda: wall)
    monkeypatch.setattr("benchmarks.timing.process_time_ns", lambda: processor)
    found = race({"waits": batches_of(wait)}, seconds=0.05)
    assert found.times["waits"].wall_us == pytest.approx(2000)
    assert found.times["waits"].us == pytest.approx(3)


def row(system: str, score: float, times: float, **more: Any) -> dict[str, Any]:
    ours = system == "ours"
    ahead = None if ours else Interval(0.7 - score, 0.7 - score - 0.01, 0.7 - score + 0.01)
    measured = Score("accuracy", Interval(score, score, score), 10, difference=ahead)
    made = Row(
        "task", system, ours=ours, score=measured, us=Times(10 * times, 9, 11, 8, 9, 1, 12).to_dict(), **more
    )
    made.times = None if ours else (times, 0.9 * times, 1.1 * times)
    return made.to_dict()


@pytest.mark.parametrize(
    ("score", "times", "good"),
    [
        (0.6, 0.5, True),
        (0.8, 2.0, True),
        (0.8, 0.5, False),
        (0.7, 0.5, None),  # as good as ours: an interval with 0 in it
        (0.8, 0.95, None),  # 0.855 … 1.045 times as long
        (0.695, 1.05, None),
        (0.68, 0.95, True),  # less accurate for sure, however fast
        (0.705, 1.2, True),  # slower for sure, however good
    ],
)
def test_a_verdict_is_against_us_if_a_peer_is_both_faster_and_better(
    score: float, times: float, good: bool | None
) -> None:
    found, text = verdicts.verdict("task", [row("ours", 0.7, 1), row("peer", score, times)])
    assert found is good
    assert ("task: peer is both" in text) == (good is False)
    assert ("task: undecided beside peer: time ×" in text) == (good is None)


def test_one_peer_that_is_both_is_enough() -> None:
    rows = [row("ours", 0.7, 1), row("close", 0.7, 1), row("peer", 0.8, 0.5)]
    assert verdicts.verdict("task", rows)[0] is False


def test_without_a_peers_time_there_is_no_verdict() -> None:
    peer = row("peer", 0.8, 0.5)
    del peer["times"]
    assert verdicts.verdict("task", [row("ours", 0.7, 1), peer])[0] is None


def test_fewer_false_boxes_are_better() -> None:
    peer = row("peer", 0.6, 0.5)
    assert verdicts.both_faster_and_better(peer) is False
    peer["score"]["higher_is_better"] = False
    assert verdicts.both_faster_and_better(peer) is True


@pytest.mark.parametrize(
    ("times", "reached", "said"),
    [
        ((11, 10, 12), True, "all 1 reached"),
        ((9, 8, 9.9), False, "short of it: tokenizers at text frontend (×9.00 (8.00 … 9.90) of 10)"),
        ((11, 9.9, 12), None, "undecided: tokenizers at text frontend (×11.00 (9.90 … 12.00) of 10)"),
        ((9.5, 9, 10.1), None, "undecided: tokenizers at text frontend (×9.50 (9.00 … 10.10) of 10)"),
    ],
)
def test_an_aim_is_reached_by_the_whole_interval(
    times: tuple[float, float, float], reached: bool | None, said: str
) -> None:
    made = Row("text frontend", "tokenizers", least=10.0, times=times)
    assert made.reached is reached
    assert verdicts.verdicts([made.to_dict()]) == [(reached, f"{verdicts.FRONTENDS}: {said}")]
    shown = render.markdown(results([made.to_dict()]))
    assert ("Every frontend reaches its aim" in shown) == (reached is True)
    assert (said in shown) == (reached is not True)


def test_a_frontend_slower_without_an_aim_is_named_beside_the_others() -> None:
    quick = Row("text frontend", "tokenizers", least=10.0, times=(12, 11, 13)).to_dict()
    slow = Row("voice frontend, PCEN", "micro", times=(0.7, 0.6, 0.8), note="no bundle uses it").to_dict()
    (measured,) = verdicts.verdicts([quick, slow])
    assert measured[0] is True
    assert (
        "all 1 reached; without an aim and slower: voice, PCEN, beside micro (×0.70; no bundle" in measured[1]
    )
    said = render.markdown(results([quick, slow]))
    assert "slower, without an aim: voice, PCEN, beside micro (×0.70; no bundle uses it)." in said


def test_what_lacks_is_named_with_the_remedy(tmp_path: Path) -> None:
    context = Context(tmp_path)
    with pytest.raises(Skip, match="Check --data"):
        context.examples("goemotions", "text", "dev")
    for name in ("text", "face", "detector", "runtimes"):
        rows = [r.to_dict() for r in table.PARTS[name](context) if isinstance(r, Row)]
        assert rows
        assert all(r["skipped"] for r in rows)


def results(rows: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    quiet = {"load": 0.5}
    part = {"began": "2026-11-24T00:00:00", "seconds": 60.0, "before": quiet, "after": quiet, "curves": []}
    machine = {"cpu": "Abacus", "board": "", "cores": 2, "python": "3.11"}
    return {"board": "abacus", "machine": machine, "parts": {"text": part | {"rows": rows}, **parts}}


def test_the_page_gets_the_table_between_its_marks_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "peers.md"
    page.write_text(f"before\n{render.BEGIN}\nold\n{render.END}\nafter\n")
    missing = Row("voice", "eGeMAPS", skipped="opensmile not installed: make peers").to_dict()
    made = render.markdown(results([row("ours", 0.7, 1), row("peer", 0.6, 2), missing]))
    assert render.into_page(page, made)
    said = page.read_text()
    assert said.startswith("before\n")
    assert said.endswith("after\n")
    assert "old" not in said
    assert "| task | ours | accuracy 0.700 (0.700 … 0.700) |" in said
    assert "+0.100 (+0.090 … +0.110)" in said
    assert "In 1 of 1 tasks no peer is both faster and more accurate." in said
    assert "Skipped: voice, eGeMAPS: opensmile not installed: make peers." in said
    page.write_text("no marks")
    assert not render.into_page(page, made)
    assert page.read_text() == "no marks"


def test_the_page_says_it_where_a_peer_is_ahead() -> None:
    said = render.markdown(results([row("ours", 0.7, 1), row("peer", 0.8, 0.5)]))
    assert "In 0 of 1 tasks" in said
    assert (
        "- **task: peer is both: time ×0.50 (0.45 … 0.55), ours minus it −0.100 (−0.110 … −0.090)**" in said
    )


def test_the_page_names_what_is_undecided() -> None:
    said = render.markdown(results([row("ours", 0.7, 1), row("peer", 0.7, 1)]))
    assert "In 0 of 1 tasks no peer is both faster and more accurate, 1 undecided." in said
    assert "- task: undecided beside peer: time ×1.00 (0.90 … 1.10), ours minus it +0.000" in said


@pytest.mark.parametrize(("seconds", "said"), [(80.0, "80 seconds"), (600.0, "10 minutes")])
def test_how_long_it_took_is_said_as_one_says_it(seconds: float, said: str) -> None:
    made = results([row("ours", 0.7, 1)])
    made["parts"]["text"]["seconds"] = seconds
    assert f", 2026-11-24, {said}, load" in render.markdown(made)


def test_the_same_answers_of_copies_have_an_interval() -> None:
    measured = Score("same answer", runtimes.wilson(np.arange(100) > 0), 100, "inputs")
    us = Times(52, 51, 53, 50, 9, 1, 52).to_dict()
    own = Row("runtime: the bare model of text", "engine", ours=True, score=measured, us=us)
    peer = Row(own.task, "a peer", score=measured, us=us, times=(2, 1.9, 2.1))
    said = render.markdown(results([own.to_dict(), peer.to_dict()]))
    assert "(100 inputs from the data, Wilson's 95 % interval)" in said
    assert "| text | 52, 99% (95% … 100%) | 52, ×2.00, 99% (95% … 100%) |" in said


def test_what_stands_beside_the_score_is_shown_and_decides_nothing() -> None:
    worse = Score("recall", Interval(0.9, 0.8, 1), 10, difference=Interval(-0.5, -0.6, -0.4))
    shown = [row("ours", 0.7, 1), row("peer", 0.6, 0.5, beside=[worse])]
    assert "accuracy 0.600 (0.600 … 0.600); recall 0.900 (0.800 … 1.000)" in render.markdown(results(shown))
    assert verdicts.verdict("task", shown)[0] is True


def test_counts_of_folds_give_back_the_recalls(tmp_path: Path) -> None:
    from types import SimpleNamespace

    labels = ["anger", "fear"] * 12
    speakers = [str(i // 4) for i in range(24)]
    ours = ["anger" if i == 1 else label for i, label in enumerate(labels)]
    clips = SimpleNamespace(speakers=speakers, labels=labels, said=ours)
    kept = tmp_path / "kept.json"
    kept.write_text(voice_folds.counted([("set", clips, ["anger"] * 24)], "a test"))
    found = voice_folds.compare("set", voice_folds.read(kept)["sets"]["set"], resamples=50)
    assert (found.clips, found.speakers) == (24, 6)
    assert found.ours.value == pytest.approx((1 + 11 / 12) / 2)
    assert found.peer.value == 0.5
    assert found.difference.value == pytest.approx(found.ours.value - 0.5)


def curve(us: list[float], **shape: Any) -> scaling.Curve:
    return scaling.Curve("c", "s", [1, 2, 4, 8], [Times(x, x, x, x, 9, 1, x) for x in us], **shape)


@pytest.mark.parametrize(
    ("us", "shape", "good"),
    [
        ([12, 14, 18, 26], {}, True),  # 10 + 2 x
        ([1, 4, 16, 64], {}, False),  # the square
        ([26, 18, 14, 12], {}, False),  # more costs less: something is wrong
        ([5, 9, 9, 10], {"shape": "flat", "flat_from": 2}, True),
        ([5, 9, 9, 13], {"shape": "flat", "flat_from": 2}, False),
        ([1, 4, 16, 64], {"shape": "shown"}, True),
    ],
)
def test_a_curve_knows_whether_it_has_its_shape(us: list[float], shape: dict[str, Any], good: bool) -> None:
    assert curve(us, **shape).as_it_should == good
    assert curve(us, **shape).verdict


@pytest.mark.parametrize(("power", "straight"), [(1.0, True), (1.3, False), (2.0, False)])
def test_a_line_is_told_from_a_slight_bend_although_it_is_noisy(power: float, straight: bool) -> None:
    rng, xs = np.random.default_rng(0), np.array([1, 2, 4, 8, 16])
    for _ in range(200):
        noise = 1 + np.abs(rng.normal(0, 0.04 if straight else 0.03, xs.size))
        us = 100 * xs**power * noise
        made = scaling.Curve("c", "s", xs.tolist(), [Times(x, x, x, x, 9, 1, x) for x in us])
        assert made.as_it_should == straight, made.verdict


@pytest.mark.parametrize(("power", "straight"), [(1.0, True), (1.3, False)])
def test_trying_again_mends_what_was_disturbed_and_straightens_nothing(power: float, straight: bool) -> None:
    tries: dict[float, int] = dict.fromkeys((1, 2, 4, 8, 16), 0)

    def lap_at(x: float) -> Any:
        def batch(calls: int) -> Spent:
            tries[x] += calls == 1  # of each try: once warm, three times to count
            disturbed = 1.5 if x == 4 and tries[x] <= 4 else 1.0
            seconds = 1e-4 * x**power * disturbed * calls
            return Spent(seconds, 100 * seconds)  # as if slow: few rounds

        return batch

    made = scaling._curve("c", "s", {x: lap_at(x) for x in tries})
    assert made.as_it_should == straight
    assert tries[4] > 4


def test_of_a_hundred_equal_answers_not_everything_is_known() -> None:
    sure = runtimes.wilson(np.ones(100, np.bool_))
    assert sure.value == 1
    assert 0.95 < sure.low < 0.98


@pytest.mark.parametrize(
    ("high", "low", "area"), [([2, 3], [0, 1], 1), ([1, 1], [1], 0.5), ([1, 3], [2, 1], 0.625)]
)
def test_the_area_of_what_was_drawn(high: list[float], low: list[float], area: float) -> None:
    positive = np.array([True] * len(high) + [False] * len(low))
    said, everybody = np.array(high + low, np.float64), np.arange(len(high + low))
    assert text._area_of(positive)(said, everybody) == pytest.approx(area)
    assert text._area_of(positive)(said, np.repeat(everybody, 3)) == pytest.approx(area)


def test_tf_idf_says_the_same_after_it_was_kept(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from benchmarks.peers import tfidf

    texts = ["so good so good", "so bad so bad", "good good day", "bad bad day"]
    made = tfidf.train_labels(texts, np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.bool_))
    made.save(tmp_path / "kept.npz")
    again = tfidf.TfIdf.load(tmp_path / "kept.npz")
    np.testing.assert_allclose(again(texts), made(texts), atol=1e-6)
    assert made(["good good"])[0].argmax() == 0


def test_old_numbers_keep_the_name_of_their_machine(tmp_path: Path) -> None:
    here, path = machine().to_dict(), tmp_path / "board.json"
    fresh = table.begin(path, "board", only=["face"], again=False)
    assert fresh == {"schema": table.SCHEMA, "board": "board", "machine": here, "parts": {}}
    old = fresh | {"machine": here | {"cpu": "Abacus"}, "parts": {"text": {"rows": []}}}
    path.write_text(json.dumps(old))
    assert table.begin(path, "board", only=(), again=True) == old
    with pytest.raises(DataError, match=r"of another machine \(cpu 'Abacus' then.*measure all parts again"):
        table.begin(path, "board", only=["face"], again=False)
    assert table.begin(path, "board", only=(), again=False) == fresh
    path.write_text(json.dumps(fresh | {"schema": 1}))
    with pytest.raises(DataError, match="times of another kind"):
        table.begin(path, "board", only=(), again=True)
    path.write_text(json.dumps(fresh | {"machine": here | {"memory_mb": 1}, "parts": {"text": {"rows": []}}}))
    assert table.begin(path, "board", only=["face"], again=False)["parts"] == {"text": {"rows": []}}


BOARDS = [p for p in sorted(table.RESULTS.glob("*.json")) if "parts" in json.loads(p.read_text("utf-8"))]


@pytest.mark.parametrize("path", BOARDS, ids=lambda p: p.stem)
def test_the_committed_results_are_of_the_bundles_that_are_shipped(path: Path) -> None:
    committed = json.loads(path.read_text("utf-8"))
    assert {"text", "voice", "face", "detector", "runtimes"} <= set(committed["parts"])
    assert table.of_other_models(committed) == []


def test_parts_do_not_join_results_of_another_model(tmp_path: Path) -> None:
    path, here = tmp_path / "board.json", machine().to_dict()
    bundle = Bundle.open("face")
    measured = {
        "text": ours("text: task", "text"),
        "runtimes": Row("runtime: face", "engine", ours=True, sha256=bundle.card.flatbuffer_sha256),
        "frontends": Row("text frontend", "edgeemo", ours=True, sha256="of the compiled module"),
        "face": Row("face: task", "edgeemo `face`", ours=True, sha256="02427b15"),
        "detector": Row("detector: task", "a peer", sha256="of a peer"),
    }
    parts = {name: {"rows": [row.to_dict()]} for name, row in measured.items()}
    results = {"schema": table.SCHEMA, "board": "board", "machine": here, "parts": parts}
    assert table.of_other_models(results) == ["face"]
    path.write_text(json.dumps(results))
    with pytest.raises(DataError, match=r'has face of bundles .* \(make table ONLY="text face"\)'):
        table.begin(path, "board", only=["text"], again=False)
    assert table.begin(path, "board", only=["text", "face"], again=False) == results
    assert table.begin(path, "board", only=(), again=True) == results


def test_the_command_is_what_was_run_without_this_machines_paths() -> None:
    asked = argparse.Namespace(only=["text", "voice"], legacy=Path("/x/python"), board=None)
    assert (
        table.said(asked) == "python -m benchmarks.table --data DATA --only text --only voice --legacy LEGACY"
    )
    nothing = argparse.Namespace(only=None, legacy=None, board="pi")
    assert table.said(nothing) == "python -m benchmarks.table --data DATA --board pi"


def test_what_was_never_measured_cannot_be_written_again(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(DataError, match="measure first"):
        table.begin(tmp_path / "no.json", "no", only=(), again=True)
    assert table.main(["--render", "--board", "of nobody"]) == 1
    assert "measure first" in capsys.readouterr().err


def test_results_are_written_in_the_order_of_the_parts(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    table.write({"parts": {"voice": {}, "text": {}, "frontends": {}}}, path)
    assert list(json.loads(path.read_text())["parts"]) == ["frontends", "text", "voice"]
