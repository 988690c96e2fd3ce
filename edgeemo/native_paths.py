"""Find the files for C and C++: header, shared library, pkg-config file and CMake package."""

from __future__ import annotations

from pathlib import Path

from . import _core
from .bundle import ZOO
from .errors import RuntimeUnavailableError

LIBRARY = "libedgeemo.so"


def paths() -> dict[str, Path]:
    """Return the folders ``include``, ``lib``, ``pkgconfig``, ``cmake`` and ``bundles``.

    Raises:
        RuntimeUnavailableError: this edgeemo was built without its C library.
    """
    root = Path(_core.__file__).parent / "native"
    if not (root / "lib" / LIBRARY).is_file():
        raise RuntimeUnavailableError(
            f"There is no {LIBRARY} at {root / 'lib'}: this edgeemo was built without the C library. "
            "Install a wheel, or `pip install .`."
        )
    lib = root / "lib"
    return {
        "include": root / "include",
        "lib": lib,
        "pkgconfig": lib / "pkgconfig",
        "cmake": lib / "cmake" / "edgeemo",
        "bundles": ZOO,
    }
