"""Benchmark a bundle with a delegate and a number of threads, and return everything that is known of it."""

from __future__ import annotations

import datetime
import platform
import statistics
import warnings
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
from .block_statistics import quantiles
from .inputs import Input, Inputs, input_of
from .new_process import run_in_new_process
from .timing import Effort, timed

STARTS = 3
"""The number of new processes; the last one measures."""
_OF_STARTS = ("cold_start_us", "import_us", "open_us", "first_us", "peak_memory_mb")
_CAPTURES = 20
Tick = Callable[[str, float], None]


@dataclass(frozen=True)
class Setup:
    """The setup of a benchmark.

    Args:
        bundle: a name or path. delegate, threads, backend: as in `Recognizer.open`.
        batch: texts a call; 1 calls ``predict``, more call ``predict_batch``.
    """

    bundle: str
    delegate: str = "auto"
    threads: int = 1
    batch: int = 1
    backend: str = "auto"

    def to_dict(self) -> dict[str, Any]:
        """Return what tells results of one bundle apart."""
        return {"delegate": self.delegate, "threads": self.threads, "batch": self.batch}


@dataclass(frozen=True)
class Context:
    """Facts of all results: the ``command`` and the file system's ``root``; ``tick`` receives progress."""

    command: str = ""
    root: Path = Path("/")
    tick: Tick = field(default=lambda what, share: None)


NO_INPUTS, USUAL, QUIET = Inputs(), Effort(), Context()


def __getattr__(name: str) -> Any:
    renamed = {"Case": "Setup", "Offered": "Inputs", "refused": "failed_result"}
    if name in renamed:
        warnings.warn(f"{__name__}.{name} is now called {renamed[name]}.", DeprecationWarning, stacklevel=2)
        return globals()[renamed[name]]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def bench(
    setup: Setup, inputs: Inputs = NO_INPUTS, effort: Effort = USUAL, context: Context = QUIET
) -> dict[str, Any]:
    """Measure in new processes, and return the result as plain values (docs/explanation/benchmark.md).

    Raises:
        EdgeemoError: the errors of `Recognizer.open` and ``predict``.
        InputError: the setup asks for several texts a call of a bundle that reads no texts.
    """
    bundle = Bundle.open(setup.bundle)
    card = bundle.card
    if setup.batch != 1 and card.modality != "text":
        raise InputError(
            f"{card.name} reads {card.modality} one at a time: batches are for texts. Use batch 1."
        )
    method = (
        "detect" if isinstance(card, DetectorCard) else "predict" if setup.batch == 1 else "predict_batch"
    )
    source = input_of(card, inputs)
    arguments = source.arguments if setup.batch == 1 else ([source.arguments[0]] * setup.batch,)
    how = {"delegate": setup.delegate, "threads": setup.threads, "backend": setup.backend}
    task = {"seconds": effort.seconds, "rounds": effort.rounds, "root": str(context.root)}
    starts = []
    for measured in (*[None] * (STARTS - 1), task):
        context.tick("cold start", 0.0)
        starts.append(run_in_new_process(setup.bundle, method, arguments, how, measured, context.tick))
    found = starts[-1]
    for key in _OF_STARTS:
        found[key] = round(statistics.median(start[key] for start in starts), 3)
    captured = _captured(source)
    return {
        "bundle": card.name,
        **setup.to_dict(),
        **found,
        "stages_us": {**captured, **found["stages_us"]},
        "absent": {**({} if captured else {"capture": source.made}), **found["absent"]},
        "throughput_per_s": round(setup.batch * 1e6 / found["mean_us"], 3),
        "input": source.what,
        "input_sha256": source.digest,
        **_origin(bundle, found["runs"]["backend"], context),
    }


def failed_result(setup: Setup, error: Exception, context: Context = QUIET) -> dict[str, Any]:
    """Return the result of a setup that cannot run here, with the reason and its origin."""
    bundle = Bundle.open(setup.bundle)
    return {
        "bundle": bundle.card.name,
        **setup.to_dict(),
        "stages_us": {},
        "total_us": None,
        "n": 0,
        "noisy": False,
        "error": " ".join(str(error).split()),
        **_origin(bundle, setup.backend, context),
    }


def versions(backend: str = "auto") -> dict[str, str]:
    """Return the versions of everything that takes part; the runtime has the backend's name.

    ``litert`` is the runtime of the native engine. If another package than usual holds the runtime (a nightly
    one, for instance), the version names the package.
    """
    name = backend if backend in INTERPRETERS else "litert"
    module = INTERPRETERS[name][0].partition(".")[0]
    packages = dict.fromkeys(packages_distributions().get(module, ()))
    runtimes = [version(p) + (f" ({p})" if p.replace("-", "_") != module else "") for p in packages]
    return {
        "edgeemo": edgeemo.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        name: " or ".join(runtimes) or "unknown: no Python package",
    }


def _origin(bundle: Bundle, backend: str, context: Context) -> dict[str, Any]:
    """Return the origin of a result, whether it ran or not."""
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


def _captured(source: Input) -> dict[str, dict[str, float]]:
    """Return how long it takes to read the input from its file, which comes before the call."""
    if source.capture is None:
        return {}
    source.capture()
    return {"capture": quantiles(timed(source.capture, _CAPTURES))}
