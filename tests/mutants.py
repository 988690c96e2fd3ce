"""Plants small faults one at a time, and counts how many of them the tests notice (`make mutants`).

``python tests/mutants.py [WORD …]`` plants the faults of `mutant_table`, or those whose file or text contains
one of the words. The faults are planted in a copy of the source under ``build/mutants``, which has a build of
its own. The program ends with 1 if the tests notice less than 95 % of the faults, and with 2 if the table is
stale.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from pathlib import Path

from mutant_table import FAULTS, Fault

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "mutants"
TREE, PYTHON = PLACE / "tree", PLACE / "venv" / "bin" / "python"
LEAST_SHARE = 0.95
MOST_S = 600  # for the tests of one fault; a fault that makes them hang is noticed


class StaleError(Exception):
    """The table names a text that is not in the source, or tests that fail without a fault."""


def main(words: Sequence[str] = ()) -> int:
    """Plant the faults, print a line for each, and return the exit code."""
    chosen = [f for f in FAULTS if not words or any(word in f.file + f.old + f.new for word in words)]
    try:
        prepare()
        check_tests(chosen)
        lived = [fault for fault in sorted(chosen, key=is_native) if not noticed(fault)]
    except StaleError as error:
        print(f"The table is stale: {error}")
        return 2
    share = 1 - len(lived) / max(len(chosen), 1)
    print(f"{len(chosen) - len(lived)} of {len(chosen)} faults were noticed ({share:.1%}).")
    for fault in lived:
        print(f"lived: {named(fault)}")
    return 0 if share >= LEAST_SHARE else 1


def prepare() -> None:
    """Copy the source as it is now, and build it in an environment of its own."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout
    files = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for old in TREE.rglob("*"):
        if (
            old.is_file()
            and "build" not in old.parts[len(TREE.parts) :]
            and str(old.relative_to(TREE)) not in files
        ):
            old.unlink()
    for name in files:
        copy, data = TREE / name, (ROOT / name).read_bytes()
        if not copy.is_file() or copy.read_bytes() != data:  # what is unchanged is not built again
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)
    if not PYTHON.is_file():
        venv.create(PLACE / "venv", with_pip=True)
        packages = [path for path in sys.path if path.endswith("site-packages")]
        site = next((PLACE / "venv").glob("lib/*/site-packages"))
        (site / "outer.pth").write_text("\n".join(packages) + "\n")
        run(
            PYTHON,
            "-m",
            "pip",
            "install",
            "--quiet",
            "scikit-build-core>=1.1,<2",
            "pybind11>=3.0.1,<4",
            cwd=TREE,
        )
    build()


def build() -> None:
    """Build and install the copy, quickly: with little optimization, which changes no answer."""
    quick = (
        "build-type=Quick",
        "define.CMAKE_CXX_FLAGS_QUICK=-O1",
        "define.CMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF",
    )
    options = [f"--config-settings=cmake.{option}" for option in quick]
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    done = run(*pip, *options, "--editable", ".", cwd=TREE)
    if done.returncode:
        output = (done.stdout + done.stderr)[-3000:]
        raise StaleError(f"a fault does not compile, or the build fails ({done.returncode}):\n{output}")


def check_tests(faults: Sequence[Fault]) -> None:
    """Run all tests that the table names, without a fault."""
    arguments = sorted({argument for fault in faults for argument in fault.tests.split()})
    if arguments and run_tests(arguments) != 0:
        raise StaleError("its tests fail, or name no test, without any fault; see above.")


def noticed(fault: Fault) -> bool:
    """Plant one fault, run its tests, and take the fault out again."""
    path = TREE / fault.file
    source = path.read_text("utf-8")
    if source.count(fault.old) != 1:
        raise StaleError(f"{named(fault)}: the old text stands there {source.count(fault.old)} times.")
    began = time.monotonic()
    path.write_text(source.replace(fault.old, fault.new), "utf-8")
    try:
        if is_native(fault):
            build()
        code = run_tests(fault.tests.split(), quiet=True)
    finally:
        path.write_text(source, "utf-8")
    if code not in (0, 1, 2):  # 1: a test failed; 2: a module could not be imported
        raise StaleError(f"{named(fault)}: pytest ended with {code}.")
    print(f"{'noticed' if code else 'LIVED  '} {time.monotonic() - began:5.0f} s  {named(fault)}", flush=True)
    return code != 0


def run_tests(arguments: Sequence[str], *, quiet: bool = False) -> int:
    """Run tests of the copy and return pytest's exit code; ``quiet`` ends with the first that fails."""
    chosen = [str(TREE / "tests" / argument) for argument in arguments]
    command: list[str | Path] = [PYTHON, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
    command += ["-m", "not arm and not slow and not mutants", *(["-x"] if quiet else []), *chosen]
    try:
        done = run(*command, cwd=TREE, timeout_s=MOST_S if quiet else None)
    except subprocess.TimeoutExpired:
        return 1
    if not quiet and done.returncode:
        print(done.stdout[-5000:], done.stderr[-2000:])
    return done.returncode


def run(*command: str | Path, cwd: Path, timeout_s: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command with the tools of this environment, and return what it printed."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {
        "EDGEEMO_DATA": str(ROOT.parent / "shared" / "data"),
        **({"CMAKE_CXX_COMPILER_LAUNCHER": "ccache"} if shutil.which("ccache") else {}),
        **os.environ,
        "PATH": tools,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    cwd.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=timeout_s
    )


def is_native(fault: Fault) -> bool:
    """Whether a fault lies in C++, so that the copy is built again."""
    return fault.file.startswith("cpp/")


def named(fault: Fault) -> str:
    """Return the file and the two texts of a fault, on one line."""
    old, new = (" ".join(text.split()) for text in (fault.old, fault.new))
    return f"{fault.file}: {old} -> {new or '(nothing)'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
