"""Manifests: what is written is read back, and what cannot be used is named by line."""

import errno
import gzip
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeemo.data.manifest import Example, read_manifest, write_manifest
from edgeemo.errors import DataError


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_and_jsonl_say_the_same(tmp_path: Path) -> None:
    table = written(
        tmp_path, "a.csv",
        "\ufefftext,labels,valence,speaker,mood\n"
        '"Well, ""hm""\nyes",joy| pride ||joy,0.5,s1,ignored\n'
        "plain,,,,\n",
    )  # fmt: skip
    lines = written(
        tmp_path, "a.jsonl",
        '{"text": "Well, \\"hm\\"\\nyes", "labels": ["joy", "pride"], "valence": 0.5, "speaker": "s1"}\n\n'
        '{"text": "plain", "labels": null, "mood": [1]}\n',
    )  # fmt: skip
    first, second = read_manifest(table)
    assert first == Example(text='Well, "hm"\nyes', labels=("joy", "pride"), valence=0.5, speaker="s1")
    assert second == Example(text="plain")
    assert read_manifest(lines) == [first, second]


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"path,text,labels\nvoice/a.wav,,joy\n{tmp_path}/b.wav,said,\n")
    first, second = read_manifest(path)
    assert (first.path, first.text) == (tmp_path / "voice/a.wav", None)
    assert (second.path, second.text) == (tmp_path / "b.wav", "said")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "path,label,speaker,gender\na.wav,anger,07,f\n"),
        ("a.jsonl", '{"path": "a.wav", "label": "anger", "speaker": "07", "gender": "f"}\n'),
        ("b.csv", "path,labels,label,speaker,gender\na.wav,anger,ignored,07,f\n"),
    ],
)
def test_a_clip_may_say_label_and_who_speaks(tmp_path: Path, name: str, content: str) -> None:
    expected = Example(path=tmp_path / "a.wav", labels=("anger",), speaker="07", gender="f")
    assert read_manifest(written(tmp_path, name, content)) == [expected]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.csv.gz", "a.jsonl.gz"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    examples = [
        Example(text='a "quoted",\r\nline | 🙂', labels=("joy", "pride"), valence=-1.0, arousal=0.25),
        Example(text="", labels=("neutral",), speaker="7", gender="f", subject="x", group="g", split="dev"),
        Example(text="\u2028 ", path=tmp_path / "sub" / "b.txt"),
        Example(text="plain"),
    ]
    write_manifest(tmp_path / name, examples)
    assert read_manifest(tmp_path / name) == examples


@given(st.lists(st.text(), min_size=1), st.sampled_from([".csv", ".jsonl"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives(tmp_path: Path, texts: list[str], suffix: str) -> None:
    if sys.version_info < (3, 11):  # its csv module refuses NUL
        texts = [text.replace("\0", "") for text in texts]
    examples = [Example(text=text, labels=("joy",)) for text in texts]
    write_manifest(tmp_path / f"any{suffix}", examples)
    assert read_manifest(tmp_path / f"any{suffix}") == examples


def test_only_used_columns_are_written_and_gzip_is_reproducible(tmp_path: Path) -> None:
    write_manifest(tmp_path / "a.csv", [Example(text="x", labels=("joy",))])
    assert (tmp_path / "a.csv").read_text() == '"text","labels"\n"x","joy"\n'
    for name in ("b.csv.gz", "c.csv.gz"):
        write_manifest(tmp_path / name, [Example(text="x")])
    assert (tmp_path / "b.csv.gz").read_bytes() == (tmp_path / "c.csv.gz").read_bytes()
    write_manifest(tmp_path / "d.csv", [Example(path=tmp_path / "v" / "a.wav", labels=("joy",))])
    assert (tmp_path / "d.csv").read_text() == '"path","labels"\n"v/a.wav","joy"\n'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "labels,mood\njoy,1\n", r"line 1: .*text or path.*labels, mood"),
        ("a.csv", "", r"line 1: .*text or path"),
        ("a.csv", "text,labels\n", "has no rows"),
        ("a.jsonl", "\n", "has no rows"),
        (
            "a.csv",
            "text,labels\nfine,joy\nWell, hm,joy\n",
            r"line 3: 3 fields, the header has 2.*double quotes",
        ),
        ("a.csv", 'text,labels\n"two\nlines",joy\nx\n', "line 4: 1 fields"),
        ("a.csv", 'text,labels\n"open,joy\n', r"line 2: .*quotes"),
        ("a.csv", b"text,labels\nok,joy\n\xff,joy\n", r"line 3: byte 0xff is not UTF-8"),
        ("a.csv", "text\n" + "x" * 200_000 + "\n", r"line 2: .*field larger.*\.jsonl"),
        ("a.csv", "text,valence\nx,2\n", r"line 2: valence is '2'.*-1 to 1"),
        ("a.csv", "text,arousal\nx,nan\n", r"line 2: arousal is 'nan'"),
        ("a.csv", "path,labels\n,joy\n", "line 2: neither text nor path"),
        ("a.jsonl", '{"text": "x"}\n{"text": \n', "line 2: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: expected a JSON object, got list"),
        ("a.jsonl", '{"text": ["x"]}\n', "line 1: text is"),
        ("a.jsonl", '{"text": "x", "labels": {"joy": 1}}\n', "line 1: labels is"),
        ("a.jsonl", '{"text": "x", "labels": [1]}\n', "line 1: labels is"),
        ("a.jsonl", '{"text": "x", "valence": "high"}\n', "line 1: valence is 'high'"),
        ("a.jsonl", '{"text": "x", "valence": true}\n', "line 1: valence is True"),
        ("a.jsonl", '{"labels": "joy"}\n', "line 1: neither text nor path"),
        ("a.tsv", "text\nx\n", r"\.csv or \.jsonl"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
        ("a.csv.gz", gzip.compress(b"text\nx\n", mtime=0)[:-9], "cannot be read"),
        ("a.csv.gz", gzip.compress(b"text\nx\n", mtime=0)[:10] + bytes(b"\xff" * 20), "cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_where(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read_manifest(written(tmp_path, name, content))


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no manifest .*none\.csv"):
        read_manifest(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl.gz"])
def test_a_full_disk_leaves_the_old_manifest_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    old = [Example(text="old")]
    write_manifest(tmp_path / name, old)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"cannot be written: No space left on device\. Nothing was changed"):
        write_manifest(tmp_path / name, [Example(text="new")] * 1000)
    assert read_manifest(tmp_path / name) == old
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("example", "name", "said"),
    [
        (Example(text="x", labels=("a|b",)), "a.csv", "separates"),
        (Example(text="\ud800"), "a.jsonl", "surrogate"),
        (Example(text="x"), "none/a.csv", "cannot be written"),
        (Example(text="x"), "a.txt", r"\.csv or \.jsonl"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, example: Example, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        write_manifest(tmp_path / name, [example])
    assert not (tmp_path / name).exists()
