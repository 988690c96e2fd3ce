"""Find the kind of a file: first by its content, then by its name.

`KINDS` is the one table of magic numbers. Libraries such as `filetype` or `puremagic` know more formats. But
boards would have to install them, and they do not know what edgeemo reads and what a user can do instead.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ..files import open_regular

Medium: TypeAlias = Literal["sound", "picture", "video", "text", "document", "archive", "model"]
HEAD = 512
"""How many of the first bytes of a file `kind_of` looks at."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: as a person calls it, for sentences such as "photo.heic is a HEIC picture".
        medium: what the file holds.
        suffixes: how names of such files end, lower case.
        read: whether edgeemo reads such files, as far as its libraries can.
        magic: a regular expression for the first bytes; None if only the name shows the kind.
    """

    name: str
    medium: Medium
    suffixes: tuple[str, ...]
    read: bool
    magic: bytes | None


def _kind(name: str, medium: Medium, suffixes: str, magic: bytes | None = None, read: bool = False) -> Kind:
    return Kind(name, medium, tuple(suffixes.split()), read, magic)


_ISO = rb".{4}ftyp"  # ISO 14496-12: MP4 and its relatives
_FILM = _ISO + rb"(?!avi|hei|hev|mif1|msf1)"
_ASF = rb"0&\xb2u\x8ef\xcf\x11"
_EBML = rb"\x1aE\xdf\xa3"
_ZIP = rb"PK(\x03\x04|\x05\x06)"

KINDS = (  # if several match, the name of the file decides, else the first
    _kind("WAV sound", "sound", ".wav .wave .rf64", rb"(RIFF|RIFX|RF64).{4}WAVE", True),
    _kind("MP3 sound", "sound", ".mp3", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", True),
    _kind("FLAC sound", "sound", ".flac", rb"fLaC|ID3[\x02-\x04]", True),
    _kind("an Ogg video", "video", ".ogv", rb"OggS.{24}\x80theora", True),
    _kind("Ogg sound", "sound", ".ogg .oga .opus", rb"OggS", True),
    _kind("AIFF sound", "sound", ".aif .aiff .aifc", rb"FORM.{4}AIF[FC]", True),
    _kind("AU sound", "sound", ".au .snd", rb"\.snd\0", True),
    _kind("CAF sound", "sound", ".caf", rb"caff\0", True),
    _kind("W64 sound", "sound", ".w64", rb"riff\x2e\x91", True),
    _kind("AMR sound", "sound", ".amr .awb", rb"#!AMR"),
    _kind("AAC sound", "sound", ".aac", rb"\xff[\xf0\xf1\xf8\xf9]"),
    _kind("Monkey's Audio", "sound", ".ape", rb"MAC [\x80-\xff]"),
    _kind("WavPack sound", "sound", ".wv", rb"wvpk"),
    _kind("AC-3 sound", "sound", ".ac3 .eac3", rb"\x0bw"),
    _kind("MIDI music", "sound", ".mid .midi", rb"MThd\0"),
    _kind("a JPEG picture", "picture", ".jpg .jpeg .jpe .jfif", rb"\xff\xd8\xff", True),
    _kind("a PNG picture", "picture", ".png", rb"\x89PNG\r\n\x1a\n", True),
    _kind("a WebP picture", "picture", ".webp", rb"RIFF.{4}WEBP", True),
    _kind("a BMP picture", "picture", ".bmp", rb"BM.{4}\0\0\0\0", True),
    _kind("a GIF picture", "picture", ".gif", rb"GIF8[79]a", True),
    _kind("a TIFF picture", "picture", ".tif .tiff", rb"II[*+]\0|MM\0[*+]", True),
    _kind("a PNM picture", "picture", ".ppm .pgm .pbm .pnm", None, True),
    _kind("an AVIF picture", "picture", ".avif", _ISO + rb"avi[fs]", True),
    _kind("a JPEG 2000 picture", "picture", ".jp2", rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51", True),
    _kind("a HEIC picture", "picture", ".heic .heif .hif", _ISO + rb"(hei|hev|mif1|msf1)"),
    _kind("a JPEG XL picture", "picture", ".jxl", rb"\xff\n|\0\0\0\x0cJXL \r\n"),
    _kind("a Photoshop picture", "picture", ".psd", rb"8BPS\0"),
    _kind("an SVG drawing", "picture", ".svg", rb"\s*(<\?xml.*)?<svg\b"),
    _kind("a camera raw picture", "picture", ".dng .cr2 .cr3 .nef .arw .orf .rw2 .raf", rb"FUJIFILM"),
    _kind("an MP4 video", "video", ".mp4 .m4v .mov .3gp", _FILM + rb"(?!M4A|M4B)|\0.{3}(moov|mdat)", True),
    _kind("M4A sound", "sound", ".m4a .m4b", _FILM),
    _kind("a Matroska video", "video", ".mkv .webm", _EBML, True),
    _kind("Matroska sound", "sound", ".mka", _EBML),
    _kind("an AVI video", "video", ".avi", rb"RIFF.{4}AVI ", True),
    _kind("an MPEG video", "video", ".mpg .mpeg", rb"\0\0\x01[\xba\xb3]", True),
    _kind("a Windows Media video", "video", ".wmv", _ASF, True),
    _kind("Windows Media sound", "sound", ".wma", _ASF),
    _kind("a Flash video", "video", ".flv", rb"FLV\x01", True),
    _kind("text", "text", ".txt .csv .tsv .json .jsonl .md", None, True),
    _kind("UTF-16 text", "text", "", rb"\xff\xfe|\xfe\xff"),
    _kind("a PDF document", "document", ".pdf", rb"%PDF-"),
    _kind("an RTF document", "document", ".rtf", rb"\{\\rtf"),
    _kind("a PostScript document", "document", ".ps .eps", rb"%!PS"),
    _kind("a ZIP archive", "archive", ".zip", _ZIP),
    _kind("an Office document", "document", ".docx .xlsx .pptx .odt .ods .odp .epub", _ZIP),
    _kind("an Office document", "document", ".doc .xls .ppt", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    _kind("an SQLite database", "document", ".sqlite .sqlite3", rb"SQLite format 3\0"),
    _kind("a gzip archive", "archive", ".gz .tgz", rb"\x1f\x8b"),
    _kind("a bzip2 archive", "archive", ".bz2", rb"BZh[1-9]1AY&SY"),
    _kind("an xz archive", "archive", ".xz", rb"\xfd7zXZ\0"),
    _kind("a Zstandard archive", "archive", ".zst", rb"\x28\xb5\x2f\xfd"),
    _kind("a 7z archive", "archive", ".7z", rb"7z\xbc\xaf"),
    _kind("a RAR archive", "archive", ".rar", rb"Rar!\x1a"),
    _kind("a tar archive", "archive", ".tar", rb".{257}ustar"),
    _kind("a TensorFlow Lite model", "model", ".tflite", rb".{4}TFL3"),
    _kind("a Keras model", "model", ".keras", _ZIP),
)


def kind_of(head: bytes, name: str | os.PathLike[str]) -> Kind | None:
    """Return the kind of a file by its first bytes, else by its name; None if neither says anything.

    Unknown content may be text. So the name alone can make a file sound, a picture or a video. The name makes
    a file a document or an archive only if there is no content.
    """
    suffix = Path(name).suffix.lower()
    found = [kind for kind in KINDS if kind.magic and re.match(kind.magic, head, re.DOTALL)]
    by_name = [kind for kind in KINDS if not head or kind.medium in ("sound", "picture", "video", "text")]
    return next((kind for kind in found or by_name if suffix in kind.suffixes), found[0] if found else None)


def kind_of_file(path: str | os.PathLike[str]) -> Kind | None:
    """Return the kind of a file; None if the kind is unknown or the file cannot be read."""
    try:
        with open_regular(path) as file:
            return kind_of(file.read(HEAD), path)
    except (OSError, ValueError):  # ValueError: a name with a NUL
        return None


_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b"))


def is_text(head: bytes) -> bool:
    """Return whether the first bytes of a file are mostly UTF-8 text, without a NUL."""
    text = head.decode("utf-8", "ignore").encode()
    return b"\0" not in head and len(text.translate(None, _CONTROLS)) >= 0.7 * len(head)


def suffixes(medium: Medium) -> tuple[str, ...]:
    """Return the endings of the files that edgeemo reads as this medium."""
    return tuple(suffix for kind in KINDS if kind.read and kind.medium == medium for suffix in kind.suffixes)


def refusal(path: str | os.PathLike[str], kind: Kind | None, reader: str) -> str:
    """Return a message: the kind of the file, the ``reader`` that refuses it ("Pillow"), and a remedy."""
    name = Path(path).name
    quoted, stem = shlex.quote(name), shlex.quote(Path(path).stem)
    remedies = {
        "sound": f"Convert it: `ffmpeg -i {quoted} {stem}.wav`.",
        "picture": f"Convert it: `magick {quoted} {stem}.png`.",
        "video": f"For its faces: `edgeemo watch {quoted}`; for its voice: `ffmpeg -i {quoted} {stem}.wav`.",
        "document": "Save its text as a file in UTF-8, one text a line.",
        "archive": "Unpack it first.",
        "model": "Pass a bundle as --bundle.",
        "text": f"Convert it: `iconv -f UTF-16 -t UTF-8 {quoted} > {stem}-utf-8.txt`.",
    }
    if kind is None:
        return f"{path} is of an unknown kind, which {reader} does not read."
    return f"{path} is {kind.name}, which {reader} does not read. {remedies[kind.medium]}"
