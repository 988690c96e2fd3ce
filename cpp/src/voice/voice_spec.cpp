#include <string>

#include "base/specs.h"
#include "edgeemo/errors.h"
#include "edgeemo/voice.h"
#include "voice/voice_fields.h"

namespace edgeemo {
namespace {

constexpr Names<3> kWindowShapes{"hann", "povey", "hamming"};
constexpr Names<3> kMelScales{"htk", "slaney", "kaldi"};
constexpr Names<2> kMelNorms{"none", "area"};
constexpr Names<2> kCompressions{"log", "pcen"};
constexpr Names<4> kNormalizations{"none", "level", "mean", "mean_std"};

std::string sentence_of(const VoiceSpec& spec) {
    return sentence_of("VoiceSpec", spec, [](const VoiceSpec& s, auto&& field) {
        fields::visit_voice(s, [&](const char* name, auto value) {
            // younger than the digests in cards: where it is off it is not in the sentence
            if (name != std::string_view("range_db") || s.range_db > 0.0) field(name, value);
        });
    });
}

}  // namespace

const char* name_of(VoiceSpec::WindowShape value) { return kWindowShapes[static_cast<std::size_t>(value)]; }
const char* name_of(VoiceSpec::MelScale value) { return kMelScales[static_cast<std::size_t>(value)]; }
const char* name_of(VoiceSpec::MelNorm value) { return kMelNorms[static_cast<std::size_t>(value)]; }
const char* name_of(VoiceSpec::Compression value) { return kCompressions[static_cast<std::size_t>(value)]; }
const char* name_of(VoiceSpec::Normalization value) {
    return kNormalizations[static_cast<std::size_t>(value)];
}

void set_by_name(std::string_view name, VoiceSpec::WindowShape& value) {
    set_member("window_shape", kWindowShapes, name, value);
}
void set_by_name(std::string_view name, VoiceSpec::MelScale& value) {
    set_member("mel_scale", kMelScales, name, value);
}
void set_by_name(std::string_view name, VoiceSpec::MelNorm& value) {
    set_member("mel_norm", kMelNorms, name, value);
}
void set_by_name(std::string_view name, VoiceSpec::Compression& value) {
    set_member("compression", kCompressions, name, value);
}
void set_by_name(std::string_view name, VoiceSpec::Normalization& value) {
    set_member("normalization", kNormalizations, name, value);
}

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

}  // namespace edgeemo
