"""One benchmark: a bundle on a delegate with so many threads, and all that is said of it."""

from __future__ import annotations

import datetime
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import numpy as np

import edgeemo

from ..backends import INTERPRETERS
from ..bundle import Bundle
from ..card import DetectorCard
from ..errors import InputError
from ..machine import machine
from .fresh import fresh
from .inputs import Given, given
from .robust import quantiles
from .timing import Effort, timed

STARTS = 3
"""Fresh processes a case; the last of them measures."""
_OF_STARTS = ("cold_start_us", "import_us", "open_us", "first_us", "peak_memory_mb")
_CAPTURES = 20
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
    """Measure in fresh processes, and return the result as plain values (DESIGN.md says what they mean).

    Raises:
        EdgeemoError: as `Recognizer.open` and ``predict`` raise it.
        InputError: several texts a call are asked of a bundle that reads none.
    """
    bundle = Bundle.open(case.bundle)
    card = bundle.card
    if case.batch != 1 and card.modality != "text":
        raise InputError(
            f"{card.name} reads {card.modality} one at a time: batches are for texts. Use batch 1."
        )
    method = "detect" if isinstance(card, DetectorCard) else "predict" if case.batch == 1 else "predict_batch"
    source = given(card, text=offered.text, audio=offered.audio, image=offered.image)
    arguments = source.arguments if case.batch == 1 else ([source.arguments[0]] * case.batch,)
    how = {"delegate": case.delegate, "threads": case.threads, "backend": case.backend}

    starts = []
    for _ in range(STARTS - 1):
        context.tick("cold start", 0.0)
        starts.append(fresh(case.bundle, method, arguments, how, tick=context.tick))
    task = {"seconds": effort.seconds, "rounds": effort.rounds, "root": str(context.root)}
    found = fresh(case.bundle, method, arguments, how, task, context.tick)
    starts.append(found)
    for key in _OF_STARTS:
        found[key] = round(statistics.median(start[key] for start in starts), 3)
    captured = _captured(source)
    return {
        "bundle": card.name,
        "delegate": case.delegate,
        "threads": case.threads,
        "batch": case.batch,
        **found,
        "stages_us": {**captured, **found["stages_us"]},
        "absent": {**({} if captured else {"capture": source.made}), **found["absent"]},
        "throughput_per_s": round(case.batch * 1e6 / found["mean_us"], 3),
        "input": source.what,
        "input_sha256": source.digest,
        **_origin(bundle, found["runs"]["backend"], context),
    }


def refused(case: Case, error: Exception, context: Context = QUIET) -> dict[str, Any]:
    """Return the row of a case that cannot run here, with the reason and where it comes from."""
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
        **_origin(bundle, case.backend, context),
    }


def versions(backend: str = "auto") -> dict[str, str]:
    """Return the versions of what takes part: of the runtime by the backend's name, ``litert`` of the native.

    A runtime of another package than usual (a nightly one, say) is told with that package's name.
    """
    name = backend if backend in INTERPRETERS else "litert"
    module = INTERPRETERS[name][0].partition(".")[0]
    packages = dict.fromkeys(packages_distributions().get(module, ()))
    told = [version(p) + (f" ({p})" if p.replace("-", "_") != module else "") for p in packages]
    return {
        "edgeemo": edgeemo.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        name: " or ".join(told) or "unknown: no Python package",
    }


def _origin(bundle: Bundle, backend: str, context: Context) -> dict[str, Any]:
    """Return what every row carries, whether it ran or not."""
    card = bundle.card
    of_bundle = {"bundle": card.version, "frontend": str(card.frontend_version)}
    return {
        "modality": card.modality,
        "path": str(bundle.path),
        "sha256": sha256(b"" if bundle.path is None else bundle.path.read_bytes()).hexdigest(),
        "versions": {**versions(backend), **of_bundle},
        "machine": machine(context.root).to_dict(),
        "command": context.command,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def _captured(source: Given) -> dict[str, dict[str, float]]:
    """Return what reading the input from its file takes, here: it comes before the call."""
    if source.capture is None:
        return {}
    source.capture()
    return {"capture": quantiles(timed(source.capture, _CAPTURES))}
