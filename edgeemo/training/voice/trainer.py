"""The trainer of voice bundles: where somebody speaks, what the voice expresses, both in one network.

See `edgeemo.training.trainer`. The section ``[data]`` of a voice recipe::

    labels  = ["ravdess", "manifest:crema-d/clips.csv"]   sets with speakers and labels
    noises  = ["esc10"]                                   background sounds
    speech  = ["asterisk"]                                further speech, to detect
    speech_spans = 8000     composed for the step ``speech``; a fifth more of held-out sounds validate it
    stop    = 8             one speaker in eight stops the training of the step ``emotion``; 0: none does
    balance = 0.5           0: sets weigh what they hold, 1: sets weigh alike
    smoothing = 0.1         share of the truth that goes to all labels of a set
    absent = 0.3            share of the loss in which labels that a set lacks count as "not"
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ...card import Calibration
from ...data.catalog import load as load_set
from ...data.clips import read_clip
from ...data.folds import folds, spread_sample, who
from ...data.leaks_voice import write_seen_voice
from ...data.manifest import Example, write_manifest
from ...errors import DataError, SourceError
from ...frontends import VoiceFrontend, VoiceSpec
from ...types import FloatArray
from ..cards import draft, even_thresholds
from ..fit import binary, categorical, predict
from ..recipe import Recipe, Step
from ..trainer import Networks, StepData, Trainer
from .augment import Augment, read_mono
from .batches import check_labels, emotion_batches, labels_in, set_of
from .features import ClipFeatures, Indices, features_of, only_one
from .models import EMOTION, SPEECH, join
from .speech import SpeechBatches, choose_evidence, compose

CALIBRATION_CLIPS, CHECKED_CLIPS, VOICES = 200, 400, 1500
REPORT = "crossval.json"
"""``edgeemo crossval`` writes this file for the card."""


@dataclass(frozen=True)
class VoiceTrainer(Trainer):
    """See `Trainer`.

    ``examples`` are all clips. The emotion step learns from the clips ``fit`` (indices), and the clips
    ``stop`` stop it. `edgeemo.training.crossval` gives every fold another ``fit``.
    """

    recipe: Recipe
    data: Path
    out: Path
    frontend: VoiceFrontend
    examples: Sequence[Example]
    fit: Indices
    stop: Indices
    crossval: Path | None = None
    cache: Path | None = None

    @classmethod
    def load(cls, recipe: Recipe, data: Path, out: Path, crossval: Path | None = None) -> VoiceTrainer:
        """Read which clips there are.

        Raises:
            SpecError: their labels and the recipe's [emotions] and [affect] do not agree.
        """
        Augment.of(recipe.augment)
        frontend = VoiceFrontend(VoiceSpec.from_dict(dict(recipe.spec)))
        names = recipe.data["labels"]
        examples = [e for name in names for e in load_set(name, data, "train", recipe.manifest)]
        check_labels(recipe, labels_in(examples))
        fit, stop = split_speakers(examples, np.arange(len(examples)), int(recipe.data.get("stop", 0)))
        return cls(recipe, data, out, frontend, examples, fit, stop, crossval)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all sets together, in the order of the network's output."""
        return labels_in(self.examples)

    @property
    def key(self) -> str:
        """A hash of recipe and clips: it names the owner of a cross-validation's folds."""
        names = [f"{e.speaker}/{(e.path or Path()).name}" for e in self.examples]
        return sha256(f"{self.recipe}{names}".encode()).hexdigest()[:16]

    @property
    def augment(self) -> Augment:
        """How clips are augmented."""
        return Augment.of(self.recipe.augment)

    @cached_property
    def features(self) -> ClipFeatures:
        """The features of all clips and their copies; made at first use."""
        names = self.recipe.data.get("noises", [])
        return features_of(
            self.examples,
            self.frontend,
            self.augment,
            (names, lambda: self._sounds("noises", "train")),
            self.cache or self.out / "cache",
            self.recipe.seed,
        )

    @staticmethod
    def models(step: Step) -> Mapping[str, Callable[..., keras.Model]]:
        """Return the networks of the step ``speech``, or of the step ``emotion``."""
        return SPEECH if step.name == "speech" else EMOTION

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        frames, mels = self.frontend.spec.output[0]
        sizes = (frames, mels) if step.name == "speech" else (frames, mels, len(self.labels))
        return self.models(step)[step.model](*sizes, **step.options)

    def step_data(self, step: Step, model: keras.Model, networks: Networks) -> StepData:
        """Return spans and targets."""
        if step.name == "speech":
            return StepData(self.composed("fit"), self.composed("valid"), {"speech": binary})
        data = self.recipe.data

        def learn(clips: Indices, validates: bool) -> Any:
            return emotion_batches(
                self.features,
                self.examples,
                clips,
                self.labels,
                self.augment,
                balance=float(data.get("balance", 0.5)),
                smoothing=float(data.get("smoothing", 0.0)),
                validates=validates,
            )

        valid = learn(self.stop, True) if len(self.stop) else None
        absent = float(data.get("absent", 0.0))

        def loss(truth: Any, logits: Any) -> Any:
            return categorical(truth, logits, absent)

        return StepData(learn(self.fit, False), valid, {"labels": loss})

    def export(self, networks: Networks) -> Path:
        """Write the joined float network, its draft card, and the manifests."""
        out = self.out
        scale, metrics = self._crossvalidated()
        evidence, measured = self.evidence(networks["speech"])
        if measured["noise_called_speech"] > 0.01 or measured["speech_found"] < 0.85:
            print(f"the step speech misses its aims (noise at most 0.01, speech at least 0.85): {measured}")
        self.save(networks, out, evidence, scale=scale, metrics={**metrics, "speech": measured})
        backgrounds = [e for role in ("noises", "speech") for e, _ in self._readable(role, "train")]
        write_seen_voice(out / "model.seen", [*self.examples, *backgrounds])
        if len(self.stop):
            checked = [replace(self.examples[i], split="valid") for i in self.stop]
        else:  # agreement of int8 needs no new speakers; scores do, and convert states none
            checked = self.sample(CALIBRATION_CLIPS + CHECKED_CLIPS)
            checked = checked[CALIBRATION_CLIPS:] or checked
        write_manifest(out / "dev.csv", checked)
        return out / "model.keras"

    def save(
        self,
        networks: Networks,
        folder: Path,
        evidence: Mapping[str, float],
        *,
        scale: float = 1.0,
        metrics: Mapping[str, Any],
    ) -> None:
        """Write ``model.keras``, ``card.json`` and ``calibration.csv`` into ``folder``."""
        card = draft(
            self.recipe,
            self.frontend.spec,
            labels=self.labels,
            multi_label=False,
            calibration=Calibration((scale,) * len(self.labels), (0.0,) * len(self.labels)),
            thresholds=even_thresholds(self.labels),
            outputs={"labels": "labels", "speech": "speech"},
            evidence=evidence,
            metrics=metrics,
        )
        self.write(join({"labels": networks["emotion"], "speech": networks["speech"]}), card, folder)
        names = self.recipe.data.get("noises", [])
        sounds = [e for name in names for e in load_set(name, self.data, "train", self.recipe.manifest)]
        # a device also hears rooms without a voice: the ranges of int8 must hold their features
        quiet = [Example(path=e.path, split="train") for e in sounds[:: max(1, len(sounds) // 20)]]
        readable = [e for e in quiet if _can_be_read(e)]
        write_manifest(folder / "calibration.csv", [*self.sample(CALIBRATION_CLIPS), *readable])

    def evidence(self, speech: keras.Model) -> tuple[dict[str, float], dict[str, float]]:
        """Return the card's evidence and what it was chosen by: held-out sounds, and clips."""
        valid = self.composed("valid")
        held_out = folds(self.examples, min(5, len({who(e) for e in self.examples})))
        clips = np.array([i for i, e in enumerate(self.examples) if held_out[who(e)] == 0], np.int64)
        clips = clips[:: max(1, len(clips) // 300)]  # of all sets
        rows, _ = self.features.of(clips)
        heard = predict(speech, valid.spans.astype(np.float32))["speech"]
        said = predict(speech, np.asarray(self.features.clean[rows]))["speech"]
        return choose_evidence(heard, valid, said, self.features.n_frames[rows])

    def composed(self, split: str) -> SpeechBatches:
        """Return the spans of the step ``speech``: ``fit``, or ``valid`` of other recordings and speakers."""
        n = int(self.recipe.data.get("speech_spans", 8000))
        n = n if split == "fit" else max(n // 5, 50)
        folder = self.cache or self.out / "cache"
        folder.mkdir(parents=True, exist_ok=True)
        names = [*self.recipe.data["labels"], *self.recipe.data.get("speech", [])]
        asked = [self.frontend.spec.digest, names, self.recipe.data.get("noises"), n, split, self.recipe.seed]
        key = sha256(json.dumps(asked).encode()).hexdigest()[:16]
        path = folder / f"speech-{key}.npz"
        with only_one(path.with_suffix(".lock")):
            if not path.is_file():
                voices = self._sounds("speech", split) + self._voices(split)
                noises = self._sounds("noises", split)
                if not noises or not voices:
                    raise DataError("The step speech needs [data] noises and clips of speech; name sets.")
                print(f"composing {n:,} spans of speech and background ({split})", flush=True)
                made = compose(self.frontend, voices, noises, n, self.recipe.seed + (split == "valid"))
                part = path.with_suffix(".part.npz")
                np.savez(part, spans=made.spans, target=made.target, empty=made.empty)
                part.replace(path)
        with np.load(path) as found:
            return SpeechBatches(found["spans"], found["target"], found["empty"])

    def sample(self, n: int) -> list[Example]:
        """Return ``n`` training clips, of all sets and labels in turn, the same ones every time."""
        learned = [self.examples[i] for i in self.fit]
        chosen = spread_sample(
            learned, n, lambda e: (set_of(e), *e.labels), lambda e: f"{e.speaker}/{(e.path or Path()).name}"
        )
        return [replace(e, split="train") for e in chosen]

    def _crossvalidated(self) -> tuple[float, dict[str, Any]]:
        if self.crossval is None:
            protocol = (
                "Not measured on speakers no weight saw: run `edgeemo crossval` and train with --crossval."
            )
            return 1.0, {"protocol": protocol}
        report = read_report(self.crossval)
        if _plan_of(self.crossval).get("key") != self.key:
            raise DataError(
                f"{self.crossval} holds folds of another recipe or other data than {self.recipe.name}'s: run "
                "`edgeemo crossval` with this recipe and --data, or name its folder."
            )
        try:
            return float(report["scale"]), {"protocol": report["protocol"], "crossval": report["sets"]}
        except KeyError as error:
            raise DataError(
                f"{self.crossval} was made by another release: run `edgeemo crossval`."
            ) from error

    def _voices(self, split: str) -> list[FloatArray]:
        """Return at most `VOICES` clips of the labelled sets; a fifth of the speakers are ``valid``."""
        fold = folds(self.examples, min(5, len({who(e) for e in self.examples})))
        own = [e for e in self.examples if (fold[who(e)] == 0) == (split == "valid")]
        rng = np.random.default_rng(self.recipe.seed)
        chosen = rng.permutation(len(own))[:VOICES]
        return [read_mono(own[i].path or Path(), self.frontend.spec.rate_hz) for i in chosen]

    def _sounds(self, role: str, split: str) -> list[FloatArray]:
        """Return the sounds of ``[data] noises`` or ``speech`` at the model's rate."""
        return [x for _, x in self._readable(role, split)]

    def _readable(self, role: str, split: str) -> list[tuple[Example, FloatArray]]:
        """Return background sounds and their samples; a file the library cannot decode is left out."""
        names = self.recipe.data.get(role, [])
        examples = [e for name in names for e in load_set(name, self.data, split, self.recipe.manifest)]
        found = []
        for e in examples:
            try:
                found.append((e, read_mono(e.path or Path(), self.frontend.spec.rate_hz)))
            except (DataError, SourceError):
                continue
        if len(found) < len(examples):
            print(f"{len(examples) - len(found)} of {len(examples)} sounds ({role}) cannot be read: left out")
        return found


def read_report(out: Path) -> dict[str, Any]:
    """Return the report of a finished cross-validation.

    Raises:
        DataError: ``out`` holds none.
    """
    try:
        found: dict[str, Any] = json.loads((out / REPORT).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{out} holds no finished cross-validation ({error}): run `edgeemo crossval`."
        ) from error
    return found


def _plan_of(out: Path) -> dict[str, Any]:
    """Return what ``plan.json`` says of the folds in ``out``; empty if it says nothing."""
    try:
        found = json.loads((out / "plan.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _can_be_read(example: Example) -> bool:
    try:
        read_clip(example)
    except (DataError, SourceError):
        return False
    return True


def split_speakers(examples: Sequence[Example], clips: Indices, stop: int) -> tuple[Indices, Indices]:
    """Part ``clips`` by speakers: to learn from, and of one speaker in ``stop`` (0: none) to stop by."""
    if not stop:
        return clips, clips[:0]
    own = [examples[i] for i in clips]
    fold = folds(own, min(stop, len({who(e) for e in own})))
    held = np.array([fold[who(examples[i])] == 0 for i in clips], np.bool_)
    return clips[~held], clips[held]


TRAINER = VoiceTrainer
