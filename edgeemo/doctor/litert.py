"""Check LiteRT: whether it is installed, of a tested release, and working."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from ..backends import litert_library
from .context import Context, Finding, Skipped, error, info, warning
from .installation import numbers, version_of
from .model_runs import shipped_runs

TESTED = ((1, 4), (2, 3))
"""The oldest and the newest LiteRT that the native engine was tested with."""

_INSTALL = "`pip install 'ai-edge-litert>=2.1.6,<3'`"
_REINSTALL = "`pip install --force-reinstall --no-deps 'ai-edge-litert>=2.1.6,<3'`"
_RUNTIME_FAULTS = ("RuntimeUnavailableError", "Died")  # errors of the runtime, not of a bundle


def litert(context: Context) -> Iterator[Finding]:
    """Whether the package is there, complete, and of a tested release."""
    version = version_of("ai-edge-litert") or version_of("ai-edge-litert-nightly")
    if not _is_installed():
        runs = any(run.ok for run in shipped_runs())
        yield (warning if runs else error)(
            "litert-missing",
            "ai-edge-litert is not installed" + (": models run on another LiteRT." if runs else "."),
            f"there is no module ai_edge_litert on the path of {sys.executable}",
            _INSTALL,
        )
        return
    if not litert_library():
        folder = importlib.util.find_spec("ai_edge_litert")
        yield warning(
            "litert-library-missing",
            "ai-edge-litert is installed without libLiteRt.so, so the native engine cannot run.",
            f"no libLiteRt.so in {', '.join(folder.submodule_search_locations or ()) if folder else ''}",
            _REINSTALL,
        )
    oldest, newest = TESTED
    if version and not oldest <= numbers(version)[:2] <= newest:
        yield warning(
            "litert-untested",
            f"LiteRT {version} was never tested with this edgeemo.",
            f"ai-edge-litert {version}; tested: {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}",
            f"`pip install 'ai-edge-litert>=2.1.6,<{newest[0]}.{newest[1] + 1}'`, or upgrade edgeemo.",
        )


def engine(context: Context) -> Iterator[Finding]:
    """Whether LiteRT loads and passes its self-test in a process of its own."""
    runs = shipped_runs()
    if not runs:
        raise Skipped("edgeemo has no shipped bundle to try LiteRT with")
    if not any(run.ok for run in runs):
        failed = [run for run in runs if run.kind in (*_RUNTIME_FAULTS, "InferenceError")]
        if not failed:
            raise Skipped(f"no shipped bundle can be used: {runs[0].error}")
        first = failed[0]
        if first.kind in _RUNTIME_FAULTS and not _is_installed():
            raise Skipped("there is no LiteRT")
        yield error(
            "litert-does-not-load" if first.kind in _RUNTIME_FAULTS else "litert-self-test",
            "No model runs on this LiteRT.",
            f"{Path(first.bundle).name} in a process of its own: {first.error}",
            f"Install it again: {_REINSTALL}. If that does not help, see the other findings on glibc and "
            "Python, or report both to edgeemo.",
        )
    slower = [run for run in runs if run.ok and run.backend != "native"]
    if slower:
        yield warning(
            "native-engine-unused",
            f"Models run on {slower[0].backend} from Python, which is slower than the native engine.",
            slower[0].reason,
            f"{_INSTALL}, and see that libLiteRt.so lies in its folder.",
        )


def legacy(context: Context) -> Iterator[Finding]:
    """The interpreter of old boards."""
    version = version_of("tflite-runtime")
    if not version:
        raise Skipped("tflite-runtime is not installed")
    yield info(
        "tflite-runtime-old",
        "tflite-runtime has no newer release. On x86-64 its int8 models take 5 to 20 times LiteRT's time.",
        f"tflite-runtime {version} is installed",
        "Use it on boards without LiteRT only; backend 'auto' never chooses it.",
    )


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("ai_edge_litert") is not None
    except (ImportError, ValueError):
        return False
