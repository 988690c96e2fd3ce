"""Run bundles in a process of its own: on their golden inputs, and on the caller's picture or recording.

The process writes a line of JSON after each bundle, so a bundle that ends the process is known by name.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..bundle import Bundle, shipped
from ..card import DetectorCard
from ..errors import EdgeemoError, InferenceError
from ..faces import Face
from ..runtime import Runtime
from . import subprocesses
from .context import Finding, Skipped, error
from .samples import Samples

TOLERANCE = 0.05
"""The largest difference of probabilities between two runtimes or processors."""
AT_MOST_S = 60.0
"""The recognizer hears at most this much of a recording."""
_CLEAR = 0.1  # the detector must find faces whose score is this much above its least score
_SAME_FACE = 0.7  # intersection over union


@dataclass(frozen=True)
class ModelRun:
    """How a bundle ran: the backend, and the differences from its golden answers; or the error."""

    bundle: str
    backend: str = ""
    reason: str = ""
    error: str = ""
    kind: str = ""
    n_golden: int = 0
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the bundle ran at all."""
        return not self.error


def run_bundles(bundles: Sequence[str]) -> tuple[ModelRun, ...]:
    """Run bundles by path in a process; after a crash the next process runs the rest."""
    done: list[ModelRun] = []
    while len(done) < len(bundles):
        rest = bundles[len(done) :]
        lines, end = subprocesses.run(__name__, "goldens", *rest)
        done += [ModelRun(**{**line, "differences": tuple(line.get("differences", ()))}) for line in lines]
        if len(lines) < len(rest):
            done.append(ModelRun(rest[len(lines)], error=end, kind="Died"))
    return tuple(done)


def shipped_runs() -> tuple[ModelRun, ...]:
    """Return how the shipped bundles ran."""
    return run_bundles([str(path) for path in shipped().values()])


def faces_in(picture: Path) -> list[list[Face]]:
    """Return the faces in a picture as it is, turned a quarter to the left, and a quarter to the right.

    Raises:
        Skipped: the shipped detector does not run here.
        InferenceError: the detector does not run on this picture.
    """
    return [[Face(*face) for face in faces] for faces in _read_file("face-detector", picture)["faces"]]


def evidence_in(recording: Path) -> tuple[list[float], float]:
    """Return the evidence of each span in a recording's first minute, and the least evidence that counts.

    Raises:
        Skipped: the shipped voice bundle does not run here.
        InferenceError: the bundle does not run on this recording.
    """
    found = _read_file("voice", recording)
    return found["evidence"], found["least"]


def failure(kind: str, file: Path, reason: EdgeemoError) -> Finding:
    """Return the finding that a picture or a recording can be read, but the model fails on it."""
    return error(
        f"{kind}-fails",
        f"The {kind} {file.name} can be read, but the model fails on it.",
        " ".join(str(reason).split()),
        f"Give another {kind}; if this one is whole, report it with the output of `edgeemo doctor --json`.",
    )


def _read_file(name: str, file: Path) -> dict[str, Any]:
    run = next((run for run in shipped_runs() if run.bundle == str(shipped().get(name))), None)
    if run is None:
        raise Skipped(f"edgeemo has no shipped bundle {name} to look into {file.name} with")
    if not run.ok:
        raise Skipped(f"the shipped {name} does not run here: {run.error}")
    lines, end = subprocesses.run(__name__, name, str(file))
    if not lines or "error" in lines[0]:
        why = "{kind}: {error}".format(**lines[0]) if lines else end
        raise InferenceError(f"The shipped {name} fails on this file: {why}.")
    return lines[0]


# --- in the child process ---


def main(arguments: Sequence[str]) -> None:
    """Print JSON for ``goldens BUNDLE…``, ``face-detector PICTURE`` or ``voice RECORDING``."""
    warnings.simplefilter("ignore")
    kind, *paths = arguments
    run: Callable[[Path], dict[str, Any]] = {"face-detector": _see, "voice": _hear}.get(kind, _run_goldens)
    for path in paths:
        found: dict[str, Any] = {"bundle": path}
        try:
            found |= run(Path(path))
        except Exception as reason:  # the parent process reports any error
            line = " ".join(str(reason).split()).rstrip(".")
            found |= {"error": line or "no reason given", "kind": type(reason).__name__}
        print(json.dumps(found), flush=True)


def _see(picture: Path) -> dict[str, Any]:
    from .. import FaceDetector
    from ..sources.photos import read_photo

    image, bundle = read_photo(picture), Bundle.open("face-detector")
    with FaceDetector(bundle, Runtime(bundle.flatbuffer)) as detector:
        views = [detector.detect(np.ascontiguousarray(np.rot90(image, turns))) for turns in (0, 1, 3)]
    return {"faces": [[(face.box, face.eyes, face.score) for face in faces] for faces in views]}


def _hear(recording: Path) -> dict[str, Any]:
    from .. import VoiceRecognizer

    sound, bundle = Samples.read(recording, AT_MOST_S), Bundle.open("voice")
    with VoiceRecognizer(bundle, Runtime(bundle.flatbuffer)) as recognizer:
        spans = recognizer.timeline(np.ascontiguousarray(sound.pcm), rate_hz=sound.rate_hz)
        least = recognizer.card.evidence.get("least", 0.0)
    return {"evidence": [span.evidence for span in spans], "least": least}


def _run_goldens(path: Path) -> dict[str, Any]:
    from .. import FaceDetector, Recognizer

    bundle = Bundle.open(path)
    runtime = _runtime(bundle.flatbuffer)
    if isinstance(bundle.card, DetectorCard):
        differences = _wrong_faces(FaceDetector(bundle, runtime))
    else:
        differences = _wrong_answers(Recognizer(bundle, runtime))
    return {
        "backend": runtime.info.backend,
        "reason": runtime.info.reason,
        "n_golden": len(bundle.card.golden),
        "differences": list(differences),
    }


def _runtime(flatbuffer: bytes) -> Runtime:
    """Load a model as a product does; if that fails, the error gives the reasons of both engines."""
    try:
        return Runtime(flatbuffer)
    except EdgeemoError as error:
        try:
            return Runtime(flatbuffer, backend="native")
        except EdgeemoError as native:
            both = str(native) if str(native) == str(error) else f"{native}; and then: {error}"
            raise type(native)(both) from error


def _wrong_answers(recognizer: Any) -> Iterator[str]:
    """Yield a sentence for each golden input whose answer differs."""
    from ..converters.golden import MOUTHS, SIDE, SIGNALS, drawing, signal
    from ..types import EMOTIONS

    for golden in recognizer.card.golden:
        if "text" in golden:
            name, result = golden["text"], recognizer.predict(golden["text"])
        elif golden.get("signal") in SIGNALS:
            name = golden["signal"]
            result = recognizer.predict(signal(name), rate_hz=golden["rate_hz"])
        elif golden.get("drawing") in MOUTHS:
            name = golden["drawing"]
            result = recognizer.predict(drawing(name), "gray", [(0, 0, SIDE, SIDE)])
        else:
            continue
        expected = golden["scores"]
        if max(abs(a - b) for a, b in zip(expected, result.scores.tolist(), strict=True)) > TOLERANCE:
            best = max(expected)
            answer = f"{result.label} {result.confidence:.2f}"
            yield f"{name!r}: {answer}, expected {EMOTIONS[expected.index(best)]} {best:.2f}"
        for label, p in golden.get("bursts", {}).items():
            if abs(result.bursts[label] - p) > TOLERANCE:
                yield f"{name!r}: {label} {result.bursts[label]:.2f}, expected {label} {p:.2f}"


def _wrong_faces(detector: Any) -> Iterator[str]:
    """Yield a sentence for each golden picture with a lost or an additional face."""
    from ..converters.golden import MOUTHS, scene
    from ..data.marked import overlap

    least = detector.decoder.spec.least_score + _CLEAR
    for golden in detector.card.golden:
        if golden["drawing"] not in MOUTHS:
            continue
        found = detector.detect(scene(golden["drawing"]), "gray")
        clear = [face for face in golden["faces"] if face["score"] >= least]
        lost = [f for f in clear if not any(overlap(f["box"], g.box) >= _SAME_FACE for g in found)]
        if lost or sum(face.score >= least for face in found) > len(golden["faces"]):
            yield f"{golden['drawing']!r}: {len(found)} faces, expected {len(golden['faces'])}"
