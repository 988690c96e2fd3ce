"""The house keeps its shape: who may import whom, what is loaded when; public names are explained."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import edgeemo
from edgeemo.moved import MODULES

ROOT = Path(__file__).parent.parent
TENSORFLOW = {"tensorflow", "keras", "tensorboard"}
HEAVY = [*TENSORFLOW, "ai_edge_litert", "click", "rich", "sklearn", "matplotlib", "tokenizers", "safetensors"]
HEAVY += ["sounddevice", "soundfile", "cv2", "PIL"]

# the data path, each line may import those above it
ORDER = [
    {"_core", "errors"},
    {"types", "files", "system_files", "machine", "moved"},
    {"card"},
    {"frontends", "faces", "bundle", "data", "sources", "native_paths"},
    {"backends"},
    {"external"},
    {"delegates"},
    {"runtime"},
    {"opened", "stream"},
    {"face_detector"},
    {"recognizer"},
    {"tasks", "training", "evaluation", "converters", "bench", "doctor", "cli", "__init__", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


def sources() -> list[Path]:
    folders = ("edgeemo", "converters")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def part_of(path: Path) -> str:
    """Return which part of the house a file belongs to: a module of the data path, or a subpackage."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] == "converters" else parts[1]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield (absolute module, whether for types only)."""
    relative = path.relative_to(ROOT).parts[:-1]
    package = ["edgeemo", "converters"] if relative[0] == "converters" else list(relative)
    tree = ast.parse(path.read_text("utf-8"))
    typing = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in typing
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}", id(node) in typing


def test_the_table_above_knows_every_part() -> None:
    assert {part_of(path) for path in sources()} <= set(LEVEL)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    mine = part_of(path)
    for module, types_only in imports(path):
        if types_only:  # `Recognizer.open` promises its subclasses by name
            continue
        names = module.split(".")
        if names[0] != "edgeemo" or len(names) < 2 or names[1] not in LEVEL:
            continue
        theirs = names[1]
        level = LEVEL[theirs]
        same_part = theirs == mine
        offline = level == LEVEL[mine] == len(ORDER) - 1  # the command line and training know each other
        beside = LEVEL[mine] == level and level <= LEVEL["data"]
        assert same_part or offline or beside or level < LEVEL[mine], f"{mine} imports {theirs}"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    full = ("edgeemo", *parts) if parts[0] == "converters" else parts
    return ".".join(full[:-1] if full[-1] == "__init__" else full)


def import_graph() -> dict[str, set[str]]:
    """Return which modules each module imports, inside functions too; imports for types only do not count."""
    known = {module_of(path) for path in sources()} | {"edgeemo._core"}
    graph: dict[str, set[str]] = {}
    for path in sources():
        mine = graph.setdefault(module_of(path), set())
        for name, types_only in imports(path):
            found = name if name in known else name.rpartition(".")[0]
            if not types_only and found in known and found != module_of(path):
                mine.add(found)
    return graph


def test_no_imports_go_in_a_circle() -> None:
    TopologicalSorter(import_graph()).prepare()  # raises CycleError, which names the circle


def test_a_circle_of_imports_would_be_seen() -> None:
    graph = import_graph()
    assert "edgeemo.data.manifest" in graph["edgeemo.training.text.batches"]
    graph["edgeemo.data.manifest"].add("edgeemo.training.text.batches")
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "statement",
    [
        "from edgeemo.training.recipe import read_recipe as r; [r(x) for x in ('text', 'face-detector')]",
        "from edgeemo import tasks; [tasks.task(name).plural for name in tasks.NAMES]",
    ],
)
def test_recipes_and_tasks_are_read_without_networks(statement: str) -> None:
    loaded = modules_after(statement)
    assert "edgeemo.tasks.detector" in loaded
    assert not loaded & {*TENSORFLOW, "sklearn", "cv2", "soundfile", "PIL"}
    assert not any(name.endswith((".models", ".trainer")) for name in loaded if name.startswith("edgeemo."))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("edgeemo.manifest", "edgeemo.data.manifest"),
        ("edgeemo.evaluation.leaks", "edgeemo.data.leaks"),
        ("edgeemo.evaluation.damage", "edgeemo.evaluation.corruptions"),
        ("edgeemo.training.data", "edgeemo.data.catalog"),
    ],
)
def test_a_module_that_moved_is_found_by_its_old_name_with_a_warning(old: str, new: str) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"{old} is now {new}"):
        assert importlib.import_module(old) is importlib.import_module(new)


def test_every_module_that_a_release_had_is_found() -> None:
    """Three have no successor: C++ does the work of two, and `edgeemo doctor` checks no forms any more."""
    names = (ROOT / "tests" / "golden" / "modules.txt").read_text().split()
    lost = {name for name in names if importlib.util.find_spec(f"edgeemo.{MODULES.get(name, name)}") is None}
    assert lost == {"readout", "spans", "doctor.forms"}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("doctor.case", "Case", "doctor.context.Context"),
        ("evaluation.robustness", "Heard", "evaluation.robustness.ClipAnswers"),
        ("evaluation.robustness_face", "Shown", "evaluation.robustness.FaceAnswers"),
        ("training.train", "Workshop", "training.trainer.Trainer"),
        ("training.train", "Course", "training.trainer.StepData"),
        ("training.train", "Trained", "training.trainer.Networks"),
    ],
)
def test_a_class_with_a_new_name_is_found_by_its_old_one(module: str, old: str, new: str) -> None:
    if module.startswith("training"):
        pytest.importorskip("keras", reason="needs edgeemo[train]")
    home, _, name = f"edgeemo.{new}".rpartition(".")
    found = importlib.import_module(f"edgeemo.{MODULES.get(module, module)}")
    with pytest.warns(DeprecationWarning, match=f"{old} is now .*{name}"):
        assert getattr(found, old) is getattr(importlib.import_module(home), name)


def test_no_file_of_the_product_is_above_450_lines() -> None:
    native = (path for path in (ROOT / "cpp").rglob("*") if path.suffix in (".cpp", ".h"))
    lengths = {path: path.read_text("utf-8").count("\n") for path in (*sources(), *native)}
    assert len(lengths) > 200
    assert {path for path, lines in lengths.items() if lines > 450} == set()


@pytest.mark.parametrize(
    "path",
    [path for path in sources() if part_of(path) not in ("training", "converters")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_only_the_workshop_imports_tensorflow(path: Path) -> None:
    loaded = {module.split(".")[0] for module, types_only in imports(path) if not types_only}
    assert not loaded & TENSORFLOW


def modules_after(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    return set(done.stdout.split())


def test_import_edgeemo_loads_nothing_heavy() -> None:
    loaded = modules_after("import edgeemo")
    assert "numpy" in loaded
    assert not loaded & set(HEAVY)


def test_the_command_line_answers_help_without_tensorflow() -> None:
    loaded = modules_after("from edgeemo.cli import main\nmain(['--help'])")
    assert "click" in loaded
    assert not loaded & {*TENSORFLOW, "ai_edge_litert", "sklearn", "matplotlib"}


@pytest.mark.parametrize(("backend", "loads"), [("auto", False), ("litert", True)])
def test_predicting_loads_what_its_backend_needs_and_no_tensorflow(
    backend: str, loads: bool, small_text_path: Path
) -> None:
    opened = f"edgeemo.Recognizer.open({str(small_text_path)!r}, backend={backend!r})"
    loaded = modules_after(f"import edgeemo\n{opened}.predict('so happy')")
    assert ("ai_edge_litert" in loaded) == loads
    assert not loaded & {*TENSORFLOW, "tflite_runtime"}


# the engine's folders, each line may include those above it; headers of include/edgeemo belong to one of them
FOLDERS = [{"base"}, {"text", "voice", "face", "runtime"}, {"gpu"}, {"bundle"}, {"online"}, {"capi"}]
HEADERS = {
    "base": {"errors", "quant"},
    "text": {"text"},
    "voice": {"voice", "utterances"},
    "face": {"face", "image", "detect", "fit", "track", "smooth", "follow"},
    "runtime": {"engine", "model_runner", "stage_clock", "scores", "readout", "golden"},
    "gpu": {"delegates"},
    "bundle": {"bundle"},
    "online": {"recognizer", "detector"},
    "capi": {"edgeemo"},
}


def engine_files() -> list[Path]:
    return [path for path in (ROOT / "cpp" / "src").rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", engine_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_includes_of_the_engine_point_one_way(path: Path) -> None:
    level = {folder: n for n, folders in enumerate(FOLDERS) for folder in folders}
    of = {header: folder for folder, headers in HEADERS.items() for header in headers}
    mine = path.parent.name
    for folder, name in re.findall(r'#include "(\w+)/(\w+)\.(?:h|inc)"', path.read_text("utf-8")):
        theirs = of[name] if folder == "edgeemo" else folder
        assert theirs == mine or level[theirs] < level[mine], f"{mine} includes {folder}/{name}"


def test_pybind11_is_only_included_by_the_bindings() -> None:
    engine = [*engine_files(), *(ROOT / "cpp" / "include" / "edgeemo").iterdir()]
    assert engine
    for path in engine:
        text = path.read_text("utf-8")
        assert "pybind11" not in text, path.name
        assert "Python.h" not in text, path.name


def test_the_engine_is_quiet() -> None:
    """It throws; it never prints, exits, or reads the environment."""
    for path in engine_files():
        text = path.read_text("utf-8")
        found = re.search(r"std::(cout|cerr|clog)|\b(f?printf|puts|exit|abort|getenv)\(", text)
        assert found is None, f"{path.name} has {found}"


def test_the_version_is_told_once() -> None:
    assert edgeemo.__version__ == version("edgeemo")


# --- public names ---

PUBLIC = [name for name in edgeemo.__all__ if name != "__version__"]


def test_all_names_exist() -> None:
    assert all(hasattr(edgeemo, name) for name in edgeemo.__all__)


def members(thing: object) -> Iterator[tuple[str, object]]:
    """Yield what a caller can use of a class or function: itself and its public methods."""
    yield "", thing
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            if not name.startswith("_") and callable(getattr(thing, name)):
                yield f".{name}", getattr(member, "__func__", member)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name: str) -> None:
    for suffix, thing in members(getattr(edgeemo, name)):
        assert inspect.getdoc(thing), f"{name}{suffix}"


@pytest.mark.parametrize("name", PUBLIC)
def test_public_functions_are_typed(name: str) -> None:
    for suffix, thing in members(getattr(edgeemo, name)):
        if isinstance(thing, FunctionType):
            hints = inspect.signature(thing)
            assert hints.return_annotation is not inspect.Signature.empty, f"{name}{suffix}"
            for parameter in list(hints.parameters.values())[1:]:
                assert parameter.annotation is not inspect.Parameter.empty, f"{name}{suffix}({parameter})"


def test_modules_say_what_they_are_for() -> None:
    for path in sources():
        text = path.read_text("utf-8")
        assert not text.strip() or ast.get_docstring(ast.parse(text)), path.name


def test_the_package_is_marked_as_typed() -> None:
    assert isinstance(edgeemo, ModuleType)
    assert (Path(edgeemo.__file__).parent / "py.typed").exists()


# --- licences of what is shipped ---


def test_the_licences_listed_are_those_of_the_cards() -> None:
    from edgeemo.bundle import ZOO, Bundle, shipped

    listed = (ZOO / "LICENSES.md").read_text("utf-8")
    for name in shipped():
        card = Bundle.open(name).card
        row = next((line for line in listed.splitlines() if line.startswith(f"| `{name}` ")), "")
        assert row, f"LICENSES.md has no row for {name}"
        assert f"| {card.licence} |" in row
        assert f"| {card.commercial} |" in row
        for source in card.data:
            assert f"{source.name} ({source.licence})" in row
