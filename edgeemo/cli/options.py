"""The options that several commands share, and how these commands open a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..backends import BACKENDS
from ..recognizer import Recognizer
from . import console

C = TypeVar("C", bound=Callable[..., None])
R = TypeVar("R", bound=Recognizer)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(path_type=Path)

backend = click.option("--backend", type=click.Choice(list(BACKENDS)), default="auto", show_default=True)
delegate = click.option(
    "--delegate", metavar="NAME|PATH", default="auto", show_default=True,
    help="auto, cpu, gpu, or an external TFLite delegate (.so); see `edgeemo delegates`.",
)  # fmt: skip
threads = click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True)
json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
data = click.option("--data", required=True, type=FOLDER, help="The folder with your copy of the data sets.")
seconds = click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after so many seconds of the input."
)
stream_name = click.option(
    "--source", "stream_name", metavar="NAME", help="A name for the stream; every result carries the name."
)


def runtime(command: C) -> C:
    """Add --backend, --delegate and --threads, which `opened` takes."""
    return backend(delegate(threads(command)))


def opened(bundle: str, kind: type[R], **how: Any) -> R:
    """Open a bundle, and throw away what libraries print meanwhile.

    Raises:
        UsageError: the bundle is not for recognizers of this kind.
    """
    with console.quiet_libraries(stdout=True):
        recognizer = Recognizer.open(bundle, **how)
    if isinstance(recognizer, kind):
        return recognizer
    recognizer.close()
    wanted = {"face": "faces"}.get(kind.modality, kind.modality)
    raise click.UsageError(f"The bundle {bundle} reads {recognizer.modality}, not {wanted}.")
