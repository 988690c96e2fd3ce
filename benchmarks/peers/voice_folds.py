"""Answers of our cross-validated voice models and of eGeMAPS with a support vector machine on the same
clips.

The file keeps counts, one for each speaker, true label and pair of answers. Counts are enough for recalls
and for intervals that draw whole speakers in pairs. The file has no clip and no name of a clip. The file
stays beside the results, because our cross-validation and the peer's features take hours.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeemo.evaluation.bootstrap import Draw, Interval, difference, intervals

from ..parts.row import ROOT, versions

KEPT = ROOT / "benchmarks" / "results" / "voice-folds.json"


@dataclass(frozen=True)
class Compared:
    """One set: unweighted average recall of both, and ours minus the peer's."""

    name: str
    clips: int
    speakers: int
    ours: Interval
    peer: Interval
    difference: Interval


def counted(answers: Sequence[tuple[str, Any, Sequence[str]]], source: str) -> str:
    """Return the file: of each set its name, its clips (`peer_egemaps.Clips`) and what the peer said."""
    sets = {}
    for name, clips, said in answers:
        table = Counter(zip(clips.speakers, clips.labels, clips.said, said, strict=True))
        sets[name] = [[*key, n] for key, n in sorted(table.items())]
    made = {
        "columns": ["speaker", "label", "ours", "peer", "clips"],
        "source": source,
        "versions": versions("opensmile", "scikit-learn", "edgeemo"),
        "sets": sets,
    }
    return json.dumps(made, separators=(",", ":")).replace("],[", "],\n[") + "\n"


def read(path: Path = KEPT) -> dict[str, Any]:
    """Return what `counted` wrote."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def compare(name: str, rows: Sequence[Sequence[Any]], resamples: int = 1000) -> Compared:
    """Compare both on one set, resampling speakers in pairs."""
    from ..peer_egemaps import measure_of

    repeats = [int(row[4]) for row in rows]
    speakers, labels, ours, peer = (
        np.repeat([str(row[column]) for row in rows], repeats) for column in range(4)
    )
    clusters = np.unique(speakers, return_inverse=True)[1].astype(np.intp)
    draw = Draw(len(labels), resamples, clusters=clusters)
    both = [measure_of(labels.tolist(), said.tolist()) for said in (ours, peer)]
    own, theirs = (intervals([one], draw)["uar"] for one in both)
    paired = difference([both[0]], [both[1]], draw)["uar"]
    return Compared(name, len(labels), len(set(speakers.tolist())), own, theirs, paired)
