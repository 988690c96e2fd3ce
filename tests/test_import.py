"""`import edgeemo` loads NumPy, edgeemo's own modules and small parts of Python's library only."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest

from edgeemo.moved import MODULES

LIBRARY = {
    *("atexit", "copy", "dataclasses", "errno", "fnmatch", "glob", "hashlib", "importlib", "inspect"),
    *("ipaddress", "json", "linecache", "logging", "ntpath", "pathlib", "string", "textwrap", "threading"),
    *("token", "tokenize", "traceback", "urllib", "weakref", "zlib"),
}
"""Parts of Python's library that edgeemo may load, small ones all; what begins with "_" belongs to one."""


def loaded_beyond_numpy(statement: str) -> set[str]:
    """Return the packages and top-level modules that a statement loads after ``import numpy``."""
    script = (
        f"import sys, json, numpy\nbefore = set(sys.modules)\n{statement}\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    return {name for name in json.loads(done.stdout) if not name.startswith("_")}


def test_importing_edgeemo_loads_little() -> None:
    loaded = loaded_beyond_numpy("import edgeemo")
    assert "edgeemo" in loaded
    assert loaded - LIBRARY <= {"edgeemo", "numpy"}


def test_a_library_that_is_imported_too_early_would_be_seen() -> None:
    assert {"click", "rich"} <= loaded_beyond_numpy("import edgeemo, click, rich.table") - LIBRARY


@pytest.mark.parametrize("old", [name for name in MODULES if name.startswith(("told", "bench", "doctor"))])
def test_a_module_that_moved_is_found_by_its_old_name(old: str) -> None:
    """Only those are imported here that need no extra."""
    if old == "bench.chart":
        pytest.importorskip("matplotlib")
    sys.modules.pop(f"edgeemo.{old}", None)
    with pytest.warns(DeprecationWarning, match=f"edgeemo.{old} is now edgeemo.{MODULES[old]}"):
        found = importlib.import_module(f"edgeemo.{old}")
    assert found is importlib.import_module(f"edgeemo.{MODULES[old]}")
