"""The faults that `mutants` plants: small ones, as people make them.

Each row names a file, a text that stands in it exactly once, the faulty text, and the tests that should notice
the fault (arguments of pytest, below ``tests/``). Faults that cannot change an answer do not belong here.
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
    Fault("cpp/src/base/utf8.cpp", "lead == 0xED ? 0x9F", "lead == 0xED ? 0xBF", "test_text_frontend.py"),

    # --- voice, C++ ---
    Fault("cpp/src/voice/spans.cpp", "if (held >= n_frames_) return;", "if (held > 0) return;",
          "test_voice_frontend.py"),  # the tail of a clip is lost
    Fault("cpp/src/voice/spans.cpp", "while (next_ + spec_->span_frames <= n_frames_)",
          "while (next_ + spec_->span_frames < n_frames_)", "test_voice_frontend.py"),
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
    Fault("cpp/src/face/fit.cpp", "middle.y - b * u - a * v * up", "middle.y - b * u - a * v", "test_face_recognizer.py test_c_faces.py"),
    Fault("cpp/src/face/follow.cpp", "if (!found) followed.track.face.score = 0.0;", "", "test_face_stream.py"),

    # --- from outputs to results, C++ ---
    Fault("cpp/src/base/quant.cpp", "if (rest > 0.5f || (rest == 0.5f && (n & 1) != 0)) ++n;", "if (rest >= 0.5f) ++n;",
          "test_quant.py"),
    Fault("cpp/src/base/quant.cpp", "q > kHigh ? kHigh : q", "q > kHigh ? kLow : q", "test_quant.py"),
    Fault("cpp/src/runtime/scores.cpp", "q * (1.0 - p) : q;", "q : q;", "test_scores.py"),
    Fault("cpp/src/runtime/scores.cpp", "1.0 / rule_.temperature", "rule_.temperature", "test_scores.py"),
    Fault("cpp/src/runtime/readout.cpp", "neutral_[n] = 1.0F;", "neutral_[n + 1] = 1.0F;",
          "test_voice_recognizer.py test_recognizer.py"),
    Fault("cpp/src/runtime/readout.cpp", "std::clamp(value, -1.0, 1.0)", "value", "test_recognizer.py test_voice_recognizer.py"),
    Fault("cpp/src/runtime/readout.cpp", "std::clamp(share, 0.0, 1.0)", "share", "test_voice_recognizer.py"),
    Fault("cpp/src/runtime/readout.cpp", ">= least_logit_ ? 1 : 0;", "> least_logit_ ? 1 : 0;", "test_voice_recognizer.py"),
    Fault("cpp/src/bundle/bundle.cpp", " && found->second == digest_of(content);", ";", "test_c_abi.py test_bundle.py"),

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
    Fault("edgeemo/evaluation/groups.py", "// 10 * 10", "// 5 * 5", "test_face_evaluate.py test_voice_evaluate.py"),
    Fault("edgeemo/evaluation/sounds.py", "10 ** (-snr_db / 10)", "10 ** (-snr_db / 20)", "test_robustness.py"),

    # --- measuring speed ---
    Fault("edgeemo/machine.py", "_SINCE_BOOT = 16", "_SINCE_BOOT = 15", "test_machine.py"),
    Fault("edgeemo/bench/compare.py", 'verdict["ratio"] > 1 + limit', 'verdict["ratio"] >= 1 + limit', "test_bench_compare.py"),
    Fault("edgeemo/bench/noise.py", "abs(drift(medians)) > MOST_SPREAD", "drift(medians) > MOST_SPREAD", "test_bench_timing.py"),
    Fault("edgeemo/bench/timing.py", " + (block < self.rounds % self.blocks())", "", "test_bench_timing.py"),
    Fault("edgeemo/bench/energy.py", "if used < 0:", "if used > 0:", "test_bench_timing.py"),

    # --- command line ---
    Fault("edgeemo/cli/predict.py", '.removesuffix(b"\\r")', "", "test_cli.py"),
    Fault("edgeemo/cli/voice.py", "self._rest = samples[whole:]", "self._rest = samples[:0]", "test_cli_voice.py"),
]
# fmt: on
