"""edgeemo describes a machine; the machines here are made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeemo.machine import condition, cores, machine, quota, throttle_events
from edgeemo.system_files import tool_output

PI_4 = {
    "proc/cpuinfo": "processor : 0\nFeatures : fp asimd evtstrm crc32 cpuid\nCPU part : 0xd08\n\n"
    "Model : Raspberry Pi 4 Model B Rev 1.4\n",
    "proc/meminfo": "MemTotal:        3884284 kB\nMemAvailable:    3051008 kB\n",
    "proc/loadavg": "0.52 0.58 0.59 1/189 1234\n",
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "sys/class/thermal/thermal_zone0/temp": "61341\n",
    **{
        f"sys/devices/system/cpu/cpu{i}/cpufreq/{name}": text
        for i in range(4)
        for name, text in {
            "scaling_governor": "ondemand\n",
            "scaling_cur_freq": f"{600000 + 300000 * i}\n",
            "cpuinfo_max_freq": "1800000\n",
        }.items()
    },
}


def draw(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_board_is_known_by_its_own_words(tmp_path: Path) -> None:
    found = machine(draw(tmp_path, PI_4))
    assert found.board == "Raspberry Pi 4 Model B Rev 1.4"
    assert (found.cpu, found.features) == ("Cortex-A72", ("asimd",))
    assert (found.cores, found.memory_mb) == (4, 3793)
    json.dumps(found.to_dict())


def test_its_condition_is_read(tmp_path: Path) -> None:
    found = condition(draw(tmp_path, PI_4))
    assert found.temperature_c == 61.341
    assert (found.clock_mhz, found.clock_limit_mhz, found.governors) == (1500, 1800, ("ondemand",))
    assert (found.throttled, found.throttled_before) == ((), ())
    assert (found.load, found.memory_free_mb) == (0.52, 2979)
    json.dumps(found.to_dict())


@pytest.mark.parametrize("where", ["vcgencmd", "sysfs"])
def test_under_voltage_now_and_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    root = draw(tmp_path / "root", PI_4)
    if where == "vcgencmd":
        tool(tmp_path / "bin", "vcgencmd", "echo throttled=0x50005")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    else:
        draw(root, {"sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n"})
    found = condition(root)
    assert found.throttled == ("under-voltage", "throttled")
    assert found.throttled_before == ("under-voltage", "throttled")


def test_power_of_a_jetson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = {
        f"sys/class/hwmon/hwmon1/{k}": v for k, v in {"in1_label": "VDD_IN", "in1_input": "5000"}.items()
    }
    root = draw(tmp_path / "sysfs", {**meter, "sys/class/hwmon/hwmon1/curr1_input": "1200"})
    assert condition(root).power_w == 6.0
    tool(tmp_path / "bin", "tegrastats", "echo 'RAM 2448/7772MB cpu@45C VDD_IN 4802mW/4790mW'; sleep 9")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert condition(draw(tmp_path / "bare", {})).power_w == 4.802


def test_a_container_may_have_fewer_cores(tmp_path: Path) -> None:
    assert cores(draw(tmp_path, {**PI_4, "sys/fs/cgroup/cpu.max": "200000 100000"})) == 2
    assert cores(draw(tmp_path, {"sys/fs/cgroup/cpu.max": "50000 100000"})) == 1
    assert cores(draw(tmp_path, {"sys/fs/cgroup/cpu.max": "max 100000"})) == 4


@pytest.mark.parametrize(("stated", "wanted"), [("150000", 1.5), ("-1", None), ("nonsense", None)])
def test_a_container_of_the_old_kind(tmp_path: Path, stated: str, wanted: float | None) -> None:
    folder = "sys/fs/cgroup/cpu/cpu.cfs"
    assert quota(draw(tmp_path, {f"{folder}_quota_us": stated, f"{folder}_period_us": "100000"})) == wanted


def test_under_voltage_by_the_kernel_s_sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sensor = "sys/class/hwmon/hwmon1"
    root = draw(tmp_path, {f"{sensor}/name": "rpi_volt\n", f"{sensor}/in0_lcrit_alarm": "1\n"})
    assert condition(root).throttled == ("under-voltage",)
    assert condition(draw(root, {f"{sensor}/in0_lcrit_alarm": "0\n"})).throttled == ()


def test_hyper_threads_of_a_core_are_counted_once(tmp_path: Path) -> None:
    cores_of = {0: ("0", "0"), 1: ("0", "1"), 2: ("0", "0"), 3: ("1", "0"), 4: ("1", "0")}
    for i, (package, core) in cores_of.items():
        folder = f"sys/devices/system/cpu/cpu{i}"
        files = {"physical_package_id": package, "core_id": core}
        draw(tmp_path, {f"{folder}/topology/{name}": text for name, text in files.items()})
        draw(tmp_path, {f"{folder}/thermal_throttle/core_throttle_count": "5"})
    assert condition(tmp_path).throttle_events == throttle_events(tmp_path) == 15
    draw(tmp_path, {"sys/devices/system/cpu/cpu9/thermal_throttle/core_throttle_count": "1"})
    assert throttle_events(tmp_path) == 16


def test_nothing_known_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = condition(tmp_path)
    assert set(map(repr, found.to_dict().values())) == {"None", "[]"}
    assert (machine(tmp_path).cpu, machine(tmp_path).cores) == ("", 1)


@pytest.mark.parametrize("text", ["", "garbage", "\xff\x00", "-999999999", "nan", "9" * 5000])
def test_garbage_is_no_number(tmp_path: Path, text: str) -> None:
    found = condition(draw(tmp_path, dict.fromkeys(PI_4, text)))
    assert found.temperature_c is None
    assert found.clock_mhz is None
    assert found.memory_free_mb is None


def test_a_tool_that_hangs_or_fails_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, "slow", "sleep 77777")
    tool(tmp_path, "broken", "echo half; exit 3")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("edgeemo.system_files._TOOL_TIMEOUT_S", 0.2)
    assert tool_output("slow") == tool_output("broken") == tool_output("absent") == ""


@pytest.mark.parametrize("script", ["exec yes", "yes & sleep 77777", "sleep 77777 & exit 0"])
def test_a_tool_that_goes_on_for_ever_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    tool(tmp_path, "endless", script)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("edgeemo.system_files._TOOL_TIMEOUT_S", 0.3)
    assert tool_output("endless") == ""


@pytest.mark.parametrize("says", ["VDD_IN 999999999999999999999mW/1", "VDD_IN -5mW/1", "zzz", "exit"])
def test_tegrastats_that_says_nothing_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    tool(tmp_path / "bin", "tegrastats", says if says == "exit" else f"echo '{says}'")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert condition(draw(tmp_path / "bare", {})).power_w is None


def test_a_tegrastats_that_ends_by_itself_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path / "bin", "tegrastats", "echo 'RAM 2448/7772MB VDD_IN 4802mW/4790mW'")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert condition(draw(tmp_path / "bare", {})).power_w == 4.802


def test_this_machine() -> None:
    here = machine()
    assert here.cores >= 1
    assert here.memory_mb > 100
    assert here.python
