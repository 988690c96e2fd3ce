"""Writes edgeemo/_core.pyi, the types and docstrings of the C++ module.

Usage: python make_stubs.py            (writes the file)
       python make_stubs.py --check    (exit 1 if the committed file differs)

pybind11-stubgen reads the names, signatures and docstrings of the built module. C++ cannot say all that
Python's types can, so cpp/bindings/overlay.pyi adds the rest: `Literal` choices, tuples of known length,
types of arrays, and longer docstrings. An entry of the overlay replaces the signature of the same name, and
the docstring where the entry has one. The script fails in two cases:

* The overlay has a name that the module lacks.
* A signature says too little (`Any`, a bare `tuple`) and has no entry in the overlay.
"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
STUB = ROOT / "edgeemo" / "_core.pyi"
OVERLAY = ROOT / "cpp" / "bindings" / "overlay.pyi"
MODULE = "edgeemo._core"
HEADER = "# Written by cpp/tools/make_stubs.py from the bindings and cpp/bindings/overlay.pyi; do not edit.\n"

HIDDEN = {"__all__", "__getstate__", "__setstate__", "__repr__"}
"""Names that no caller needs."""
TOO_LITTLE = {"typing.Any", "tuple", "list", "dict", "numpy.ndarray"}
"""Types of the generator that tell a caller nothing."""
SHORTER = {
    r"typing\.SupportsFloat( \| typing\.SupportsIndex)?": "float",
    r"typing\.SupportsInt( \| typing\.SupportsIndex)?": "int",
    r"\bnumpy\.typing\.NDArray\b": "NDArray",
    r"\bnumpy\.": "np.",
    r"\b(collections\.abc|typing)\.": "",
}

Scope = ast.Module | ast.ClassDef


def generated(folder: Path) -> ast.Module:
    """Return what pybind11-stubgen writes for the built module; a constant has a type and no value."""
    command = [sys.executable, "-m", "pybind11_stubgen", MODULE, "--exit-code", "--output-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"pybind11-stubgen failed:\n{done.stderr}")
    module = ast.parse((folder / "edgeemo" / "_core.pyi").read_text("utf-8"))
    for node in module.body:
        if isinstance(node, ast.AnnAssign):
            node.value = None
    return module


def named(scope: Scope) -> dict[str, ast.stmt]:
    """The classes, functions and constants of a module or class, by name."""
    found: dict[str, ast.stmt] = {}
    for node in scope.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is None:
            found[node.target.id] = node
    return found


def constants(scope: Scope) -> dict[str, ast.stmt]:
    """The docstrings below the constants of the overlay, by name."""
    places = {id(node): name for name, node in named(scope).items() if isinstance(node, ast.AnnAssign)}
    below = zip(scope.body, scope.body[1:], strict=False)
    return {
        places[id(node)]: text for node, text in below if id(node) in places and isinstance(text, ast.Expr)
    }


def function_of(text: str) -> ast.FunctionDef:
    """The one function in a piece of source."""
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.FunctionDef)
    return node


def says_too_little(function: ast.FunctionDef) -> bool:
    """Whether a part of a generated signature has no useful type."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    types = [a.annotation for a in arguments if a.arg != "self"] + [function.returns]
    untyped = any(t is None or set(ast.unparse(t).split(" | ")) & TOO_LITTLE for t in types)
    return untyped or given.vararg is not None or given.kwarg is not None


def documented(node: ast.ClassDef | ast.FunctionDef, *sources: ast.stmt | None) -> list[ast.stmt]:
    """The first docstring that the sources have, as the beginning of the node's body."""
    for source in sources:
        if isinstance(source, ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(source)):
            end = f"\n{' ' * (node.col_offset + 4)}" if "\n" in text else ""
            return [ast.Expr(ast.Constant(text + end))]
    return []


def spec_entries(name: str, overlay: ast.ClassDef) -> ast.ClassDef:
    """The overlay of a spec, a value with `to_dict`: a fresh one tells types and defaults of its fields."""
    entries = named(overlay)
    fields: dict[str, object] = getattr(importlib.import_module(MODULE), name)().to_dict()
    types = {field: type(default).__name__ for field, default in fields.items()}
    for field, entry in entries.items():
        if field in types and isinstance(entry, ast.FunctionDef) and entry.returns:
            types[field] = ast.unparse(entry.returns)
    arguments = ", ".join(f"{field}: {types[field]} = {default!r}" for field, default in fields.items())
    sources = {
        "__init__": f"def __init__(self, *, {arguments}) -> None: ...",
        "to_dict": "def to_dict(self) -> dict[str, Any]: ...",
        "from_dict": f"@staticmethod\ndef from_dict(fields: dict[str, Any]) -> {name}: ...",
        **{field: f"@property\ndef {field}(self) -> {types[field]}: ..." for field in fields},
    }
    overlay.body += [function_of(source) for field, source in sources.items() if field not in entries]
    return overlay


def merged(scope: Scope, overlay: Scope, faults: list[str], inside: str = "") -> list[ast.stmt]:
    """The body of a module or class with the overlay's entries; `faults` gets what the overlay must mend."""
    members, entries, texts = named(scope), named(overlay), constants(overlay)
    body: list[ast.stmt] = []
    for name, node in members.items():
        entry = entries.get(name)
        if name in HIDDEN:
            continue
        if isinstance(node, ast.ClassDef):
            own = entry if isinstance(entry, ast.ClassDef) else ast.ClassDef(name, [], [], [], [])
            text = documented(node, own, node)
            own = spec_entries(name, own) if "to_dict" in named(node) else own
            node.body = [*text, *merged(node, own, faults, f"{name}.")]
            node.decorator_list = [ast.Name("final")]
        elif name in ("__eq__", "__ne__"):
            node = function_of(f"def {name}(self, other: object) -> bool: ...")
        elif isinstance(node, ast.FunctionDef):
            typed = entry if isinstance(entry, ast.FunctionDef) else node
            typed.body = documented(node, entry, node) or [ast.Expr(ast.Constant(...))]
            if typed is node and says_too_little(node):
                faults.append(f"{inside}{name}({ast.unparse(node.args)}) says too little")
            node = typed
        body += [node, *([texts[name]] if name in texts else [])]
    faults += [f"{inside}{name} is not in the module" for name in entries if name not in members]
    return body


def formatted(text: str) -> str:
    """The text as ruff formats it, without the imports that nothing uses."""
    for command in ("check --quiet --fix --select F401,I", "format"):
        ruff = [sys.executable, "-m", "ruff", *command.split(), "--stdin-filename", str(STUB), "-"]
        text = subprocess.run(ruff, cwd=ROOT, input=text, capture_output=True, text=True, check=True).stdout
    return text


def build() -> str:
    """The text of the file."""
    with tempfile.TemporaryDirectory() as folder:
        module = generated(Path(folder))
    overlay = ast.parse(OVERLAY.read_text("utf-8"))
    faults: list[str] = []
    body = merged(module, overlay, faults)
    if faults:
        raise SystemExit("\n".join([f"{OVERLAY} does not fit the bindings:", *faults]))
    entries = named(overlay).values()
    aliases = [n for n in overlay.body if n not in entries and not isinstance(n, ast.Expr)]
    text = ast.unparse(ast.Module(body, []))
    for long, short in SHORTER.items():
        text = re.sub(long, short, text)
    beginning = [
        f'{HEADER}"""{ast.get_docstring(module)}"""',
        "from typing import Any, final",
        ast.unparse(ast.Module(aliases, [])),
    ]
    return formatted("\n\n".join([*beginning, text]) + "\n")


def main() -> int:
    """Writes or checks the file."""
    text = build()
    if sys.argv[1:] == ["--check"]:
        same = STUB.read_text("utf-8") == text
        print("up to date" if same else f"{STUB} is out of date: run `make stubs`")
        return 0 if same else 1
    STUB.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
