// Every field of the specs with its name, in one place: digest, equality and reading from a card follow it.
#pragma once

#include "edgeemo/detect.h"
#include "edgeemo/face.h"
#include "edgeemo/text.h"
#include "edgeemo/voice.h"

namespace edgeemo::fields {

template <class Visit>
void visit_text(TextSpec& s, Visit&& field) {
    field("normalization", s.normalization);
    field("lowercase", s.lowercase);
    field("strip_accents", s.strip_accents);
    field("unknown", s.unknown);
    field("special_tokens", s.special_tokens);
    field("length", s.length);
}

template <class Spec, class Visit>
void visit_voice(Spec& s, Visit&& field) {
    field("rate_hz", s.rate_hz);
    field("sample_scale", s.sample_scale);
    field("remove_dc", s.remove_dc);
    field("preemphasis", s.preemphasis);
    field("window", s.window);
    field("hop", s.hop);
    field("fft", s.fft);
    field("window_shape", s.window_shape);
    field("mels", s.mels);
    field("mel_scale", s.mel_scale);
    field("mel_norm", s.mel_norm);
    field("low_hz", s.low_hz);
    field("high_hz", s.high_hz);
    field("compression", s.compression);
    field("floor", s.floor);
    field("pcen_gain", s.pcen_gain);
    field("pcen_bias", s.pcen_bias);
    field("pcen_power", s.pcen_power);
    field("pcen_time_s", s.pcen_time_s);
    field("pcen_eps", s.pcen_eps);
    field("span_frames", s.span_frames);
    field("hop_frames", s.hop_frames);
    field("range_db", s.range_db);
    field("normalization", s.normalization);
    field("gain", s.gain);
}

template <class Spec, class Visit>
void visit_face(Spec& s, Visit&& field) {
    field("width", s.width);
    field("height", s.height);
    field("channels", s.channels);
    field("border", s.border);
    field("box_scale", s.box_scale);
    field("eye_y", s.eye_y);
    field("eye_distance", s.eye_distance);
    field("normalization", s.normalization);
    field("gain", s.gain);
}

template <class Spec, class Visit>
void visit_detector(Spec& s, Visit&& field) {
    field("width", s.width);
    field("height", s.height);
    field("least_stride", s.least_stride);
    field("most_stride", s.most_stride);
    field("score_scale", s.score_scale);
    field("score_bias", s.score_bias);
    field("least_score", s.least_score);
    field("overlap", s.overlap);
    field("merge", s.merge);
    field("most_faces", s.most_faces);
}

}  // namespace edgeemo::fields
