"""Read a system's small files, the numbers in them, and the output of boards' tools.

No function here raises an error, waits for ever or grows. Instead it returns ``""`` or None.
"""

from __future__ import annotations

import glob
import math
import os
import re
import signal
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from time import monotonic

from .files import open_regular

_TOOL_TIMEOUT_S = 5.0
_LARGEST_FILE = 1_000_000
_LONGEST_OUTPUT = 65_536


def read(path: Path) -> str:
    """Return a small system file's text without the white space around; ``""`` if it cannot be read."""
    try:
        with open_regular(path) as file:
            text = file.read(_LARGEST_FILE)
    except (OSError, ValueError):  # absent, forbidden, not a file, or a sensor that sleeps
        return ""
    return text.decode("utf-8", "replace").replace("\r\n", "\n").strip("\0 \r\n\t")


def find(root: Path, pattern: str) -> list[Path]:
    """Return the sorted paths below a root that match a pattern; folders that may not be searched are empty.

    `Path.glob` raises an error in such folders.
    """
    return sorted(root / name for name in glob.glob(pattern, root_dir=root))  # noqa: PTH207


def natural(text: str) -> int | None:
    """Return a number without a sign and of at most 19 digits, which fit the kernel's 64 bits; else None."""
    return int(text) if re.fullmatch("[0-9]{1,19}", text) else None


def number(text: str) -> float | None:
    """Return a finite number, else None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def tool_output(*command: str) -> str:
    """Return what a tool prints.

    Returns:
        ``""`` if the tool is absent, fails, takes more than five seconds or prints more than 64 KiB.
    """
    output, code = _run(command, _TOOL_TIMEOUT_S)
    return output.strip() if code == 0 else ""


def first_line(*command: str) -> str:
    """Return the first line of a tool that never ends; ``""`` if there is none within a second."""
    output, _ = _run(command, 1.0, until=b"\n")
    return output.partition("\n")[0]


def _run(command: tuple[str, ...], timeout_s: float, until: bytes = b"") -> tuple[str, int | None]:
    """Return what a tool printed and its exit code, or None if the tool is absent or was stopped."""
    end, output, more = monotonic() + timeout_s, b"", b"?"
    try:
        tool = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True)
    except OSError:
        return "", None
    assert tool.stdout is not None
    with tool.stdout as pipe, DefaultSelector() as ready:
        ready.register(pipe, EVENT_READ)
        while more and len(output) < _LONGEST_OUTPUT and not (until and until in output):
            if not ready.select(max(0.0, end - monotonic())):
                break
            more = os.read(pipe.fileno(), _LONGEST_OUTPUT)
            output += more
        code = None
        with suppress(TimeoutExpired):
            code = None if more else tool.wait(max(0.0, end - monotonic()))
        if code is None:  # stop the tool and all its children
            with suppress(OSError):
                os.killpg(tool.pid, signal.SIGKILL)
            with suppress(TimeoutExpired):  # the kernel may hold the process
                tool.wait(1.0)
    return output.decode("utf-8", "replace"), code
