"""``edgeemo predict``."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click
from rich.table import Table
from rich.text import Text

from ..backends import BACKENDS
from ..errors import DataError, InputError, SourceError
from ..recognizer import FaceRecognizer, Recognizer, VoiceRecognizer
from ..sources import is_audio, is_photo
from ..sources.files import SUFFIXES
from ..sources.photos import PHOTO_SUFFIXES
from ..sources.video import VIDEO_SUFFIXES
from ..types import EMOTIONS, EmotionResult
from . import console
from .face import read_photo
from .voice import read_file

_FILE_SUFFIXES = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".md", ".heic", ".heif", *VIDEO_SUFFIXES)


@click.command("predict")
@click.argument("text_or_files", metavar="[TEXT_OR_FILE]...", nargs=-1)
@click.option("--text", help="A text, even if a file has that name.")
@click.option("--bundle", help="A shipped bundle's name, or a file; by default text, voice or face.")
@click.option("--backend", type=click.Choice(list(BACKENDS)), default="auto", show_default=True)
@click.option(
    "--delegate", metavar="NAME|PATH", default="auto", show_default=True,
    help="auto, cpu, gpu, or an external TFLite delegate (.so); see `edgeemo delegates`.",
)  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a text or file.")
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="PNG",
    help="Draw what was read: of audio waveform and emotions, of a photograph its faces.",
)  # fmt: skip
@click.option("--whole", is_flag=True, help="A photograph that is a face, cut out: look for none.")
def predict_command(
    text_or_files: tuple[str, ...],
    text: str | None,
    bundle: str | None,
    backend: str,
    delegate: str,
    threads: int,
    as_json: bool,
    picture: Path | None,
    whole: bool,
) -> None:
    """Read the emotion that texts, an audio file or a photograph express.

    TEXT_OR_FILE is audio or a photograph if its name ends as theirs do (.wav, .flac, .ogg, .mp3 … .jpg, .png,
    .webp …) or a file of that name begins as they do. Else it is a file, one text a line, if it exists; else
    it is the text. Without it, or as "-", texts come from standard input, one a line.

    Each text gives one answer, empty lines too. Audio gives a timeline, one row a span, and then the whole;
    as JSON one object: the whole, with "file", "rate_hz", "channels" and the "timeline". A photograph gives a
    row a face; as JSON one object: the face in front, with "file", "width", "height" and all "faces".

    Several files may be named, all audio or all photographs; one that cannot be read is told and passed over.

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
    named = text is None and text_or_file is not None
    audio = named and _names(str(text_or_file), is_audio, SUFFIXES)
    photo = named and not audio and _names(str(text_or_file), is_photo, PHOTO_SUFFIXES)
    if named and _names(str(text_or_file), _is_video, VIDEO_SUFFIXES):
        raise click.UsageError(f"{text_or_file} is a video: `edgeemo watch` reads it; see --text.")
    if named and _is_folder(str(text_or_file)):
        raise click.UsageError(f"{text_or_file} is a folder: `edgeemo watch` reads its pictures; see --text.")
    if named and not audio and not photo and _is_missing_file(str(text_or_file)):
        raise DataError(f"There is no file {text_or_file}. If that is the text to read: `--text`.")
    single = None if audio or photo else text if text is not None else _argument_text(text_or_file)
    if single is None and text_or_file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError(
            'Nothing to read: give a text, a file, or pipe lines in; "-" reads the terminal.'
        )
    bundle = bundle or ("voice" if audio else "face" if photo else "text")
    with console.quiet_libraries(stdout=True):
        recognizer = Recognizer.open(bundle, backend=backend, delegate=delegate, threads=threads)
    with recognizer:
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
            read = partial(read_photo, recognizer, as_json=as_json, picture=picture, whole=whole)
            _each(text_or_files, read, as_json)
            return
        if audio or photo:
            what = "audio" if audio else "a photograph"
            raise click.UsageError(f"The bundle {bundle} reads text, {text_or_file} is {what}; see --text.")
        if picture is not None:
            raise click.UsageError("--picture draws audio files and photographs only.")
        if single is not None:
            result = recognizer.predict(single)
            console.print_json(_line(single, result), indent=None) if as_json else _show(single, result)
            return
        show = _json_lines if as_json else _rows
        for line in show((line, recognizer.predict(line)) for line in _lines(text_or_file)):
            print(line, flush=True)


def _check_several(names: Sequence[str], picture: Path | None) -> None:
    """Refuse several arguments unless all are audio or all are photographs, which are there or were."""
    for is_one, suffixes in ((is_audio, SUFFIXES), (is_photo, PHOTO_SUFFIXES)):
        if all(_names(name, is_one, suffixes) for name in names):
            break
    else:
        raise click.UsageError(
            f"{len(names)} arguments, not all of them audio files, nor all photographs: give one text in "
            "quotes, one file of texts, or several files of one kind."
        )
    if picture is not None:
        raise click.UsageError("--picture draws one file: give one.")


def _each(paths: Sequence[str], read: Callable[[str], None], as_json: bool) -> None:
    """Read files one after the other, under their names if they are several; then fail if one failed."""
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


def _names(argument: str, is_one: Callable[[str], bool], suffixes: tuple[str, ...]) -> bool:
    """Tell whether the argument is a file of a kind, or the name of one that is not there, or is no file."""
    lone = len(argument.split()) == 1 and not os.path.isfile(argument)  # noqa: PTH113
    return is_one(argument) or (lone and argument.lower().endswith(suffixes))


def _is_video(argument: str) -> bool:
    return os.path.isfile(argument) and argument.lower().endswith(VIDEO_SUFFIXES)  # noqa: PTH113


def _is_folder(argument: str) -> bool:
    """Tell whether the argument names a folder, and not a word that one happens to be called."""
    if not os.path.isdir(argument):  # noqa: PTH112
        return False
    return os.sep in argument or any(is_photo(path) for path in Path(argument).iterdir())


def _is_missing_file(argument: str) -> bool:
    """Tell whether the argument is written as a file's name and is none."""
    written = argument.startswith(("/", "./", "../", "~/")) or argument.lower().endswith(_FILE_SUFFIXES)
    return written and len(argument.split()) == 1 and not os.path.exists(argument)  # noqa: PTH110


def _argument_text(argument: str | None) -> str | None:
    """Return the argument if it is a text, None if it names a file or standard input."""
    if argument is None or argument == "-":
        return None
    return None if os.path.exists(argument) and not os.path.isdir(argument) else argument  # noqa: PTH110, PTH112


def _lines(name: str | None) -> Iterator[bytes]:
    try:
        if name in (None, "-"):
            yield from _stripped(sys.stdin.buffer)
        else:
            path = Path(str(name))
            if (
                path.is_fifo() and not path.is_symlink()
            ):  # of a shell's <(…), which is a link, it comes at once
                console.say(f"waiting for texts from the pipe {name}; Ctrl-C ends it")
            with path.open("rb") as file:
                if not path.is_fifo() and not path.is_file() and not file.isatty():
                    raise OSError(errno.EINVAL, "a device, and no file")
                yield from _stripped(file)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}. Check the path and its rights.") from error


def _stripped(file: BinaryIO) -> Iterator[bytes]:
    for line in file:
        yield line.rstrip(b"\n").removesuffix(b"\r")


def _line(text: str | bytes, result: EmotionResult) -> dict[str, object]:
    return {"text": text if isinstance(text, str) else text.decode("utf-8", "replace"), **result.to_dict()}


def _json_lines(read: Iterable[tuple[bytes, EmotionResult]]) -> Iterator[str]:
    for text, result in read:
        yield console.to_json(_line(text, result))


def _rows(read: Iterable[tuple[bytes, EmotionResult]]) -> Iterator[str]:
    """Yield a header and a line a text, as they come."""
    yield f"{'emotion':<18}valence  arousal  text"
    for text, result in read:
        shown = console.plain(text[:1000].decode("utf-8", "replace"))
        said = f"{result.label:<10} {result.confidence:>5.2f}"
        yield f"{said:<18}{result.valence:>+7.2f}  {result.arousal:>+7.2f}  {shown}"


def _show(text: str, result: EmotionResult) -> None:
    """Draw one result: a bar an emotion, the active labels, valence and arousal."""
    table = Table.grid(padding=(0, 2))
    for emotion, score in zip(EMOTIONS, result.scores.tolist(), strict=True):
        name = Text(emotion, "bold" if emotion == result.label else "")
        table.add_row(name, console.bar(score), f"{score:.2f}")
    active = " · ".join(f"{label} {result.fine[label]:.2f}" for label in result.active) or "none"
    facts = Table.grid(padding=(0, 2))
    facts.add_row("active", Text(active))
    facts.add_row(
        "valence", f"{result.valence:+.2f}   arousal {result.arousal:+.2f}   evidence {result.evidence:.2f}"
    )
    if result.truncated:
        facts.add_row("note", "the text is longer than the model reads; only its beginning counts")
    out = console.out()
    out.print(f"“{console.plain(text)}”", "", table, "", facts, sep="\n", markup=False)
