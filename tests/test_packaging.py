"""The packages: the wheels name their Pythons, and scripts say which tools they lack."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli", reason="needs edgeemo[train]")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))


def test_wheels_are_built_for_the_pythons_that_are_promised(project: dict[str, Any]) -> None:
    promised = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["project"]["requires-python"])
    built = re.fullmatch(
        r"cp3\{([\d,]+)\}-manylinux_\{x86_64,aarch64\}", project["tool"]["cibuildwheel"]["build"]
    )
    assert promised is not None
    assert built is not None
    assert [int(minor) for minor in built[1].split(",")] == [*range(int(promised[1]), int(promised[2]))]


def test_both_kinds_of_wheel_are_tried(project: dict[str, Any]) -> None:
    wheels = project["tool"]["cibuildwheel"]
    commands = [wheels["test-command"], *(o["test-command"] for o in wheels["overrides"])]
    for command in commands:
        script, *options = command.removeprefix("python {project}/").split(" {project}")
        assert (ROOT / script).is_file()
        assert all(option.strip() in (ROOT / script).read_text("utf-8") for option in options)
    for name in ("manylinux-x86_64-image", "manylinux-aarch64-image"):
        assert wheels[name] == "manylinux_2_28"


@pytest.mark.parametrize("script", ["prepare", "arm_root"])
def test_without_apt_the_scripts_say_so(script: str, tmp_path: Path) -> None:
    for command in ("bash", "dirname", "basename"):
        (tmp_path / command).symlink_to(shutil.which(command) or command)
    (tmp_path / "ldconfig").write_text("#!/bin/bash\n")
    (tmp_path / "ldconfig").chmod(0o755)
    copy = shutil.copy(ROOT / ".ci" / script, tmp_path)  # that it leaves nothing here
    environment = {"PATH": str(tmp_path)}
    done = subprocess.run(
        [copy, "no-such-command"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "apt-get" in done.stderr
    assert "please" in done.stderr


def test_the_source_folder_says_that_it_is_not_built(tmp_path: Path) -> None:
    (tmp_path / "edgeemo").mkdir()
    for name in ("__init__.py", "errors.py"):
        shutil.copy(ROOT / "edgeemo" / name, tmp_path / "edgeemo")
    done = subprocess.run(  # -S: without the installed one
        [sys.executable, "-S", "-c", "import edgeemo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"not built in {tmp_path / 'edgeemo'}: this is its source. Run Python from another" in done.stderr
