"""Tasks: an object for each kind of bundle says how data are read, trained, calibrated, verified, scored.

`NAMES` is the registry. A new kind of bundle is one new module here and its name in `NAMES`. The module holds
a subclass of `edgeemo.tasks.base.Task` and one object of it, ``TASK``. A module is imported when it is first
asked for, and imports networks, Keras or TensorFlow only inside the methods that need them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Task

NAMES = ("text", "voice", "face", "detector")


def kind_of(described: Any) -> str:
    """Return the name of the task of a card or a recipe.

    It is the section or field that bears a task's name (``detector``), else the modality.
    """
    named = (name for name in NAMES if getattr(described, name, None))
    return str(next(named, described.modality))


def task(name: str) -> Task:
    """Return the task of this name, one of `NAMES`."""
    if name not in NAMES:
        raise KeyError(f"There is no task {name!r}: expected one of {', '.join(NAMES)}.")
    found: Task = import_module(f".{name}", __name__).TASK
    return found


def task_of(described: Any) -> Task:
    """Return the task of a card or a recipe."""
    return task(kind_of(described))
