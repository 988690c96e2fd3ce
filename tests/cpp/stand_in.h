// Tests of the engine share a library that stands in for LiteRT, a voice and a film.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "check.h"
#include "edgeemo/engine.h"
#include "edgeemo/recognizer.h"

namespace edgeemo {

inline std::string stand_in(const char* fault) {
    return std::string(EDGEEMO_STAND_INS) + "/stand_in_" + fault + ".so";
}

inline std::string bundle_path(const char* name) { return std::string(EDGEEMO_ZOO) + "/" + name + ".tflite"; }

inline EngineOptions with(const char* fault) {
    EngineOptions options;
    options.library = stand_in(fault);
    return options;
}

// Makes runs first … first + n - 1 of models on stand_in_good fail, counted from 0 from now on. The library
// must be open.
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
    Pcm part(std::size_t begin, std::size_t n) const { return {samples.data() + begin, nullptr, n, 1}; }
};

inline void listen(VoiceListener& listener, const Voice& voice, Result& result, int& heard) {
    for (std::size_t at = 0; at < voice.samples.size(); at += 800) {
        listener.push(voice.part(at, 800), static_cast<std::int64_t>(at / 16));
        while (listener.next(result)) ++heard;
    }
    listener.flush();
    while (listener.next(result)) ++heard;
    listener.summary(result);
}

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
    Image image(std::size_t f, Color color = Color::rgb) const {
        const std::ptrdiff_t bytes = channels_of(color);
        return {frames[f % frames.size()].data(), kSide, kSide, color, kSide * bytes, bytes, 1};
    }
};

// The results of frames pushed one after another, as one row of numbers.
inline void watch(FaceWatcher& watcher, const Film& film, Result& result, std::vector<double>& said) {
    said.clear();
    for (std::size_t f = 0; f < 8; ++f) {
        watcher.push(film.image(f / 2), static_cast<std::int64_t>(40 * f));
        while (watcher.next(result)) {
            said.push_back(static_cast<double>(result.track_id));
            said.push_back(result.face->box.x0);
            said.push_back(static_cast<double>(result.scores[1]));
            said.push_back(result.evidence);
        }
    }
}

}  // namespace edgeemo
