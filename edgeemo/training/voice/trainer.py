"""The trainer of voice bundles: where somebody speaks, what the voice expresses, which bursts it has.

The networks of the steps become one network. See `edgeemo.training.trainer`. The section ``[data]`` of a
voice recipe::

    labels  = ["ravdess", "manifest:crema-d/clips.csv"]   sets with speakers and labels
    calm    = ["speechocean"]                             speech of everyday life: it teaches neutral
    calm_share, calm_certainty = 0.12, 0.85               see `edgeemo.training.voice.batches.Calm`
    bursts  = ["emogator"]                                sounds without words, for the step ``bursts``
    copies  = { emodb = 16 }                              copies of a set's clips, else as [augment] says
    noises  = ["esc10"]                                   background sounds
    rooms   = ["rir"]                                     impulse responses of rooms
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
from ..distil import components, imitation
from ..fit import binary, categorical, predict
from ..recipe import Recipe, Step
from ..trainer import Networks, StepData, Trainer
from .augment import Augment, Surroundings, direct_sound, read_mono
from .batches import Calm, EmotionBatches, check_labels, emotion_batches, labels_in, set_of
from .bursts import burst_batches, burst_card, burst_labels, check_bursts
from .features import ClipFeatures, Indices, features_of, only_one
from .models import BURSTS, EMOTION, SPEECH, as_shipped, join
from .speech import SpeechBatches, choose_evidence, compose
from .teacher import teacher_features

CALIBRATION_CLIPS, CHECKED_CLIPS, VOICES = 200, 400, 1500
REPORT = "crossval.json"
"""``edgeemo crossval`` writes this file for the card."""


@dataclass(frozen=True)
class VoiceTrainer(Trainer):
    """See `Trainer`.

    ``examples`` are all clips: those with labels, then calm speech, then bursts. The emotion step learns from
    the clips ``fit`` (indices), and the clips ``stop`` stop it. The step of bursts learns from ``bursts``.
    `edgeemo.training.crossval` gives every fold another ``fit``.
    """

    recipe: Recipe
    data: Path
    out: Path
    frontend: VoiceFrontend
    examples: Sequence[Example]
    fit: Indices
    stop: Indices
    bursts: Indices
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
        labelled, calm, bursts = (
            [e for name in recipe.data.get(role, ()) for e in load_set(name, data, "train", recipe.manifest)]
            for role in ("labels", "calm", "bursts")
        )
        check_labels(recipe, labels_in(labelled))
        check_bursts(recipe, bursts)
        examples, speech = [*labelled, *calm, *bursts], np.arange(len(labelled) + len(calm))
        fit, stop = split_speakers(examples, speech, int(recipe.data.get("stop", 0)))
        rest = np.arange(len(speech), len(examples))
        return cls(recipe, data, out, frontend, examples, fit, stop, rest, crossval)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all sets with emotions together, in the order of the network's output."""
        return labels_in([self.examples[i] for i in self.clips("labels")])

    def clips(self, *roles: str) -> Indices:
        """Return the clips of the lists ``labels``, ``calm`` or ``bursts`` of ``[data]``."""
        other = {name: role for role in ("calm", "bursts") for name in self.recipe.data.get(role, ())}
        return np.flatnonzero([other.get(set_of(e), "labels") in roles for e in self.examples])

    @property
    def calm(self) -> Calm:
        """How calm speech takes part."""
        data = self.recipe.data
        share, certainty = (data.get(k, getattr(Calm, k[5:])) for k in ("calm_share", "calm_certainty"))
        return Calm(frozenset(data.get("calm", ())), float(share), float(certainty))

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
        names = [*self.recipe.data.get("noises", []), *self.recipe.data.get("rooms", [])]
        return features_of(
            self.examples,
            self.frontend,
            self.augment,
            (names, lambda: self.surroundings("train")),
            self.cache or self.out / "cache",
            self.recipe.seed,
            self.recipe.data.get("copies"),
        )

    def surroundings(self, split: str) -> Surroundings:
        """Return the backgrounds and rooms that the recipe names; of a split of the recordings."""
        names = self.recipe.data.get("noises", [])
        rate = self.frontend.spec.rate_hz
        rooms = [direct_sound(x, rate) for x in self._sounds("rooms", split)]
        return Surroundings([[x for _, x in self._readable([name], split)] for name in names], rooms)

    @staticmethod
    def models(step: Step) -> Mapping[str, Callable[..., keras.Model]]:
        """Return the networks of the step ``speech``, ``emotion`` or ``bursts``."""
        known: dict[str, Mapping[str, Callable[..., keras.Model]]] = {"speech": SPEECH, "bursts": BURSTS}
        return known.get(step.name, EMOTION)

    def build(self, step: Step) -> keras.Model:
        """Return the step's network, untrained."""
        frames, mels = self.frontend.spec.output[0]
        labels = {"speech": (), "bursts": burst_labels(self.recipe)}.get(step.name, self.labels)
        sizes = (frames, mels, len(labels)) if labels else (frames, mels)
        return self.models(step)[step.model](*sizes, **step.options)

    def step_data(self, step: Step, model: keras.Model, networks: Networks) -> StepData:
        """Return spans and targets."""
        if step.name == "speech":
            return StepData(self.composed("fit"), self.composed("valid"), {"speech": binary})
        learn = self._bursts if step.name == "bursts" else self._emotions
        return learn(step)

    def _emotions(self, step: Step) -> StepData:
        data, heads = self.recipe.data, self._teacher(step, self.fit)
        speech = [self.examples[i] for i in self.clips("labels", "calm")]  # they come before bursts

        def learn(clips: Indices, validates: bool) -> EmotionBatches:
            return emotion_batches(
                self.features,
                speech,
                clips,
                self.labels,
                self.augment,
                balance=float(data.get("balance", 0.5)),
                smoothing=float(data.get("smoothing", 0.0)),
                calm=self.calm,
                teacher=heads.get("teacher"),
                validates=validates,
            )

        absent = float(data.get("absent", 0.0))

        def loss(truth: Any, logits: Any) -> Any:
            return categorical(truth, logits, absent)

        valid = learn(self.stop, True) if len(self.stop) else None
        return StepData(learn(self.fit, False), valid, {"labels": loss, **dict.fromkeys(heads, imitation)})

    def _bursts(self, step: Step) -> StepData:
        """Return bursts, and the clips of `fit` as what is none."""
        clips = np.concatenate([self.fit, self.bursts])
        heads = {name: values[clips] for name, values in self._teacher(step, clips).items()}
        smoothing = float(self.recipe.data.get("smoothing", 0.0))
        sets = frozenset(self.recipe.data["bursts"])
        batches = burst_batches(
            self.features,
            self.examples,
            clips,
            sets,
            burst_labels(self.recipe),
            self.augment,
            smoothing,
            heads,
        )
        return StepData(batches, None, {"bursts": categorical, **dict.fromkeys(heads, imitation)})

    def _teacher(self, step: Step, taught: Indices) -> dict[str, FloatArray]:
        """Return the teacher's components of all clips by the name of the head; nothing without a teacher."""
        if not step.embedding:
            return {}
        rows = np.zeros(len(self.examples), np.bool_)
        rows[taught] = True
        heard = teacher_features(self.examples, self.cache or self.out / "cache")
        return {"teacher": components(heard, rows, int(step.options["teacher"]))}

    def export(self, networks: Networks) -> Path:
        """Write the joined float network, its draft card, and the manifests."""
        out = self.out
        scale, bias, metrics = self._crossvalidated()
        evidence, measured = self.evidence(networks["speech"])
        if measured["noise_called_speech"] > 0.01 or measured["speech_found"] < 0.85:
            print(f"the step speech misses its aims (noise at most 0.01, speech at least 0.85): {measured}")
        self.save(networks, out, evidence, scale=scale, bias=bias, metrics={**metrics, "speech": measured})
        roles = [self.recipe.data.get(role, []) for role in ("noises", "speech")]
        backgrounds = [e for names in roles for e, _ in self._readable(names, "train")]
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
        bias: float = 0.0,
        metrics: Mapping[str, Any],
    ) -> None:
        """Write ``model.keras``, ``card.json`` and ``calibration.csv`` into ``folder``."""
        model = join({name: as_shipped(network) for name, network in networks.items()})
        neutral = self.recipe.emotion_labels().get("neutral", ())
        biases = tuple(scale * bias if label in neutral else 0.0 for label in self.labels)
        card = draft(
            self.recipe,
            self.frontend.spec,
            labels=self.labels,
            multi_label=False,
            calibration=Calibration((scale,) * len(self.labels), biases),
            thresholds={**even_thresholds(self.labels), **metrics.get("alarm_thresholds", {})},
            outputs={name: name for name in model.output},
            evidence=evidence,
            bursts=burst_card(self.recipe) if "bursts" in networks else {},
            metrics=metrics,
        )
        self.write(model, card, folder)
        names = self.recipe.data.get("noises", [])
        sounds = [e for name in names for e in load_set(name, self.data, "train", self.recipe.manifest)]
        # a device also hears rooms without a voice: the ranges of int8 must hold their features
        quiet = [Example(path=e.path, split="train") for e in sounds[:: max(1, len(sounds) // 20)]]
        readable = [e for e in quiet if _can_be_read(e)]
        write_manifest(folder / "calibration.csv", [*self.sample(CALIBRATION_CLIPS), *readable])

    def evidence(self, speech: keras.Model) -> tuple[dict[str, float], dict[str, float]]:
        """Return the card's evidence and what it was chosen by: held-out sounds, and clips."""
        valid = self.composed("valid")
        spoken = [(i, who(self.examples[i])) for i in self.clips("labels", "calm")]
        held_out = folds([self.examples[i] for i, _ in spoken], min(5, len({person for _, person in spoken})))
        clips = np.array([i for i, person in spoken if held_out[person] == 0], np.int64)
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
        roles = ("labels", "calm", "speech", "noises", "rooms")
        names = [self.recipe.data.get(role) for role in roles]
        asked = [self.frontend.spec.digest, names, n, split, self.recipe.seed]
        key = sha256(json.dumps(asked).encode()).hexdigest()[:16]
        path = folder / f"speech-{key}.npz"
        with only_one(path.with_suffix(".lock")):
            if not path.is_file():
                voices = self._sounds("speech", split) + self._voices(split)
                around = self.surroundings(split)
                if not any(around.noises) or not voices:
                    raise DataError("The step speech needs [data] noises and clips of speech; name sets.")
                print(f"composing {n:,} spans of speech and background ({split})", flush=True)
                made = compose(self.frontend, voices, around, n, self.recipe.seed + (split == "valid"))
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

    def _crossvalidated(self) -> tuple[float, float, dict[str, Any]]:
        if self.crossval is None:
            protocol = (
                "Not measured on speakers no weight saw: run `edgeemo crossval` and train with --crossval."
            )
            return 1.0, 0.0, {"protocol": protocol}
        report = read_report(self.crossval)
        if _plan_of(self.crossval).get("key") != self.key:
            raise DataError(
                f"{self.crossval} holds folds of another recipe or other data than {self.recipe.name}'s: run "
                "`edgeemo crossval` with this recipe and --data, or name its folder."
            )
        try:
            parts = ("calm", "alarm_thresholds", "bursts")
            beside = {name: report[name] for name in parts if name in report}
            found = {"protocol": report["protocol"], "crossval": report["sets"], **beside}
            return float(report["scale"]), float(report["neutral_bias"]), found
        except KeyError as error:
            raise DataError(
                f"{self.crossval} was made by another release: run `edgeemo crossval`."
            ) from error

    def _voices(self, split: str) -> list[FloatArray]:
        """Return at most `VOICES` clips of speech; a fifth of the speakers are ``valid``."""
        speech = [self.examples[i] for i in self.clips("labels", "calm")]
        fold = folds(speech, min(5, len({who(e) for e in speech})))
        own = [e for e in speech if (fold[who(e)] == 0) == (split == "valid")]
        rng = np.random.default_rng(self.recipe.seed)
        chosen = rng.permutation(len(own))[:VOICES]
        return [read_mono(own[i].path or Path(), self.frontend.spec.rate_hz) for i in chosen]

    def _sounds(self, role: str, split: str) -> list[FloatArray]:
        """Return the sounds of ``[data] rooms`` or ``speech`` at the model's rate."""
        return [x for _, x in self._readable(self.recipe.data.get(role, []), split)]

    def _readable(self, names: Sequence[str], split: str) -> list[tuple[Example, FloatArray]]:
        """Return sounds of sets and their samples; a file the library cannot decode is left out."""
        examples = [e for name in names for e in load_set(name, self.data, split, self.recipe.manifest)]
        found = []
        for e in examples:
            try:
                found.append((e, read_mono(e.path or Path(), self.frontend.spec.rate_hz)))
            except (DataError, SourceError):
                continue
        if len(found) < len(examples):
            print(
                f"{len(examples) - len(found)} of {len(examples)} sounds ({', '.join(names)}) cannot be read"
            )
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
