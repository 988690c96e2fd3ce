#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "edgeemo/errors.h"
#include "edgeemo/voice.h"

namespace edgeemo {
namespace {

template <std::size_t n>
using Names = std::array<const char*, n>;

constexpr Names<3> kWindowShapes{"hann", "povey", "hamming"};
constexpr Names<3> kMelScales{"htk", "slaney", "kaldi"};
constexpr Names<2> kMelNorms{"none", "area"};
constexpr Names<2> kCompressions{"log", "pcen"};
constexpr Names<4> kNormalizations{"none", "level", "mean", "mean_std"};

template <class Value, std::size_t n>
void set_member(const char* field, const Names<n>& names, std::string_view name, Value& value) {
    std::string all;
    for (std::size_t i = 0; i < n; ++i) {
        if (name == names[i]) {
            value = static_cast<Value>(i);
            return;
        }
        all += (i == 0 ? "'" : i + 1 == n ? " or '" : ", '") + std::string(names[i]) + "'";
    }
    throw SpecError(std::string(field) + " must be " + all + ", got '" + std::string(name) + "'");
}

std::string text_of(double x) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.9g", x);
    return text.data();
}

void check(const char* field, double value, double least, double most) {
    if (value >= least && value <= most) return;  // NaN is refused
    throw SpecError(std::string(field) + " must be in [" + text_of(least) + ", " + text_of(most) + "], got " +
                    text_of(value));
}

// Every field with its name, in one place: digest and equality follow it.
template <class Visit>
void visit(const VoiceSpec& s, Visit&& field) {
    field("rate_hz", s.rate_hz);
    field("sample_scale", s.sample_scale);
    field("remove_dc", s.remove_dc);
    field("preemphasis", s.preemphasis);
    field("window", s.window);
    field("hop", s.hop);
    field("fft", s.fft);
    field("window_shape", name_of(s.window_shape));
    field("mels", s.mels);
    field("mel_scale", name_of(s.mel_scale));
    field("mel_norm", name_of(s.mel_norm));
    field("low_hz", s.low_hz);
    field("high_hz", s.high_hz);
    field("compression", name_of(s.compression));
    field("floor", s.floor);
    field("pcen_gain", s.pcen_gain);
    field("pcen_bias", s.pcen_bias);
    field("pcen_power", s.pcen_power);
    field("pcen_time_s", s.pcen_time_s);
    field("pcen_eps", s.pcen_eps);
    field("span_frames", s.span_frames);
    field("hop_frames", s.hop_frames);
    field("normalization", name_of(s.normalization));
    field("gain", s.gain);
}

std::string canonical(const char* value) { return value; }
std::string canonical(bool value) { return value ? "1" : "0"; }
std::string canonical(std::int32_t value) { return std::to_string(value); }
std::string canonical(double value) {  // its bits; -0 is 0
    std::uint64_t bits = 0;
    if (value != 0.0) std::memcpy(&bits, &value, sizeof bits);
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016" PRIx64, bits);
    return hex.data();
}

std::string sentence_of(const VoiceSpec& spec) {
    std::string sentence = "VoiceSpec";
    visit(spec, [&](const char* name, auto value) {
        sentence += std::string(" ") + name + "=" + canonical(value);
    });
    return sentence;
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
    check("rate_hz", rate_hz, 8000, 48000);
    check("sample_scale", sample_scale, 1e-6, 1e6);
    check("preemphasis", preemphasis, 0.0, 0.9999);
    check("window", window, 32, 4096);
    check("hop", hop, 1, window);
    check("fft", fft, window, 4096);
    if ((fft & (fft - 1)) != 0) throw SpecError("fft must be a power of two, got " + std::to_string(fft));
    check("mels", mels, 1, 256);
    check("high_hz", high_hz, 1.0, rate_hz / 2.0);
    check("low_hz", low_hz, 0.0, high_hz);
    if (low_hz >= high_hz) throw SpecError("low_hz must be below high_hz, got " + text_of(low_hz));
    check("floor", floor, 1e-30, 1.0);
    check("pcen_gain", pcen_gain, 0.0, 1.0);
    check("pcen_bias", pcen_bias, 1e-6, 1e6);
    check("pcen_power", pcen_power, 1e-3, 1.0);
    check("pcen_time_s", pcen_time_s, 1e-3, 60.0);
    check("pcen_eps", pcen_eps, 1e-30, 1.0);
    check("span_frames", span_frames, 1, 4096);
    check("hop_frames", hop_frames, 1, span_frames);
    check("gain", gain, 1e-6, 1e6);
}

// 64-bit FNV-1a of a canonical sentence. A new field joins the sentence only where it is not at its default.
std::string VoiceSpec::digest() const {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : sentence_of(*this)) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016" PRIx64, hash);
    return hex.data();
}

bool operator==(const VoiceSpec& a, const VoiceSpec& b) { return sentence_of(a) == sentence_of(b); }
bool operator!=(const VoiceSpec& a, const VoiceSpec& b) { return !(a == b); }

}  // namespace edgeemo
