"""The manifest: a table of examples, UTF-8 CSV or JSONL (``.gz`` allowed), one row an example.

A row has ``text`` or ``path`` (relative to the manifest). For a clip, ``text`` holds the spoken words. Other
columns are optional:

- ``labels`` or ``label``: names separated by ``|``; in JSONL also a list.
- ``speaker``, ``gender``, ``subject``, ``group``, ``split``, ``age``, ``ethnicity``: names.
- ``valence``, ``arousal``: numbers in [−1, 1].
- ``eyes``: x y x y in pixels of the picture, the eye farther left first; in JSONL also a list.

The reader ignores further columns, so a data set's own table can serve as a manifest.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import DataError
from ..files import explained, write_whole

COLUMNS = (
    "text", "path", "labels", "speaker", "gender", "subject", "group", "split", "valence", "arousal",
    "age", "ethnicity", "eyes",
)  # fmt: skip
_NAMES = ("speaker", "gender", "subject", "group", "split", "age", "ethnicity")
_FORMATS = (".csv", ".jsonl")

ALIASES = {
    "happy": "happiness", "joy": "happiness", "sad": "sadness", "angry": "anger", "fearful": "fear",
    "scared": "fear", "afraid": "fear", "disgusted": "disgust", "surprised": "surprise", "bored": "boredom",
}  # fmt: skip
"""Other words for labels; a word counts as given if the card has that label."""

Eyes: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""Two points in pixels, the one farther left in the picture first."""


@dataclass(frozen=True)
class Example:
    """One row: an input (``text``, or the file at ``path``) and how people labelled it."""

    text: str | None = None
    path: Path | None = None
    labels: tuple[str, ...] = ()
    speaker: str = ""
    gender: str = ""
    subject: str = ""
    group: str = ""
    split: str = ""
    valence: float | None = None
    arousal: float | None = None
    age: str = ""
    ethnicity: str = ""
    eyes: Eyes | None = None


def read_manifest(path: str | os.PathLike[str]) -> list[Example]:
    """Read a manifest whole.

    Raises:
        DataError: the file or a row cannot be used, or there are no rows; the message names the line.
    """
    path = Path(path)
    examples = [_example(row, path.parent, where) for where, row in read_rows(path)]
    if not examples:
        raise DataError(f"{path.name} has no rows: write at least one example below the header.")
    return examples


def read_rows(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the rows of a table, each with the words that name its file and line in errors.

    Raises:
        DataError: as `read_manifest`.
    """
    suffix, text = _format(path), _read(path)
    rows = _csv_rows(text, path.name) if suffix == ".csv" else _jsonl_rows(text, path.name)
    return [(f"{path.name}, line {line}", row) for line, row in rows]


def write_manifest(path: str | os.PathLike[str], examples: Iterable[Example]) -> None:
    """Write a manifest with the columns in use, whole or not at all; the suffix gives the format.

    Raises:
        DataError: the suffix is unknown, a label holds ``|``, a text is not Unicode, or writing fails.
    """
    path = Path(path)
    rows = [_row(example, path.parent) for example in examples]
    columns = [c for c in COLUMNS if c in ("text", "labels") or any(row[c] != "" for row in rows)]
    if any(row["path"] != "" for row in rows) and not any(row["text"] != "" for row in rows):
        columns.remove("text")
    write_rows(path, columns, rows)


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the ``columns`` of a table, whole or not at all.

    Raises:
        DataError: as `write_manifest`.
    """
    buffer = io.StringIO(newline="")
    if _format(path) == ".csv":
        writer = csv.DictWriter(
            buffer, columns, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC
        )
        writer.writeheader()
        writer.writerows(rows)
    else:
        for row in rows:
            kept = {c: row[c] for c in columns if row[c] != "" or c in ("text", "labels")}
            buffer.write(json.dumps(kept, ensure_ascii=False) + "\n")
    try:
        data = buffer.getvalue().encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{path.name}: a text holds a lone surrogate ({error.reason}); replace it first."
        ) from error
    remedy = "Nothing was changed; check the folder, space and rights."
    with explained(f"{path} cannot be written", DataError, remedy):
        write_whole(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _format(path: Path) -> str:
    stem = path.with_suffix("") if path.suffix == ".gz" else path
    if stem.suffix not in _FORMATS:
        raise DataError(f"{path.name} is not a manifest: expected .csv or .jsonl, or these with .gz.")
    return stem.suffix


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except FileNotFoundError as error:
        raise DataError(f"There is no manifest {path}: check the path.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}. Check its rights, or make it again.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"{data[error.start]:#04x}"
        raise DataError(f"{path.name}, line {line}: byte {byte} is not UTF-8; save it as UTF-8.") from error


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if not {"text", "path"} & set(header):
            found = ", ".join(filter(None, header)) or "nothing"
            raise DataError(f"{name}, line 1: the header has no text or path, only {found}; name the column.")
        while True:
            start = reader.line_num + 1
            row = next(reader, None)
            if row is None:
                return
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(
                    f"{name}, line {start}: {len(row)} fields, the header has {len(header)}; "
                    "put fields with commas or quotes into double quotes."
                )
            yield start, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise DataError(f"{name}, line {start}: {error}; mend the quotes, or write it as .jsonl.") from error


def _jsonl_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}, line {number}: not JSON ({error}); write one object a line.") from error
        if not isinstance(row, dict):
            raise DataError(f"{name}, line {number}: expected a JSON object, got {type(row).__name__}.")
        yield number, {key: value for key, value in row.items() if value is not None}


def _example(row: Mapping[str, Any], folder: Path, where: str) -> Example:
    for column in ("text", "path", *_NAMES):
        if not isinstance(row.get(column, ""), str | int):
            raise DataError(f"{where}: {column} is {row[column]!r}; expected text.")
    path = str(row.get("path", ""))
    if "text" not in row and not path:
        raise DataError(f"{where}: neither text nor path; give one of them.")
    return Example(
        text=str(row["text"]) if "text" in row and (row["text"] != "" or not path) else None,
        path=folder / path if path else None,
        labels=_labels(row.get("labels", row.get("label", "")), where),
        valence=_number(row, "valence", where),
        arousal=_number(row, "arousal", where),
        eyes=_eyes(row.get("eyes", ""), where),
        **{column: str(row.get(column, "")) for column in _NAMES},
    )


def _labels(value: Any, where: str) -> tuple[str, ...]:
    parts: Sequence[Any] = value.split("|") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise DataError(f"{where}: labels is {value!r}; expected names separated by '|', or a list of names.")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _number(row: Mapping[str, Any], column: str, where: str) -> float | None:
    value = row.get(column, "")
    if value == "":
        return None
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        number = float("nan")
    if not -1 <= number <= 1:
        raise DataError(f"{where}: {column} is {value!r}; expected a number from -1 to 1.")
    return number


def _eyes(value: Any, where: str) -> Eyes | None:
    if value == "":
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in (value.split() if isinstance(value, str) else value))
    except (TypeError, ValueError):
        x0 = x1 = y0 = y1 = float("nan")
    if not (isfinite(x0 + y0 + x1 + y1) and x0 < x1):
        raise DataError(
            f"{where}: eyes is {value!r}; expected x y x y in pixels, the eye farther left first."
        )
    return (x0, y0), (x1, y1)


def _row(example: Example, folder: Path) -> dict[str, Any]:
    if any("|" in label for label in example.labels):
        raise DataError(f"A label holds '|': {example.labels}; rename it, '|' separates labels.")
    row = {column: getattr(example, column) for column in COLUMNS}
    row |= {"labels": "|".join(example.labels), "path": place_in(folder, example)}
    row["eyes"] = "" if example.eyes is None else " ".join(f"{x!r}" for point in example.eyes for x in point)
    return {column: "" if value is None else value for column, value in row.items()}


def place_in(folder: Path, example: Example) -> str:
    """Return the example's path as a manifest in ``folder`` names it; empty without a path."""
    path = example.path
    if path is None:
        return ""
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()
