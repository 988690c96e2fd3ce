"""Foreign code in a process of its own: what kills it kills not the doctor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

Said = tuple[dict[str, Any], ...]
_PATIENCE_S = 60.0
_BEGIN = """\
import sys
sys.path[:] = [folder for folder in sys.path if folder]
import importlib
importlib.import_module(sys.argv[1]).main(sys.argv[2:])
"""  # with -m or a bare -c, a numpy.py in the current folder would be taken for NumPy


def run(module: str, *arguments: str) -> tuple[Said, str]:
    """Call ``main`` of a module with arguments; the same call on the same files is made once.

    Returns:
        The JSON objects that it printed, one a line, and how it ended.
    """
    home = str(Path(__file__).parents[2])
    folders = [folder for folder in sys.path if folder]
    path = os.pathsep.join(folders if home in folders else [*folders, home])
    return _run(sys.executable, path, module, arguments, tuple(map(_stamp, arguments)))


@lru_cache(maxsize=256)
def _run(python: str, path: str, module: str, arguments: tuple[str, ...], stamps: object) -> tuple[Said, str]:
    try:
        child = subprocess.run(
            [python, "-c", _BEGIN, module, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode("utf-8", "replace") if isinstance(late.stdout, bytes) else ""
        return tuple(_objects(said)), f"no answer within {_PATIENCE_S:g} s"
    except (OSError, ValueError) as reason:  # no such Python, or a zero byte in a name
        return (), f"no process could be started: {reason}"
    return tuple(_objects(child.stdout)), _end(child.returncode, child.stderr)


def _stamp(argument: str) -> tuple[int, int]:
    try:
        found = Path(argument).stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _objects(said: str) -> Iterator[dict[str, Any]]:
    for line in said.splitlines():
        if line.startswith("{") and line.endswith("}"):
            with suppress(ValueError, RecursionError):  # a library's own words
                yield json.loads(line)


def _end(code: int, stderr: str) -> str:
    if code < 0:
        return f"the process died of {signal.Signals(-code).name}"
    last = (stderr.strip().splitlines() or ["no word"])[-1]
    return f"the process ended with code {code}: {last}"
