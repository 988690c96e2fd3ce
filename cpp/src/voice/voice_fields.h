// Every field of a VoiceSpec with its name, in one place: digest, equality and reading from a card follow it.
#pragma once

#include "edgeemo/voice.h"

namespace edgeemo::fields {

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

}  // namespace edgeemo::fields
