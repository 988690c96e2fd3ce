"""The doctor on hostile machines: nothing makes it crash or hang, and junk is not called healthy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from board import CORES, HEALTHY, HWMON, PI, Board, Fault, every_core

from edgeemo.cli import main
from edgeemo.doctor import CHECKS, Checked, Context, examine

Plant = Callable[..., Context]
SYSTEM = {name for s in ("speed", "system", "devices") for name in CHECKS[s]} | {"glibc"}


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.fixture
def plant(board: Board, monkeypatch: pytest.MonkeyPatch) -> Plant:
    return partial(board.with_faults, monkeypatch)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail a test that hangs: the limit is many times what the slowest machine needs."""

    def late(*_: object) -> None:
        pytest.fail(f"not done within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def ids(checked: list[Checked]) -> set[str]:
    return {finding.id for check in checked for finding in check.findings}


def summary(checked: list[Checked]) -> str:
    return "\n".join(f"{check.name}: {check.state} {check.reason} {check.findings}" for check in checked)


# --- the system's files ---


def holding(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


JUNK: dict[str, Callable[[Path], object]] = {
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("/nowhere/at/all"),
    "a pipe": os.mkfifo,
    "zeros for ever": lambda path: path.symlink_to("/dev/zero"),
    "noise for ever": lambda path: path.symlink_to("/dev/urandom"),
    "a folder": Path.mkdir,
    "nothing": holding(b""),
    "words": holding(b"zzz\n"),
    "bytes": holding(bytes(range(256)) * 50),
    "zero bytes": holding(bytes(5000)),
    "no UTF-8": holding(b"\xff\xfe\xed\xa0\x80"),
    "escapes": holding(b"\x1b[2J\x1b[31mred\n"),
    "two megabytes": holding(b"x" * 2_000_000),
    "a negative number": holding(b"-1000000\n"),
    "an infinite number": holding(b"inf inf\n"),
    "a unit": holding(b"48.7 C\n"),
    "5,000 digits": holding(b"9" * 5000),
    "twice 5,000 digits": holding(b"9" * 5000 + b" " + b"9" * 5000),
    "5,000 digits with names": holding(
        b"".join(b"%s: %s kB\n" % (name, b"9" * 5000) for name in (b"MemTotal", b"MemAvailable"))
    ),
    "ticks of 5,000 digits": holding(b"cpu " + b" ".join([b"9" * 5000] * 10)),
    "digits above the line": holding("²³ ²³".encode()),
    "deep JSON": holding(b"[" * 100_000),
    "many ranges": holding(b",".join(b"0-%d" % i for i in range(8191, 0, -1))),
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_in_place_of_every_file(kind: str, plant: Plant, board: Board) -> None:
    context = plant(context=Context(threads=1))
    for name in HEALTHY:
        (board.root / name).unlink()
        JUNK[kind](board.root / name)
    with within(300):
        checked = examine(context, only=SYSTEM)
    assert "failed" not in {check.state for check in checked}, summary(checked)
    healthy = {check.name for check in checked if check.state == "done" and not check.findings}
    assert not healthy & {"processor", "governor", "heat", "load", "memory", "glibc"}, summary(checked)


def test_lines_that_end_as_in_windows_tell_the_same(plant: Plant, board: Board) -> None:
    context = plant()
    for name, text in HEALTHY.items():
        (board.root / name).write_bytes(text.replace("\n", "\r\n").encode())
    checked = examine(context, only=SYSTEM)
    assert ids(checked) == set(), summary(checked)
    assert {check.name for check in checked if check.state == "skipped"} <= {"power", "delegates"}


@pytest.mark.parametrize("name", ["oc1_event_cnt", "in0_lcrit_alarm"])
def test_junk_in_a_counter_of_faults_is_no_fault(name: str, plant: Plant) -> None:
    checked = examine(plant(Fault("", {f"{HWMON}/{name}": "zzz", f"{HWMON}/name": "rpi_volt"})), only=SYSTEM)
    assert ids(checked) == set(), summary(checked)


@pytest.mark.parametrize(
    "folder", ["sys/devices/system", "sys/class", "sys", "proc", "dev", "usr/share/vulkan", "lib", "usr/lib"]
)
def test_a_folder_that_may_not_be_searched(folder: str, plant: Plant, board: Board) -> None:
    """Root may search any, unless it gives the right up; so in a process of its own."""
    plant()
    (board.root / folder).chmod(0o000)
    less = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
    tool = shutil.which("setpriv", path="/usr/bin:/bin")
    if os.geteuid() == 0 and tool is None:
        pytest.skip("root needs setpriv to give up its rights")
    if (
        os.geteuid() == 0
        and subprocess.run([str(tool), *less[1:], sys.executable, "-c", "import edgeemo"]).returncode
    ):
        pytest.skip("without its rights root cannot enter this checkout")
    command = [sys.executable, "-m", "edgeemo.cli", "doctor", "--json", "--sys-root", str(board.root)]
    try:
        done = subprocess.run(
            [str(tool), *less[1:], *command] if os.geteuid() == 0 else command,
            capture_output=True,
            timeout=120,
        )
    finally:
        (board.root / folder).chmod(0o755)
    said = json.loads(done.stdout)
    assert "failed" not in {check["state"] for check in said["checks"]}, said
    assert len(said["checks"]) == sum(map(len, CHECKS.values()))


def test_a_fault_before_the_first_check_is_told_by_its_check(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> int:
        raise ZeroDivisionError("of a counter")

    monkeypatch.setattr("edgeemo.doctor.context.throttle_events", fail)
    checked = examine(plant(), only={"python", "throttling"})
    assert [check.state for check in checked] == ["done", "failed"]
    assert ids(checked) >= {"check-failed-throttling"}


# --- clocks ---


def test_a_cluster_that_is_limited_is_named_by_its_cores(plant: Plant) -> None:
    files = {f"{CORES}/cpu{i}/cpufreq/scaling_max_freq": "600000" for i in (2, 3)}
    (checked,) = examine(plant(Fault("", files)), only={"governor"})
    (finding,) = checked.findings
    assert (finding.id, finding.what) == (
        "clock-limited",
        "The clock is limited: cpu2, cpu3 at 600 of 2400 MHz.",
    )


@pytest.mark.parametrize(("khz", "named"), [("600000", True), ("2350000", False), ("zzz", False)])
def test_a_clock_that_is_held(khz: str, named: bool, plant: Plant) -> None:
    files = every_core("cpufreq/scaling_governor", "userspace") | every_core("cpufreq/scaling_cur_freq", khz)
    (checked,) = examine(plant(Fault("", files)), only={"governor"})
    assert [f.id for f in checked.findings] == (["clock-held"] if named else [])


# --- sensors ---


@pytest.mark.parametrize(
    ("files", "zone", "hot"),
    [
        ({"name": "coretemp", "temp1_input": "99000", "temp1_crit": "100000"}, "48700", True),
        (
            {"name": "coretemp", "temp1_input": "85000", "temp1_max": "80000", "temp1_crit": "100000"},
            None,
            False,
        ),
        ({"name": "k10temp", "temp1_input": "99000"}, None, True),
        ({"name": "k10temp", "temp1_input": "72000", "temp1_max": "70000"}, None, False),
        (
            {"name": "k10temp", "temp1_input": "72000", "temp1_max": "70000", "temp1_crit": "90000"},
            None,
            False,
        ),
        ({"name": "nct6798", "temp2_input": "99000", "temp2_max": "80000"}, None, True),
        ({"name": "nct6798", "temp2_input": "127000"}, None, False),  # nothing is connected there
        ({"name": "nct6798", "temp2_input": "99000"}, "48700", False),  # the zone tells
        ({"name": "coretemp", "temp1_input": "99"}, None, False),
    ],
)
def test_sensors_of_hwmon(files: dict[str, str], zone: str | None, hot: bool, tmp_path: Path) -> None:
    drawn = {f"{HWMON}/{name}": text for name, text in files.items()}
    if zone:
        drawn["sys/class/thermal/thermal_zone0/temp"] = zone
    for name, text in drawn.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    (checked,) = examine(Context(root=tmp_path), only={"heat"})
    assert [finding.id for finding in checked.findings] == (["hot"] if hot else [])


# --- tools ---


@pytest.mark.parametrize(
    "says",
    [
        *("echo throttled=zzz", "echo VCHI initialization failed", "echo throttled=-1", "echo throttled="),
        *("echo 0x0", "echo throttled=0x1_0", "echo throttled=0x0; exit 1", "exec yes", "yes & sleep 60"),
    ],
)
def test_what_vcgencmd_says_and_should_not(says: str, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeemo.system_files._TOOL_TIMEOUT_S", 0.3)
    context = plant(Fault("", tools={"vcgencmd": f"PATH=/usr/bin:/bin\n{says}"}))
    with within(300):
        (checked,) = examine(context, only={"throttling"})
    assert [finding.id for finding in checked.findings] == ["vcgencmd-fails"]


def test_a_fan_s_mode_before_the_power_s(plant: Plant) -> None:
    says = "echo 'NV Fan Mode:quiet'; echo 'NV Power Mode: MAXN'; echo 0"
    (checked,) = examine(plant(Fault("", tools={"nvpmodel": says})), only={"power"})
    assert (checked.state, checked.findings) == ("done", ())


def test_a_timedatectl_that_does_not_tell_is_noted(plant: Plant) -> None:
    (checked,) = examine(
        plant(Fault("", tools={"timedatectl": "echo not booted with systemd"})), only={"clock"}
    )
    assert "does not say" in checked.note


# --- files that are given ---


@pytest.mark.parametrize("kind", ["a pipe", "zeros for ever", "noise for ever", "a link to itself"])
@pytest.mark.parametrize("option", ["picture", "recording"])
def test_what_is_given_and_no_file(kind: str, option: str, plant: Plant, tmp_path: Path) -> None:
    given = tmp_path / "given"
    JUNK[kind](given)
    options: dict[str, Any] = {option: given}
    with within(300):
        (checked,) = examine(plant(context=Context(**options)), only={option})
    assert [finding.id for finding in checked.findings] == [f"{option}-unreadable"]


# --- the table ---


def test_the_table_leads_with_the_worst_and_is_brief_of_what_is_well(
    plant: Plant, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(
        Fault("", every_core("cpufreq/scaling_governor", "ondemand")),
        Fault(
            "", {"sys/class/thermal/thermal_zone0/temp": "99000"}, tools={"vcgencmd": "echo throttled=0x1"}
        ),
    )
    main(["doctor", "--sys-root", str(board.root)])
    lines = [line for line in capsys.readouterr().out.splitlines() if line[:1].strip()]
    words = [line.split()[0] for line in lines]
    order = ("error", "warning", "info", "note", "skipped", "ok")
    assert words[:-1] == sorted(words[:-1], key=order.index)
    assert words.count("ok") == 1
    assert words[:3] == ["error", "warning", "info"]


def test_the_table_shows_nothing_that_a_terminal_obeys(
    plant: Plant, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    cpuinfo = f"processor\t: 0\nmodel name\t: \x1b[31mred\n{PI.replace(' asimddp', '')}"
    plant(Fault("", {"proc/cpuinfo": cpuinfo} | every_core("cpufreq/scaling_governor", "\x1b[2J")))
    main(["doctor", "--sys-root", str(board.root)])
    shown = capsys.readouterr().out
    assert "cpu-no-dot-product" in shown
    assert "\x1b" not in shown
