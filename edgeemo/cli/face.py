"""How the command line reads a photograph, and shows what faces express."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.text import Text

from ..recognizer import FaceRecognizer
from ..sources import Photo
from ..types import EmotionResult
from . import console

HEADER = f"{'face':<6}{'x0':>6}{'y0':>6}{'x1':>6}{'y1':>6}  {'emotion':<18}valence  arousal  evidence"


def read_photo(
    recognizer: FaceRecognizer, path: str, *, as_json: bool, picture: Path | None, whole: bool
) -> None:
    """Print a row for each face of a photograph, the surest first.

    Args:
        recognizer: reads the faces.
        path: the photograph.
        as_json: print one JSON object instead.
        picture: where to write the photograph with the faces drawn, if anywhere.
        whole: the photograph is one face, cut out: do not look for faces.
    """
    drawing = console.need("edgeemo.cli.draw", "face", "cv2") if picture is not None else None
    with console.quiet_libraries(stdout=True), Photo(path) as source:
        frame = source.frame
        height, width = frame.shape[:2]
        boxes = [(0.0, 0.0, float(width), float(height))] if whole else None
        results = recognizer.predict_all(frame, source.color, boxes)
    if as_json:
        front = recognizer.in_front(results).to_dict()
        said = {"file": path, "width": width, "height": height, **front}
        console.print_json({**said, "faces": [result.to_dict() for result in results]}, indent=None)
    elif results:
        print(HEADER)
        for i, result in enumerate(results, 1):
            print(row(i, result))
    else:
        print("no face")
    if drawing is not None and picture is not None:
        drawing.write(picture, drawing.annotated(frame, source.color, results))
        console.say(f"wrote {picture}")


def row(number: int, result: EmotionResult) -> str:
    """Return a result as a line below `HEADER`: the number of the face or track, the box, the emotion."""
    x0, y0, x1, y1 = result.face.box if result.face is not None else (0.0,) * 4
    place = f"{x0:>6.0f}{y0:>6.0f}{x1:>6.0f}{y1:>6.0f}"
    return f"{number:<6}{place}  {console.cells(result)}  {result.evidence:>8.2f}"


def bars(front: EmotionResult | None, results: Sequence[EmotionResult], t_ms: int, drops: int) -> Group:
    """Draw the emotions of the face in front as bars, then a line for each face, then time and drops."""
    table = console.bars(front if front is not None and front.face is not None else None)
    if front is None:
        return Group(table, Text("watching … (Ctrl-C ends it)"))
    lines = [Text(HEADER, "dim"), *(Text(row(r.track_id or 0, r)) for r in results)] if results else []
    said = "" if results else "no face   "
    return Group(table, *lines, Text(f"{said}{t_ms / 1000:.1f} s   drops {drops}", "" if results else "dim"))
