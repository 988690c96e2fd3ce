"""The task of voice bundles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ..data.clips import read_clip
from ..data.leaks import LeakCheck
from ..data.leaks_voice import check_leaks_voice
from ..data.manifest import Example
from ..errors import SpecError
from ..types import EmotionResult
from .base import Progress, Task

if TYPE_CHECKING:
    from ..evaluation.field_report import FieldReport
    from ..training.recipe import Recipe


class VoiceTask(Task):
    """Reads clips of speech; see `Task`."""

    name, plural, leaked = "voice", "clips", "clips or their speakers"
    labels = list
    data_keys = (
        *("labels", "calm", "calm_share", "calm_certainty", "bursts", "copies", "noises", "rooms", "speech"),
        *("speech_spans", "stop", "balance", "smoothing", "absent"),
    )
    crossval = True
    options = Task.options | {"robustness", "noise", "field"}
    unanswered = "is there speech in its clips?"

    def tensors(self, frontend: Any, example: Example) -> npt.NDArray[Any]:
        """Return the spans of a clip, float32 ``(spans, frames, mels)``."""
        return frontend.compute(*read_clip(example)).features  # type: ignore[no-any-return]

    def check_leaks(
        self, examples: Sequence[Any], bundle: Path | None, progress: Progress, **how: Any
    ) -> tuple[list[Any], LeakCheck]:
        """Look for training speakers and copies of training clips."""
        return check_leaks_voice(examples, bundle, progress=progress, **how)

    def check_recipe(self, recipe: Recipe, where: str) -> None:
        """Check also the names of the steps, and that bursts have all they need."""
        names = [step.name for step in recipe.step]
        if names not in (["speech", "emotion"], ["speech", "emotion", "bursts"]):
            raise SpecError(
                f"{where}: a voice recipe has two steps, named speech and emotion, in this order, and "
                "perhaps a third one, named bursts."
            )
        for step in recipe.step:
            if step.embedding and not step.options.get("teacher"):
                raise SpecError(
                    f"{where}: step {step.name} has embedding {step.embedding!r}; give the number of its "
                    "components in options: teacher = 128."
                )
        for role in ("calm", "bursts"):
            if any(name.startswith("manifest:") for name in recipe.data.get(role, ())):
                raise SpecError(f"{where}: [data] {role} takes the names of sets, not manifests.")
        given = [bool(recipe.bursts), bool(recipe.data.get("bursts")), "bursts" in names]
        if any(given) and not all(given):
            raise SpecError(
                f"{where}: bursts need the section [bursts], sets in [data] bursts, and a step named bursts. "
                "Give all three, or none."
            )
        super().check_recipe(recipe, where)

    def golden(self, device: Any) -> tuple[dict[str, Any], ...]:
        """Return the names of signals and the answers."""
        from ..converters.golden import RATE_HZ, SIGNALS, answer, signal

        return tuple(
            {"signal": name, "rate_hz": RATE_HZ, **answer(device.predict(signal(name), rate_hz=RATE_HZ))}
            for name in SIGNALS
        )

    def predict(self, recognizer: Any, example: Example) -> EmotionResult:
        """Return what a recognizer says of a whole clip."""
        pcm, rate_hz = read_clip(example)
        return recognizer.predict(pcm, rate_hz=rate_hz)  # type: ignore[no-any-return]

    def robustness(self, noise: Path | None, seed: int) -> dict[str, Any]:
        """Measure in noise, of recordings in the folder ``noise`` or made, and through codecs."""
        from ..evaluation.sounds import Noise

        return {"noise": Noise(noise, seed)}

    def field(self, data: Path, clips: int | None, seed: int) -> dict[str, Any]:
        """Measure in the field, with the sounds of ``data`` and its calm speech of strangers."""
        from ..evaluation.calm import calm_speech, set_of, strangers
        from ..evaluation.field import FieldSounds, field

        played, calm = FieldSounds.read(data, seed), calm_speech(data)
        most: dict[str, Any] = {} if clips is None else {"clips": clips}

        def measure(recognizer: Any, examples: Sequence[Example], **how: Any) -> FieldReport:
            new = strangers(calm, recognizer.bundle.path)
            known = sorted({set_of(e) for e in calm} - {set_of(e) for e in new})
            report = field(recognizer, examples, [*examples, *new], played, seed=seed, **most, **how)
            if known:
                note = f"Calm speech that trained the bundle is left out: {', '.join(known)}."
                report = replace(report, notes=(*report.notes, note))
            return report

        return {"field": measure}


TASK = VoiceTask()
