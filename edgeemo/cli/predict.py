"""``edgeemo predict``."""

from __future__ import annotations

import errno
import io
import os
import shlex
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import click
from rich.table import Table
from rich.text import Text

from ..data.kinds import Kind, is_text, kind_of, kind_of_file, refusal
from ..errors import DataError, InputError, SourceError
from ..recognizer import FaceRecognizer, Recognizer, VoiceRecognizer
from ..sources import is_photo
from ..types import EmotionResult
from . import console, options
from .face import read_photo
from .voice import read_file

_WORDS_OF_A_NAME = 5  # a longer argument that ends in ".mp3" is a sentence
_BLOCK = 4096  # bytes of text between two checks


@click.command("predict")
@click.argument("text_or_files", metavar="[TEXT_OR_FILE]...", nargs=-1)
@click.option("--text", help="Read this text, even if a file has the same name.")
@click.option("--bundle", help="A shipped bundle's name, or a file; by default text, voice or face.")
@options.runtime
@click.option(
    "--json", "as_json", is_flag=True,
    help="Print one JSON object for each text or file, and for each utterance of audio.",
)  # fmt: skip
@click.option(
    "--picture", type=options.OUT, metavar="PNG",
    help="Draw the waveform and emotions of audio, or the faces of a photograph.",
)  # fmt: skip
@click.option("--whole", is_flag=True, help="The photograph is one face, cut out: do not look for faces.")
def predict_command(
    text_or_files: tuple[str, ...],
    text: str | None,
    bundle: str | None,
    as_json: bool,
    picture: Path | None,
    whole: bool,
    **how: Any,
) -> None:
    """Read the emotion that texts, an audio file or a photograph express.

    If a file of the name TEXT_OR_FILE exists, its content decides, then its name: audio, a photograph, or
    texts in UTF-8, one text a line. If no such file exists, TEXT_OR_FILE is the text. Without TEXT_OR_FILE,
    or with "-", texts come from standard input, one text a line.

    Each text gives one answer, empty lines too. Audio gives a row for the whole and then a row for each
    utterance, which is what somebody says between two pauses. As JSON, the first object has the "kind"
    "clip", with "file", "rate_hz", "channels" and the "timeline" of spans. An object with "file" and the
    "kind" "utterance" follows for each utterance. A photograph gives a row a face; as JSON one object: the
    face in front, with "file", "width", "height" and all "faces".

    Several files must be all audio or all photographs. If edgeemo cannot read one of them, it says so and
    goes on with the next.

    \b
    Examples:
      edgeemo predict "I can't believe they did this to us."
      edgeemo predict reviews.txt --json > emotions.jsonl
      echo "Well done!" | edgeemo predict
      edgeemo predict speech.wav --picture speech.png
      edgeemo predict reviews.txt --delegate gpu
      edgeemo predict photo.jpg --picture faces.png
      edgeemo predict album/*.jpg --json > faces.jsonl
    """
    if text is not None and text_or_files:
        raise click.UsageError("Give either TEXT_OR_FILE or --text.")
    text_or_file = text_or_files[0] if text_or_files else None
    if len(text_or_files) > 1:
        _check_several(text_or_files, picture)
    what = _what(text_or_file) if text is None else "text"
    audio, photo = what == "sound", what == "picture"
    single = None if what != "text" else text if text is not None else text_or_file
    if single is None and text_or_file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError(
            'Nothing to read: give a text, a file, or pipe lines in; "-" reads the terminal.'
        )
    bundle = bundle or ("voice" if audio else "face" if photo else "text")
    with options.opened(bundle, Recognizer, **how) as recognizer:
        if whole and not isinstance(recognizer, FaceRecognizer):
            raise click.UsageError("--whole is for photographs.")
        if isinstance(recognizer, VoiceRecognizer):
            if single is not None or text_or_file in (None, "-"):
                raise click.UsageError(f"The bundle {bundle} reads voice: give an audio file.")
            _each(text_or_files, partial(read_file, recognizer, as_json=as_json, picture=picture), as_json)
            return
        if isinstance(recognizer, FaceRecognizer):
            if single is not None or text_or_file in (None, "-"):
                raise click.UsageError(f"The bundle {bundle} reads faces: give a photograph.")
            show = partial(read_photo, recognizer, as_json=as_json, picture=picture, whole=whole)
            _each(text_or_files, show, as_json)
            return
        if audio or photo:
            kind = "audio" if audio else "a photograph"
            raise click.UsageError(f"The bundle {bundle} reads text, {text_or_file} is {kind}; see --text.")
        if picture is not None:
            raise click.UsageError("--picture draws audio files and photographs only.")
        if single is not None:
            result = recognizer.predict(single)
            console.print_json(_line(single, result), indent=None) if as_json else _show(single, result)
            return
        read = ((line, recognizer.predict(line)) for line in _lines(text_or_file))
        for line in (console.to_json(_line(*one)) for one in read) if as_json else _rows(read):
            print(line, flush=True)


def _check_several(names: Sequence[str], picture: Path | None) -> None:
    """Refuse several arguments unless all are audio or all are photographs, there or missing."""
    kinds = [kind_of_file(name) if os.path.exists(name) else kind_of(b"", name) for name in names]  # noqa: PTH110
    media = {kind.medium if kind is not None else None for kind in kinds}
    if media != {"sound"} and media != {"picture"}:
        raise click.UsageError(
            f"{len(names)} arguments, not all of them audio files, nor all photographs. Give one text in "
            "quotes, one file of texts, or several files of one kind."
        )
    if picture is not None:
        raise click.UsageError("--picture draws one file: give one.")


def _each(paths: Sequence[str], read: Callable[[str], None], as_json: bool) -> None:
    """Read files one after the other; name each if there are several; fail at the end if one failed."""
    failed = 0
    for i, path in enumerate(paths):
        if len(paths) > 1 and not as_json:
            if i:
                print()
            print(console.plain(path, 1000), flush=True)
        try:
            read(path)
        except (SourceError, InputError) as error:
            if len(paths) == 1:
                raise
            console.fail(error)
            failed += 1
    if failed:
        raise SourceError(f"{failed} of {len(paths)} files could not be read.")


def _what(argument: str | None) -> Literal["text", "lines", "sound", "picture"]:
    """Tell whether the argument is a text, or names lines of texts, a sound file or a picture.

    Raises:
        UsageError: the argument is a folder or a video.
        SourceError: the argument names a missing file, or a file of a kind that edgeemo does not read.
    """
    if argument is None or argument == "-":
        return "lines"
    kind = kind_of(b"", argument)
    try:
        mode = os.stat(argument).st_mode  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        if not _is_written_as_a_file(argument, kind):
            return "text"
        missing = True
    except PermissionError:
        missing = False
    except (OSError, ValueError):  # too long for a name, or a NUL
        return "text"
    else:
        missing = False
        if stat.S_ISDIR(mode):
            return _folder(argument)
        if stat.S_ISREG(mode):
            kind = kind_of_file(argument)
    if kind is not None and kind.medium == "video" and not missing:
        raise click.UsageError(
            f"{argument} is a video: `edgeemo watch` reads its faces, and `ffmpeg -i {shlex.quote(argument)} "
            "sound.wav` takes its sound; see --text."
        )
    if kind is not None and kind.medium in ("sound", "picture") and (kind.read or not missing):
        return "sound" if kind.medium == "sound" else "picture"
    if missing:
        raise SourceError(f"There is no file {argument}. Check the path; for a text use --text.")
    if kind is not None and not kind.read:
        raise SourceError(refusal(argument, kind, "edgeemo predict"))
    return "lines"


def _is_written_as_a_file(argument: str, kind: Kind | None) -> bool:
    """Tell whether an argument looks like the name of a file; ``kind`` is that of its ending.

    A sound, picture or video may have a name of several words: "my memo.m4a".
    """
    rooted, words = argument.startswith(("/", "./", "../", "~/")), len(argument.split())
    if kind is None or words == 1:
        return words == 1 and (rooted or kind is not None)
    short = words <= _WORDS_OF_A_NAME and "\n" not in argument and ". " not in argument
    return rooted or (short and kind.medium in ("sound", "picture", "video"))


def _folder(argument: str) -> Literal["text"]:
    """Refuse a folder, unless the argument is a word that a folder happens to be called."""
    if os.sep in argument or any(is_photo(path) for path in Path(argument).iterdir()):
        raise click.UsageError(f"{argument} is a folder: `edgeemo watch` reads its pictures; see --text.")
    return "text"


def _lines(name: str | None) -> Iterator[bytes]:
    try:
        if name is None or name == "-":
            if sys.stdin is None:
                raise SourceError("Standard input is closed: pipe lines in, or name a file.")
            yield from _stripped(sys.stdin.buffer, "standard input")
            return
        path = Path(name)
        if path.is_fifo() and not path.is_symlink():  # a link is a shell's <(…), which comes at once
            console.say(f"waiting for texts from the pipe {name}; Ctrl-C ends it")
        with path.open("rb") as file:
            if not path.is_fifo() and not path.is_file() and not file.isatty():
                raise OSError(errno.EINVAL, "a device, and no file")
            yield from _stripped(file, name)
    except (BrokenPipeError, SourceError):
        raise
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}. Check the path and its rights.") from error


def _stripped(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the lines of a file; refuse a file at the first block that is not text."""
    head = file.peek() if isinstance(file, io.BufferedReader) else b""
    kind = kind_of(head, "")
    if kind is not None and head:
        raise SourceError(f"{name} is {kind.name} and no lines of text. Give the name of the file.")
    _check_text(head, name)
    fresh, recent = 0, b""
    for line in file:
        fresh, recent = fresh + len(line), recent[-_BLOCK:] + line
        if fresh >= _BLOCK or b"\0" in line:
            _check_text(recent, name)
            fresh = 0
        yield line.rstrip(b"\n").removesuffix(b"\r")
    _check_text(recent if fresh else b"", name)


def _check_text(block: bytes, name: str) -> None:
    if not is_text(block):
        raise SourceError(
            f"{name} holds no text in UTF-8. Give a file of text; `iconv` converts text of another encoding."
        )


def _line(text: str | bytes, result: EmotionResult) -> dict[str, object]:
    return {"text": text if isinstance(text, str) else text.decode("utf-8", "replace"), **result.to_dict()}


def _rows(read: Iterable[tuple[bytes, EmotionResult]]) -> Iterator[str]:
    """Yield a header, with the first text, and a line a text, as texts come."""
    header = f"{'emotion':<18}valence  arousal  text\n"
    for text, result in read:
        shown = console.plain(text[:1000].decode("utf-8", "replace"))
        yield f"{header}{console.cells(result)}  {shown}"
        header = ""


def _show(text: str, result: EmotionResult) -> None:
    """Draw one result: a bar an emotion, the active labels, valence and arousal."""
    active = " · ".join(f"{label} {result.fine[label]:.2f}" for label in result.active) or "none"
    facts = Table.grid(padding=(0, 2))
    facts.add_row("active", Text(active))
    facts.add_row(*console.affect(result).split(" ", 1))
    if result.truncated:
        facts.add_row("note", "the text is longer than the model reads; only its beginning counts")
    out = console.out()
    out.print(f"“{console.plain(text)}”", "", console.bars(result), "", facts, sep="\n", markup=False)
