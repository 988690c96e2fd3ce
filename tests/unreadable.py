"""Texts of which only the beginning may be read: a call that reads on dies of SIGSEGV."""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

READABLE = 65_536
"""Bytes at the beginning of a text that may be read."""


def reading_all_but_the_beginning_kills(call: Callable[[Any], object], text: str | bytes) -> bool:
    """Call with a text in a child process, where the pages behind `READABLE` are taken away.

    Args:
        call: what reads the text. text: ASCII, where it is a ``str``.

    Returns:
        Whether the child died of SIGSEGV.

    Raises:
        AssertionError: the child ended in any other way, because the call raised.
    """
    child = os.fork()
    if not child:
        code = 1
        try:
            faulthandler.disable()
            _take_away(text)
            call(text)
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)  # nothing of the parent is run, and the text is never freed
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -11), f"the child ended with code {code}"
    return code != 0


def _take_away(text: str | bytes) -> None:
    """Forbid to read the pages of a text behind its beginning."""
    head = bytes.__basicsize__ - 1 if isinstance(text, bytes) else sys.getsizeof("") - 1
    begin = id(text) + head + READABLE
    begin += -begin % mmap.PAGESIZE
    end = (id(text) + head + len(text)) // mmap.PAGESIZE * mmap.PAGESIZE
    assert begin < end, "the text is too short"
    libc = ctypes.CDLL(None, use_errno=True)
    no_access = 0
    assert libc.mprotect(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), no_access) == 0
