"""What the tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Callable[[str], Path]:
    """The folder of a data set by name (``data_dir("text")``); skips the test where it is absent."""
    base = Path(os.environ.get("EDGEEMO_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        folder = base / name
        if not folder.is_dir():
            pytest.skip(f"data '{name}' is not at {base}; set EDGEEMO_DATA")
        return folder

    return find
