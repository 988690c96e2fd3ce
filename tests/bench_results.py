"""A result of ``edgeemo bench``, for tests of reports and comparisons."""

from __future__ import annotations

from typing import Any

HERE = {"board": "", "cpu": "Cortex-A72", "architecture": "aarch64", "cores": 4, "system": "Linux 6"}


def result(us: float = 50.0, **changes: Any) -> dict[str, Any]:
    """Return a result of `bench`; each of its forty blocks differs a little."""
    around = {"p50": us, "p95": 1.1 * us, "p99": 1.2 * us}
    mood = {
        "temperature_c": 50.0,
        "clock_mhz": 1800.0,
        "power_w": None,
        "load": 0.5,
        "governors": ["ondemand"],
        "throttled": [],
    }
    made: dict[str, Any] = {
        "bundle": "text",
        "delegate": "auto",
        "threads": 1,
        "batch": 1,
        "stages_us": {
            "frontend": dict.fromkeys(("p50", "p95", "p99"), 0.1 * us),
            "invoke": dict.fromkeys(("p50", "p95", "p99"), 0.8 * us),
        },
        "total_us": around,
        "tails_us": {"p95": [1.09 * us, 1.12 * us], "p99": [1.18 * us, 1.23 * us]},
        "tail_noise": {},
        "rest_us": -0.1 * us,
        "between_us": dict.fromkeys(("p50", "p95", "p99"), 0.12 * us),
        "n": 1000,
        "noisy": False,
        "noise": [],
        "cold_start_us": 2e5,
        "import_us": 1e5,
        "open_us": 2e4,
        "first_us": 2 * us,
        "peak_memory_mb": 41.0,
        "throughput_per_s": 1e6 / us,
        "page_faults": 0.0,
        "cpu_us": us,
        "energy": {"mj_per_call": None, "why": ""},
        "hop": None,
        "blocks_us": [us * (1 + 0.001 * (i % 5 - 2)) for i in range(40)],
        "condition": {"before": {**mood, "throttled_before": []}, "after": {**mood, "throttled_before": []}},
        "path": "/zoo/text.tflite",
        "sha256": "a" * 64,
        "input": "a text, 9 characters",
        "input_sha256": "b" * 16,
        "runs": {"backend": "native", "delegate": "cpu", "threads": 1, "reason": ""},
        "versions": {"edgeemo": "0.1.0", "litert": "2.3.0", "python": "3.11.7", "bundle": "1.0.0"},
        "machine": HERE,
        "date": "2026-01-02T03:04:05+00:00",
    }
    return {**made, **changes}
