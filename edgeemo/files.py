"""Files that are written whole or not at all, and opened only if they are files."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from .errors import SourceError

_PART = ".part"


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file to read bytes; refuse what is none: a pipe may keep us waiting, a device never end.

    Raises:
        OSError: as `open`.
        SourceError: it is a pipe, a socket or a device; with ``strerror``, as any `OSError`.
        ValueError: its name has a zero byte.
    """
    mode = os.stat(path).st_mode  # noqa: PTH116
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # of a folder `open` tells itself
        raise SourceError(errno.EINVAL, "a pipe or a device, and no file", os.fspath(path))
    return Path(path).open("rb")


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file beside its place, sync it, then rename: a full disk or a kill leaves the old one whole.

    A link stays a link, to what is written. What a kill left beside goes with the next write of that file.

    Raises:
        OSError: it cannot be written (no space, no rights); nothing was changed.
    """
    place = Path(os.path.realpath(path))
    begin = f".{place.name[:100]}."
    part = place.parent / f"{begin}{os.getpid()}{_PART}"
    _remove_what_the_dead_left(place.parent, begin)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    finally:
        with suppress(OSError):  # gone when all went well
            part.unlink()


def _remove_what_the_dead_left(folder: Path, begin: str) -> None:
    with suppress(OSError):
        for part in folder.iterdir():
            process = part.name.removeprefix(begin).removesuffix(_PART)
            if part.name == f"{begin}{process}{_PART}" and process.isdecimal() and not _lives(int(process)):
                part.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True
