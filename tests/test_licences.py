"""A model that is not cleared for commercial use says so once, or edgeemo refuses it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import small_text

from edgeemo import Bundle, LicenseWarning, Recognizer
from edgeemo.bundle import shipped
from edgeemo.errors import LicenseError


@pytest.fixture
def unclear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle that is not cleared, and a process that was not warned yet."""
    monkeypatch.setattr("edgeemo.opened._warned", set())
    path = small_text.bundle(name="murky", commercial="unclear").write(tmp_path / "murky.tflite").path
    assert path is not None
    return path


def opened(path: Path) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Recognizer.open(path).close()
    return caught


def test_an_uncleared_bundle_warns_once_and_points_at_the_caller(unclear: Path) -> None:
    first = opened(unclear)
    assert [w.category for w in first] == [LicenseWarning]
    assert "'murky' (CC0-1.0) is not cleared for commercial use (verdict: unclear)" in str(first[0].message)
    assert first[0].filename == __file__
    assert opened(unclear) == []


def test_the_warning_can_be_filtered_and_made_an_error(unclear: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", LicenseWarning)
        for _ in range(2):
            with pytest.raises(LicenseWarning):
                Recognizer.open(unclear)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", LicenseWarning)
        Recognizer.open(unclear).close()


@pytest.mark.parametrize("verdict", ["unclear", "no"])
def test_commercial_use_is_refused_unless_cleared(verdict: str, tmp_path: Path) -> None:
    small_text.bundle(commercial=verdict).write(tmp_path / "x.tflite")
    with pytest.raises(LicenseError, match=f"verdict: {verdict}") as caught:
        Recognizer.open(tmp_path / "x.tflite", require_commercial=True)
    cleared = [name for name in shipped() if Bundle.open(name).card.commercial == "cleared"]
    for name in cleared:
        assert (name in str(caught.value)) == (Bundle.open(name).card.modality == "text")


def test_where_none_of_a_modality_is_cleared_it_says_what_to_do(
    small_face_path: Path, tmp_path: Path
) -> None:
    murky = replace(
        Bundle.open(small_face_path), card=replace(Bundle.open(small_face_path).card, commercial="no")
    )
    with pytest.raises(
        LicenseError, match=r"No bundle for face is cleared: train one .*`edgeemo train --help`"
    ):
        Recognizer.open(murky.write(tmp_path / "murky.tflite").path or "", require_commercial=True)


def test_a_cleared_bundle_opens_in_silence(small_text_path: Path) -> None:
    assert opened(small_text_path) == []
    Recognizer.open(small_text_path, require_commercial=True).close()
