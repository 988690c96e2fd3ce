"""`import edgeemo` costs little beside `import numpy`, which it needs: a ratio, as machines differ."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

MOST = 1.7
"""Times the processor time of a Python that imports numpy alone; 1.4 to 1.5 was measured (+40 ms)."""
ROUNDS = 7


def milliseconds(statement: str) -> float:
    """Return the processor time of a Python that runs a statement: others' load counts little."""
    with_byte_code = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as installed
    child = subprocess.Popen([sys.executable, "-c", statement], cwd="/", env=with_byte_code)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return (used.ru_utime + used.ru_stime) * 1e3


def times_numpy(more: str = "") -> float:
    """Return the median of the ratios, measured in turns."""
    milliseconds("import edgeemo")
    both = f"import numpy, edgeemo{more}"
    return statistics.median(milliseconds(both) / milliseconds("import numpy") for _ in range(ROUNDS))


def test_import_is_quick() -> None:
    """On a busy machine a median can lie: two more tries before it counts."""
    assert any(times_numpy() <= MOST for _ in range(3))


def test_a_library_that_is_imported_too_early_would_be_seen() -> None:
    assert times_numpy(", click, rich.table, rich.progress") > MOST
