"""The version stands in pyproject.toml; everything else takes it from there or is compared with it."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import edgeemo
from edgeemo import native_paths

ROOT = Path(__file__).parent.parent
HERE = re.search(r'^version = "([\d.]+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)


def test_the_package_the_module_and_the_c_library_have_one_version() -> None:
    assert HERE is not None
    assert edgeemo.__version__ == version("edgeemo") == HERE[1]
    pkgconfig = Path(native_paths.paths()["pkgconfig"]) / "edgeemo.pc"
    assert f"Version: {HERE[1]}\n" in pkgconfig.read_text("utf-8")


def test_the_citation_and_the_changelog_know_the_version() -> None:
    assert HERE is not None
    assert f"\nversion: {HERE[1]}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "\n## [Unreleased]\n" in changelog
    assert f"\n## {HERE[1]} " in changelog.replace("[", "").replace("]", "")


def test_no_source_repeats_the_version() -> None:
    assert HERE is not None
    sources = [*(ROOT / "edgeemo").rglob("*.py"), *(ROOT / "cpp").rglob("CMakeLists.txt")]
    repeated = [
        path
        for path in sources
        if re.search(rf'VERSION {HERE[1]}\b|__version__ = "', path.read_text("utf-8"))
    ]
    assert repeated == []
