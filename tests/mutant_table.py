"""The faults that `mutants` plants: small ones, as people make them.

Each row names a file, a text that stands in the file exactly once, and the faulty text. The last column names
the tests that should notice the fault: arguments of pytest, below ``tests/``. A fault that cannot change an
answer does not belong here.
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One fault: ``old`` becomes ``new`` in ``file``, and one of ``tests`` should fail."""

    file: str
    old: str
    new: str
    tests: str


# fmt: off
FAULTS = [
    # --- text, C++ ---
    Fault("cpp/src/text/wordpiece.cpp", "            matched = i + 1;\n", "            matched = i + 1;\n            break;\n",
          "test_text_identity.py"),  # the shortest match, not the longest
    Fault("cpp/src/text/cutter.h", "only_single_ && characters_ > 1;", "only_single_;", "test_text_frontend.py"),
    Fault("cpp/src/text/cutter.h", "unknown_ |= piece.id == plan_.unk;", "", "test_text_frontend.py"),
    Fault("cpp/src/text/normalize.h", "if (rank == 0) starter = kept;", "starter = kept;", "test_text_identity.py"),
    Fault("cpp/src/base/utf8.cpp", "lead == 0xED ? 0x9F", "lead == 0xED ? 0xBF", "test_bundle.py"),

    # --- voice, C++ ---
    Fault("cpp/src/voice/spans.cpp", "if (held >= n_frames_) return;", "if (held > 0) return;",
          "test_voice_frontend.py"),  # the tail of a clip is lost
    Fault("cpp/src/voice/spans.cpp", "next_ + spec_->span_frames;", "next_ + spec_->span_frames + 1;",
          "test_voice_frontend.py"),
    Fault("cpp/src/voice/resample.cpp", "(n_in_ * table_->up + table_->down - 1) / table_->down",
          "n_in_ * table_->up / table_->down", "test_voice_frontend.py"),
    Fault("cpp/src/voice/pcm.cpp", "out[i] = sum * scale / count;", "out[i] = sum * scale;", "test_voice_frontend.py"),
    Fault("cpp/src/voice/pcen.cpp", "std::fill(smooth_.begin(), smooth_.end(), 1.0);", "", "test_voice_frontend.py"),

    # --- faces, C++ ---
    Fault("cpp/src/face/smooth.cpp", "m.alone ? left * share : left;", "left;", "test_smooth.py"),
    Fault("cpp/src/face/smooth.cpp", "m.weight = evidence;", "m.weight = 1.0;", "test_smooth.py"),
    Fault("cpp/src/face/track.cpp", "live_.clear();\n    next_id_ = 1;", "live_.clear();", "test_face_track.py"),
    Fault("cpp/src/face/track.cpp", "live_.back().track.id = next_id_++;",
          "live_.back().track.id = static_cast<std::int64_t>(live_.size());", "test_face_track.py"),  # ids come again
    Fault("cpp/src/face/track.cpp", "++m.track.hits >= spec_.least_hits;", "++m.track.hits > spec_.least_hits;",
          "test_face_track.py"),
    Fault("cpp/src/face/track.cpp", "t_ms - m.track.seen_ms > spec_.most_gap_ms;",
          "t_ms - m.track.seen_ms >= spec_.most_gap_ms;", "test_face_track.py"),
    Fault("cpp/src/face/detect.cpp", "if (eyes[1].x < eyes[0].x) std::swap(eyes[0], eyes[1]);", "", "test_face_detect.py"),
    Fault("cpp/src/face/detect.cpp", "if (sum >= least_sum_)", "if (sum > least_sum_)", "test_face_detect.py"),
    Fault("cpp/src/face/detect.cpp",
          "{static_cast<double>(index % columns), static_cast<double>(index / columns),",
          "{static_cast<double>(index / columns), static_cast<double>(index % columns),", "test_face_detect.py"),
    Fault("cpp/src/face/detect.cpp", "area_of(face.box) * face.score > area_of(best->box) * best->score",
          "area_of(face.box) > area_of(best->box)", "test_face_detect.py"),
    Fault("cpp/src/face/area.cpp", "kBlack = 16.0F", "kBlack = 0.0F", "test_face_frontend.py"),
    Fault("cpp/src/face/alignment.cpp", "spec_.height * spec_.eye_y,", "spec_.height * (1.0 - spec_.eye_y),",
          "test_face_frontend.py"),
    Fault("cpp/src/face/alignment.cpp", "middle.y - b * u - a * v * up", "middle.y - b * u - a * v", "test_face_recognizer.py test_c_faces.py"),
    Fault("cpp/src/face/follow.cpp", "if (!found) followed.track.face.score = 0.0;", "", "test_face_stream.py"),

    # --- from outputs to results, C++ ---
    Fault("cpp/src/base/quant.cpp", "if (rest > 0.5f || (rest == 0.5f && (n & 1) != 0)) ++n;", "if (rest >= 0.5f) ++n;",
          "test_quant.py"),
    Fault("cpp/src/base/quant.cpp", "q > kHigh ? kHigh : q", "q > kHigh ? kLow : q", "test_quant.py"),
    Fault("cpp/src/runtime/scores.cpp", "q * (1.0 - p) : q;", "q : q;", "test_scores.py"),
    Fault("cpp/src/runtime/scores.cpp", "1.0 / rule.temperature", "rule.temperature", "test_scores.py"),
    Fault("cpp/src/runtime/readout.cpp", "neutral_[n] = 1.0F;", "neutral_[n + 1] = 1.0F;",
          "test_voice_recognizer.py test_recognizer.py"),
    Fault("cpp/src/runtime/readout.cpp", "std::clamp(value, -1.0, 1.0)", "value", "test_recognizer.py test_voice_recognizer.py"),
    Fault("cpp/src/runtime/readout.cpp", "std::clamp(share, 0.0, 1.0)", "share", "test_voice_recognizer.py"),
    Fault("cpp/src/runtime/readout.cpp", ">= least_logit_ ? 1 : 0;", "> least_logit_ ? 1 : 0;", "test_voice_recognizer.py"),
    Fault("cpp/src/bundle/bundle.cpp", " && found->second == digest_of(content);", ";", "test_c_abi.py test_bundle.py"),

    Fault("cpp/src/bundle/bundle.cpp", "if (digest_of(model) != bundle.card.flatbuffer_sha256)", "if (false)", "test_bundle.py"),
    Fault("cpp/src/bundle/model_parts.cpp", "if (wanted.digest != card.spec_digest)", "if (false)", "test_bundle.py"),

    # --- the live path, C++ ---
    Fault("cpp/src/online/recognizer.cpp", "static_cast<double>(counts.n_understood) / counts.n_words;",
          "static_cast<double>(counts.n_understood) / counts.n_ids;", "test_recognizer.py"),
    Fault("cpp/src/online/recognizer.cpp", "return counts.n_understood > 0;", "return true;", "test_recognizer.py"),
    Fault("cpp/src/online/recognizer.cpp", "out.truncated = counts.truncated;", "", "test_recognizer.py"),
    Fault("cpp/src/online/recognizer.cpp", "part.int16 += begin * channels;", "part.int16 += begin;", "test_voice_recognizer.py"),
    Fault("cpp/src/online/means.h", "const double w = evidence * n_frames;", "const double w = n_frames;",
          "test_voice_recognizer.py"),
    Fault("cpp/src/online/listener.cpp", "std::max(1, span.n_frames / parts->block_frames)",
          "parts->speech.size()", "test_voice_recognizer.py"),  # padding counts as silence
    Fault("cpp/src/online/listener.cpp", "> s.hop_ms) s.finish();", ">= s.hop_ms) s.finish();", "test_stream.py"),
    Fault("cpp/src/online/listener.cpp", "begun ? std::min(first_ms, t_ms) : t_ms;", "t_ms;", "test_stream.py"),
    Fault("cpp/src/online/listener.cpp", "ended ? std::max(now, last_ms) : now;", "now;", "test_stream.py"),
    Fault("cpp/src/online/listener.cpp", "    s.all.reset();\n", "", "test_stream.py"),
    Fault("cpp/src/online/listener.cpp", "            utterance.reset();\n", "", "test_utterances.py"),
    Fault("cpp/src/online/listener.cpp", "silent = silent || from <= samples;", "silent = silent || from < samples;",
          "test_utterances.py"),
    Fault("cpp/src/online/means.h", "burst_row.data(), 1.0, n_frames", "burst_row.data(), evidence, n_frames",
          "test_bursts.py"),
    Fault("cpp/src/online/means.h", "        bursts.reset();\n", "", "test_bursts.py"),
    Fault("cpp/src/bundle/card_bursts.cpp", "pair->items.size() == 2", "pair->items.size() >= 1", "test_card_edits.py"),
    Fault("cpp/src/online/utterance_finder.cpp", "is_long ? tick_ : hang_over_", "hang_over_", "test_utterances.py"),
    Fault("cpp/src/online/utterance_finder.cpp", "*rise_ - block_", "*rise_", "test_utterances.py"),
    Fault("cpp/src/online/watcher.cpp", "out.start_ms = next.track.first_ms;", "out.start_ms = t_ms;", "test_face_stream.py"),
    Fault("cpp/src/online/watcher.cpp", "read(*parts_, image, parts_->face->align(given.box), given, out);",
          "read(*parts_, image, fitted(*parts_->face, given, parts_->fit), given, out);", "test_face_recognizer.py"),

    # --- sources ---
    Fault("edgeemo/sources/camera.py", "Latest(1)", "Latest(30)", "test_camera.py"),
    Fault("edgeemo/sources/camera.py", "int(1000 * (now_s - self._origin_s))", "int(1000 * now_s)", "test_camera.py"),
    Fault("edgeemo/sources/base.py", "self._blocks.popleft()\n                self.drops += 1",
          "self._blocks.pop()\n                self.drops += 1", "test_sources.py"),
    Fault("edgeemo/sources/files.py", "self._rest = data[whole:]", "self._rest = b''", "test_sources.py"),
    Fault("edgeemo/sources/video.py", "since_ms > self._last_ms", "since_ms >= self._last_ms", "test_video.py"),
    Fault("edgeemo/sources/video.py", "if _LEAST_FPS <= fps <= _MOST_FPS else _FPS", "if fps > 0 else _FPS", "test_video.py"),
    Fault("edgeemo/files.py", "        part.replace(place)\n", "        place.write_bytes(data)\n", "test_bundle_files.py"),

    # --- results ---
    Fault("edgeemo/types.py", "self.probabilities >= self.thresholds", "self.probabilities > self.thresholds", "test_types.py"),
    Fault("edgeemo/types.py", 'np.argsort(-self.scores, kind="stable")', "np.argsort(self.scores)[::-1]", "test_types.py"),
    Fault("edgeemo/types.py", " if self.probabilities.any() else ()", "", "test_types.py test_voice_recognizer.py"),

    # --- evaluation ---
    Fault("edgeemo/evaluation/metrics.py", "np.ceil(probability * BINS).astype(np.intp) - 1",
          "np.floor(probability * BINS).astype(np.intp)", "test_metrics.py"),
    Fault("edgeemo/evaluation/metrics.py", "2 * hit / (active + some)", "2 * hit / (active + gold + 1)", "test_metrics.py"),
    Fault("edgeemo/evaluation/metrics.py", "np.where(np.take_along_axis(truth, top[:, None], 1)[:, 0], top, truth.argmax(1))",
          "truth.argmax(1)", "test_metrics.py"),
    Fault("edgeemo/evaluation/bootstrap.py", "[2.5, 97.5]", "[5.0, 95.0]", "test_metrics.py"),
    Fault("edgeemo/evaluation/bootstrap.py", 'keys = [name or f"\\0{i}" for i, name in enumerate(names)]', "keys = names",
          "test_metrics.py"),  # examples without a speaker become one speaker
    Fault("edgeemo/evaluation/detection.py", "key=lambda face: -face.score", "key=lambda face: face.score", "test_detection.py"),
    Fault("edgeemo/evaluation/detection.py", "least <= face.side < most", "least <= face.side <= most", "test_detection.py"),
    Fault("edgeemo/evaluation/groups.py", "// 10 * 10", "// 5 * 5",
          "test_face_evaluate.py::test_ages_in_tens_and_ethnicities_are_measured"),
    Fault("edgeemo/evaluation/sounds.py", "np.asarray(wet * np.float32(gain))", "np.asarray(wet)", "test_field.py"),
    Fault("edgeemo/evaluation/live_voice.py", "hits[-1][0] - scene.end_ms", "hits[0][0] - scene.end_ms", "test_field.py"),
    Fault("edgeemo/evaluation/calm.py", "if i not in known]", "if i in known]", "test_field.py"),
    Fault("edgeemo/evaluation/field.py", '{"calm": "neutral"} if', "{} if", "test_field.py"),
    Fault("edgeemo/data/voice_readers.py", "if take not in found:", "if take:", "test_voice_sets.py"),
    Fault("edgeemo/evaluation/sounds.py", "10 ** (-snr_db / 10)", "10 ** (-snr_db / 20)", "test_robustness.py"),

    Fault("edgeemo/evaluation/label_sets.py", "probability >= self.thresholds", "probability > self.thresholds",
          "test_verify.py test_evaluate.py"),
    Fault("edgeemo/evaluation/label_sets.py", "labels, members = tuple(groups), ", "labels, members = tuple(sorted(groups)), ",
          "test_verify.py test_evaluate.py"),

    # --- data ---
    Fault("edgeemo/data/sounds.py", "~(np.abs(samples) <= LARGEST)", "~(np.abs(samples) < LARGEST)", "test_voice_evaluate.py"),
    Fault("edgeemo/data/pictures.py", "6: lambda stored: np.rot90(stored, -1),", "6: np.rot90,", "test_photos.py test_metadata.py"),
    Fault("edgeemo/data/pictures.py", "(values >> (bits - 8))", "(values >> 8)", "test_photos.py test_metadata.py"),
    Fault("edgeemo/data/lengths.py", "stated in (held, unknown)", "stated == held", "test_lengths.py"),
    Fault("edgeemo/data/leaks.py", ".casefold()", "", "test_leaks.py"),
    Fault("edgeemo/data/fingerprint.py", "edges * window / rate_hz", "edges * window / 16_000", "test_voice_leaks.py"),
    Fault("edgeemo/data/manifest.py", "folder / path if path else None", "Path(path) if path else None", "test_manifest.py"),
    Fault("edgeemo/data/folds.py", "speaker: i % n for", "speaker: i % (n - 1) for", "test_training_voice.py::test_folds_keep_speakers_whole_and_share_sets_and_genders"),

    # --- training and conversion ---
    Fault("edgeemo/training/calibrate.py", "Calibration(rounded[0], rounded[1],", "Calibration(rounded[1], rounded[0],", "test_verify.py"),
    Fault("edgeemo/training/voice/augment.py", "power / 10 ** (snr_db / 10)", "power / 10 ** (snr_db / 20)", "test_augment.py"),
    Fault("edgeemo/training/voice/augment.py", "(where < (start + width)[:, None])", "(where <= (start + width)[:, None])",
          "test_augment.py"),
    Fault("converters/verify.py", "float(same[clear].mean())", "float(same.mean())", "test_verify.py"),
    Fault("converters/verify.py", '        "clear_agreement": "where the float model is clear, the top label agrees on",\n', "",
          "test_verify.py"),

    # --- doctor and licences ---
    Fault("edgeemo/doctor/model_runs.py", "TOLERANCE = 0.05", "TOLERANCE = 0.5", "test_doctor_checks.py"),
    Fault("edgeemo/opened.py", "if require_commercial:", 'if require_commercial and card.commercial == "no":',
          "test_licences.py test_recognizer.py"),

    # --- measuring speed ---
    Fault("edgeemo/machine.py", "_SINCE_BOOT = 16", "_SINCE_BOOT = 15", "test_machine.py"),
    Fault("edgeemo/bench/comparison.py", 'verdict["ratio"] > 1 + limit', 'verdict["ratio"] >= 1 + limit', "test_bench_compare.py"),
    Fault("edgeemo/bench/noise.py", "abs(moved) > MOST_SPREAD", "moved > MOST_SPREAD", "test_bench_timing.py"),
    Fault("edgeemo/bench/timing.py", " + (block < self.rounds % self.blocks())", "", "test_bench_timing.py"),
    Fault("edgeemo/bench/energy.py", "if used < 0:", "if used > 0:", "test_bench_timing.py"),

    # --- command line ---
    Fault("edgeemo/cli/predict.py", '.removesuffix(b"\\r")', "", "test_cli.py"),
    Fault("edgeemo/cli/voice.py", "self._rest = samples[whole:]", "self._rest = samples[:0]", "test_cli_voice.py"),
]
# fmt: on
