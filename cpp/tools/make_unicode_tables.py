"""Writes src/text/unicode_tables.inc: what every code point becomes, for each normalisation.

Usage: python make_unicode_tables.py [OUTPUT]       (standard place when OUTPUT is left out)
       python make_unicode_tables.py --check        (exit 1 if the committed file differs)

Sources, pinned because the tables must not change by accident:

* "nfkc" tables: Unicode 18.0 from `unicodedata2`. Full case folding is `str.casefold`; letters that are
  younger than the running Python take the lower case that `tokenizers` knows.
* "bert" tables: `tokenizers` itself, asked code point by code point. Its Rust crates mix three Unicode
versions (categories about 8, decomposition about 13, lower case 17). So no single version of the standard
would give the same ids.

Each table maps a code point in three steps (4096, 128, 1) to the number of a record, see `pack`.
Characters of a mapped sequence are looked up once more for their class, never mapped again.
"""

import sys
import unicodedata
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import tokenizers
import unicodedata2 as ucd
from tokenizers import normalizers, pre_tokenizers

UNICODE = "18.0.0"
TOKENIZERS = "0.23.3"

LETTER, MARK, SPACE, DROP, PUNCTUATION, SYMBOL, IDEOGRAPH = range(7)
HANGUL = range(0xAC00, 0xD7A4)
SURROGATES = range(0xD800, 0xE000)
CODE_POINTS = range(0x110000)
WHITE_SPACE = {0x85, 0x2028, 0x2029, *range(0x09, 0x0E)}  # and category Zs
EMOJI_MODIFIERS = {*range(0x1F3FB, 0x1F400), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x20E3}

Sequence = tuple[int, ...]
Entry = tuple[int, int, bool, bool, Sequence]
"""Class, combining class, may compose backwards (or, dropped, ends the run), Hangul to decompose, mapping."""


def bert(**on: bool) -> Callable[[str], str]:
    """One step of the Hugging Face normaliser."""
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**off, **on}).normalize_str


BERT_CLEAN = bert(clean_text=True)
BERT_IDEOGRAPHS = bert(handle_chinese_chars=True)
BERT_STRIP = bert(strip_accents=True)
BERT_LOWER = bert(lowercase=True)
BERT_NFD = normalizers.NFD().normalize_str
BERT_CUT = pre_tokenizers.BertPreTokenizer().pre_tokenize_str


def characters() -> Iterable[str]:
    """All of Unicode but the surrogates."""
    return (chr(c) for c in CODE_POINTS if c not in SURROGATES)


def is_ideograph(c: str) -> bool:
    """Written without spaces, so a word of its own."""
    return str(ucd.name(c, "")).startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH"))


def nfkc_class(c: str) -> int:
    """Return the effect of a character without a mapping on the words."""
    category = ucd.category(c)
    if ord(c) in WHITE_SPACE or category == "Zs":
        return SPACE
    if category in ("Cc", "Cf", "Co", "Cs") or ord(c) in EMOJI_MODIFIERS or c == "\ufffd":
        return DROP
    if category[0] == "P":
        return PUNCTUATION
    if category[0] == "S" or category == "Cn":  # unassigned: most likely the next emoji
        return SYMBOL
    if category[0] == "M":
        return MARK
    return IDEOGRAPH if is_ideograph(c) else LETTER


def fold(c: str) -> str:
    """Full case folding of one character."""
    return c.casefold() if unicodedata.category(c) != "Cn" else BERT_LOWER(c)


def nfkc_mapping(c: str, lowercase: bool, strip: bool) -> str:
    """Decompose, drop and fold until nothing changes."""
    kept = "".join(
        fold(d) if lowercase else d
        for d in ucd.normalize("NFKD", c)
        if nfkc_class(d) != DROP and not (strip and ucd.category(d) == "Mn")
    )
    return kept if kept == c else "".join(nfkc_mapping(d, lowercase, strip) for d in kept)


def composition_pairs() -> list[tuple[int, int, int]]:
    """All pairs that NFC composes, Hangul excepted."""
    pairs = []
    for c in characters():
        parts = ucd.decomposition(c).split()
        if len(parts) == 2 and parts[0][0] != "<" and ucd.normalize("NFC", c) == c:
            pairs.append((int(parts[0], 16), int(parts[1], 16), ord(c)))
    return sorted(pairs)


def nfkc_table(lowercase: bool, strip: bool, seconds: set[int]) -> list[Entry]:
    """One entry a code point; `seconds` are the characters that may compose with the one before."""
    table: list[Entry] = []
    for cp in CODE_POINTS:
        c = chr(cp)
        kind, to = nfkc_class(c), c
        if kind != DROP and cp not in HANGUL:
            to = nfkc_mapping(c, lowercase, strip)
        mapping = () if to == c else tuple(map(ord, to))
        if not to:
            kind = DROP
        table.append(
            (kind, ucd.combining(c) if kind == MARK else 0, kind != DROP and cp in seconds, False, mapping)
        )
    for kind, _, _, _, mapping in table:
        assert all(not table[m][4] and table[m][0] != DROP for m in mapping), mapping
        assert kind != DROP or not mapping
    return table


def bert_class(c: str, strip: bool) -> int:
    """Return the effect of BertNormalizer and BertPreTokenizer on a character."""
    cleaned = BERT_CLEAN(c)
    if cleaned == "" or (strip and BERT_STRIP(c) == ""):
        return DROP
    if cleaned == " ":
        return SPACE
    if BERT_IDEOGRAPHS(c) != c:
        return IDEOGRAPH
    if len(BERT_CUT(f"a{c}b")) == 3:
        return PUNCTUATION
    return MARK if ucd.category(c)[0] == "M" else LETTER


def bert_combining(c: str) -> int:
    """The combining class, 0 for marks that the decomposition of `tokenizers` does not know."""
    known = c == "\u0345" or BERT_NFD("\u0345" + c) != "\u0345" + c
    return ucd.combining(c) if known else 0


def bert_table(lowercase: bool, strip: bool) -> list[Entry]:
    """One entry a code point."""
    table: list[Entry] = []
    for cp in CODE_POINTS:
        if cp in SURROGATES:
            table.append((DROP, 0, False, False, ()))
            continue
        c = chr(cp)
        kind, to = bert_class(c, strip), c
        hangul = strip and cp in HANGUL
        if kind not in (DROP, SPACE) and not hangul:
            to = BERT_STRIP(c) if strip else c
            to = "".join(map(BERT_LOWER, to)) if lowercase else to
        combining = bert_combining(c) if strip and kind == MARK else 0
        # Stripped after canonical ordering, so a mark of class 0 has kept its neighbours apart.
        barrier = kind == DROP and BERT_CLEAN(c) != "" and bert_combining(c) == 0
        table.append((kind, combining, barrier, hangul, () if to == c else tuple(map(ord, to))))
    for kind, _, _, _, mapping in table:
        kinds = {table[m][0] for m in mapping}
        assert not kinds & {DROP, SPACE}, mapping
        assert not mapping or (kind == IDEOGRAPH) == (IDEOGRAPH in kinds), mapping
    return table


class Pool:
    """Interns rows of numbers and remembers where each one starts."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.starts: dict[Sequence, int] = {}

    def add(self, row: Sequence) -> int:
        """The place where `row` starts."""
        if row not in self.starts:
            self.starts[row] = len(self.values)
            self.values.extend(row)
        return self.starts[row]


def pack(entry: Entry, ranks: dict[int, int], sequences: Pool) -> int:
    """Bits: class 3, composes or barrier 1, Hangul 1, rank of the combining class 6, length 5, start 16."""
    kind, combining, second, hangul, mapping = entry
    start = sequences.add(mapping) if mapping else 0
    assert len(mapping) < 32
    assert start < 65536
    return kind | second << 3 | hangul << 4 | ranks[combining] << 5 | len(mapping) << 11 | start << 16


def emit(name: str, kind: str, values: list[int]) -> str:
    """One C++ array."""
    lines, line = [], "   "
    for v in values:
        text = f" {v},"
        if len(line) + len(text) > 110:
            lines.append(line)
            line = "   "
        line += text
    body = "\n".join([*lines, line])
    return f"constexpr {kind} {name}[{len(values)}] = {{\n{body}\n}};\n"


def build() -> str:
    """The text of the file."""
    pairs = composition_pairs()
    seconds = {b for _, b, _ in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    switches = list(product((False, True), repeat=2))  # lowercase, strip_accents
    tables = [nfkc_table(low, strip, seconds) for low, strip in switches]
    tables += [bert_table(low, strip) for low, strip in switches]

    ranks = {c: i for i, c in enumerate(sorted({entry[1] for table in tables for entry in table}))}
    assert len(ranks) <= 64
    sequences, leaves, middles = Pool(), Pool(), Pool()
    records: dict[int, int] = {}
    tops: list[int] = []
    for table in tables:
        row = [records.setdefault(pack(e, ranks, sequences), len(records)) for e in table]
        leaf = [leaves.add(tuple(row[i : i + 128])) >> 7 for i in range(0, len(row), 128)]
        tops += [middles.add(tuple(leaf[i : i + 32])) >> 5 for i in range(0, len(leaf), 32)]
    assert max(len(records), len(leaves.starts)) < 65536
    assert len(middles.starts) < 65536
    flat = [n for pair in pairs for n in pair]
    return "\n".join(
        [
            "// Written by tools/make_unicode_tables.py; do not edit.",
            f"// Unicode {UNICODE} and the behaviour of Hugging Face tokenizers {TOKENIZERS}.",
            f'constexpr char kUnicodeVersion[] = "{UNICODE}";',
            "// 8 tables x 272 code points >> 12; nfkc before bert, then lowercase, then strip_accents",
            emit("kTops", "std::uint16_t", tops),
            emit("kMiddles", "std::uint16_t", middles.values),
            emit("kLeaves", "std::uint16_t", leaves.values),
            emit("kRecords", "std::uint32_t", list(records)),
            emit("kSequences", "char32_t", sequences.values),
            "// first, second, composed; sorted",
            emit("kCompositions", "char32_t", flat),
        ]
    )


def main() -> int:
    """Writes or checks the file."""
    found = (ucd.unidata_version, tokenizers.__version__)
    if found != (UNICODE, TOKENIZERS):
        print(f"expected unicodedata2 {UNICODE} and tokenizers {TOKENIZERS}, got {found[0]} and {found[1]}")
        return 2
    standard = Path(__file__).parent.parent / "src" / "text" / "unicode_tables.inc"
    arguments = sys.argv[1:]
    if arguments == ["--check"]:
        same = standard.read_text(encoding="utf-8") == build()
        print("up to date" if same else f"{standard} is out of date; run {Path(__file__).name}")
        return 0 if same else 1
    (Path(arguments[0]) if arguments else standard).write_text(build(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
