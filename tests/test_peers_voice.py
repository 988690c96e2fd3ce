"""The peers of voice: folds of whole speakers, tables of `edgeemo crossval` read, areas counted right."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgeemo.evaluation.metrics import area_under_roc

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(path: Path, header: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("speakers", "folds"), [(4, 4), (10, 10), (18, 6)])
def test_folds_hold_whole_speakers(tmp_path: Path, speakers: int, folds: int) -> None:
    rows = [f"{s:02}/{i}.wav,{s:02},anger" for s in range(speakers) for i in range(3)]
    table(tmp_path / "metadata.csv", "path,speaker,emotion", rows)
    clips = script("peer_egemaps").make_folds(tmp_path)
    pairs = set(zip(clips.speakers, clips.folds, strict=True))
    assert len(pairs) == speakers
    assert len(set(clips.folds)) == folds


def test_the_table_of_crossval_is_read_and_compared_in_pairs(tmp_path: Path) -> None:
    rows = []
    for i in range(24):
        label = ("anger", "fear")[i % 2]
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / "set" / f"{i}.wav").touch()
        rows.append(f"{i}.wav,set,set/{i % 6},f,{i % 3},{label},{label if i % 4 else 'fear'},1.0")
    folds = table(tmp_path / "x" / "p.csv", "path,set,speaker,gender,fold,labels,said,evidence", rows)
    peer = script("peer_egemaps")
    clips = peer.read_folds(folds, tmp_path)["set"]
    assert clips.paths[0] == tmp_path / "set" / "0.wav"
    found = peer.report("set", clips, ["anger"] * 24)
    assert found["peer"]["uar"]["value"] == 0.5
    assert found["ours"]["uar"]["value"] == pytest.approx(0.75)
    assert found["difference"]["uar"]["value"] == pytest.approx(0.25)


def test_no_speaker_is_learned_from_and_tested(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    peer = script("peer_egemaps")
    rng = np.random.default_rng(0)
    clips = peer.Clips(speakers=[str(i % 4) for i in range(48)], folds=[str(i % 2) for i in range(48)])
    clips.labels = [("anger", "fear")[i // 4 % 2] for i in range(48)]
    features = rng.normal(size=(48, 88)) + 3 * np.array([x == "fear" for x in clips.labels])[:, None]
    assert peer.predict(features, clips) == clips.labels
    clips.folds[0] = "1"
    with pytest.raises(AssertionError, match="two folds"):
        peer.predict(features, clips)


@pytest.mark.parametrize(
    ("speech", "noise", "area"),
    [([2, 3], [0, 1], 1), ([0, 1], [2], 0), ([1, 1], [1], 0.5), ([1, 3], [2, 1], 0.625)],
)
def test_the_area_counts_pairs_and_ties_half(speech: list[float], noise: list[float], area: float) -> None:
    found = area_under_roc(np.array(speech, float), np.array(noise, float))
    assert found == pytest.approx(area)
