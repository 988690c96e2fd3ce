"""All prose is plain English: short sentences, the field's words, subject before verb."""

from __future__ import annotations

from pathlib import Path

import pytest
from plain_english import MOST_WORDS, check, faults, files, main

ROOT = Path(__file__).parent.parent
CHECKED = ["README.md", "DESIGN.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs"]
CHECKED += ["edgeemo", "converters", "cpp", "benchmarks", "tests"]
"""Folders and files in which no finding is allowed."""
LEFT_OUT = ROOT / "tests" / "golden"
"""Files of released versions: nobody may change them."""


@pytest.mark.parametrize("path", CHECKED)
def test_prose_is_plain_english(path: str) -> None:
    chosen = [file for file in files([ROOT / path]) if LEFT_OUT not in file.parents]
    assert chosen, f"{path} has no file to check"
    found = [finding for file in chosen for finding in check(file)]
    assert not found, "\n".join(f"{f.path.relative_to(ROOT)}:{f.line}: {f.rule}: {f.text}" for f in found)


def rules(text: str) -> list[str]:
    return [rule for rule, _ in faults(text)]


def test_a_sentence_may_have_as_many_words_as_the_limit_and_no_more() -> None:
    assert rules(" ".join(["word"] * MOST_WORDS) + ".") == []
    assert rules(" ".join(["word"] * (MOST_WORDS + 1)) + ".") == [f"{MOST_WORDS + 1} words"]
    assert rules(f"{'Short words. ' * 30}") == []


@pytest.mark.parametrize(
    "text",
    [
        "Of half a face is read what is found of it, often nothing.",
        "What is no answer is no good news.",
        "Kept is only what happened.",
        "How much was there to go by.",
        "All 0 if this is of no face.",
        "Samples as they lie.",
        "The inputs of which a card keeps answers.",
        "The error is " + "to" + "ld in one line.",
        "The slow tw" + "in computes the same.",
    ],
)
def test_sentences_that_take_two_readings_are_found(text: str) -> None:
    assert rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "Of course, a bundle is a file.",
        "What does a bundle hold?",
        "There is no GPU here.",
        "In this case, edgeemo drops spaces and damaged files.",
    ],
)
def test_ordinary_english_passes(text: str) -> None:
    assert rules(text) == []


LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen " * 2


@pytest.mark.parametrize(
    ("name", "source", "line"),
    [
        ("a.md", f"# Title\n\n{LONG}\n", 3),
        ("a.md", f"| a | b |\n|---|---|\n| c | {LONG} |\n", 3),
        ("a.md", f"- first\n- {LONG}\n", 2),
        ("a.py", f'def f():\n    """Do it.\n\n    Args:\n        x: {LONG}\n    """\n', 5),
        ("a.py", f"x = 1\n# {LONG}\n", 2),
        ("a.py", f"def f(x):\n    raise ValueError(\n        f'{{x}} {LONG}'\n    )\n", 2),
        ("a.py", f"import click\nclick.option('--x', help='{LONG}')\n", 2),
        ("a.cpp", f"int a;\n// {LONG[:60]}\n// {LONG}\n", 2),
        ("a.cpp", f"int a;\n/* b.\n\n   {LONG} */\n", 4),
        ("a.cpp", f'void f() {{\n  throw Error("{LONG}"\n "and more");\n}}\n', 2),
        ("a.toml", f"[a]\n# {LONG}\n", 2),
    ],
)
def test_each_kind_of_file_is_read_to_the_line(name: str, source: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(source)
    assert [finding.line for finding in check(path)] == [line]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.md", f"```\n{LONG}\n```\n\n<!-- {LONG} -->\n\n`{LONG}`\n"),
        ("a.py", f'x = "{LONG}"\n"""Do it::\n\n    {LONG}\n\nThen stop.\n"""\n'),
        ("a.cpp", f'auto x = "{LONG}";\n'),
        ("a.py", f'"""Do it.\n\n=====  =====\na      {LONG}\n=====  =====\n\nThen stop.\n"""\n'),
        ("a.py", "# noqa: one two\n# type: ignore\n"),
    ],
)
def test_code_is_not_prose(name: str, source: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(source)
    assert list(check(path)) == []


def test_a_file_name_must_explain_itself(tmp_path: Path) -> None:
    path = tmp_path / ("to" + "ld.py")
    path.write_text('"""Read files."""\n')
    assert [finding.rule for finding in check(path)] == ["private file name"]


def test_the_command_prints_findings_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_text("What is long.\n")
    assert main([str(tmp_path)]) == 1
    assert f"{tmp_path / 'a.md'}:1: inverted" in capsys.readouterr().out
    assert main(["--count", str(tmp_path)]) == 1
    assert capsys.readouterr().out.split() == ["1", str(tmp_path)]
    (tmp_path / "a.md").write_text("A bundle is a file.\n")
    assert main([str(tmp_path)]) == 0
