"""LiteRT: installed, of a release that was tried, and working."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from ..backends import litert_library
from ..bundle import shipped
from .case import Case, Finding, Skipped, error, info, warning
from .installation import number, version_of
from .probe import Outcome, probe

TESTED = ((1, 4), (2, 3))
"""The oldest and the newest LiteRT the native engine was run with (the design's section 4b)."""

_INSTALL = "`pip install 'ai-edge-litert>=2.1.6,<3'`"
_RUNTIME = ("RuntimeUnavailableError", "Died")  # errors that are the runtime's fault, not a bundle's


def litert(case: Case) -> Iterator[Finding]:
    """Whether the package is there, whole, and of a release that was tried."""
    version = version_of("ai-edge-litert") or version_of("ai-edge-litert-nightly")
    if not _is_there("ai_edge_litert"):
        runs = any(outcome.ran for outcome in trial())
        yield (warning if runs else error)(
            "litert-missing",
            "ai-edge-litert is not installed" + (": what runs here is another LiteRT." if runs else "."),
            "there is no module ai_edge_litert on " + _where(),
            _INSTALL,
        )
        return
    if not litert_library():
        yield warning(
            "litert-library-missing",
            "ai-edge-litert is there without libLiteRt.so: the native engine cannot run.",
            f"no libLiteRt.so in {_folder('ai_edge_litert')}",
            "`pip install --force-reinstall --no-deps 'ai-edge-litert>=2.1.6,<3'`",
        )
    oldest, newest = TESTED
    if version and not oldest <= number(version)[:2] <= newest:
        yield warning(
            "litert-untested",
            f"LiteRT {version} was never tried with this edgeemo.",
            f"ai-edge-litert {version}, tried were {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}",
            f"`pip install 'ai-edge-litert>=2.1.6,<{newest[0]}.{newest[1] + 1}'`, or upgrade edgeemo.",
        )


def engine(case: Case) -> Iterator[Finding]:
    """Whether LiteRT loads and passes its self-test, tried in a process of its own."""
    tried = trial()
    if not tried:
        raise Skipped("no bundle came with this edgeemo to try it with")
    if not any(outcome.ran for outcome in tried):
        refused = [outcome for outcome in tried if outcome.kind in (*_RUNTIME, "InferenceError")]
        if not refused:
            raise Skipped(f"no shipped bundle can be used: {tried[0].error}")
        outcome = refused[0]
        if outcome.kind in _RUNTIME and not _is_there("ai_edge_litert"):
            raise Skipped("there is no LiteRT")
        yield error(
            "litert-does-not-load" if outcome.kind in _RUNTIME else "litert-self-test",
            "No model runs on this LiteRT.",
            f"{Path(outcome.bundle).name} in a process of its own: {outcome.error}",
            f"Install it again: {_INSTALL.replace('install ', 'install --force-reinstall --no-deps ')}; if "
            "that does not help, see the other findings on glibc and Python, or report both to edgeemo.",
        )
    stepped = [outcome for outcome in tried if outcome.ran and outcome.backend != "native"]
    if stepped:
        yield warning(
            "native-engine-unused",
            f"Models run on {stepped[0].backend} from Python in place of the native engine: slower.",
            stepped[0].reason,
            f"{_INSTALL}, and see that libLiteRt.so lies in its folder.",
        )


def legacy(case: Case) -> Iterator[Finding]:
    """The interpreter of old boards."""
    version = version_of("tflite-runtime")
    if not version:
        raise Skipped("tflite-runtime is not installed")
    yield info(
        "tflite-runtime-old",
        "tflite-runtime is the last of its line: on x86-64 its int8 takes 5 to 20 times LiteRT's time.",
        f"tflite-runtime {version} is installed",
        "Use it on boards without LiteRT only; backend 'auto' never chooses it.",
    )


def trial() -> tuple[Outcome, ...]:
    """Return how the shipped bundles fared."""
    return probe([str(path) for path in shipped().values()])


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _folder(module: str) -> str:
    found = importlib.util.find_spec(module)
    return ", ".join(found.submodule_search_locations or ()) if found else ""


def _where() -> str:
    return f"the path of {sys.executable}"
