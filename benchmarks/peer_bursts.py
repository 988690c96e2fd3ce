"""Bursts without words: a support vector machine on simple features, over the folds of a cross-validation.

The features are means and deviations of 20 MFCC and of their differences, loudness, zero crossings and the
spectral centroid (librosa). Each fold scales them by its training people, and chooses C by inner folds of
these people. Nobody's own clips scale his features: a product does not know its speakers beforehand.

    python benchmarks/peer_bursts.py --data DATA --crossval runs/voice-crossval --recipe voice
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import librosa
import numpy as np
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from edgeemo.data.folds import folds, who
from edgeemo.evaluation.bootstrap import Draw, intervals
from edgeemo.evaluation.metrics import LabelMeasure
from edgeemo.training.recipe import read_recipe
from edgeemo.training.voice.augment import read_mono
from edgeemo.training.voice.trainer import VoiceTrainer
from edgeemo.types import EMOTIONS

RATE_HZ = 16_000


def features(path: Path) -> np.ndarray:
    """Return the statistics of one clip."""
    x = read_mono(path, RATE_HZ)
    mfcc = librosa.feature.mfcc(y=x, sr=RATE_HZ, n_mfcc=20)
    rows = [
        *mfcc,
        *librosa.feature.delta(mfcc, mode="nearest"),
        librosa.feature.rms(y=x)[0],
        librosa.feature.zero_crossing_rate(x)[0],
        librosa.feature.spectral_centroid(y=x, sr=RATE_HZ)[0],
    ]
    return np.array([f(row) for row in rows for f in (np.mean, np.std)])


def main() -> None:
    """Print the UAR of the machine over the emotions of bursts, and how far the bundle is ahead."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--crossval", type=Path, required=True)
    parser.add_argument("--recipe", default="voice")
    options = parser.parse_args()

    recipe = read_recipe(options.recipe)
    trainer = VoiceTrainer.load(recipe, options.data, options.crossval)
    n = json.loads((options.crossval / "plan.json").read_text("utf-8"))["folds"]
    place = folds(trainer.examples, n)
    groups = [e for e in EMOTIONS if e in recipe.bursts["emotions"]]
    emotion = {label: e for e in groups for label in recipe.bursts["emotions"][e]}
    labels = trainer.bursts.tolist()
    own = [trainer.examples[i] for i in labels]
    x = np.array([features(e.path) for e in own if e.path])
    y = np.array([emotion[e.labels[0]] for e in own])
    people, fold = np.array([who(e) for e in own]), np.array([place[who(e)] for e in own])
    peer = np.empty(len(own), object)
    for k in range(n):
        train = fold != k
        machine = make_pipeline(StandardScaler(), SVC(class_weight="balanced"))
        search = GridSearchCV(machine, {"svc__C": [0.3, 1, 3, 10]}, cv=GroupKFold(4), n_jobs=1)
        peer[~train] = search.fit(x[train], y[train], groups=people[train]).predict(x[~train])
    said = np.empty(len(own), object)
    row = {i: r for r, i in enumerate(labels)}
    names = ["none", *recipe.bursts["affect"]]
    member = np.array([[emotion.get(label) == e for e in groups] for label in names])
    for k in range(n):
        with np.load(options.crossval / f"fold-{k}" / "answers.npz") as found:
            scores = found["burst_labels"] * (np.array(names) != "none") @ member
            for i, best in zip(found["bursts"], scores.argmax(1), strict=True):
                said[row[int(i)]] = groups[best]
    truth = y[:, None] == np.array(groups)
    draw = Draw(len(own), clusters=np.unique(people, return_inverse=True)[1].astype(np.intp))
    for name, answers in (("edgeemo, int8", said), ("simple features + SVM", peer)):
        best = answers[:, None] == np.array(groups)
        measure = LabelMeasure(truth, best.astype(float), best, exclusive=True, only=("uar",))
        value = intervals([measure], draw)["uar"].to_dict()
        print(f"{name:<24}UAR {value['value']:.3f} ({value['low']:.3f} … {value['high']:.3f}), n {len(own)}")


if __name__ == "__main__":
    main()
