"""The README tells the truth: its Python runs, its commands exist, the files it names are there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgeemo.cli import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [
    line.split("#")[0].strip() for language, code in BLOCKS if not language for line in code.splitlines()
]


def commands(word: str) -> list[str]:
    """Every command in a block or between backquotes that begins with ``word``."""
    quoted = re.findall(rf"`({word} [^`…]+)`", README)
    return sorted({line for line in [*SHELL, *quoted] if line.startswith(f"{word} ")})


def test_there_is_something_to_check() -> None:
    assert len(PYTHON) >= 5
    assert len(commands("edgeemo")) >= 8


def test_its_python_runs(shipped_text: str, tmp_path: Path) -> None:
    """All blocks in the order of the page, as a reader would paste them."""
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", "\n".join(PYTHON)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("happiness")
    assert "Expected str or bytes, got NoneType; pass one text at a time." in done.stdout


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.strip().splitlines()[-1][:40])
def test_its_python_is_python(code: str) -> None:
    compile(code, "README.md", "exec")


LIVE = [code for language, code in BLOCKS if language == "py"]
"""What wants a device, and so does not run here."""


def test_live_sources_are_shown_with_their_imports() -> None:
    assert "edgeemo.sources.Microphone" not in README, "`import edgeemo` does not bring edgeemo.sources"
    assert any("stream(microphone.rate_hz, microphone.channels)" in code for code in LIVE)
    assert any("Camera" in code for code in LIVE)
    for code in LIVE:
        exec("\n".join(line for line in code.splitlines() if line.startswith(("import", "from"))), {})
        compile(code, "README.md", "exec")


@pytest.mark.parametrize("line", commands("edgeemo"))
def test_its_commands_are_used_as_the_command_line_wants_them(line: str) -> None:
    """All arguments are taken and none is missing (what would end in exit code 2)."""
    name, *arguments = shlex.split(line.split(">")[0])[1:]
    if name == "COMMAND":
        return
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None, line
    if not arguments:
        return
    given, left, _ = command.make_parser(click.Context(command)).parse_args(arguments)
    assert left == [], f"{line}: {name} does not take {left}"
    missing = [p.name for p in command.params if p.required and not given.get(p.name or "")]
    assert missing == [], f"{line}: {name} also wants {missing}"


@pytest.mark.parametrize("line", commands("make"))
def test_its_make_targets_exist(line: str) -> None:
    for target in shlex.split(line)[1:]:
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE), target


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:edgeemo|tests|\.ci)/[\w/.-]+|[A-Z]+\.md)`", README)))
)
def test_the_files_it_names_are_there(path: str) -> None:
    assert (ROOT / path).exists()
