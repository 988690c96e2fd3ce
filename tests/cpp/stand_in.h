// What tests on the library that stands in for LiteRT share: how it is opened, and sounds and pictures for
// models that compute nothing.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "check.h"
#include "edgeemo/recognizer.h"

inline std::string stand_in(const char* fault) {
    return std::string(EDGEEMO_STAND_INS) + "/stand_in_" + fault + ".so";
}
inline std::string bundle_path(const char* name) { return std::string(EDGEEMO_ZOO) + "/" + name + ".tflite"; }

inline edgeemo::EngineOptions with(const char* fault) {
    edgeemo::EngineOptions options;
    options.library = stand_in(fault);
    return options;
}

// Of all runs of models on stand_in_good from now on, counted from 0, first … first + n - 1 fail. It must be
// open.
inline void fail_runs(int first, int n) {
    static void* const library = dlopen(stand_in("good").c_str(), RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != nullptr);
    reinterpret_cast<void (*)(int, int)>(dlsym(library, "stand_in_fail"))(first, n);
}

struct Voice {
    std::vector<std::int16_t> samples = std::vector<std::int16_t>(16000 * 5);
    Voice() {
        for (std::size_t i = 0; i < samples.size(); ++i)
            samples[i] = static_cast<std::int16_t>(i * i * 7 % 20000);
    }
    edgeemo::Pcm part(std::size_t begin, std::size_t n) const {
        return {samples.data() + begin, nullptr, n, 1};
    }
};

// Pictures of all colors; the numbers in each are its own.
struct Film {
    static constexpr std::int32_t kSide = 120;
    std::vector<std::vector<std::uint8_t>> frames;
    explicit Film(std::size_t n) {
        for (std::size_t f = 0; f < n; ++f) {
            frames.emplace_back(kSide * kSide * 4);
            for (std::size_t i = 0; i < frames[f].size(); ++i)
                frames[f][i] = static_cast<std::uint8_t>((i * i + f * 37 * i) >> 3);
        }
    }
    edgeemo::Image image(std::size_t f, edgeemo::Color color = edgeemo::Color::rgb) const {
        const std::ptrdiff_t bytes = edgeemo::channels_of(color);
        return {frames[f % frames.size()].data(), kSide, kSide, color, kSide * bytes, bytes, 1};
    }
};
