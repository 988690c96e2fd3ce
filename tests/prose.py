"""Take the prose out of a file: paragraphs of Markdown, docstrings, comments, messages and help texts."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

Prose = tuple[int, str]
"""A block of prose: the number of its first line, and its text."""

PRAGMA = re.compile(r"^(?:!|type:|noqa|mypy:|fmt:|ruff:|pragma|NOLINT|clang-format|-\*-|codespell:)")
MESSAGES = {"help", "short_help", "epilog", "description"}


def _blocks(lines: Iterable[tuple[int, str]], *, markdown: bool = False) -> Iterator[Prose]:
    """Join lines to blocks: blank lines, list items, table rows and named arguments begin a new one."""
    start, held, code, kept = 0, list[str](), None, False
    section, blank = False, False  # inside Args:, Raises: …; after an empty line
    for number, line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        # click keeps the lines after "\b" apart; rulers of several "===" begin a table
        kept = (kept and bool(text)) or text == "\b" or bool(re.fullmatch(r"=+(?: +=+)+", text))
        if kept:
            continue
        if code is not None and (not text or indent > code):
            continue
        section = (section and (indent > 0 or not text)) or bool(re.fullmatch(r"[A-Z]\w*:", text))
        code = 3 if blank and text and indent > 3 and not section and not markdown else None
        blank = not text
        if code is not None:
            continue
        begins = re.match(r"(?:[-*+•·]|\d+[.)])\s+|\|", text)
        named = indent and re.match(r"\*{0,2}[\w.]+(?: ?[(,/][^:]*)?: ", text)
        if held and (not text or begins or named or text.startswith(">>>")):
            yield start, "\n".join(held)
            held = []
        if not text or text.startswith((">>>", "...")):
            continue
        if text.startswith("|"):
            for item in re.split(r"\||[,;] ", text):  # a cell may hold a list
                if re.search(r"\w", item):
                    yield number, item
            continue
        if not held:
            start = number
        held.append(text[begins.end() :] if begins else text)
        if text.endswith("::"):
            code = indent
            yield start, "\n".join(held)
            held = []
        elif re.fullmatch(r"[A-Z]\w*:", text):
            held = []
    if held:
        yield start, "\n".join(held)


def _markdown(source: str) -> Iterator[tuple[int, str, bool]]:
    def keep_lines(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    source = re.sub(r"\A---\n.*?^---$", keep_lines, source, flags=re.DOTALL | re.MULTILINE)
    source = re.sub(r"<!--.*?-->", keep_lines, source, flags=re.DOTALL)
    source = re.sub(
        r"^([ >]*)(`{3,}|~{3,})[^\n]*\n.*?^[ >]*\2\s*$", keep_lines, source, flags=re.DOTALL | re.MULTILINE
    )
    prose = list[tuple[int, str]]()
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("#"):
            yield number, line.lstrip("# "), True
            line = ""
        elif re.match(r"\s*(?::::|!!!|\?\?\?|===|--8<--)", line):
            line = ""
        prose.append((number, line))
    for number, text in _blocks(prose, markdown=True):
        yield number, text, False


def _comments(found: Iterable[tuple[int, str, bool]]) -> Iterator[Prose]:
    """Join whole-line comments on neighbouring lines; items are (line, text, whether it has the line)."""
    run = list[tuple[int, str]]()
    for number, text, alone in found:
        if PRAGMA.match(text.strip()):
            continue
        if run and not (alone and number == run[-1][0] + 1):
            yield from _blocks(run)
            run = []
        run.append((number, text))
        if not alone:
            yield from _blocks(run)
            run = []
    yield from _blocks(run)


def _literal(node: ast.AST) -> str:
    """Return the text of all string literals below a node; what is filled in counts as one word."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) if isinstance(part, ast.Constant) else "X" for part in node.values)
    if isinstance(node, ast.BinOp):
        return f"{_literal(node.left) or 'X'}{_literal(node.right) or 'X'}"
    return ""


def _python(source: str) -> Iterator[Prose]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    yield from _comments(
        (t.start[0], t.string.lstrip("#:"), not t.line[: t.start[1]].strip()) for t in comments
    )
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines = node.value.value.expandtabs().splitlines()
            least = min((len(s) - len(s.lstrip()) for s in lines[1:] if s.strip()), default=0)
            lines = [line if i == 0 else line[least:] for i, line in enumerate(lines)]
            yield from _blocks(enumerate(lines, node.lineno))
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in node.exc.args:
                yield node.lineno, _literal(argument)
        elif isinstance(node, ast.keyword) and node.arg in MESSAGES:
            yield from _blocks(enumerate(_literal(node.value).splitlines(), node.value.lineno))


C_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL
)


def _c(source: str) -> Iterator[Prose]:
    comments = list[tuple[int, str, bool]]()
    thrown, start, last, raising = "", 0, 0, False
    for token in C_TOKEN.finditer(source):
        gap, line = source[last : token.start()], source.count("\n", 0, token.start()) + 1
        last = token.end()
        if raising and ";" in gap:
            yield start, thrown
            raising = False
        if re.search(r"\bthrow\b[^;]*$", gap):
            raising, thrown, start = True, "", line
        alone = not source[source.rfind("\n", 0, token.start()) + 1 : token.start()].strip()
        if token[0].startswith("//"):
            comments.append((line, token[0].lstrip("/!<"), alone))
        elif token[0].startswith("/*"):
            body = token[0][2:-2].lstrip("*!<").splitlines()
            yield from _blocks((line + i, re.sub(r"^\s*\* ?", "", text)) for i, text in enumerate(body))
        elif raising and token[0].startswith('"'):
            thrown += (" X " if thrown and re.search(r"\w", gap) else "") + token[0][1:-1]
    if raising:
        yield start, thrown
    yield from _comments(comments)


def _hashed(source: str) -> Iterator[Prose]:
    lines = enumerate(source.splitlines(), 1)
    yield from _comments((i, line.lstrip()[1:], True) for i, line in lines if line.lstrip().startswith("#"))


READERS = {".py": _python, ".pyi": _python, ".c": _c, ".cpp": _c, ".h": _c}


def read(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, text, whether the text is a heading) for each block of prose in a file."""
    source = path.read_text("utf-8")
    if path.suffix == ".md":
        yield from _markdown(source)
    else:
        for line, text in READERS.get(path.suffix, _hashed)(source):
            yield line, text, False
