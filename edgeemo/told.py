"""What a system tells of itself: small files, the numbers in them, boards' tools.

Whatever it tells, nothing here raises, waits for ever or grows: what cannot be had is "", None or empty.
"""

from __future__ import annotations

import glob
import math
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from time import monotonic

from .files import open_regular

_PATIENCE_S = 5.0
_LARGEST_FILE = 1_000_000
_LONGEST_ANSWER = 65_536


def read(path: Path) -> str:
    """Return a small system file's text without the white space around; "" where it cannot be read."""
    try:
        with open_regular(path) as file:
            told = file.read(_LARGEST_FILE)
    except (OSError, ValueError):  # absent, forbidden, no file, or a sensor that is asleep
        return ""
    return told.decode("utf-8", "replace").replace("\r\n", "\n").strip("\0 \r\n\t")


def find(root: Path, pattern: str) -> list[Path]:
    """Return what matches a pattern below a root, sorted; nothing of folders that may not be searched.

    `Path.glob` raises there.
    """
    return sorted(root / name for name in glob.glob(pattern, root_dir=root))  # noqa: PTH207


def natural(text: str) -> int | None:
    """Return a number without sign, of at most 19 digits (what the kernel's 64 bits hold); else None."""
    return int(text) if re.fullmatch("[0-9]{1,19}", text) else None


def number(text: str) -> float | None:
    """Return a number that is finite; else None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def ask(*command: str) -> str:
    """Return what a tool prints, "" where it is not installed, fails, takes more than five seconds, or
    prints more than 64 KiB."""
    said, code = _said(command, _PATIENCE_S)
    return said.strip() if code == 0 else ""


def first_line(*command: str) -> str:
    """Return the first line of a tool that goes on for ever, "" of one that says none within a second."""
    said, _ = _said(command, 1.0, until=b"\n")
    return said.partition("\n")[0]


def _said(command: Sequence[str], patience_s: float, until: bytes = b"") -> tuple[str, int | None]:
    """Return what a tool printed, and its exit code: None of one that is absent or was stopped."""
    end, said, more = monotonic() + patience_s, b"", b"?"
    try:
        tool = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True)
    except OSError:
        return "", None
    assert tool.stdout is not None
    with tool.stdout as out, DefaultSelector() as ready:
        ready.register(out, EVENT_READ)
        while more and len(said) < _LONGEST_ANSWER and not (until and until in said):
            if not ready.select(max(0.0, end - monotonic())):
                break
            more = os.read(out.fileno(), _LONGEST_ANSWER)
            said += more
        code = None
        with suppress(TimeoutExpired):
            code = None if more else tool.wait(max(0.0, end - monotonic()))
        if code is None:  # it, and whatever it has begun
            with suppress(OSError):
                os.killpg(tool.pid, signal.SIGKILL)
            with suppress(TimeoutExpired):  # the kernel may hold it
                tool.wait(1.0)
    return said.decode("utf-8", "replace"), code
