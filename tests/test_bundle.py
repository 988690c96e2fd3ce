"""The bundle: the same bytes everywhere, every byte checked, and never half-written."""

from __future__ import annotations

import io
import json
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import fuzz_bundle
import numpy as np
import pytest
import small_text

from edgeemo import Bundle, Recognizer, Runtime
from edgeemo.bundle import ASSETS_LIMIT, CARD_LIMIT, CARD_NAME
from edgeemo.errors import (
    BundleCorruptError,
    BundleError,
    BundleMismatchError,
    BundleVersionError,
    EdgeemoError,
    SpecError,
)

CORPUS = Path(__file__).parent / "corpus" / "bundle"
GOOD = small_text.bundle().to_bytes()
START = GOOD.index(b"PK\3\4")


def zipped(
    files: list[tuple[str, bytes]], *, flatbuffer: bytes = GOOD[:START], method: int = zipfile.ZIP_STORED
) -> bytes:
    """Return a flatbuffer and a ZIP that zipfile made of these files, in this order."""
    buffer = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(buffer, "a", method) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def card_and_vocabulary(**changes: object) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        card = json.loads(archive.read(CARD_NAME))
        vocabulary = archive.read("vocab.txt")
    return [(CARD_NAME, json.dumps({**card, **changes}).encode()), ("vocab.txt", vocabulary)]


# --- what a good bundle is ---


def test_the_same_bundle_gives_the_same_bytes() -> None:
    assert small_text.bundle().to_bytes() == GOOD
    assert Bundle.from_bytes(GOOD).to_bytes() == GOOD


def test_its_bytes_are_those_zipfile_would_append(tmp_path: Path) -> None:
    buffer = io.BytesIO(GOOD[:START])
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive, zipfile.ZipFile(buffer, "a") as again:
        assert archive.testzip() is None
        for entry in archive.infolist():
            info = zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0))
            info.external_attr, info.create_system = 0o644 << 16, 3
            again.writestr(info, archive.read(entry))
    assert buffer.getvalue() == GOOD


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs unzip")
def test_unzip_lists_it(small_text_path: Path) -> None:
    listed = subprocess.run(["unzip", "-l", small_text_path], capture_output=True, text=True, check=True)
    assert CARD_NAME in listed.stdout
    assert "vocab.txt" in listed.stdout
    subprocess.run(["unzip", "-tq", small_text_path], check=True, capture_output=True)


def test_litert_loads_the_file_unchanged(small_text_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    ids = np.array([[2, 0, 0, 0, 0, 0, 0, 0]], np.int32)
    whole = Interpreter(model_path=str(small_text_path)).get_signature_runner()(ids=ids)
    alone = Interpreter(model_content=GOOD[:START]).get_signature_runner()(ids=ids)
    assert {name: value.tolist() for name, value in whole.items()} == {
        name: value.tolist() for name, value in alone.items()
    }


def test_open_gives_back_what_was_written(tmp_path: Path) -> None:
    made = small_text.bundle()
    opened = made.write(tmp_path / "x.tflite")
    assert opened == Bundle.open(tmp_path / "x.tflite") == Bundle.open(str(tmp_path / "x.tflite"))
    assert opened.path == tmp_path / "x.tflite"
    assert opened.flatbuffer == made.flatbuffer
    assert opened.assets == made.assets
    assert opened.card.flatbuffer_sha256 == sha256(made.flatbuffer).hexdigest()


def test_a_bundle_shows_itself_without_its_bytes() -> None:
    assert len(repr(Bundle.from_bytes(GOOD))) < 5_000


def test_a_shipped_bundle_opens_by_name(shipped_text: str) -> None:
    assert Bundle.open(shipped_text).card.name == "text"


def test_a_model_whose_bytes_look_like_a_zip_is_still_told_from_it() -> None:
    inside = replace(small_text.bundle(), flatbuffer=GOOD)
    assert Bundle.from_bytes(inside.to_bytes()).flatbuffer == GOOD


# --- damage ---


@pytest.mark.parametrize(
    "length", [0, 1, 8, 21, 22, 31, 32, 100, *range(START - 2, len(GOOD), 97), len(GOOD) - 1]
)
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(BundleCorruptError, match="again"):
        Bundle.from_bytes(GOOD[:length])


@pytest.mark.parametrize("seed", range(4))
def test_no_byte_can_be_changed_unnoticed(seed: int) -> None:
    """Every region: flatbuffer, card, vocabulary, ZIP headers, directory and tail."""
    random = np.random.default_rng(seed)
    for place in range(seed, len(GOOD), 4):
        bad = bytearray(GOOD)
        bad[place] ^= int(random.integers(1, 256))
        with pytest.raises(BundleError):
            Bundle.from_bytes(bytes(bad))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (GOOD + b"\0", "no whole card behind it"),
        (GOOD + b"PK\5\6", "again"),
        (GOOD[:START] + b"gap!" + GOOD[START:], "again"),
        (b"xxxx" + GOOD, "does not begin with a TFLite model|laid out"),
        (GOOD[START:], "does not begin with a TFLite model|laid out|digest"),
        (bytes(64), "truncated or no bundle"),
        (b"\x10\0\0\0TFL3" + bytes(8), "begins as a TFLite model"),
    ],
)
def test_added_and_missing_parts_are_noticed(changed: bytes, message: str) -> None:
    with pytest.raises(BundleCorruptError, match=message):
        Bundle.from_bytes(changed)


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ([], BundleCorruptError, "plain .tflite|truncated|no edgeemo.json|laid out"),
        ([("vocab.txt", b"[PAD]\n")], BundleCorruptError, "laid out|has no edgeemo.json"),
        ([*card_and_vocabulary(), ("extra.bin", b"x")], BundleCorruptError, "laid out"),
        ([*card_and_vocabulary(), ("../vocab.txt", b"x")], BundleCorruptError, "laid out"),
        ([*card_and_vocabulary(), ("vocab.txt/", b"")], BundleCorruptError, "laid out"),
        ([(CARD_NAME, b" " * (CARD_LIMIT + 1))], BundleCorruptError, "laid out"),
        ([card_and_vocabulary()[0], ("vocab.txt", bytes(ASSETS_LIMIT + 1))], BundleCorruptError, "laid out"),
        (card_and_vocabulary()[:1], BundleCorruptError, "laid out|asset is missing"),
    ],
)
def test_a_zip_that_edgeemo_would_not_write_is_refused(
    files: list[tuple[str, bytes]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Bundle.from_bytes(zipped(files))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused() -> None:
    with pytest.raises(BundleCorruptError, match="laid out"):
        Bundle.from_bytes(zipped([*card_and_vocabulary(), ("vocab.txt", b"other")]))


def test_a_compressed_part_is_refused() -> None:
    with pytest.raises(BundleCorruptError, match="laid out"):
        Bundle.from_bytes(zipped(card_and_vocabulary(), method=zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_bomb_costs_no_memory(method: int) -> None:
    """A directory that promises 4 GiB (or a deflate that would give 64 MiB) is refused unread."""
    bomb = bytearray(zipped([*card_and_vocabulary()[:1], ("vocab.txt", bytes(64 << 20))], method=method))
    if method == zipfile.ZIP_STORED:
        bomb = bytearray(zipped(card_and_vocabulary()))
        place = bomb.rindex(b"PK\1\2") + 20
        bomb[place : place + 8] = b"\xfe\xff\xff\xff" * 2
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BundleCorruptError):
        Bundle.from_bytes(bytes(bomb))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def written(**changes: object) -> bytes:
    """Return a bundle laid out as edgeemo does, but with a card it would not write."""
    from edgeemo.bundle import _zip

    return GOOD[:START] + _zip(dict(card_and_vocabulary(**changes)), START)


def test_the_helper_above_writes_good_bundles() -> None:
    assert Bundle.from_bytes(written()).card == Bundle.from_bytes(GOOD).card


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"schema": 2}, BundleVersionError, r"^odd\.tflite: .*newer edgeemo; upgrade"),
        ({"flatbuffer_sha256": "0" * 64}, BundleCorruptError, "do not match the digest"),
        ({"assets": {}}, BundleCorruptError, "asset is missing or does not match"),
        ({"assets": {"vocab.txt": "0" * 64}}, BundleCorruptError, "asset is missing or does not match"),
        ({"labels": []}, BundleCorruptError, "labels must be"),
        ({"unknown_field": 1}, BundleCorruptError, r"^odd\.tflite: .*unknown fields: unknown_field"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    changes: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Bundle.from_bytes(written(**changes), "odd.tflite")


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (lambda: small_text.bundle(assets={}), BundleError, "has no vocab.txt"),
        (lambda: small_text.bundle(assets={"vocab.txt": b""}), SpecError, r"\[PAD\]|vocabulary"),
        (lambda: small_text.bundle(assets={"vocab.txt": b"[PAD]\n[UNK]\n\xff"}), BundleCorruptError, "UTF-8"),
        (  # a surrogate, which is not a character
            lambda: small_text.bundle(assets={"vocab.txt": b"[PAD]\n[UNK]\n\xed\xa0\x80"}),
            BundleCorruptError,
            "UTF-8",
        ),
        (
            lambda: small_text.bundle(spec={"length": 8, "colour": 1}),
            SpecError,
            r"odd.tflite: unknown key 'colour'.*\. Convert it again",
        ),
        (lambda: small_text.bundle(modality="voice"), SpecError, "odd.tflite: .*Convert it again"),
        (lambda: small_text.bundle(modality="face"), SpecError, "odd.tflite: .*Convert it again"),
        (lambda: small_text.bundle(spec={"length": 9}), BundleMismatchError, "the model takes"),
        (lambda: small_text.bundle(spec_digest="0" * 16), BundleMismatchError, "digest"),
        (
            lambda: small_text.bundle(outputs={"labels": "logits", "affect": "affect"}),
            BundleMismatchError,
            "no output logits",
        ),
        (
            lambda: small_text.bundle(outputs={"labels": "affect", "affect": "affect"}),
            BundleMismatchError,
            r"labels need an output affect of \(1, 5\)",
        ),
        (
            lambda: small_text.bundle(outputs={"labels": "labels", "affect": "labels"}),
            BundleMismatchError,
            r"affect need an output labels of \(1, 2\)",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused_on_opening(
    made: Callable[[], Bundle], error: type[Exception], message: str, tmp_path: Path
) -> None:
    path = made().write(tmp_path / "odd.tflite").path
    assert path is not None
    with pytest.raises(error, match=message):
        Recognizer.open(path)


def test_a_model_with_a_false_root_is_refused_although_its_digest_fits() -> None:
    with pytest.raises(BundleCorruptError, match="root lies outside"):
        replace(small_text.bundle(), flatbuffer=b"\xff\xff\xff\x7f" + GOOD[4:START]).to_bytes()


def test_a_model_cut_short_is_refused_before_the_runtime_sees_it() -> None:
    script = "import sys, edgeemo; edgeemo.Runtime(sys.stdin.buffer.read())"
    done = subprocess.run(
        [sys.executable, "-c", script], input=GOOD[: START // 2], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"BundleCorruptError" in done.stderr


# --- fuzzing (minutes of it: python tests/fuzz_bundle.py --seconds 300) ---


def test_the_corpus_is_kept_and_small() -> None:
    kept = list(CORPUS.iterdir())
    assert len(kept) >= 10
    assert sum(p.stat().st_size for p in kept) < 200_000


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_every_kept_input_is_read_or_refused_by_name(path: Path) -> None:
    data = path.read_bytes()
    if path.name.startswith("good"):
        assert Bundle.from_bytes(data).to_bytes() == data
        return
    with pytest.raises(EdgeemoError):
        fuzz_bundle.read(data)


def test_mutated_bundles_are_read_or_refused_by_name() -> None:
    tried, refused = fuzz_bundle.fuzz(seed=20_261_123, rounds=3_000)
    assert tried == 3_000
    assert sum(refused.values()) > 2_500


def test_what_a_fuzzer_lets_through_still_runs() -> None:
    bundle = Bundle.from_bytes(GOOD)
    assert Recognizer(bundle, Runtime(bundle.flatbuffer)).predict("so happy").label == "happiness"


def test_a_plain_model_is_told_from_a_broken_bundle() -> None:
    plain = small_text.bundle().flatbuffer
    with pytest.raises(BundleCorruptError, match=r"plain \.tflite.*edgeemo convert"):
        Bundle.from_bytes(plain, "model.tflite")
