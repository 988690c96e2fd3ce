"""One rule for cards: each single edit is judged alike by Python and by C, with one message."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import c_abi
import pytest
import small_face
import small_text
import small_voice

from edgeemo import Bundle, Recognizer
from edgeemo.errors import BundleCorruptError, BundleVersionError, EdgeemoError

BUNDLES: dict[str, Callable[[], Bundle]] = {
    "text": small_text.bundle,
    "voice": small_voice.bundle,
    "face": small_face.bundle,
    "bursts": lambda: small_voice.bundle(**small_voice.HEARS_BURSTS),
}
OK, SPEC, CORRUPT, VERSION, MISMATCH = 0, -2, -4, -5, -6

# bundle, path of the field, new value (`GONE`: without it), the code that both give
GONE = object()
EDITS: list[tuple[str, tuple[Any, ...], Any, int]] = [
    ("text", ("title",), "another", OK),
    ("text", ("frontend_version",), 99, VERSION),
    ("text", ("frontend_version",), True, CORRUPT),
    ("text", ("frontend_version",), 0, CORRUPT),
    ("text", ("frontend_version",), 1.0, CORRUPT),
    ("text", ("frontend_version",), GONE, OK),
    ("text", ("schema",), True, CORRUPT),
    ("text", ("schema",), 1.0, CORRUPT),
    ("text", ("schema",), 2, VERSION),
    ("text", ("schema",), GONE, CORRUPT),
    ("text", ("unknown",), 1, CORRUPT),
    ("text", ("labels",), "abc", CORRUPT),
    ("text", ("labels",), GONE, CORRUPT),
    ("text", ("labels", 0), 5, CORRUPT),
    ("text", ("calibration", "x"), 1, OK),
    ("text", ("calibration", "temperature"), True, CORRUPT),
    ("text", ("calibration", "temperature"), 20.0001, CORRUPT),
    ("text", ("calibration", "scale", 0), True, CORRUPT),
    ("text", ("calibration", "scale", 0), 10**400, CORRUPT),
    ("text", ("calibration", "bias"), [0.0], CORRUPT),
    ("text", ("groups", "mood", "good", "x"), 1, OK),
    ("text", ("groups", "mood", "good", "threshold"), True, CORRUPT),
    ("text", ("groups", "mood", "good", "labels"), ["nobody"], CORRUPT),
    ("text", ("groups",), None, CORRUPT),
    ("text", ("thresholds", "joy"), True, CORRUPT),
    ("text", ("thresholds", "joy"), GONE, CORRUPT),
    ("text", ("data", 0, "x"), "1", CORRUPT),
    ("text", ("data", 0, "url"), GONE, OK),
    ("text", ("data", 0, "name"), GONE, CORRUPT),
    ("text", ("outputs", "extra"), "nothing", MISMATCH),
    ("text", ("outputs", "labels"), "nothing", MISMATCH),
    ("text", ("outputs",), [], CORRUPT),
    ("text", ("spec", "length"), 8.0, SPEC),
    ("text", ("spec", "length"), True, SPEC),
    ("text", ("spec", "colour"), 1, SPEC),
    ("text", ("spec",), None, CORRUPT),
    ("text", ("spec_digest",), "0" * 16, MISMATCH),
    ("text", ("quantization",), [], CORRUPT),
    ("text", ("metrics",), None, CORRUPT),
    ("text", ("title",), None, CORRUPT),
    ("text", ("name",), "", OK),
    ("text", ("name",), 5, CORRUPT),
    ("text", ("evidence",), None, CORRUPT),
    ("text", ("golden",), None, CORRUPT),
    ("text", ("golden",), [5], CORRUPT),
    ("text", ("tools",), {"a": 1}, CORRUPT),
    ("text", ("assets",), None, CORRUPT),
    ("text", ("multi_label",), 1, CORRUPT),
    ("text", ("affect",), {}, CORRUPT),
    ("text", ("modality",), "voice", SPEC),
    ("text", ("modality",), "smell", CORRUPT),
    ("text", ("commercial",), "No", CORRUPT),
    ("text", ("licence",), GONE, CORRUPT),
    ("text", ("detector",), {}, CORRUPT),
    ("text", ("flatbuffer_sha256",), "0" * 64, CORRUPT),
    ("face", ("affect", "anger"), [0.1, 0.2, 0.3], OK),
    ("face", ("affect", "anger"), [True, 0.2], CORRUPT),
    ("face", ("affect", "anger"), [0.1], CORRUPT),
    ("face", ("emotions", "anger"), "anger", CORRUPT),
    ("face", ("emotions", "anger"), ["anger", "anger"], CORRUPT),
    ("face", ("emotions", "hunger"), ["anger"], CORRUPT),
    ("face", ("spec", "width"), True, SPEC),
    ("voice", ("spec", "gain"), "1", SPEC),
    ("voice", ("evidence", "threshold"), "0.5", CORRUPT),
    ("voice", ("evidence", "threshold"), True, CORRUPT),
    ("voice", ("evidence", "least"), 0.9, CORRUPT),
    ("voice", ("evidence",), {}, CORRUPT),
    ("voice", ("bursts",), {}, OK),
    ("voice", ("bursts",), None, CORRUPT),
    ("voice", ("bursts",), small_voice.BURSTS, CORRUPT),
    ("voice", ("outputs", "bursts"), "labels", CORRUPT),
    ("voice", ("outputs", "embedding"), "labels", OK),
    ("voice", ("outputs", "embedding"), "nothing", MISMATCH),
    ("text", ("bursts",), small_voice.BURSTS, CORRUPT),
    ("text", ("outputs", "bursts"), "labels", CORRUPT),
    ("bursts", ("title",), "another", OK),
    ("bursts", ("bursts",), GONE, CORRUPT),
    ("bursts", ("bursts",), [], CORRUPT),
    ("bursts", ("bursts", "x"), 1, CORRUPT),
    ("bursts", ("bursts", "scale"), GONE, CORRUPT),
    ("bursts", ("bursts", "scale"), True, CORRUPT),
    ("bursts", ("bursts", "scale"), 0.04, CORRUPT),
    ("bursts", ("bursts", "scale"), 20.1, CORRUPT),
    ("bursts", ("bursts", "scale"), 20, OK),
    ("bursts", ("bursts", "labels"), "none", CORRUPT),
    ("bursts", ("bursts", "labels", 1), "none", CORRUPT),
    ("bursts", ("bursts", "labels", 1), 5, CORRUPT),
    ("bursts", ("bursts", "labels", 1), "snort", CORRUPT),
    ("bursts", ("bursts", "labels", 0), "silence", CORRUPT),
    ("bursts", ("bursts", "labels"), [], CORRUPT),
    ("bursts", ("bursts", "labels"), ["sigh", "sob", "scream"], MISMATCH),
    ("bursts", ("bursts", "emotions", "neutral"), ["sigh", "none"], CORRUPT),
    ("bursts", ("bursts", "emotions", "neutral"), ["sigh", "sob"], CORRUPT),
    ("bursts", ("bursts", "emotions", "neutral"), "sigh", CORRUPT),
    ("bursts", ("bursts", "emotions", "neutral"), [], CORRUPT),
    ("bursts", ("bursts", "emotions", "pain"), [], CORRUPT),
    ("bursts", ("bursts", "emotions"), {}, CORRUPT),
    ("bursts", ("bursts", "affect", "sob"), [-1, 1], OK),
    ("bursts", ("bursts", "affect", "sob"), [-1.01, 1], CORRUPT),
    ("bursts", ("bursts", "affect", "sob"), [True, 0], CORRUPT),
    ("bursts", ("bursts", "affect", "sob"), [0], CORRUPT),
    ("bursts", ("bursts", "affect", "sob"), GONE, CORRUPT),
    ("bursts", ("bursts", "affect", "none"), [0, 0], CORRUPT),
    ("bursts", ("outputs", "bursts"), "speech", MISMATCH),
    ("bursts", ("outputs", "bursts"), "nothing", MISMATCH),
    ("bursts", ("outputs", "bursts"), GONE, CORRUPT),
]


def edited(bundle: Bundle, path: tuple[Any, ...], value: Any) -> bytes:
    """Return the bundle's bytes with one edit of its card: as edgeemo lays bundles out, its rules aside."""
    card = json.loads(bundle.card.to_json())
    card["flatbuffer_sha256"] = sha256(bundle.flatbuffer).hexdigest()
    card["assets"] = {name: sha256(content).hexdigest() for name, content in bundle.assets.items()}
    at = card
    for part in path[:-1]:
        at = at[part]
    if value is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    files = {"edgeemo.json": json.dumps(card).encode(), **bundle.assets}
    local = central = b""
    for name, content in files.items():
        sizes = (crc32(content), len(content), len(content), len(name), 0)
        head = struct.pack("<5H3I2H", 20, 0, 0, 0, 0x21, *sizes)
        central += b"PK\1\2" + struct.pack("<H", 20 | 3 << 8) + head
        begin = len(bundle.flatbuffer) + len(local)
        central += struct.pack("<3H2I", 0, 0, 0, 0o644 << 16, begin) + name.encode()
        local += b"PK\3\4" + head + name.encode() + content
    place = (len(files), len(files), len(central), len(bundle.flatbuffer) + len(local), 0)
    return bundle.flatbuffer + local + central + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, *place)


@pytest.mark.parametrize(
    ("name", "path", "value", "code"),
    EDITS,
    ids=[f"{e[0]}-{'.'.join(map(str, e[1]))}-{'gone' if e[2] is GONE else str(e[2])[:12]}" for e in EDITS],
)
def test_python_and_c_judge_alike(
    name: str, path: tuple[Any, ...], value: Any, code: int, tmp_path: Path
) -> None:
    file = tmp_path / "edited.tflite"
    file.write_bytes(edited(BUNDLES[name](), path, value))
    try:
        Recognizer.open(file).close()
        ours, says = OK, ""
    except EdgeemoError as error:
        ours, says = error.code, str(error)
    theirs, handle = c_abi.try_open(file)
    if theirs == OK:
        c_abi.LIB.edgeemo_close(handle)
    assert (ours, theirs) == (code, code), says
    if code != OK:
        assert says == c_abi.error()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("bursts", "scale"), "1", "bursts.scale must be a number, got text"),
        (("bursts", "scale"), 21, "bursts.scale must lie between 0.05 and 20"),
        (("bursts", "labels"), GONE, "bursts must give labels, scale, emotions and affect"),
        (("bursts", "labels", 0), "sob", "bursts.labels must be distinct names, at least one"),
        (("bursts", "emotions", "fear"), ["cry"], "bursts.emotions must map known labels, each at most once"),
        (("bursts", "emotions", "fear"), [], "bursts.emotions must map every label but none"),
        (("bursts", "affect", "sob"), [0, 2], "bursts.affect must give valence and arousal of every label"),
        (("bursts", "gain"), 1, "bursts must give labels, scale, emotions and affect"),
        (("outputs", "bursts"), GONE, "bursts must be given if outputs name bursts, and only then"),
        (("modality",), "text", "bursts are for the modality voice"),
    ],
)
def test_the_message_says_what_bursts_must_be(path: tuple[Any, ...], value: Any, says: str) -> None:
    with pytest.raises(BundleCorruptError, match=re.escape(f"is not valid: {says}")):
        Bundle.from_bytes(edited(BUNDLES["bursts"](), path, value))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("title",), 5, "title must be text, got a number"),
        (("labels",), "joy", "labels must be a list, got text"),
        (("tools",), [], "tools must be an object, got a list"),
        (("calibration", "temperature"), True, "calibration.temperature must be a number, got a boolean"),
        (("data", 0, "licence"), None, "data.licence must be text, got null"),
        (("calibration", "bias"), GONE, "it has no calibration.bias"),
    ],
)
def test_the_message_names_the_field_and_both_kinds(path: tuple[Any, ...], value: Any, says: str) -> None:
    with pytest.raises(BundleCorruptError, match=re.escape(f"is not valid: {says}. Fetch")):
        Bundle.from_bytes(edited(small_text.bundle(), path, value))


def test_a_newer_frontend_can_be_written_and_is_refused_on_opening(tmp_path: Path) -> None:
    bundle = small_text.bundle()
    newer = Bundle(bundle.flatbuffer, replace(bundle.card, frontend_version=99), bundle.assets)
    written = newer.write(tmp_path / "newer.tflite")
    assert written.card.frontend_version == 99
    assert written.path is not None
    with pytest.raises(BundleVersionError, match=r"frontend_version 99.*made by a newer edgeemo; upgrade"):
        Bundle.open(written.path)
