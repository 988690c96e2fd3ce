"""The peer of the voice model: eGeMAPS functionals with a support vector machine, on the same folds.

The features are eGeMAPSv02 (Eyben et al. 2016: 88 numbers a clip), z-scored by each training fold. The
classifier is an SVM; an inner cross-validation over speakers chooses kernel and C. No test speaker takes
part in training.

openSMILE's licence forbids shipping it: this measures and nothing here goes into a wheel. It lives in an
environment of its own (`make peers`):

    .venv-peers/bin/python benchmarks/peer_egemaps.py --data data/voice --set nemo
    .venv-peers/bin/python benchmarks/peer_egemaps.py --data data/voice --folds runs/crossval/predictions.csv

``--folds`` is a table with the columns set, path, speaker, fold and labels, as ``edgeemo crossval`` writes
it. The table also has ``said``, so the report gives the difference of the two systems, resampled in pairs.
Without it, folds are made here: a speaker each, or six groups of speakers where there are more than ten.
Paths are looked for here, beside the table, in ``--data`` and in its folder of the set.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgeemo.evaluation.bootstrap import Array, Draw, difference, intervals
from edgeemo.evaluation.metrics import LabelMeasure

FOLDS, LEAVE_ONE_OUT = 6, 10
GRID = [
    {"kernel": ["linear"], "C": [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]},
    {"kernel": ["rbf"], "C": [0.3, 1.0, 3.0, 10.0, 30.0]},
]


@dataclass
class Clips:
    """The clips of one set: parallel lists; ``said`` is empty or what our model said of each."""

    paths: list[Path] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    folds: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def read_folds(table: Path, data: Path) -> dict[str, Clips]:
    """Read the clips of a crossval table by set."""
    sets: dict[str, Clips] = defaultdict(Clips)
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            clips = sets[row["set"]]
            places = (Path(), table.parent, data, data / row["set"])
            found = [place / row["path"] for place in places if (place / row["path"]).is_file()]
            if not found:
                sys.exit(f"{row['path']} is neither beside {table} nor in {data}: give --data")
            clips.paths.append(found[0])
            clips.speakers.append(row["speaker"])
            clips.folds.append(row["fold"])
            clips.labels.append(row["labels"])
            if row.get("said"):
                clips.said.append(row["said"])
    return dict(sets)


def make_folds(folder: Path) -> Clips:
    """Read a data set's own table and give each speaker a fold."""
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    order = sorted({row["speaker"] for row in rows})
    n = len(order) if len(order) <= LEAVE_ONE_OUT else FOLDS
    fold = {speaker: str(i % n) for i, speaker in enumerate(order)}
    clips = Clips()
    for row in rows:
        clips.paths.append(folder / row["path"])
        clips.speakers.append(row["speaker"])
        clips.folds.append(fold[row["speaker"]])
        clips.labels.append(row["emotion"])
    return clips


def extract(paths: Sequence[Path], cache: Path) -> Array:
    """Return float64 ``(clips, 88)``; what is in the cache is not computed again."""
    import opensmile  # type: ignore[import-not-found,unused-ignore]
    import soundfile

    known: dict[str, Any] = {}
    if cache.is_file():
        with np.load(cache) as kept:
            known = dict(zip(kept["paths"].tolist(), kept["features"], strict=True))
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    todo = [path for path in paths if str(path) not in known]
    started = time.perf_counter()
    for i, path in enumerate(todo, 1):
        pcm, rate_hz = soundfile.read(path, dtype="float32")
        known[str(path)] = smile.process_signal(pcm, rate_hz).to_numpy()[0].astype(np.float64)
        if i % 250 == 0 or i == len(todo):
            print(f"{i}/{len(todo)} clips, {time.perf_counter() - started:.0f} s", file=sys.stderr)
            cache.parent.mkdir(parents=True, exist_ok=True)
            np.savez(cache, paths=np.array(list(known)), features=np.stack(list(known.values())))
    return np.asarray(np.nan_to_num(np.stack([known[str(path)] for path in paths])), np.float64)


def predict(features: Array, clips: Clips) -> list[str]:
    """Return what the SVM says of each clip when its fold is left out."""
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    labels, speakers, folds = (np.array(x) for x in (clips.labels, clips.speakers, clips.folds))
    said = labels.copy()
    grid = [{f"svc__{name}": values for name, values in part.items()} for part in GRID]
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        assert not set(speakers[train]) & set(speakers[test]), "a speaker stands in two folds"
        inner = GroupKFold(min(5, len(set(speakers[train]))))
        search = GridSearchCV(
            make_pipeline(StandardScaler(), SVC(class_weight="balanced")),
            grid,
            scoring="balanced_accuracy",
            cv=inner,
        )
        search.fit(features[train], labels[train], groups=speakers[train])
        said[test] = search.predict(features[test])
        print(f"fold {fold}: {search.best_params_}", file=sys.stderr)
    return [str(label) for label in said]


def measure_of(labels: Sequence[str], said: Sequence[str]) -> LabelMeasure:
    """Return the measure of exclusive answers."""
    names = sorted(set(labels) | set(said))
    truth, answer = (np.array([[x == name for name in names] for x in column]) for column in (labels, said))
    only = ("uar", "accuracy", "macro_f1")
    return LabelMeasure(truth, answer.astype(np.float64), answer, exclusive=True, only=only)


def report(name: str, clips: Clips, said: Sequence[str]) -> dict[str, Any]:
    """Score one set: the peer, and ours beside it where it is known."""
    clusters = np.unique(clips.speakers, return_inverse=True)[1].astype(np.intp)
    draw = Draw(len(said), clusters=clusters)
    peer = [measure_of(clips.labels, said)]
    found: dict[str, Any] = {
        "set": name,
        "clips": len(said),
        "speakers": len(set(clips.speakers)),
        "folds": len(set(clips.folds)),
        "peer": {key: x.to_dict() for key, x in intervals(peer, draw).items()},
    }
    if len(clips.said) == len(said):
        ours = [measure_of(clips.labels, clips.said)]
        found["ours"] = {key: x.to_dict() for key, x in intervals(ours, draw).items()}
        found["difference"] = {key: x.to_dict() for key, x in difference(ours, peer, draw).items()}
    return found


def show(found: Any) -> None:
    print(f"{found['set']}: {found['clips']} clips, {found['speakers']} speakers, {found['folds']} folds")
    for who in ("peer", "ours", "difference"):
        for key, x in found.get(who, {}).items():
            print(f"  {who:<10} {key:<9} {x['value']:+.3f}  ({x['low']:+.3f} … {x['high']:+.3f})")


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder with the voice sets")
    parser.add_argument("--folds", type=Path, help="the table of edgeemo crossval")
    parser.add_argument("--set", action="append", help="only this set; without --folds all three")
    parser.add_argument("--cache", type=Path, default=Path("build/egemaps"), help="where features are kept")
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if options.folds:
        sets = read_folds(options.folds, options.data)
        sets = {name: clips for name, clips in sets.items() if not options.set or name in options.set}
    else:
        wanted = options.set or ["ravdess", "nemo", "emodb"]
        sets = {name: make_folds(options.data / name) for name in wanted}
    results = []
    for name, clips in sets.items():
        features = extract([path.resolve() for path in clips.paths], options.cache / f"{name}.npz")
        results.append(report(name, clips, predict(features, clips)))
        show(results[-1])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
