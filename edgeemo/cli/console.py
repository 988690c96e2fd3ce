"""The output of the command line: results on stdout, all else on stderr."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO, TypeVar

from rich.console import Console, ConsoleDimensions
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..data.lengths import HeaderWarning
from ..errors import LicenseWarning, RuntimeUnavailableError
from ..types import EMOTIONS, EmotionResult

T = TypeVar("T")

_PIPED = 200  # columns


class _Results(Console):
    """Standard output; `edgeemo.cli.main` handles a reader that went away."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def out() -> Console:
    """Return the console for results; a pipe or a file has room for whole lines."""
    found = _Results(highlight=False, emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.size = ConsoleDimensions(_PIPED, _PIPED)
    return found


def say(message: str) -> None:
    """Write a line to stderr, if there is one."""
    if sys.stderr is not None:
        print(f"edgeemo: {message}", file=sys.stderr)


def flush() -> None:
    """Write out what stdout holds back."""
    if sys.stdout is not None:
        sys.stdout.flush()


def abandon() -> None:
    """Give stdout up: throw away what it holds back, so that Python's own flush at exit cannot fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def fail(error: Exception) -> None:
    """Write an error as one line to stderr."""
    say(f"error: {' '.join(str(error).split())}")


def to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON in the encoding of standard output."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:  # an old terminal, or a lone surrogate
        text = json.dumps(value, indent=indent, allow_nan=False)
    return text


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Write one JSON document to stdout, at once."""
    print(to_json(value, indent), flush=True)


def need(module: str, extra: str, *noisy: str) -> Any:
    """Import a module that needs an optional package, and before, in silence, the ``noisy`` modules.

    Raises:
        RuntimeUnavailableError: the package is missing; the message says how to install it.
    """
    try:
        with quiet_libraries():
            for name in noisy:
                importlib.import_module(name)
        return importlib.import_module(module)
    except ImportError as error:
        raise RuntimeUnavailableError(
            f"{error}: install it with `pip install 'edgeemo[{extra}]'`."
        ) from error


def plain(text: str, limit: int = 60) -> str:
    """Return a text that is safe to show: one line, no control characters, at most ``limit`` characters."""
    line = "".join(c if c.isprintable() else " " for c in text[: 4 * limit])
    line = " ".join(line.split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[: limit - 1] + "…"


def cells(result: EmotionResult) -> str:
    """Return label, confidence, valence and arousal as the cells of a row."""
    said = f"{result.label:<10} {result.confidence:>5.2f}"
    return f"{said:<18}{result.valence:>+7.2f}  {result.arousal:>+7.2f}"


def affect(result: EmotionResult) -> str:
    """Return valence, arousal and evidence with their names."""
    return f"valence {result.valence:+.2f}   arousal {result.arousal:+.2f}   evidence {result.evidence:.2f}"


def bars(result: EmotionResult | None) -> Table:
    """Draw a bar for each emotion, in eighths of a character; all bars are empty without a result."""
    table = Table.grid(padding=(0, 2))
    scores = [0.0] * len(EMOTIONS) if result is None else result.scores.tolist()
    for emotion, score in zip(EMOTIONS, scores, strict=True):
        full, rest = divmod(round(min(max(score, 0.0), 1.0) * 24 * 8), 8)
        drawn = ("█" * full + ("" if not rest else "▏▎▍▌▋▊▉"[rest - 1])).ljust(24)
        best = result is not None and emotion == result.label
        table.add_row(Text(emotion, "bold" if best else ""), Text(drawn, "cyan"), f"{score:.2f}")
    return table


def track(items: Sequence[T], what: str) -> Iterable[T]:
    """Yield the items behind a progress bar on stderr (only on a terminal)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(items, description=what)


def prepare() -> None:
    """Make the standard streams usable: see `_open_closed_descriptors`; and let terminals take every text.

    From now on a `LicenseWarning`, a `HeaderWarning` or the new name of a bundle shows as one plain line.
    """
    _open_closed_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    warnings.filterwarnings("default", "The bundle .* is now", DeprecationWarning)
    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, LicenseWarning | HeaderWarning | DeprecationWarning):
            say(f"note: {' '.join(str(message).split())}")
        else:
            usual(message, category, filename, lineno, file, line)

    warnings.showwarning = show


def _open_closed_descriptors() -> None:
    """Open the null device where a shell closed descriptor 0, 1 or 2 (``2>&-``).

    Otherwise the next file that edgeemo opens gets the number, and what a library writes to standard error
    lands in this file.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, mode)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            os.set_inheritable(descriptor, True)


@contextlib.contextmanager
def quiet_libraries(*, stdout: bool = False) -> Iterator[None]:
    """Throw away what native libraries write to stderr inside the block; warnings follow after the block.

    Args:
        stdout: throw away what anybody writes to stdout, too: LiteRT's accelerator for GPUs writes there,
            where results belong.
    """
    kept = {descriptor: os.dup(descriptor) for descriptor in ((1, 2) if stdout else (2,))}
    if stdout:
        flush()
    caught: list[warnings.WarningMessage] = []
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        for descriptor in kept:
            os.dup2(null, descriptor)
        os.close(null)
        with warnings.catch_warnings(record=True) as caught:
            yield
    finally:
        if stdout:
            ctypes.CDLL(None).fflush(None)  # C's buffer holds what they have written
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)
        for w in caught:
            warnings.showwarning(w.message, w.category, w.filename, w.lineno)
