"""Cross-validation by speakers: the scores of a voice recipe on voices it was not trained on.

Every fold trains the emotion network on the other folds' speakers and converts it to an int8 bundle. Then it
reads its own speakers' whole clips through `VoiceRecognizer.predict`. One speech network, trained on all
speakers, serves all folds: it finds where somebody speaks, not what the voice expresses. A network of bursts
is trained and tested in the same way. The folder::

    OUT/ plan.json cache/ speech/      what all folds share
         fold-0/ … emotion/ model.keras bundle.tflite answers.npz held.csv
         predictions.csv crossval.json
         speakers-8/ fold-0/ …         the same with at most 8 training speakers, for a learning curve

Folds that are done are kept, so an interrupted run goes on, and several processes may share the work.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt

from ..bundle import Bundle
from ..card import Calibration, ModelCard
from ..converters.convert import calibration_inputs
from ..converters.float_reference import float_reference
from ..converters.quantize import quantize
from ..data.clips import read_clip
from ..data.folds import folds, take, who
from ..data.manifest import Example, write_manifest
from ..errors import SpecError
from ..evaluation.bootstrap import Draw, intervals
from ..evaluation.label_sets import FINE, LabelSet, label_sets_of
from ..evaluation.predictions import Predictions, label_measure, predict
from ..evaluation.robustness import ClipAnswers, noise_and_codecs
from ..evaluation.sounds import Noise
from ..recognizer import Recognizer
from ..runtime import Runtime
from .calibrate import clip_scale
from .recipe import read_recipe
from .voice.batches import set_of
from .voice.features import Indices, only_one
from .voice.held_out import beside_emotions, calibrated, confusion, neutral_bias, read_beside
from .voice.speech import evidence_of
from .voice.trainer import REPORT, VoiceTrainer, read_report, split_speakers

PROTOCOL = (
    "Cross-validation in {n} folds of whole speakers: the int8 model of each fold read the whole clips of "
    "speakers its emotion network had not been trained on; the speech network, which only weighs spans, is "
    "shared and knows all speakers. UAR over the classes of each set, 95 % intervals draw speakers."
)


Answers = dict[str, npt.NDArray[Any]]
"""The answers of a fold's models to its clips, as its file ``answers.npz`` holds them.

``clips`` are indices. ``said_…`` are the `Predictions` of the int8 bundle, and ``exact`` the float model's
probabilities. ``logits`` ``(spans, labels)`` are the int8 model's, ``weight`` is what each span counts, and
``owner`` the place of its clip in ``clips``. ``calm`` and ``bursts`` are indices, too; their answers are
those of `edgeemo.training.voice.held_out.read_beside`.
"""


def crossval(
    recipe: str | Path,
    *,
    data: Path,
    out: Path,
    n: int = 6,
    fold: int | None = None,
    speakers: int | None = None,
    noise: Noise | None = None,
) -> dict[str, Any] | None:
    """Cross-validate a voice recipe.

    Args:
        recipe, data: as of `edgeemo.training.train.run`.
        out: the folder to fill; what it holds is kept.
        n: how many folds.
        fold: do this one alone.
        speakers: train on at most so many speakers a fold, drawn from all sets.
        noise: measure robustness, too: what each fold says in this noise and through codecs.

    Returns:
        the report, or None while folds are missing.

    Raises:
        SpecError: not a voice recipe, or ``out`` holds folds of another.
        DataError: the data are missing or damaged, or there are fewer speakers than folds.
    """
    plan = read_recipe(recipe, check_models=True)
    if plan.modality != "voice":
        raise SpecError(
            f"{plan.name} is a {plan.modality} recipe; cross-validation by speakers is for voice."
        )
    if fold is not None and not 0 <= fold < n:
        raise SpecError(f"There is no fold {fold}: expected 0 to {n - 1}.")
    out.mkdir(parents=True, exist_ok=True)
    trainer = VoiceTrainer.load(plan, Path(data), out)
    place = folds(trainer.examples, n)
    _claim(trainer, out, n)
    with only_one(out / "speech.lock"):
        speech = trainer.train(plan.step[0], {}, out / "speech")
        evidence = _evidence(trainer, speech, out / "speech" / "evidence.json")
    held = [np.array([place[who(e)] == k for e in trainer.examples]) for k in range(n)]
    where = out if speakers is None else out / f"speakers-{speakers}"
    for k in range(n) if fold is None else (fold,):
        folder = where / f"fold-{k}"
        if not (folder / "answers.npz").is_file():
            print(f"fold {k} of {n}", flush=True)
            _run_fold(trainer, speech, evidence, held[k], folder, speakers)
            keras.backend.clear_session()
            speech = trainer.train(plan.step[0], {}, out / "speech")
    done = [where / f"fold-{k}" / "answers.npz" for k in range(n)]
    if not all(path.is_file() for path in done):
        return None
    card = ModelCard.from_json((where / "fold-0" / "card.json").read_bytes())
    answers = _joined([_read(path) for path in done])
    labelled = [trainer.examples[i] for i in trainer.clips("labels")]
    answers["int8"] = answers["said_probabilities"]
    report, bias = _report(card, labelled, answers, n, speakers), 0.0
    if len(answers["calm"]):
        bias = neutral_bias(card, trainer.examples, answers)
        calibration = calibrated(card, bias, report["scale"])
        answers |= _joined([_read_again(path, trainer.examples, calibration) for path in done])
        report = _report(card, labelled, answers, n, speakers)
    report["neutral_bias"] = bias
    report |= beside_emotions(card, trainer.examples, answers)
    report["kilobytes"] = round((where / "fold-0" / "bundle.tflite").stat().st_size / 1000, 1)
    voices = [len({who(trainer.examples[i]) for i in _taught(trainer, one, speakers)[0]}) for one in held]
    report["taught_speakers"] = round(sum(voices) / n, 1)
    if noise is not None:
        report["robustness"] = _robustness(done, card, labelled, answers, noise)
    elif (where / REPORT).is_file() and "robustness" in (before := read_report(where)):
        report["robustness"] = before["robustness"]  # of the same folds: minutes of work
    _write_predictions(where / "predictions.csv", card, labelled, answers, place)
    for path in done:  # what `edgeemo evaluate fold-0/bundle.tflite fold-0/held.csv` reads
        write_manifest(path.parent / "held.csv", [trainer.examples[i] for i in _read(path)["clips"]])
    (where / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def _run_fold(
    trainer: VoiceTrainer,
    speech: keras.Model,
    evidence: Mapping[str, float],
    held: npt.NDArray[np.bool_],
    folder: Path,
    speakers: int | None,
) -> None:
    """Train on the clips that are not held, convert, and read those that are."""
    started = time.monotonic()
    fit, stop = _taught(trainer, held, speakers)
    cache = trainer.cache or trainer.out / "cache"
    own = replace(trainer, fit=fit, stop=stop, bursts=trainer.bursts[~held[trainer.bursts]], cache=cache)
    networks = {"speech": speech}
    for step in trainer.recipe.step[1:]:
        networks[step.name] = own.train(step, networks, folder / step.name)
    own.save(networks, folder, evidence, metrics={})
    bundle = _converted(own, folder)
    tested = {role: _chosen(trainer, held, role) for role in ("labels", "calm", "bursts")}
    answers = _answer(trainer, bundle, folder / "model.keras", tested["labels"], evidence)
    answers |= {role: tested[role] for role in ("calm", "bursts")}
    with Recognizer.open(folder / "bundle.tflite") as recognizer:
        answers |= read_beside(recognizer, trainer.examples, tested["calm"], tested["bursts"])
    part = folder / "answers.part.npz"
    np.savez(part, allow_pickle=False, **answers)
    part.replace(folder / "answers.npz")
    print(f"{folder.name}: {len(fit):,} clips taught, {time.monotonic() - started:.0f} s", flush=True)


def _read_again(done: Path, examples: Sequence[Example], calibration: Calibration) -> Answers:
    """Return a fold's answers to its clips with another calibration, which its bundle keeps."""
    answers, path = _read(done), done.parent / "bundle.tflite"
    bundle = Bundle.open(path)
    card = replace(cast(ModelCard, bundle.card), calibration=calibration)
    replace(bundle, card=card).write(path)
    with Recognizer.open(path) as recognizer:
        said = predict(recognizer, [examples[i] for i in answers["clips"]])
        beside = read_beside(recognizer, examples, answers["calm"], answers["bursts"])
    keys = ("clips", "owner")
    return (
        {k: answers[k] for k in keys}
        | {f"said_{f.name}": getattr(said, f.name) for f in fields(said)}
        | beside
    )


def _chosen(trainer: VoiceTrainer, chosen: npt.NDArray[np.bool_], *roles: str) -> Indices:
    """Return the chosen clips that come from these lists of ``[data]``."""
    clips = trainer.clips(*roles)
    return clips[chosen[clips]]


def _taught(
    trainer: VoiceTrainer, held: npt.NDArray[np.bool_], speakers: int | None
) -> tuple[Indices, Indices]:
    """Return the clips a fold learns from and those that stop it."""
    others = _chosen(trainer, ~held, "labels", "calm")
    if speakers is not None:
        chosen = {who(e) for e in take([trainer.examples[i] for i in others.tolist()], speakers)}
        others = others[[who(trainer.examples[i]) in chosen for i in others.tolist()]]
    return split_speakers(trainer.examples, others, int(trainer.recipe.data.get("stop", 0)))


def _converted(trainer: VoiceTrainer, folder: Path) -> Bundle:
    """Return the int8 bundle of a fold, calibrated on clips of its own speakers."""
    card = ModelCard.from_json((folder / "card.json").read_bytes())
    inputs = calibration_inputs(card, trainer.frontend, folder / "calibration.csv")
    bundle = Bundle(quantize(folder / "model.keras", inputs), card, {})
    return bundle.write(folder / "bundle.tflite")


def _answer(
    trainer: VoiceTrainer, bundle: Bundle, model: Path, clips: Indices, evidence: Mapping[str, float]
) -> Answers:
    examples = [trainer.examples[i] for i in clips]
    runtime = Runtime(bundle.flatbuffer)
    said = predict(Recognizer(bundle, runtime), examples)
    exact = predict(float_reference(model, bundle), examples)
    logits, weight, owner = [], [], []
    for i, example in enumerate(examples):
        spans = trainer.frontend.compute(*read_clip(example))
        answers = [runtime.run(span[np.newaxis]) for span in spans.features]
        heard = np.concatenate([a["speech"] for a in answers])
        frames = np.asarray(spans.n_frames)
        logits += [a["labels"][0] for a in answers]
        weight += (evidence_of(heard, frames, evidence["threshold"]) * frames).tolist()
        owner += [i] * len(answers)
    return {
        "clips": clips,
        "exact": exact.probabilities,
        "logits": np.array(logits),
        "weight": np.array(weight, np.float32),
        "owner": np.array(owner),
        **{f"said_{f.name}": getattr(said, f.name) for f in fields(Predictions)},
    }


def _read(path: Path) -> Answers:
    with np.load(path) as found:
        return dict(found)


def _joined(parts: Sequence[Answers]) -> Answers:
    starts = np.cumsum([0, *(len(part["clips"]) for part in parts)])
    shifted = [part | {"owner": part["owner"] + start} for part, start in zip(parts, starts, strict=False)]
    found = {name: [part[name] for part in shifted if len(part[name])] for name in shifted[0]}
    return {name: np.concatenate(part) if part else shifted[0][name] for name, part in found.items()}


def _said(answers: Answers) -> Predictions:
    return Predictions(*(answers[f"said_{f.name}"] for f in fields(Predictions)))


def _by_set(
    card: ModelCard, examples: Sequence[Example], answers: Answers
) -> Iterator[tuple[str, LabelSet, npt.NDArray[np.bool_], list[Example], Draw]]:
    """Yield of each set: name, space of its labels, which answers are its own, clips, and how to draw.

    Whole speakers are drawn.
    """
    tested = [examples[i] for i in answers["clips"]]
    kinds = np.array([set_of(e) for e in tested])
    for name in dict.fromkeys(map(set_of, examples)):
        space = label_sets_of(card)[FINE].narrowed([e for e in examples if set_of(e) == name])
        own = [e for e in tested if set_of(e) == name]
        clusters = np.unique([who(e) for e in own], return_inverse=True)[1].astype(np.intp)
        yield name, space, kinds == name, own, Draw(len(own), clusters=clusters)


def _report(
    card: ModelCard, examples: Sequence[Example], answers: Answers, n: int, speakers: int | None
) -> dict[str, Any]:
    tested = [examples[i] for i in answers["clips"]]
    known = np.zeros((len(tested), len(card.labels)), np.bool_)
    truth = label_sets_of(card)[FINE].truth(tested).astype(np.float64)
    sets: dict[str, Any] = {}
    for name, space, chosen, own, draw in _by_set(card, examples, answers):
        said = _said(answers).rows(chosen)
        found = intervals([label_measure(space, own, said, only=("accuracy", "uar"))], draw)
        top = space.probability(said.probabilities, said.scores).argmax(1)
        exact = space.probability(answers["exact"][chosen], said.scores).argmax(1)
        device = space.probability(answers["int8"][chosen], said.scores).argmax(1)
        known[chosen] = np.isin(card.labels, space.labels)
        sets[name] = {
            "n": len(own),
            "speakers": draw.units,
            "classes": len(space.labels),
            "uar": found["uar"].to_dict(),
            "accuracy": found["accuracy"].to_dict(),
            "float_agreement": float((device == exact).mean()),
            "evidence": float(said.evidence.mean()),
            "confusion": confusion(space.labels, [e.labels[0] for e in own], top),
        }
    return {
        "recipe": card.name,
        "protocol": PROTOCOL.format(n=n),
        "folds": n,
        "speakers": speakers,
        "scale": clip_scale(answers["logits"], answers["weight"], answers["owner"], truth, known),
        "sets": sets,
    }


def _robustness(
    folds_done: Sequence[Path], card: ModelCard, examples: Sequence[Example], answers: Answers, noise: Noise
) -> dict[str, Any]:
    """Return for each set what noise and codecs cost: every fold's bundle reads its clips again."""
    parts = []
    for path in folds_done:
        print(f"{path.parent.name} in noise and through codecs", flush=True)
        held = [examples[i] for i in _read(path)["clips"]]
        recognizer = Recognizer.open(path.parent / "bundle.tflite")
        parts.append(ClipAnswers.collect(recognizer, held, noise_and_codecs(noise), _progress))
    said = {name: Predictions.joined([part.said[name] for part in parts]) for name in parts[0].said}
    kbit_s = {name: float(np.mean([part.kbit_s[name] for part in parts])) for name in parts[0].kbit_s}
    found = {}
    for name, space, chosen, own, draw in _by_set(card, examples, answers):
        heard = ClipAnswers({x: every.rows(chosen) for x, every in said.items()}, kbit_s)
        found[name] = heard.measure(own, _said(answers).rows(chosen), space, draw, noise.name).to_dict()
    return found


def _progress(items: Sequence[Any]) -> Iterator[Any]:
    bar = keras.utils.Progbar(len(items), unit_name="clip")
    for item in items:
        yield item
        bar.add(1)


def _write_predictions(
    path: Path, card: ModelCard, examples: Sequence[Example], answers: Answers, place: Mapping[str, int]
) -> None:
    """Write a row a clip: the clip, the answer, and the probabilities over its set's classes."""
    columns = ["path", "set", "speaker", "gender", "fold", "labels", "said", "evidence", *card.labels]
    said, rows = _said(answers), {}
    for name, space, chosen, own, _ in _by_set(card, examples, answers):
        probability = space.probability(said.probabilities[chosen], said.scores[chosen])
        for row, e, p in zip(np.flatnonzero(chosen).tolist(), own, probability, strict=True):
            rows[row] = {
                "path": e.path,
                "set": name,
                "speaker": e.speaker,
                "gender": e.gender,
                "fold": place[who(e)],
                "labels": "|".join(e.labels),
                "said": space.labels[int(p.argmax())],
                "evidence": round(float(said.evidence[row]), 4),
                **{x: round(float(value), 4) for x, value in zip(space.labels, p, strict=True)},
            }
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows[row] for row in sorted(rows))


def _evidence(trainer: VoiceTrainer, speech: keras.Model, path: Path) -> dict[str, float]:
    """Return the card's evidence; kept beside the speech network."""
    if not path.is_file():
        path.write_text(json.dumps(trainer.evidence(speech)[0]), encoding="utf-8")
    found: dict[str, float] = json.loads(path.read_text("utf-8"))
    return found


def _claim(trainer: VoiceTrainer, out: Path, n: int) -> None:
    """Note the recipe and data of the folds in ``out``; refuse a folder with others."""
    whose = {"folds": n, "key": trainer.key}
    path = out / "plan.json"
    if path.is_file() and json.loads(path.read_text("utf-8")) != whose:
        raise SpecError(
            f"{out} holds folds of another recipe, data or number of folds: choose another --out."
        )
    path.write_text(json.dumps(whose), encoding="utf-8")
