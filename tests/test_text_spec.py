"""Specs, vocabularies and cards of the text frontend, good and bad."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from text_material import (
    SMALL,
    SWITCHES,
    small,
)

from edgeemo.errors import BundleError, BundleMismatchError, InputTypeError, SpecError
from edgeemo.frontends import TextFrontend, TextSpec, frontend_for


def test_a_spec_is_a_value() -> None:
    spec = TextSpec(length=32, unknown="word")
    assert spec == TextSpec.from_dict(spec.to_dict())
    assert spec != TextSpec()
    assert len({spec, TextSpec(length=32, unknown="word"), TextSpec()}) == 2
    assert repr(spec) == (
        "TextSpec(length=32, lowercase=True, normalization='nfkc', special_tokens=False, strip_accents=True, "
        "unknown='word')"
    )
    assert spec.output == ((32,), "int32")
    with pytest.raises(AttributeError):
        spec.length = 3  # type: ignore[misc]


def test_digests_tell_all_specs_apart() -> None:
    specs = [
        TextSpec.from_dict(s.to_dict() | {"unknown": u, "special_tokens": t, "length": n})
        for s, u, t, n in product(SWITCHES, ("character", "word"), (False, True), (47, 48))
    ]
    assert len({spec.digest for spec in specs}) == len(specs)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"length": 0}, r"length must be in \[1, 4096\], got 0"),
        ({"length": 4097}, "got 4097"),
        ({"length": 10**30}, "length"),
        ({"length": True}, "length must be an int, got bool"),
        ({"length": 48.0}, "length must be an int, got float"),
        ({"length": 2, "special_tokens": True}, r"\[3, 4096\] with special_tokens"),
        ({"lowercase": 1}, "lowercase must be a bool, got int"),
        ({"normalization": "nfc"}, "normalization must be 'nfkc' or 'bert', got 'nfc'"),
        ({"normalization": None}, "normalization must be a str, got NoneType"),
        ({"unknown": "piece"}, "unknown must be 'character' or 'word'"),
        ({"lenght": 48}, "unknown key 'lenght' in a TextSpec; the keys are length, lowercase"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(fields: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        TextSpec(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=says):
        TextSpec.from_dict(fields)


@pytest.mark.parametrize(
    ("vocab", "says"),
    [
        ([], "empty"),
        (["[UNK]", "a"], r"no \[PAD\]"),
        (["[PAD]", "a"], r"no \[UNK\]"),
        (["[PAD]", "[UNK]", "a", "a"], "'a' stands twice"),
        (["[PAD]", "[UNK]", "##a", "##a"], "'##a' stands twice"),
        (["[PAD]", "[UNK]", ""], "piece 2 is empty"),
        (["[PAD]", "[UNK]", "\ud800"], "piece 2 is not valid UTF-8"),
        (["[PAD]", "[UNK]", "a" * 1025], "1025 bytes"),
        (list(map(str, range(1_000_001))), "1000001 pieces"),
    ],
    ids=str,
)
def test_a_bad_vocabulary_says_what_is_wrong(vocab: list[str], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        TextFrontend(TextSpec(), vocab)


def test_special_tokens_must_be_in_the_vocabulary() -> None:
    TextFrontend(TextSpec(), ["[PAD]", "[UNK]"])
    with pytest.raises(SpecError, match=r"no \[CLS\]"):
        TextFrontend(TextSpec(special_tokens=True), ["[PAD]", "[UNK]", "[SEP]"])


@pytest.mark.parametrize("wrong", [None, 3, ["a"], bytearray(b"a"), np.str_])
def test_what_is_no_text_is_refused(wrong: object) -> None:
    frontend = small()
    for method in (frontend.compute, frontend.encode, frontend.normalize, frontend.words):
        with pytest.raises(InputTypeError, match="expected str or bytes, got"):
            method(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["one text", b"one text", None, {"a"}])
def test_what_is_no_batch_is_refused(wrong: object) -> None:
    for method in (small().compute_batch, small().encode_batch):
        with pytest.raises(InputTypeError, match="expected a sequence of str or bytes, got"):
            method(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected str or bytes, got int"):
        small().compute_batch(["a", 1])  # type: ignore[list-item]


def test_a_card_makes_a_frontend() -> None:
    spec, assets = TextSpec(length=5).to_dict(), {"vocab.txt": "\n".join([*SMALL, ""]).encode()}
    frontend = frontend_for("text", spec, assets)
    assert (frontend.vocab_size, frontend.spec.length) == (len(SMALL), 5)
    np.testing.assert_array_equal(frontend.compute("so 日"), small(length=5).compute("so 日"))
    with pytest.raises(BundleError, match=r"no vocab\.txt"):
        frontend_for("text", spec, {})
    with pytest.raises(BundleError, match="not UTF-8"):
        frontend_for("text", spec, {"vocab.txt": b"\xff"})
    with pytest.raises(SpecError, match="carriage returns"):
        frontend_for("text", spec, {"vocab.txt": b"[PAD]\r\n[UNK]\r\n"})
    with pytest.raises(SpecError, match="empty"):
        frontend_for("text", spec, {"vocab.txt": b""})
    with pytest.raises(BundleMismatchError, match="'smell'"):
        frontend_for("smell", spec, assets)
