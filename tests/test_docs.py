"""The documentation is true: its code runs, its commands exist, its links and files are there.

A block that cannot run here stands below a comment ``<!-- not run: REASON -->``; its commands are checked all
the same for names and arguments.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pytest

from edgeemo.bundle import Bundle, shipped
from edgeemo.cli import cli

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RUN = {"python", "sh", "c"}
SHOWN = {"text", "json", "toml"}
NOT_RUN = 40
"""How many blocks may be marked as not run: needing a device, data, packages, or much time."""
FENCE = re.compile(r"(?:<!-- not run: ([^\n]+?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One block of code on a page, and why it does not run, if it does not."""

    page: str
    line: int
    language: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}" + (f" not run: {self.reason}" if self.reason else "")


def blocks() -> Iterator[Block]:
    for path in PAGES:
        text = path.read_text("utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start(3))
            yield Block(str(path.relative_to(ROOT)), line, found[2], found[3], found[1] or "")


BLOCKS = list(blocks())
LEFT_OUT = [block for block in BLOCKS if block.reason]


def pages_with(language: str) -> list[str]:
    return sorted({block.page for block in BLOCKS if block.language == language and not block.reason})


def code_of(page: str, language: str) -> str:
    """All blocks of a page in its order, as a reader would paste them."""
    wanted = (block for block in BLOCKS if (block.page, block.language) == (page, language))
    return "\n".join(block.code for block in wanted if not block.reason)


@pytest.fixture(scope="module", autouse=True)
def _all_bundles() -> None:
    missing = {"text", "voice", "face", "face-detector"} - set(shipped())
    if missing:
        pytest.skip(f"{', '.join(sorted(missing))} not in this checkout")


def test_there_is_something_to_check() -> None:
    assert len(PAGES) >= 30
    assert len(pages_with("python")) >= 8
    assert len(pages_with("sh")) >= 5


def test_each_block_says_its_language() -> None:
    unknown = [str(block) for block in BLOCKS if block.language not in RUN | SHOWN]
    assert not unknown, "write the language, or `text`, behind the fence"


def test_most_blocks_run() -> None:
    """The list below names the others; raise `NOT_RUN` only where nothing else helps."""
    assert len(LEFT_OUT) <= NOT_RUN, "\n".join(map(str, LEFT_OUT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's folder: a recording, a photograph and a bundle."""
    folder = tmp_path / "work"
    folder.mkdir()
    with wave.open(str(folder / "call.wav"), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(np.random.default_rng(1).integers(-900, 900, 64000).astype("<i2").tobytes())
    image = pytest.importorskip("PIL.Image", reason="writes a photograph")
    image.fromarray(np.full((120, 160, 3), 90, np.uint8)).save(folder / "photo.jpg")
    shutil.copy(shipped()["text"], folder / "my.tflite")
    return folder


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_runs(page: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", code_of(page, "python")],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    if page == "README.md":
        assert done.stdout.startswith("happiness")
    if page.endswith("sounds-and-pictures.md"):
        assert "expected str or bytes, got NoneType; pass one text at a time\n" in done.stdout


@pytest.mark.parametrize("page", pages_with("sh"))
def test_shell_runs(page: str, folder: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "edgeemo").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m edgeemo.cli "$@"\n')
    (tools / "edgeemo").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code_of(page, "sh")],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "c"], ids=str)
def test_c_compiles(block: Block, tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    (tmp_path / "block.c").write_text(block.code)
    flags = ["-std=c99", "-Wall", "-Werror", "-fsyntax-only", f"-I{ROOT / 'cpp' / 'include'}"]
    done = subprocess.run(["cc", *flags, tmp_path / "block.c"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def edgeemo_commands(code: str) -> Iterator[list[str]]:
    """Yield the arguments of every ``edgeemo`` command in a block of shell."""
    for line in code.replace("\\\n", " ").splitlines():
        tokens = shlex.shlex(line, posix=True, punctuation_chars=True)
        tokens.whitespace_split = True
        words = list(tokens)
        while words:
            end = next((i for i, word in enumerate(words) if set(word) <= set("|&;()<>")), len(words))
            command, words = words[:end], words[end + 1 :]
            if command and Path(command[0]).name == "edgeemo":
                yield command[1:]


@pytest.mark.parametrize("block", LEFT_OUT, ids=str)
def test_what_does_not_run_is_right_in_form(block: Block) -> None:
    """Python compiles and its imports exist; commands take all arguments and miss none."""
    if block.language == "python":
        compile(block.code, block.page, "exec")
        imports = re.findall(r"^(?:from|import) edgeemo.*$", block.code, re.MULTILINE)
        exec("\n".join(imports), {})
        body = "\n".join(line for line in block.code.splitlines() if line not in imports)
        assert "edgeemo.sources." not in body, "`import edgeemo` does not bring edgeemo.sources"
    for name, *arguments in edgeemo_commands(block.code) if block.language == "sh" else ():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        given, left, _ = command.make_parser(click.Context(command)).parse_args(arguments)
        assert left == [], f"{name} does not take {left}"
        missing = [p.name for p in command.params if p.required and not given.get(p.name or "")]
        assert missing == [], f"{name} also wants {missing}"


TARGETS = sorted(
    {target for page in PAGES for target in re.findall(r"\bmake ([a-z][\w-]*)", page.read_text("utf-8"))}
)


@pytest.mark.parametrize("target", [t for t in TARGETS if f"make {t}" in "\n".join(b.code for b in BLOCKS)])
def test_make_targets_exist(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^(?:[\w-]+ )*{target}(?: [\w-]+)*:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    named = re.findall(r"`((?:edgeemo|tests|benchmarks|cpp|docs|\.ci)/[\w/.-]+|[A-Z]+\.md)`", text)
    assert [name for name in named if "-N." not in name and not (ROOT / name).exists()] == []
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


# the generated parts of the reference


@pytest.fixture(scope="module")
def generate() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_c_page_has_each_function_and_type_of_the_header(generate: Any) -> None:
    header = generate.HEADER.read_text("utf-8")
    page = generate.c_header()
    named = set(re.findall(r"^EDGEEMO_API [^(]*?(edgeemo_\w+)\(", header, re.MULTILINE))
    named |= set(re.findall(r"^\} (edgeemo_\w+);", header, re.MULTILINE))
    assert len(named) > 30
    assert named <= set(re.findall(r"^### (\w+)$", page, re.MULTILINE))


def test_the_command_line_page_has_each_command(generate: Any) -> None:
    page = generate.command_line()
    assert all(f"## edgeemo {name}\n" in page for name in cli.list_commands(click.Context(cli)))


def wrong(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a JSON value does not fit a schema (of the keywords that `docs/generate.py` writes)."""
    if "oneOf" in schema or "anyOf" in schema:
        tried = [list(wrong(value, one)) for one in schema.get("oneOf", schema.get("anyOf"))]
        yield from () if any(not found for found in tried) else min(tried, key=len)
        return
    kinds: dict[str, Any] = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
        "null": type(None),
    }
    kinds |= {"object": dict, "array": list}
    wanted = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", list(kinds))
    if not any(isinstance(value, kinds[kind]) for kind in wanted):
        yield f"{value!r} is not of type {wanted}"
    if isinstance(value, bool) and "boolean" not in wanted:
        yield f"{value!r} is not of type {wanted}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not one of {schema['enum']}"
    if isinstance(value, dict):
        yield from (f"{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            rule = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            yield from [f"{name} is unknown"] if rule is False else wrong(inner, rule)
    for inner in value if isinstance(value, list) and "items" in schema and schema["items"] else ():
        yield from wrong(inner, schema["items"])


@pytest.mark.parametrize("name", sorted(shipped()))
def test_each_shipped_card_fits_the_schema(generate: Any, name: str) -> None:
    card = json.loads(Bundle.open(name).card.to_json())
    schema = generate.card_schema()
    assert list(wrong(card, schema)) == []
    assert list(wrong({**card, "name": 1}, schema))
    assert list(wrong({**card, "surprise": 1}, schema))
    assert list(wrong({key: card[key] for key in card if key != "spec"}, schema))


def test_results_fit_the_schema(generate: Any) -> None:
    schema = generate.result_schema()
    for result in generate.example_results():
        plain = json.loads(json.dumps(result.to_dict()))
        assert list(wrong(plain, schema)) == []
        assert list(wrong({**plain, "evidence": "much"}, schema))
