"""The bundle: a valid ``.tflite`` flatbuffer followed by a ZIP with the card and the assets.

LiteRT loads the file unchanged, and ``unzip -l`` lists its parts. edgeemo needs no other file. edgeemo checks
size, structure, digests and card before the runtime sees a byte.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from . import _core
from .card import AGAIN, Card
from .errors import BundleCorruptError, BundleError, BundleNotFoundError, InputTypeError
from .files import CHECK, explained, write_whole

CARD_NAME = "edgeemo.json"
ASSET_NAMES = frozenset({"vocab.txt"})
CARD_LIMIT = 64 * 1024
ASSETS_LIMIT = 4 * 1024 * 1024
FILE_LIMIT = 64 * 1024 * 1024

ZOO = Path(__file__).parent / "zoo"

RENAMED: Mapping[str, str] = {"voice-emodb": "voice"}
"""Old name → new name of shipped bundles."""


@dataclass(frozen=True)
class Bundle:
    """A model and its parts: ``flatbuffer`` bytes, ``card``, ``assets`` by name, and ``path``."""

    flatbuffer: bytes = field(repr=False)
    card: Card
    assets: Mapping[str, bytes] = field(repr=False)
    path: Path | None = None

    @classmethod
    def open(cls, name_or_path: str | os.PathLike[str]) -> Bundle:
        """Open a shipped bundle by name (``"text"``) or any bundle by path, and check it whole.

        Raises:
            BundleNotFoundError: there is no such bundle.
            BundleCorruptError: the file is truncated, tampered with, too large, or not a bundle.
            BundleVersionError: a newer edgeemo made the file.
        """
        path = find(name_or_path)
        with explained(f"{path} cannot be read", BundleError, CHECK), path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
        return replace(cls.from_bytes(data, path.name), path=path)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "the bundle") -> Bundle:
        """Read a bundle from memory; ``name`` is for messages. Raises as `open` does."""
        size, card, assets = _core.read_bundle(bytes(data), name.encode("utf-8", "backslashreplace"))
        return cls(data[:size], Card.from_json(card), assets)

    def to_bytes(self) -> bytes:
        """Return the file's bytes; the same bundle gives the same bytes on any machine."""
        _check_flatbuffer(self.flatbuffer, self.card.name)
        card = self._sealed_card().to_json()
        if len(card.encode()) > CARD_LIMIT:
            raise BundleError(
                f"The card takes {len(card.encode()):,} bytes of at most {CARD_LIMIT:,}; shorten it."
            )
        _check_assets(self.assets, self.card.name)
        data = self.flatbuffer + _zip({CARD_NAME: card.encode(), **self.assets}, len(self.flatbuffer))
        if len(data) > FILE_LIMIT:
            raise BundleError(
                f"{self.card.name} takes {len(data):,} bytes of at most {FILE_LIMIT:,}; shrink the model."
            )
        return data

    def write(self, path: str | os.PathLike[str]) -> Bundle:
        """Write the file whole or not at all: a full disk or a kill leaves no half-written bundle.

        `write` takes any ``frontend_version``; `open` refuses one that is newer than this release.

        Returns:
            The written bundle, with its path, and with the digests in its card.

        Raises:
            BundleError: there is no space, the user has no rights, or card or assets are too large.
        """
        path, data = Path(path), self.to_bytes()
        remedy = "Nothing was changed; check space and rights."
        with explained(f"{path} cannot be written", BundleError, remedy):
            write_whole(path, data)
        return replace(self, card=self._sealed_card(), path=path)

    def _sealed_card(self) -> Card:
        return replace(
            self.card,
            flatbuffer_sha256=sha256(self.flatbuffer).hexdigest(),
            assets={n: sha256(b).hexdigest() for n, b in sorted(self.assets.items())},
        )


def shipped() -> dict[str, Path]:
    """Return the bundles that came with edgeemo, by name.

    Raises:
        BundleError: this user may not read their folder.
    """
    remedy = "Install edgeemo where this user may read it."
    with explained(f"{ZOO} cannot be read", BundleError, remedy), suppress(FileNotFoundError):
        return {path.stem: path for path in sorted(ZOO.iterdir()) if path.suffix == ".tflite"}
    return {}


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a shipped bundle's name or of an existing file.

    Raises:
        BundleNotFoundError: there is no such bundle.
        BundleError: this user may not read the folder of shipped bundles.
        InputTypeError: the argument is neither ``str`` nor a path.

    Warns:
        DeprecationWarning: the bundle has another name now; see `RENAMED`.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise InputTypeError(f"Expected a bundle's name or path, got {type(name_or_path).__name__}.")
    path, here = Path(name_or_path), {}
    if isinstance(name_or_path, str) and os.sep not in name_or_path:
        here = shipped()
        if name_or_path in here:
            return here[name_or_path]
        new = RENAMED.get(name_or_path, "")
        if new in here:
            what = f"The bundle {name_or_path!r} is now {new!r}: open that."
            warnings.warn(what, DeprecationWarning, stacklevel=5)  # for the caller of Recognizer.open
            return here[new]
    with suppress(OSError, ValueError):  # the name is too long, or the folder is closed
        if path.is_file():
            return path
    with suppress(BundleError):
        here = shipped()
    raise BundleNotFoundError(
        f"There is no bundle {os.fspath(name_or_path)!r}: "
        f"expected a file, or one of {', '.join(here) or '(none)'}."
    )


def _zip(files: Mapping[str, bytes], start: int) -> bytes:
    """Return a ZIP of these files to follow ``start`` bytes: stored, the card first, dated 1980."""
    import zipfile  # here, because `import edgeemo` must be quick

    file = io.BytesIO()
    file.seek(start)
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(files, key=lambda n: (n != CARD_NAME, n)):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # a plain file of Unix
            archive.writestr(entry, files[name])
    return file.getvalue()[start:]


def _check_assets(assets: Mapping[str, bytes], name: str) -> None:
    strange = sorted(set(assets) - ASSET_NAMES)
    if strange:
        allowed = ", ".join(sorted(ASSET_NAMES))
        raise BundleCorruptError(
            f"{name} has unknown assets: {', '.join(map(repr, strange))}; allowed: {allowed}."
        )
    if sum(map(len, assets.values())) > ASSETS_LIMIT:
        raise BundleCorruptError(f"{name} has more than {ASSETS_LIMIT:,} bytes of assets; shorten them.")


def _check_flatbuffer(data: bytes, name: str) -> None:
    """Check the file identifier and that the root table lies inside (the engine checks the rest)."""
    if len(data) < 32 or data[4:8] != b"TFL3":
        raise BundleCorruptError(f"{name} does not begin with a TFLite model. {AGAIN}")
    root = struct.unpack_from("<I", data)[0]
    if (
        not 8 <= root <= len(data) - 4
        or not 0 <= root - struct.unpack_from("<i", data, root)[0] <= len(data) - 4
    ):
        raise BundleCorruptError(f"{name}: the model's root lies outside the file. {AGAIN}")
