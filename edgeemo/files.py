"""Write files whole or not at all, and open nothing but regular files."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import EdgeemoError, SourceError

_PART = ".part"
CHECK = "Check the path and its rights."


@contextmanager
def explained(what: str, kind: type[EdgeemoError], remedy: str) -> Iterator[None]:
    """Turn an `OSError` or a `ValueError` inside the block into an error that says what failed and a remedy.

    Args:
        what: the first words of the message, for instance "a.csv cannot be written".
        kind: the class of the error.
        remedy: the last sentence of the message.
    """
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte, or an unknown suffix
        raise kind(f"{what}: {getattr(error, 'strerror', None) or error}. {remedy}") from error


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file to read bytes. A pipe could keep the reader waiting and a device never end: refuse both.

    Raises:
        OSError: as `open`.
        SourceError: the file is a pipe, a socket or a device; the error has ``strerror``, as any `OSError`.
        ValueError: the name has a zero byte.
    """
    mode = os.stat(path).st_mode  # noqa: PTH116
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # `open` refuses a folder by itself
        raise SourceError(errno.EINVAL, "a pipe or a device, and no file", os.fspath(path))
    return Path(path).open("rb")


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all: beside its place, then synced and renamed.

    A full disk or a kill leaves the old file whole. A link stays a link. The next write of the same file
    removes a part that a kill left behind.

    Raises:
        OSError: there is no space, or the user has no rights; nothing was changed.
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
    except OSError:  # the process of another user
        pass
    return True
