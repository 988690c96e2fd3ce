"""Run a module in a process of its own, so that a crash of a library does not end the doctor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

Output = tuple[dict[str, Any], ...]
_TIMEOUT_S = 60.0
_BEGIN = """\
import sys
sys.path[:] = [folder for folder in sys.path if folder]
import importlib
importlib.import_module(sys.argv[1]).main(sys.argv[2:])
"""  # -m and a bare -c would import a numpy.py in the current folder in place of NumPy


def run(module: str, *arguments: str) -> tuple[Output, str]:
    """Call ``main`` of a module with arguments; the same call on the same files runs once.

    Returns:
        The JSON objects that the module printed, one a line, and how the process ended.
    """
    home = str(Path(__file__).parents[2])
    folders = [folder for folder in sys.path if folder]
    path = os.pathsep.join(folders if home in folders else [*folders, home])
    return _run(sys.executable, path, module, arguments, tuple(map(_version, arguments)))


@lru_cache(maxsize=256)
def _run(
    python: str, path: str, module: str, arguments: tuple[str, ...], versions: object
) -> tuple[Output, str]:
    try:
        child = subprocess.run(
            [python, "-c", _BEGIN, module, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode("utf-8", "replace") if isinstance(late.stdout, bytes) else ""
        return _objects(output), f"no answer within {_TIMEOUT_S:g} s"
    except (OSError, ValueError) as reason:  # Python is missing, or a name has a zero byte
        return (), f"the process could not be started: {reason}"
    if child.returncode < 0:
        return _objects(child.stdout), f"the process died of {signal.Signals(-child.returncode).name}"
    last = (child.stderr.strip().splitlines() or ["without a message"])[-1]
    return _objects(child.stdout), f"the process ended with code {child.returncode}: {last}"


def _version(argument: str) -> tuple[int, int]:
    """Return what changes when a file changes."""
    try:
        found = Path(argument).stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _objects(output: str) -> Output:
    """Return the JSON objects in an output; libraries may print other lines."""
    found = []
    for line in output.splitlines():
        if line.startswith("{") and line.endswith("}"):
            with suppress(ValueError, RecursionError):
                found.append(json.loads(line))
    return tuple(found)
