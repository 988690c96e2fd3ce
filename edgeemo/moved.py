"""Modules that have moved: importing one by its old name still works, with a `DeprecationWarning`.

``import edgeemo`` installs the finder. Python asks it last, so it never hides a module that exists.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_EVALUATION = ("clips", "faces", "fingerprint", "leaks", "leaks_voice", "marked")
_TEXT, _VOICE = ("distil", "models", "nbsvm"), ("augment", "features", "speech")
_KINDS = ("voice", "face", "detector")

MODULES = {
    "manifest": "data.manifest",
    **{f"{modality}_recognizer": "recognizer" for modality in ("text", "voice", "face")},
    **{"face_stream": "stream", "face_reader": "faces"},
    **{f"evaluation.{name}": f"data.{name}" for name in _EVALUATION},
    **{f"training.data_{kind}": f"data.{kind}_sets" for kind in ("text", *_KINDS)},
    "training.data": "data.catalog",
    "training.dataset": "data.dataset",
    "training.folds": "data.folds",
    **{f"training.{name}": "training.text.batches" for name in ("material", "vocabulary")},
    "training.audio": "training.voice.augment",
    "training.train_text": "training.text.trainer",
    **{f"training.{name}": f"training.text.{name}" for name in _TEXT},
    **{f"training.{name}": f"training.voice.{name}" for name in _VOICE},
    **{f"training.material_{kind}": f"training.{kind}.batches" for kind in _KINDS},
    **{f"training.models_{kind}": f"training.{kind}.models" for kind in _KINDS},
    **{f"training.train_{kind}": f"training.{kind}.trainer" for kind in _KINDS},
    "training.scenes": "training.detector.scenes",
    "training.teacher_eyes": "training.detector.teacher",
    "told": "system_files",
    **{f"bench.{name}": "bench.comparison" for name in ("compare", "earlier")},
    **{"bench.robust": "bench.block_statistics", "bench.laps": "bench.stage_times"},
    **{"bench.fresh": "bench.new_process", "bench.child": "bench.worker", "bench.hops": "bench.streaming"},
    **{"bench.page": "bench.html_page", "bench.chart": "bench.image"},
    **{
        "doctor.case": "doctor.context",
        "doctor.speed": "doctor.processor",
        "doctor.pixels": "doctor.picture",
    },
    **{"doctor.child": "doctor.subprocesses", "doctor.probe": "doctor.model_runs"},
    "doctor.media": "doctor.model_runs",
    "converters.twin": "converters.float_reference",
    "evaluation.damage": "evaluation.corruptions",
    "evaluation.spaces": "evaluation.label_sets",
    "evaluation.robustness_face": "evaluation.robustness",
}
"""Old name → new name, both below ``edgeemo``."""


class _Moved:
    """Finds and loads the modules of `MODULES`. The base classes in importlib.abc would load tempfile."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        old = fullname.removeprefix("edgeemo.")
        loader: Any = self
        return ModuleSpec(fullname, loader) if old != fullname and old in MODULES else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Let Python make the module."""

    def exec_module(self, module: ModuleType) -> None:
        new = f"edgeemo.{MODULES[module.__name__.removeprefix('edgeemo.')]}"
        warnings.warn(f"{module.__name__} is now {new}: import that.", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = importlib.import_module(new)


sys.meta_path.append(_Moved())


def renamed(module: str, names: Mapping[str, str], home: str = "") -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that answers old names of its own with a `DeprecationWarning`.

    Args:
        module: the module's ``__name__``.
        names: old name → new name.
        home: the module that has the new names; by default ``module``.
    """

    def answer(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new = f"{home}.{names[name]}" if home else names[name]
        warnings.warn(f"{module}.{name} is now {new}.", DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(home or module), names[name])

    return answer
