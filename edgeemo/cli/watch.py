"""``edgeemo watch``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.live import Live

from ..recognizer import FaceRecognizer
from ..sources import Camera, FrameSource, ImageSequence, VideoFile, is_photo
from ..types import RESULT_SCHEMA, EmotionResult
from . import console, face, options

Show = Callable[[list[EmotionResult], int, int], None]


@click.command("watch")
@click.argument("source", default="0")
@options.seconds
@options.stream_name
@click.option(
    "--fps", type=click.FloatRange(0, 1000, min_open=True), default=25.0, show_default=True,
    help="Frames a second, for a folder or a pattern.",
)  # fmt: skip
@click.option(
    "--smooth", "smooth_ms", type=click.FloatRange(0, 60_000), default=300.0, show_default=True,
    help="Milliseconds after which a frame counts for a third only; 0: no smoothing.",
)  # fmt: skip
@click.option("--window", is_flag=True, help="Show the frames with the faces drawn; q stops.")
@click.option("--bundle", default="face", show_default=True, help="A shipped bundle's name, or a file.")
@options.runtime
@click.option("--json", "as_json", is_flag=True, help="One JSON object a frame, with the drops so far.")
def watch_command(
    source: str,
    seconds: float | None,
    stream_name: str | None,
    fps: float,
    smooth_ms: float,
    window: bool,
    bundle: str,
    as_json: bool,
    **how: Any,
) -> None:
    """Read the emotions that faces express, live, from a camera, a video or a series of pictures.

    SOURCE is the number of a camera (0 is the first), a video file, a folder of pictures, or a pattern such
    as "frames/*.png". watch shows a face from the second frame that contains the face. On a terminal, watch
    draws live bars of the face in front; elsewhere it prints a line for each face and frame. x0, y0, x1 and
    y1 are the left, upper, right and lower edge of the face, in pixels. --json prints an object for every
    frame: "schema", "model", "version", "source", "t_ms", "drops" and "faces", perhaps empty.

    watch neither keeps nor sends anything. If the machine is too slow for a camera, watch drops frames and
    counts them in "drops". watch reads files to the end, as fast as the machine can. Ctrl-C stops.

    \b
    Examples:
      edgeemo watch
      edgeemo watch 1 --source front-door --seconds 60 --json > emotions.jsonl
      edgeemo watch film.mp4 --window
      edgeemo watch 0 --delegate /usr/lib/libvx_delegate.so
      edgeemo watch "frames/*.png" --fps 10
    """
    with options.opened(bundle, FaceRecognizer, **how) as recognizer, ExitStack() as stack:
        drawing: Any = console.need("edgeemo.cli.draw", "face", "cv2") if window else None
        with console.quiet_libraries(stdout=True):
            recognizer.detector  # noqa: B018  before the camera is on, say what is missing
        stack.enter_context(console.quiet_libraries())  # decoders and drivers write to stderr
        frames = stack.enter_context(_source(source, fps))
        screen = stack.enter_context(drawing.Window()) if drawing is not None else None
        show = stack.enter_context(_shown(recognizer, as_json, stream_name))
        stream = recognizer.stream(smooth_ms=smooth_ms, source=stream_name)
        for frame, t_ms in frames:
            if seconds is not None and t_ms >= 1000 * seconds:
                break
            results = stream.push(frame, t_ms, frames.color)
            show(results, t_ms, frames.drops)
            if screen is not None and not screen.show(drawing.annotated(frame, frames.color, results)):
                break


def _source(source: str, fps: float) -> FrameSource:
    if source.isdecimal() and not os.path.exists(source):  # noqa: PTH110
        return Camera(int(source))
    there = Path(source).exists() if "\0" not in source else False
    node = re.fullmatch("/dev/video([0-9]+)", os.path.realpath(source)) if there else None
    if node:
        return Camera(int(node[1]))
    if Path(source).is_dir() or (not there and any(sign in source for sign in "*?[")):
        return ImageSequence(source, fps=fps)
    if is_photo(source):
        raise click.UsageError(f"{source} is a photograph: `edgeemo predict {source}` reads it.")
    return VideoFile(source)


@contextmanager
def _shown(recognizer: FaceRecognizer, as_json: bool, stream_name: str | None) -> Iterator[Show]:
    """Give a function that shows results: as JSON lines, as live bars on a terminal, else as rows."""
    out = console.out()
    if as_json:
        card = recognizer.card
        who = {"schema": RESULT_SCHEMA, "model": card.name, "version": card.version, "source": stream_name}
        yield partial(_print_json, who)
    elif out.is_terminal:
        with Live(face.bars(None, [], 0, 0), console=out, auto_refresh=False) as live:
            yield lambda results, t_ms, drops: live.update(
                face.bars(recognizer.in_front(results), results, t_ms, drops), refresh=True
            )
    else:
        print(f"{'seconds':<9}{face.HEADER}  drops", flush=True)
        yield _print_rows


def _print_json(who: dict[str, Any], results: list[EmotionResult], t_ms: int, drops: int) -> None:
    faces = [result.to_dict() for result in results]
    console.print_json({**who, "t_ms": t_ms, "drops": drops, "faces": faces}, indent=None)


def _print_rows(results: list[EmotionResult], t_ms: int, drops: int) -> None:
    for result in results:
        print(f"{t_ms / 1000:<9.2f}{face.row(result.track_id or 0, result)}  {drops:>5}", flush=True)
