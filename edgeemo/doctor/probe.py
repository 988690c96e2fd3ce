"""Bundles run on their golden inputs, in a process of their own, which writes a line of JSON for each that it
is done with: so the one that killed it is known."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import EdgeemoError
from ..runtime import Runtime
from . import child

TOLERANCE = 0.05
"""By which probabilities may differ from one runtime and processor to another."""
_CLEAR = 0.1  # so far ahead a winner must stay one
_SAME_FACE = 0.7  # intersection over union


@dataclass(frozen=True)
class Outcome:
    """How a bundle fared: what it ran on, how far from its golden answers; or which error it gave."""

    bundle: str
    backend: str = ""
    reason: str = ""
    error: str = ""
    kind: str = ""
    n_golden: int = 0
    differences: tuple[str, ...] = ()

    @property
    def ran(self) -> bool:
        """Whether it ran at all."""
        return not self.error


def probe(bundles: Sequence[str]) -> tuple[Outcome, ...]:
    """Run bundles by path in a child; those behind one that killed it are run in the next child."""
    done: list[Outcome] = []
    while len(done) < len(bundles):
        rest = bundles[len(done) :]
        said, end = child.run(__name__, *rest)
        done += [Outcome(**_tuples(line)) for line in said]
        if len(said) < len(rest):
            done.append(Outcome(rest[len(said)], error=end, kind="Died"))
    return tuple(done)


def _tuples(line: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in line.items()}


# --- in the child ---


def main(bundles: Sequence[str]) -> None:
    """Try every bundle and tell."""
    warnings.simplefilter("ignore")
    for bundle in bundles:
        try:
            found = {"bundle": bundle, **_tried(bundle)}
        except Exception as error:  # whatever it is, the parent names it
            line = " ".join(str(error).split())
            found = {"bundle": bundle, "error": line or "no reason given", "kind": type(error).__name__}
        print(json.dumps(found), flush=True)


def _tried(path: str) -> dict[str, Any]:
    from .. import FaceDetector, Recognizer
    from ..bundle import Bundle
    from ..card import DetectorCard

    bundle = Bundle.open(path)
    runtime = _runtime(bundle.flatbuffer)
    if isinstance(bundle.card, DetectorCard):
        pairs = _faces(FaceDetector(bundle, runtime))
    else:
        pairs = _answers(Recognizer(bundle, runtime))
    differences = [text for text in pairs if text]
    return {
        "backend": runtime.info.backend,
        "reason": runtime.info.reason,
        "n_golden": len(bundle.card.golden),
        "differences": differences,
    }


def _runtime(flatbuffer: bytes) -> Runtime:
    """Load a model as everybody does; if that fails, the error tells of both engines."""
    try:
        return Runtime(flatbuffer)
    except EdgeemoError as error:
        try:
            return Runtime(flatbuffer, backend="native")
        except EdgeemoError as native:
            both = str(native) if str(native) == str(error) else f"{native}; and then: {error}"
            raise type(native)(both) from error


def _answers(recognizer: Any) -> Iterator[str]:
    """Yield for each golden input how its answer differs, "" where it does not."""
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
        wanted = golden["scores"]
        apart = max(abs(a - b) for a, b in zip(wanted, result.scores.tolist(), strict=True))
        best, second = sorted(wanted)[-1:-3:-1]
        lost = best - second > _CLEAR and EMOTIONS[wanted.index(best)] != result.label
        if apart > TOLERANCE or lost:
            told = EMOTIONS[wanted.index(best)]
            yield f"{name!r}: {result.label} {result.confidence:.2f}, expected {told} {best:.2f}"
        else:
            yield ""


def _faces(detector: Any) -> Iterator[str]:
    from ..converters.golden import MOUTHS, scene
    from ..data.marked import overlap

    least = detector.decoder.spec.least_score + _CLEAR
    for golden in detector.card.golden:
        if golden["drawing"] not in MOUTHS:
            continue
        found = detector.detect(scene(golden["drawing"]), "gray")
        clear = [face for face in golden["faces"] if face["score"] >= least]
        lost = [f for f in clear if not any(overlap(f["box"], g.box) >= _SAME_FACE for g in found)]
        more = sum(face.score >= least for face in found) > len(golden["faces"])
        faces = f"{len(found)} faces, expected {len(golden['faces'])}"
        yield f"{golden['drawing']!r}: {faces}" if lost or more else ""
