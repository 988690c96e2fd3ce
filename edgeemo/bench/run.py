"""One benchmark: a bundle on a delegate with so many threads, and all that is said of it."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import edgeemo

from ..bundle import Bundle
from ..card import DetectorCard
from ..errors import InferenceError
from ..face_detector import FaceDetector
from ..machine import condition, cores, machine
from ..recognizer import Recognizer
from .cold import cold
from .energy import Meter
from .hops import Hop, hop
from .inputs import Given, given
from .laps import REST, STAGES, Laps, twin
from .noise import noise
from .robust import interval, quantiles
from .timing import Effort, Measured, Timer

Tick = Callable[[str, float], None]


@dataclass(frozen=True)
class Case:
    """What to measure: a bundle's name or path, how it is opened, and texts a call (1: ``predict``)."""

    bundle: str
    delegate: str = "auto"
    threads: int = 1
    batch: int = 1
    backend: str = "auto"


@dataclass(frozen=True)
class Offered:
    """Inputs of the caller's, each for the bundles of its modality."""

    text: str | None = None
    audio: Path | None = None
    image: Path | None = None


@dataclass(frozen=True)
class Context:
    """What every result repeats: the ``command``, the file system's ``root``, and who wants to know."""

    command: str = ""
    root: Path = Path("/")
    tick: Tick = field(default=lambda what, share: None)


NOTHING, USUAL, QUIET = Offered(), Effort(), Context()


def bench(
    case: Case, offered: Offered = NOTHING, effort: Effort = USUAL, context: Context = QUIET
) -> dict[str, Any]:
    """Measure, and return the result as plain values (DESIGN.md says what they mean).

    Raises:
        EdgeemoError: as `Recognizer.open` and ``predict`` raise it.
    """
    bundle = Bundle.open(case.bundle)
    card = bundle.card
    method = "detect" if isinstance(card, DetectorCard) else "predict" if case.batch == 1 else "predict_batch"
    source = given(card, text=offered.text, audio=offered.audio, image=offered.image)
    arguments = source.arguments if case.batch == 1 else ([source.arguments[0]] * case.batch,)
    how: dict[str, Any] = {"delegate": case.delegate, "threads": case.threads, "backend": case.backend}

    context.tick("cold start", 0.0)
    started = cold(case.bundle, method, arguments, **how)
    before = condition(context.root)
    with _open(method, case.bundle, how) as opened:
        meter = Meter(context.root)
        call, tapped, laps = _calls(opened, method, arguments)
        timer = Timer(
            call, tapped, laps, source.capture, meter=meter,
            tick=lambda share: context.tick("measuring" if share else "warming up", share),
        )  # fmt: skip
        measured = timer.measure(effort)
        paced = hop(opened, source, effort)
        info = opened.runtime.info
    after = condition(context.root)

    alone = info.delegate == "cpu" and case.threads == 1
    reasons = noise(measured, before, after, cores=cores(context.root), alone=alone)
    data = bundle.path.read_bytes() if bundle.path is not None else b""
    return {
        "bundle": card.name,
        "delegate": case.delegate,
        "threads": case.threads,
        "batch": case.batch,
        **_times(measured, source, opened.runtime),
        "n": len(measured.whole),
        "noisy": bool(reasons),
        "noise": reasons,
        **started,
        "throughput_per_s": round(case.batch * 1e9 / float(np.mean(measured.whole)), 3),
        "cpu_us": round(measured.cpu / len(measured.whole) / 1e3, 3),
        "energy": meter.to_dict(),
        "hop": _hop(paced),
        "warm_up": {
            "calls": measured.warm_up_calls,
            "seconds": round(measured.warm_up_ns / 1e9, 3),
            "steady": measured.warm,
        },
        "blocks_us": [round(median / 1e3, 3) for median in measured.medians],
        "condition": {"before": before.to_dict(), "after": after.to_dict()},
        "modality": card.modality,
        "path": str(bundle.path),
        "sha256": sha256(data).hexdigest(),
        "input": source.what,
        "input_sha256": source.digest,
        "runs": asdict(info),
        "versions": {**versions(), "bundle": card.version, "frontend": str(card.frontend_version)},
        "machine": machine(context.root).to_dict(),
        "command": context.command,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def refused(case: Case, error: Exception) -> dict[str, Any]:
    """Return the row of a case that cannot run here, with the reason."""
    bundle = Bundle.open(case.bundle)
    return {
        "bundle": bundle.card.name,
        "delegate": case.delegate,
        "threads": case.threads,
        "batch": case.batch,
        "stages_us": {},
        "total_us": None,
        "n": 0,
        "noisy": False,
        "error": " ".join(str(error).split()),
        "path": str(bundle.path),
    }


def versions() -> dict[str, str]:
    """Return the versions of what takes part."""
    found = {"edgeemo": edgeemo.__version__, "numpy": np.__version__, "python": platform.python_version()}
    with suppress(PackageNotFoundError):
        found["litert"] = version("ai-edge-litert")
    return found


def _open(method: str, name: str, how: dict[str, Any]) -> Any:
    return FaceDetector.open(name, **how) if method == "detect" else Recognizer.open(name, **how)


def _calls(
    opened: Any, method: str, arguments: tuple[Any, ...]
) -> tuple[Callable[[], Any], Callable[[], Any], Laps]:
    """Return the product's call, the same with clocks between its stages, and the clocks."""
    laps = Laps()
    call = partial(getattr(opened, method), *arguments)
    tapped = partial(getattr(twin(opened, laps), method), *arguments)
    answers: list[Any] = [call()]
    laps.lap(lambda: answers.append(tapped()))
    if answers[0] != answers[1] and opened.runtime.info.delegate == "cpu":
        raise InferenceError(
            f"{opened.card.name} answers differently with clocks between its stages: {answers[1]} "
            f"for {answers[0]}. Please report it."
        )
    return call, tapped, laps


def _times(measured: Measured, source: Given, runtime: Any) -> dict[str, Any]:
    stages = {"capture": measured.capture, **{stage: measured.stages.get(stage, []) for stage in STAGES}}
    found = {stage: quantiles(ns) for stage, ns in stages.items() if ns}
    total = quantiles(measured.whole)
    tapped = np.sum([measured.stages[stage] for stage in measured.stages], axis=0)
    explained = sum(found[stage]["p50"] for stage in STAGES if stage in found)
    return {
        "stages_us": found,
        "absent": {stage: _why(stage, source, runtime, measured) for stage, ns in stages.items() if not ns},
        "total_us": total,
        "interval_us": [round(bound / 1e3, 3) for bound in interval(measured.medians)],
        "rest_us": round(total["p50"] - explained, 3),
        "between_us": quantiles(measured.stages[REST]),
        "tapped_us": quantiles(tapped.tolist()),
    }


def _why(stage: str, source: Given, runtime: Any, measured: Measured) -> str:
    if stage == "capture":
        return source.made
    if stage == "detect":
        return "nothing is looked for"
    if "invoke" not in measured.stages:
        return "the model was not asked: it understood nothing in this input"
    tensors = runtime.inputs if stage == "quantize" else runtime.outputs
    kinds = " and ".join(sorted({info.dtype.name for info in tensors.values()}))
    return f"the model {'takes' if stage == 'quantize' else 'gives'} {kinds}"


def _hop(paced: Hop | None) -> dict[str, Any] | None:
    if paced is None:
        return None
    cost = quantiles(paced.times)
    share = cost["p50"] / 1e3 / paced.budget_ms
    return {
        "what": paced.what,
        "budget_us": round(1e3 * paced.budget_ms, 1),
        "cost_us": cost,
        "share": round(share, 6),
    }
