"""Measure an open bundle: times of the whole call and of its stages, and how far they can be trusted."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..machine import condition, cores
from .block_statistics import interval, quantiles, tail
from .energy import Meter
from .noise import noise, tail_noise
from .stage_times import BETWEEN, STAGES, staged
from .streaming import stream_cost
from .timing import Effort, Measured, Timer


def measure(
    opened: Any,
    method: str,
    arguments: tuple[Any, ...],
    *,
    seconds: float = 2.0,
    rounds: int | None = None,
    root: Path = Path("/"),
    tick: Callable[[str, float], None] = lambda what, share: None,
) -> dict[str, Any]:
    """Measure ``opened.method(*arguments)``; return plain values (docs/explanation/benchmark.md).

    Raises:
        InferenceError: the model fails.
    """
    tick("warming up", 0.0)
    effort, meter = Effort(seconds, rounds), Meter(root)
    timer = Timer(
        partial(getattr(opened, method), *arguments),
        staged(opened, method, arguments),
        meter=meter,
        tick=lambda share: tick("measuring" if share else "warming up", share),
    )
    before, faults = condition(root), _page_faults()
    found = timer.measure(effort)
    faults, after = _page_faults() - faults, condition(root)
    info = opened.runtime.info
    alone = info.delegate == "cpu" and info.threads == 1
    reasons = noise(found, before, after, cores=cores(root), alone=alone)
    streams, n = method == "predict", len(found.whole)
    return {
        **_times(found, opened.runtime),
        "n": n,
        "noisy": bool(reasons),
        "noise": reasons,
        "mean_us": round(float(np.mean(found.whole)) / 1e3, 3),
        "cpu_us": round(found.cpu / n / 1e3, 3),
        "page_faults": round(faults / (n + found.warm_up_calls + found.staged), 2),
        "energy": meter.to_dict(),
        "hop": stream_cost(opened, arguments, effort, lambda: tick("streaming", 1.0)) if streams else None,
        "warm_up": {
            "calls": found.warm_up_calls,
            "seconds": round(found.warm_up_ns / 1e9, 3),
            "steady": found.warm,
        },
        "blocks_us": [round(median / 1e3, 3) for median in found.medians],
        "condition": {"before": before.to_dict(), "after": after.to_dict()},
        "runs": asdict(info),
    }


def _times(found: Measured, runtime: Any) -> dict[str, Any]:
    stages = {stage: quantiles(found.stages[stage]) for stage in STAGES if stage in found.stages}
    total = quantiles(found.whole)
    tails = {
        name: [None if end is None else round(end / 1e3, 3) for end in tail(found.blocks, share)]
        for name, share in (("p95", 0.95), ("p99", 0.99))
    }
    return {
        "stages_us": stages,
        "absent": {stage: _why(stage, found, runtime) for stage in STAGES if stage not in stages},
        "total_us": total,
        "interval_us": [round(bound / 1e3, 3) for bound in interval(found.medians)],
        "tails_us": tails,
        "tail_noise": tail_noise(total, tails, len(found.whole)),
        "rest_us": round(total["p50"] - sum(stage["p50"] for stage in stages.values()), 3),
        "between_us": quantiles(found.stages[BETWEEN]),
    }


def _why(stage: str, found: Measured, runtime: Any) -> str:
    """Return why a stage is absent."""
    if stage == "detect":
        return "this bundle needs no detector"
    if "invoke" not in found.stages:
        return "the model did not run: the input had no known word, or no face"
    tensors = runtime.inputs if stage == "quantize" else runtime.outputs
    if stage == "quantize" and any(info.scale for info in tensors.values()):
        return "the frontend writes int8 itself"
    kinds = " and ".join(sorted({info.dtype.name for info in tensors.values()}))
    return f"the model {'takes' if stage == 'quantize' else 'gives'} {kinds}"


def _page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
