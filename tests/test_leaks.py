"""Leaks: training texts in the test are found however they are typed, and nothing else is."""

import errno
import os
from pathlib import Path

import pytest

from edgeemo.data.leaks import check_leaks, digest, find_leaks, normalize, read_seen, write_seen
from edgeemo.data.manifest import Example, write_manifest
from edgeemo.errors import DataError, LeakError


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("So  happy!\n", "so happy!"),
        ("STRASSE", "straße"),
        ("ﬁne", "fine"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("cafe\u0301", "café"),
    ],
)
def test_texts_that_read_alike_are_the_same(first: str, second: str) -> None:
    assert normalize(first) == normalize(second)
    assert digest(first) == digest(second)


@pytest.mark.parametrize("other", ["so happy", "so happy !", "sohappy!", "sö happy!"])
def test_texts_that_read_differently_differ(other: str) -> None:
    assert digest(other) != digest("so happy!")


def test_a_digest_is_the_same_on_every_machine() -> None:
    assert digest("so happy!") == 0x4E839B4F53B5954E


def test_a_lone_surrogate_has_a_digest() -> None:
    assert digest("\ud800") != digest("")


def test_seen_texts_are_read_back_sorted_and_once(tmp_path: Path) -> None:
    write_seen(tmp_path / "x.seen", ["b", "a", "A", "c"])
    seen = read_seen(tmp_path / "x.seen")
    assert seen.tolist() == sorted({digest(t) for t in "abc"})
    assert (tmp_path / "x.seen").stat().st_size == 16 + 3 * 8
    assert find_leaks([Example(text=t) for t in ("z", " B ", "a")], seen) == [1, 2]


def test_a_full_disk_leaves_the_old_list_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_seen(tmp_path / "x.seen", ["old"])
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"cannot be written: No space left on device\. Nothing was changed"):
        write_seen(tmp_path / "x.seen", ["new", "newer"])
    assert read_seen(tmp_path / "x.seen").tolist() == [digest("old")]
    assert [p.name for p in tmp_path.iterdir()] == ["x.seen"]


@pytest.mark.parametrize(
    "content", [b"", b"EDGESEEN", b"EDGESEEN" + bytes(7), b"no" * 20, b"EDGESEEN\1" + bytes(7)]
)
def test_a_damaged_list_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.seen").write_bytes(content)
    with pytest.raises(DataError, match="--train"):
        read_seen(tmp_path / "x.seen")


@pytest.fixture
def leaky(tmp_path: Path) -> tuple[list[Example], Path, Path]:
    """Four examples, one of them trained on; the bundle with its list, and the training manifest."""
    write_seen(tmp_path / "tiny.seen", ["So happy", "other"])
    write_manifest(tmp_path / "train.csv", [Example(text="sad", labels=("sadness",))])
    examples = [Example(text=t) for t in ("so HAPPY", "sad", "plain", "plain")]
    return examples, tmp_path / "tiny.tflite", tmp_path / "train.csv"


def test_leaks_are_refused_with_the_remedy(leaky: tuple[list[Example], Path, Path]) -> None:
    examples, bundle, _ = leaky
    with pytest.raises(LeakError, match=r"1 of 4 .*tiny\.seen.*'so happy'.*--leaks drop"):
        check_leaks(examples, bundle)


def test_leaks_are_dropped(leaky: tuple[list[Example], Path, Path]) -> None:
    examples, bundle, train = leaky
    left, check = check_leaks(examples, bundle, policy="drop", train=train)
    assert [e.text for e in left] == ["plain", "plain"]
    assert check.to_dict() == {
        "checked": True, "by": "train.csv and tiny.seen", "n": 2, "repeated": 1, "dropped": 2,
    }  # fmt: skip


def test_leaks_are_kept_openly(leaky: tuple[list[Example], Path, Path]) -> None:
    examples, bundle, _ = leaky
    left, check = check_leaks(examples, bundle, policy="keep")
    assert left == examples
    assert check.to_dict()["kept"] == 1


def test_without_anything_to_check_against_it_says_so(leaky: tuple[list[Example], Path, Path]) -> None:
    examples, bundle, _ = leaky
    left, check = check_leaks(examples, bundle.with_name("other.tflite"))
    assert left == examples
    assert not check.to_dict()["checked"]
    assert "--train" in check.by


def test_a_text_in_a_file_is_compared_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("So happy")
    write_seen(tmp_path / "tiny.seen", ["so happy"])
    with pytest.raises(LeakError):
        check_leaks([Example(path=tmp_path / "a.txt")], tmp_path / "tiny.tflite")
