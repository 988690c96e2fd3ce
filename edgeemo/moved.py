"""Modules that have moved: importing one by its old name still works, with a `DeprecationWarning`.

The two tables below say everything. ``import edgeemo`` installs the finder; Python asks it last, so a module
that exists is never replaced.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MODULES = {
    "manifest": "data.manifest",
    **{
        f"evaluation.{m}": f"data.{m}"
        for m in ("clips", "faces", "fingerprint", "leaks", "leaks_voice", "marked")
    },
    "training.data": "data.catalog",
    "training.dataset": "data.dataset",
    "training.folds": "data.folds",
    **{f"training.data_{kind}": f"data.{kind}_sets" for kind in ("text", "voice", "face", "detector")},
}
"""Old name → new name, both below ``edgeemo``."""


class _Moved(MetaPathFinder, Loader):
    """Finds and loads the modules of `MODULES`."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        old = fullname.removeprefix("edgeemo.")
        return ModuleSpec(fullname, self) if old != fullname and old in MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        new = f"edgeemo.{MODULES[module.__name__.removeprefix('edgeemo.')]}"
        warnings.warn(f"{module.__name__} is now {new}: import that.", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = importlib.import_module(new)


sys.meta_path.append(_Moved())
