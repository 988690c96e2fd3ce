"""Mutates bundles and reads them: whatever comes, only errors of ours may leave.

``python tests/fuzz_bundle.py --seconds 300 --keep`` runs for minutes. The program keeps one small input for
each way in which the reader refused (``tests/corpus/bundle``). An escape ends the run; the program writes
the input there as ``escape-*``.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import re
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import small_text

from edgeemo import Bundle, Recognizer, Runtime
from edgeemo.backends import FakeBackend, TensorInfo
from edgeemo.bundle import CARD_NAME, _zip
from edgeemo.errors import EdgeemoError

CORPUS = Path(__file__).parent / "corpus" / "bundle"
GOOD = small_text.bundle().to_bytes()
START = GOOD.index(b"PK\3\4")
ODD_NUMBERS = (0, 1, 2, 7, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 1e308, 10**400, float("nan"), float("inf"), "", "x", "\ud800", "text", [],
    {}, [[]], [{}], {"": None}, ["joy"], {"joy": "joy"}, [None] * 5, "a" * 70_000, [0] * 5, {"length": 10**9},
)  # fmt: skip


class Silent(FakeBackend):
    """The small text model's shape without a model, so that the reader alone is tried."""

    def __init__(self) -> None:
        import numpy as np

        super().__init__(
            lambda ids: [np.zeros((1, 2), np.float32), np.zeros((1, 5), np.float32)],
            [TensorInfo("ids", (1, small_text.LENGTH), np.dtype(np.int32), 0.0, 0)],
            [
                TensorInfo("affect", (1, 2), np.dtype(np.float32), 0.0, 0),
                TensorInfo("labels", (1, 5), np.dtype(np.float32), 0.0, 0),
            ],
        )


def read(data: bytes) -> None:
    """Read a bundle, build its recognizer and use it once."""
    bundle = Bundle.from_bytes(data)
    Recognizer(bundle, Runtime(bundle.flatbuffer, backend=Silent())).predict("so happy")
    Bundle.from_bytes(bundle.to_bytes())


def _flip(data: bytearray, choose: random.Random) -> None:
    for _ in range(choose.randint(1, 8)):
        data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)


def _number(data: bytearray, choose: random.Random) -> None:
    """Put an odd number somewhere in the ZIP's records."""
    signatures = [m.start() for m in re.finditer(rb"PK[\x01\x03\x05]", data)] or [0]
    place = min(choose.choice(signatures) + choose.randrange(48), len(data) - 4)
    size = choose.choice("BHI")
    value = choose.choice(ODD_NUMBERS) & (256 ** struct.calcsize(size) - 1)
    struct.pack_into(f"<{size}", data, max(place, 0), value)


def _cut(data: bytearray, choose: random.Random) -> None:
    first = choose.randrange(len(data))
    del data[first : first + choose.choice((1, 4, 46, len(data)))]


def _repeat(data: bytearray, choose: random.Random) -> None:
    first = choose.randrange(len(data))
    data[choose.randrange(len(data)) :] += data[first : first + choose.choice((1, 22, 46, 1_000))]


def _splice(data: bytearray, choose: random.Random) -> None:
    place = choose.randrange(len(data))
    data[place:place] = choose.choice(
        (b"PK\5\6" + bytes(18), b"PK\6\6" + bytes(52), b"PK\1\2", b"TFL3", b"\0")
    )


def _card(data: bytearray, choose: random.Random) -> None:
    """Write a card with odd values, in the layout and with the digests of a good bundle."""
    card = json.loads(small_text.card().to_json())
    bundle = json.loads(Bundle.from_bytes(GOOD).card.to_json())
    card.update(flatbuffer_sha256=bundle["flatbuffer_sha256"], assets=bundle["assets"])
    for _ in range(choose.randint(1, 3)):
        _put_odd(card, choose)
    text = json.dumps(card, ensure_ascii=choose.random() < 0.5).encode("utf-8", "surrogatepass")
    files = {CARD_NAME: text, "vocab.txt": small_text.bundle().assets["vocab.txt"]}
    data[:] = GOOD[:START] + _zip(files, START)


def _put_odd(node: Any, choose: random.Random) -> None:
    """Replace, drop or add one value somewhere below ``node``."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = choose.choice(keys)
    if isinstance(node[key], dict | list) and choose.random() < 0.5:
        _put_odd(node[key], choose)
    elif choose.random() < 0.1:
        del node[key]
    elif isinstance(node, dict) and choose.random() < 0.1:
        node[choose.choice(("", "schema", "joy", "fear", "\ud800"))] = copy.deepcopy(
            choose.choice(ODD_VALUES)
        )
    else:
        node[key] = copy.deepcopy(choose.choice(ODD_VALUES))


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _number, _number, _cut, _repeat, _splice, _card, _card,
)  # fmt: skip


def mutate(seed: bytes, choose: random.Random) -> bytes:
    """Return ``seed`` after one to three mutations."""
    data = bytearray(seed)
    for _ in range(choose.randint(1, 3)):
        if len(data) > 8:
            choose.choice(MUTATIONS)(data, choose)
    return bytes(data)


def way(error: EdgeemoError) -> str:
    """Return which check refused: the error's class and message without the particulars."""
    words = re.sub(r"'[^']*'|[0-9][0-9,.]*", "", str(error))
    return f"{type(error).__name__}: {re.sub('[^a-zA-Z ]+', '', words)[:28].strip()}"


def fuzz(
    *, seed: int, rounds: int | None = None, seconds: float | None = None, keep: Path | None = None
) -> tuple[int, Counter[str]]:
    """Mutate and read; return how many inputs were tried and how often each check refused."""
    choose = random.Random(seed)
    seeds = [GOOD, *(p.read_bytes() for p in sorted(CORPUS.glob("*")))]
    refused: Counter[str] = Counter()
    begin, tried = time.monotonic(), 0
    while (rounds is None or tried < rounds) and (seconds is None or time.monotonic() - begin < seconds):
        tried += 1
        data = mutate(choose.choice(seeds), choose)
        try:
            read(data)
        except EdgeemoError as error:
            kind = way(error)
            if keep is not None and not refused[kind] and len(data) < 8_000:
                (keep / f"{re.sub('[^a-z]+', '-', kind.lower())[:70].strip('-')}.tflite").write_bytes(data)
            refused[kind] += 1
        except Exception:
            if keep is not None:
                (keep / f"escape-{seed}-{tried}.tflite").write_bytes(data)
            print(f"escaped in round {tried} of seed {seed}", file=sys.stderr)
            raise
    return tried, refused


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="write new kinds of input to the corpus")
    given = parser.parse_args()
    tried, refused = fuzz(seed=given.seed, seconds=given.seconds, keep=CORPUS if given.keep else None)
    for kind, n in refused.most_common():
        print(f"{n:8,}  {kind}")
    print(f"{tried:8,}  inputs, {tried - sum(refused.values()):,} read, no escape")


if __name__ == "__main__":
    main()
