"""The error tree: what the docstring draws is what there is, and each error is seen in a test."""

from __future__ import annotations

import builtins
import inspect
import re
from pathlib import Path

import pytest

from edgeemo import errors
from edgeemo.errors import EdgeemoError

TESTS = Path(__file__).parent
BUILTIN = {"ValueError", "TypeError", "FileNotFoundError", "ImportError"}


def tree() -> list[type[EdgeemoError]]:
    """Every error class, depth first, in the order of definition."""

    def walk(kind: type[EdgeemoError]) -> list[type[EdgeemoError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in walk(child))]

    return [kind for kind in walk(EdgeemoError) if kind.__module__ == errors.__name__]


def drawn() -> list[tuple[int, str, tuple[str, ...]]]:
    """Return (depth, name, built-in parents) as the module's docstring draws them."""
    lines = re.findall(r"^    ([│├└─ ]*)([A-Z]\w+)(?: \(([\w, ]+)\))?", errors.__doc__ or "", re.MULTILINE)
    return [
        (len(bars) // 4, name, tuple(p for p in parents.split(", ") if p)) for bars, name, parents in lines
    ]


def depth(kind: type[EdgeemoError]) -> int:
    return sum(issubclass(parent, EdgeemoError) for parent in kind.__mro__) - 1


def test_the_docstring_draws_the_tree() -> None:
    built_in = {
        kind: tuple(b.__name__ for b in kind.__bases__ if not issubclass(b, EdgeemoError)) for kind in tree()
    }
    expected = [
        (depth(kind), kind.__name__, built_in[kind] if kind is not EdgeemoError else ()) for kind in tree()
    ]
    assert drawn() == expected


def test_every_class_of_the_module_is_in_the_tree_or_a_warning() -> None:
    classes = {c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__}
    assert classes == {*tree(), errors.LicenseWarning}


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_an_error_is_documented_and_also_the_builtin_one_would_catch(kind: type[EdgeemoError]) -> None:
    assert kind.__doc__
    own = {b.__name__ for b in kind.__mro__ if b.__module__ == builtins.__name__} & BUILTIN
    assert own == {name for name in BUILTIN if issubclass(kind, getattr(builtins, name))}


@pytest.mark.parametrize("kind", tree()[1:], ids=lambda kind: kind.__name__)
def test_each_error_is_raised_in_some_test(kind: type[EdgeemoError]) -> None:
    """By name beside pytest.raises, in a table of such a test, or on the standard error of a child."""
    here = Path(__file__).name
    pattern = re.compile(
        rf"raises\([^)]*\b{kind.__name__}\b|^\s.*\b{kind.__name__}, |\"{kind.__name__}\"", re.M
    )
    assert any(pattern.search(p.read_text("utf-8")) for p in TESTS.glob("test_*.py") if p.name != here)


def test_no_other_errors_are_raised_on_purpose() -> None:
    """The runtime raises only its own errors (NotImplemented and the like would be a caller's riddle)."""
    allowed = {kind.__name__ for kind in tree()}
    for path in (TESTS.parent / "edgeemo").glob("*.py"):
        for name in re.findall(r"^\s+raise ([A-Z]\w+)\(", path.read_text("utf-8"), re.MULTILINE):
            asked = path.name == "moved.py" and name == "AttributeError"  # what Python asks of __getattr__
            assert asked or name in allowed, f"{path.name} raises {name}"
