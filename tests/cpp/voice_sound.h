// Sound without libm, and the answers that every machine gives for it.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "edgeemo/voice.h"

// Two triangle waves and noise, from integers.
inline std::vector<std::int16_t> synthetic(std::size_t n, std::uint32_t seed) {
    std::vector<std::int16_t> sound(n);
    std::uint32_t noise = seed * 2654435761u + 1u;
    for (std::size_t i = 0; i < n; ++i) {
        noise = noise * 1664525u + 1013904223u;
        const auto triangle = [&](std::size_t period) {
            const auto at = static_cast<std::int32_t>(i % period * 4096 / period);
            return at < 2048 ? at - 1024 : 3071 - at;
        };
        const std::int32_t loudness = static_cast<std::int32_t>(i / 64 % 8);
        const std::int32_t value =
            triangle(113) * loudness + triangle(29 + i / 4000) + static_cast<std::int32_t>(noise >> 23) - 256;
        sound[i] = static_cast<std::int16_t>(value);
    }
    return sound;
}

inline std::vector<float> floats_of(const std::vector<std::int16_t>& sound) {
    std::vector<float> floats;
    for (const std::int16_t x : sound) floats.push_back(static_cast<float>(x) / 32768.0F);
    return floats;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// FNV-1a over the bits, little end first.
inline std::uint64_t hash_of(const std::vector<float>& floats) {
    std::uint64_t hash = 14695981039346656037u;
    for (const float x : floats) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &x, sizeof bits);
        for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (bits >> (8 * byte) & 0xffu)) * 1099511628211u;
    }
    return hash;
}

struct Golden {
    const char* name;
    edgeemo::VoiceSpec spec;
    std::int32_t rate_hz;
    std::uint64_t hash;  // of the spans of half a second; a change is a change of kVoiceFrontendVersion
};

inline std::vector<Golden> goldens() {
    using edgeemo::VoiceSpec;
    VoiceSpec usual;
    VoiceSpec kaldi;
    kaldi.sample_scale = 32768.0;
    kaldi.window_shape = VoiceSpec::WindowShape::povey;
    kaldi.mel_scale = VoiceSpec::MelScale::kaldi;
    kaldi.normalization = VoiceSpec::Normalization::mean_std;
    VoiceSpec slaney;
    slaney.mel_scale = VoiceSpec::MelScale::slaney;
    slaney.mel_norm = VoiceSpec::MelNorm::area;
    slaney.window_shape = VoiceSpec::WindowShape::hamming;
    slaney.fft = 1024;
    slaney.normalization = VoiceSpec::Normalization::mean;
    VoiceSpec pcen;
    pcen.compression = VoiceSpec::Compression::pcen;
    pcen.sample_scale = 32768.0;
    pcen.normalization = VoiceSpec::Normalization::none;
    pcen.rate_hz = 22050;
    VoiceSpec shipped;  // as the bundle voice has it, in short spans
    shipped.window = shipped.fft = 1024;
    shipped.hop = 256;
    shipped.mels = 80;
    shipped.span_frames = 24;
    shipped.hop_frames = 8;
    shipped.gain = 0.33;
    shipped.range_db = 50.0;
    VoiceSpec shallow = shipped;
    shallow.range_db = 20.0;
    return {
        {"usual", usual, 16000, 0xd7cac4f4a9259a87u},     {"usual", usual, 8000, 0x378740600667c54bu},
        {"usual", usual, 11025, 0x323f61c481528389u},     {"usual", usual, 44101, 0x8adf3caaac01f748u},
        {"usual", usual, 192000, 0xe98fd102cbdd34bbu},    {"kaldi", kaldi, 16000, 0xf8b4c6ff57fa6128u},
        {"kaldi", kaldi, 44100, 0xe8a4cc015e9a7dedu},     {"slaney", slaney, 48000, 0x697b8ffc881774cfu},
        {"pcen", pcen, 16000, 0xdc42b299f0f443b6u},       {"pcen", pcen, 22050, 0xe9760775f5954a74u},
        {"shipped", shipped, 16000, 0x53e676702d5a3ebbu}, {"shallow", shallow, 44100, 0x8479b1285141c285u},
    };
}
