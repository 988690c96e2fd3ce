#include <string>

#include "base/specs.h"
#include "edgeemo/errors.h"
#include "edgeemo/voice.h"
#include "voice/voice_fields.h"

namespace edgeemo {
namespace {

// range_db is younger than the digests in cards: where range_db is off the sentence leaves it out.
std::string sentence_of(const VoiceSpec& spec) {
    return edgeemo::sentence_of<VoiceSpec>(spec, spec.range_db > 0.0 ? "" : "range_db");
}

}  // namespace

void VoiceSpec::validate() const {
    check_range("rate_hz", rate_hz, 8000, 48000);
    check_range("sample_scale", sample_scale, 1e-6, 1e6);
    check_range("preemphasis", preemphasis, 0.0, 0.9999);
    check_range("window", window, 32, 4096);
    check_range("hop", hop, 1, window);
    check_range("fft", fft, window, 4096);
    if ((fft & (fft - 1)) != 0) throw SpecError("fft must be a power of two, got " + std::to_string(fft));
    check_range("mels", mels, 1, 256);
    check_range("high_hz", high_hz, 1.0, rate_hz / 2.0);
    check_range("low_hz", low_hz, 0.0, high_hz);
    if (low_hz >= high_hz) throw SpecError("low_hz must be below high_hz, got " + text_of(low_hz));
    check_range("floor", floor, 1e-30, 1.0);
    check_range("pcen_gain", pcen_gain, 0.0, 1.0);
    check_range("pcen_bias", pcen_bias, 1e-6, 1e6);
    check_range("pcen_power", pcen_power, 1e-3, 1.0);
    check_range("pcen_time_s", pcen_time_s, 1e-3, 60.0);
    check_range("pcen_eps", pcen_eps, 1e-30, 1.0);
    check_range("span_frames", span_frames, 1, 4096);
    check_range("hop_frames", hop_frames, 1, span_frames);
    check_range("range_db", range_db, 0.0, 300.0);
    check_range("gain", gain, 1e-6, 1e6);
}

std::string VoiceSpec::digest() const { return digest_of(sentence_of(*this)); }

bool operator==(const VoiceSpec& a, const VoiceSpec& b) { return sentence_of(a) == sentence_of(b); }
bool operator!=(const VoiceSpec& a, const VoiceSpec& b) { return !(a == b); }

void VoiceStreamSpec::validate() const {
    if (onset != 0.0) check_range("onset", onset, 0.05, 0.99);
    check_range("end", end, 0.01, 0.99);
    check_range("least_ms", least_ms, 0, 2000);
    check_range("hang_over_ms", hang_over_ms, 64, 2000);
    check_range("most_ms", most_ms, 1000, 60000);
}

std::string VoiceStreamSpec::digest() const { return digest_of(edgeemo::sentence_of(*this)); }

bool operator==(const VoiceStreamSpec& a, const VoiceStreamSpec& b) {
    return edgeemo::sentence_of(a) == edgeemo::sentence_of(b);
}
bool operator!=(const VoiceStreamSpec& a, const VoiceStreamSpec& b) { return !(a == b); }

}  // namespace edgeemo
