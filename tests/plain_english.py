"""Find sentences that are hard to read: long ones, private words, inverted word order.

    python tests/plain_english.py PATH...          # prints file:line: rule: text; exits with 1 on any
    python tests/plain_english.py --count PATH...  # prints the number of findings in each folder

The checker reads Markdown. In Python it reads docstrings, comments, error messages and help texts. In C and
C++ it reads comments and error messages, in other files comments. It skips code.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from prose import read

MOST_WORDS = 25
"""The longest sentence that a reader takes in at once."""

PRIVATE_NAMES = {"told", "laps", "forms", "case", "spaces", "damage", "twin", "parrot", "pocket", "mime"}
"""File names that explain nothing."""

PRIVATE = {
    r"\btold\b": "says, is given",
    r"\blaps?\b": "rounds, stage times",
    r"\bblank forms?\b|`?\bforms\.py\b": "empty files",
    r"`Case`|\ba Case\b": "the type's new name",
    r"\blabel spaces?\b|\bspaces\.py\b": "label sets",
    r"\bdamages\b|\bdamage\.py\b": "corrupts, changes",
    r"\btwins?\b": "reference, copy, counterpart",
    r"\bparrots?\b|\bmimes?\b": "the test double's role",
    r"\bpocket\b": "small",
    r"\bworkshops?\b|\blessons?\b|`Course`": "trainer, batch, training step",
    r"\bspoilt\b|\boftener\b|\blikest\b|\bafresh\b|\banew\b": "an everyday word",
    r"\bthereof\b|\btherein\b|\bwhence\b|\bthence\b|\bhereby\b": "an everyday word",
}
"""Patterns of words that only this project used, and what to write instead."""

INVERTED = {
    r"^Of (?!course\b)": "name the subject first",
    r"^(?:What|Who|Whoever|Whatever) .*\.$": "name the subject instead of What or Who",
    r"^(?:Kept|Compared|Left|Found|Meant|Tried|Seen|Measured|Asked|Read|Not asked) (?:is|are|was|were)\b": (
        "put the subject before the verb"
    ),
    r"(?<!there )(?<!There )\b(?:is|are) no (?!longer|more|less|better|worse|faster|slower|later)\w": (
        "write is not a"
    ),
    r"\bthere to go by\b|\b(?:this|that|it) speaks of\b|\bis of no \w": "say who does what",
    r"\bas they lie\b|\blie upwards\b|^As last\b": "say where or when",
    r"\bof which (?:a|an|the|this|we) |\bwhat is ill-formed\b|\bnever came to that\b": "name the thing",
}
"""Patterns of sentences that a reader has to take twice."""

ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|vs|cf|approx|etc|al|[A-Z])\.$")


class Finding(NamedTuple):
    """One sentence to rewrite: where it begins, which rule it breaks, and its text."""

    path: Path
    line: int
    rule: str
    text: str


def _plain(text: str) -> str:
    """Return the text without markup: a code span, a link or a placeholder counts as one word."""
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)(?:\{[^}]*\})?", r"\1", text)
    text = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"(?::\w+:)?(`+)(.+?)\1", "Code", text, flags=re.DOTALL)
    text = re.sub(r"https?://\S+|<[^<>\s][^<>]*>", "Link", text)
    return re.sub(r"(?<!\w)[*_]{1,2}(?=\S)(.+?)(?<=\S)[*_]{1,2}(?!\w)", r"\1", text, flags=re.DOTALL)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of one block; a sentence ends with a full stop, a question mark or the block."""
    begun = ""
    for piece in re.split(r"(?<=[.!?])(?<!\.\.\.)[)\"”’]*\s+", " ".join(text.split())):
        begun = f"{begun} {piece}".strip()
        if not ABBREVIATION.search(begun):
            yield begun
            begun = ""
    if begun:
        yield begun


def faults(text: str, *, heading: bool = False) -> Iterator[tuple[str, str]]:
    """Yield (rule, sentence) for one block of prose."""
    for raw in sentences(text):
        for pattern, better in PRIVATE.items():
            if found := re.search(pattern, raw, re.IGNORECASE):
                yield f"private word {found[0]!r}, better: {better}", raw
    for sentence in sentences(_plain(text)):
        words = [word for word in sentence.split() if re.search(r"\w", word)]
        if len(words) > MOST_WORDS:
            yield f"{len(words)} words", sentence
        for pattern, better in () if heading else INVERTED.items():
            if re.search(pattern, sentence):
                yield f"inverted, {better}", sentence


def check(path: Path) -> Iterator[Finding]:
    """Yield the findings of one file in the order of its lines."""
    found = list[Finding]()
    if path.stem in PRIVATE_NAMES:
        found.append(Finding(path, 1, "private file name", path.name))
    for line, text, heading in read(path):
        found += [Finding(path, line, rule, said) for rule, said in faults(text, heading=heading)]
    yield from sorted(found, key=lambda finding: finding.line)


KINDS = {".md", ".py", ".pyi", ".c", ".cpp", ".h", ".toml"}


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files below the paths that the checker can read."""
    for path in paths:
        if not path.exists():
            raise SystemExit(f"{path} does not exist: name a file or a folder.")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file == path or (file.is_file() and file.suffix in KINDS and not hidden):
                yield file


def main(arguments: list[str]) -> int:
    """Print findings, or with ``--count`` their number in each folder; return the exit code."""
    found = [
        finding
        for file in files(map(Path, arguments[arguments[:1] == ["--count"] :]))
        for finding in check(file)
    ]
    if arguments[:1] == ["--count"]:
        for folder, count in sorted(Counter(str(finding.path.parent) for finding in found).items()):
            print(f"{count:5} {folder}")
    else:
        for path, line, rule, text in found:
            print(f"{path}:{line}: {rule}: {text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
