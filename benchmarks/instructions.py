"""How many instructions our own code takes, beside a committed baseline: a guard that noise cannot fool.

    make instructions                                   # exit 3 where a stage takes over 3 % more
    make instructions-baseline                          # on purpose: what is, becomes the baseline
    python -m benchmarks.instructions build/werror/tests/count_instructions [--update] [--json]

``valgrind --tool=callgrind`` runs each stage of ``count_instructions`` once and counts what is executed in
that program; libc and the loader are not counted. Valgrind knows no AVX-512, so the stages name their kernels
(baseline, AVX2) and never ask the processor. The counts belong to a compiler: under another one the check is
skipped by name. Other flags are a change of ours, and fail.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeemo.errors import DataError, RuntimeUnavailableError
from edgeemo.files import write_whole
from edgeemo.machine import cores, machine

BASELINE = Path(__file__).parent / "results" / "instructions.json"
MARGIN = 0.03
COUNTED = "counted"
"""The function of the program in which instructions count."""
AVX2 = ", avx2"
"""How stages end that only a processor with AVX2 can run; others leave them out, and say so."""
UPDATE = "If it is meant: make instructions-baseline."


@dataclass(frozen=True)
class Change:
    """A stage, its instructions before and now; None where it is not."""

    stage: str
    before: int | None
    now: int | None

    @property
    def share(self) -> float:
        """How much more it takes, 0.03 for 3 %."""
        return self.now / self.before - 1 if self.before and self.now else 0.0

    @property
    def failed(self) -> bool:
        """Whether it takes too much more, is new, or is gone."""
        return self.before is None or self.now is None or self.now > self.before * (1 + MARGIN)

    def __str__(self) -> str:
        if self.before is None or self.now is None:
            return f"{self.stage}: {'new' if self.before is None else 'gone'}. {UPDATE}"
        text = f"{self.stage}: {self.now:,} instructions, {self.share:+.1%} of {self.before:,}"
        if self.failed:
            return f"{text}, over +{MARGIN:.0%}. {UPDATE}"
        return f"{text}; so much better that the baseline should follow" if self.share < -MARGIN else text


def own_instructions(callgrind: str, program: str) -> int:
    """Return the instructions executed in ``program``'s own code, of a file that callgrind wrote.

    Lines of calls are followed by the cost of the called, which counts where it was spent.
    """
    names: dict[str, str] = {}
    own, skip, total = False, False, 0
    for line in callgrind.splitlines():
        if line.startswith("ob="):
            number, _, name = line[3:].partition(" ")
            names[number] = name or names.get(number, "")
            own = names[number] == program
        elif line.startswith("cob="):
            number, _, name = line[4:].partition(" ")
            names[number] = name or names.get(number, "")
        elif line.startswith("calls="):
            skip = True
        elif re.match(r"[0-9+*-]", line):
            if own and not skip:
                total += int(line.split()[1])
            skip = False
    return total


def count(program: Path, stage: str) -> int:
    """Count the instructions of one stage.

    Raises:
        DataError: the program or valgrind failed, or nothing was counted.
    """
    program = program.resolve()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind"
        options = ["--tool=callgrind", f"--callgrind-out-file={out}", f"--toggle-collect={COUNTED}*"]
        done = subprocess.run(
            ["valgrind", *options, str(program), stage], capture_output=True, text=True, check=False
        )
        if done.returncode or not out.is_file():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise DataError(f"valgrind cannot run {program.name} {stage!r}: {last}; run it by hand.")
        found = own_instructions(out.read_text("utf-8"), str(program))
    if not found:
        raise DataError(f"{stage!r} counted nothing: is {COUNTED}() still called, and not inlined?")
    return found


def built(program: Path) -> dict[str, Any]:
    """Return what the program says of itself: compiler, flags, architecture, stages.

    Raises:
        DataError: it is not there, cannot be run, or is another program.
    """
    try:
        done = subprocess.run([str(program.resolve()), "--built"], capture_output=True, text=True, check=True)
        built: dict[str, Any] = json.loads(done.stdout)
        built["stages"]
    except OSError as error:
        raise DataError(
            f"{program} cannot be run: {error.strerror}. `make instructions` builds it."
        ) from error
    except (subprocess.CalledProcessError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{program} is not count_instructions, or too old ({type(error).__name__}). "
            "`make instructions` builds it."
        ) from error
    return built


def measure(program: Path) -> dict[str, Any]:
    """Count all stages of a program.

    Raises:
        RuntimeUnavailableError: valgrind is not installed. DataError: see `built` and `count`.
    """
    if shutil.which("valgrind") is None:
        raise RuntimeUnavailableError("valgrind is not installed: apt-get install valgrind.")
    about = built(program)
    names: list[str] = about.pop("stages")
    with ThreadPoolExecutor(cores()) as pool:
        counts = dict(zip(names, pool.map(lambda name: count(program, name), names), strict=True))
    version = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout
    return {**about, "valgrind": version.strip(), "stages": counts}


def read(path: Path) -> dict[str, Any]:
    """Return the baseline.

    Raises:
        DataError: it is missing or damaged.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing: make instructions-baseline.")
    try:
        baseline: dict[str, Any] = json.loads(path.read_text("utf-8"))
        whole = all(isinstance(baseline[key], str) for key in ("architecture", "compiler", "flags"))
        whole = whole and all(isinstance(n, int) for n in baseline["stages"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise DataError(
            f"{path} is damaged (it holds compiler, flags, architecture and the instructions of each stage): "
            f"git checkout -- {path} brings it back, make instructions-baseline measures again."
        )
    return baseline


def compare(now: Mapping[str, Any], baseline: Mapping[str, Any]) -> tuple[str, list[Change]]:
    """Return why the check must be skipped ("" if it need not be), and what became of each stage.

    Raises:
        DataError: the flags are not those of the baseline.
    """
    for key, what in (("architecture", "processor"), ("compiler", "compiler")):
        if now[key] != baseline[key]:
            return (
                f"the baseline was counted with {what} {baseline[key]}, this is {now[key]}: build with that "
                "one, or make a baseline here with make instructions-baseline",
                [],
            )
    if now["flags"] != baseline["flags"]:
        raise DataError(f"The flags were {baseline['flags']!r} and are {now['flags']!r}. {UPDATE}")
    before, after = baseline["stages"], now["stages"]
    wide = "avx2" in machine().features
    names = [name for name in {**before, **after} if wide or not name.endswith(AVX2)]
    return "", [Change(name, before.get(name), after.get(name)) for name in names]


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=Path, help="count_instructions, built")
    parser.add_argument("--baseline", type=Path, default=BASELINE)
    parser.add_argument("--update", action="store_true", help="write the baseline")
    parser.add_argument("--json", action="store_true", help="print the counts")
    options = parser.parse_args(None if arguments is None else list(arguments))
    try:
        now = measure(options.program)
        if options.json:
            print(json.dumps(now, indent=1))
        if options.update:
            write_whole(options.baseline, (json.dumps(now, indent=1) + "\n").encode())
            print(f"{len(now['stages'])} stages are the baseline now: {options.baseline}")
            return 0
        skipped, changes = compare(now, read(options.baseline))
    except (DataError, RuntimeUnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    if skipped:
        print(f"SKIPPED: {skipped}.")
        return 0
    if "avx2" not in machine().features and now["architecture"] == "x86_64":
        print("SKIPPED: the stages with AVX2 kernels, which this processor has not; run it where it has.")
    for change in changes:
        print(("FAILED  " if change.failed else "") + str(change))
    return 3 if any(change.failed for change in changes) else 0


if __name__ == "__main__":
    sys.exit(main())
