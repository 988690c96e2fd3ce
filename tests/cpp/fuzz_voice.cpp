// Any bytes as PCM through random specs and rates, cut at random: no crash, and chunks give exactly the
// whole. Bytes 0 to 3 choose the spec, 4 and 5 the rate, 6 kind and channels. Byte 7 is the seed of the
// cuts, and the rest is the PCM.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "edgeemo/errors.h"
#include "edgeemo/voice.h"

namespace {

using edgeemo::Pcm;
using edgeemo::Span;
using edgeemo::VoiceFrontend;
using edgeemo::VoiceSpec;

VoiceSpec spec_of(const std::uint8_t* bytes) {
    VoiceSpec spec;
    constexpr std::int32_t kRates[] = {8000, 16000, 22050, 48000};
    constexpr std::int32_t kWindows[] = {32, 64, 101, 400};
    spec.rate_hz = kRates[bytes[0] & 3u];
    spec.window = kWindows[bytes[0] >> 2 & 3u];
    spec.fft = (bytes[0] & 16u) != 0 ? 512 : spec.window <= 128 ? 128 : 1024;
    spec.remove_dc = (bytes[0] & 32u) != 0;
    spec.preemphasis = (bytes[0] & 64u) != 0 ? 0.97 : 0.0;
    spec.compression = (bytes[0] & 128u) != 0 ? VoiceSpec::Compression::pcen : VoiceSpec::Compression::log;
    spec.hop = 1 + bytes[1] % spec.window;
    spec.mels = 1 + bytes[2] % 40;
    spec.high_hz = 3900.0;
    spec.mel_scale = static_cast<VoiceSpec::MelScale>(bytes[2] % 3);
    spec.normalization = static_cast<VoiceSpec::Normalization>(bytes[3] & 3u);
    spec.range_db = (bytes[3] & 4u) != 0 ? 40.0 : 0.0;
    spec.window_shape = static_cast<VoiceSpec::WindowShape>(bytes[3] % 3);
    spec.span_frames = 1 + bytes[3] / 4;
    spec.hop_frames = 1 + bytes[2] % spec.span_frames;
    return spec;
}

struct Result {
    std::vector<float> features;
    std::vector<std::int64_t> places;

    void add(const Span& span, std::size_t size) {
        features.insert(features.end(), span.features, span.features + size);
        places.push_back(span.start_frame);
        places.push_back(span.n_frames);
    }
};

// The bytes as numbers of one kind; a part of them, counted in samples of all channels, is a Pcm.
struct Sound {
    std::vector<std::int16_t> int16;
    std::vector<float> float32;
    std::int32_t channels;

    std::size_t samples() const {
        return std::max(int16.size(), float32.size()) / static_cast<std::size_t>(channels);
    }
    Pcm part(std::size_t first, std::size_t n) const {
        const std::size_t at = first * static_cast<std::size_t>(channels);
        return {float32.empty() ? int16.data() + at : nullptr,
                float32.empty() ? nullptr : float32.data() + at, n, channels};
    }
};

Sound sound_of(const std::uint8_t* data, std::size_t size, std::uint8_t kind) {
    Sound sound;
    sound.channels = 1 + (kind >> 1) % 7;
    if ((kind & 1u) != 0) {
        sound.float32.resize(size / 4);
        if (size >= 4) std::memcpy(sound.float32.data(), data, size / 4 * 4);
    } else {
        sound.int16.resize(size / 2);
        if (size >= 2) std::memcpy(sound.int16.data(), data, size / 2 * 2);
    }
    return sound;
}

Result in_chunks(const VoiceFrontend& frontend, const Sound& sound, std::int32_t rate_hz,
                 std::uint32_t seed) {
    const auto size = static_cast<std::size_t>(frontend.spec().span_frames) *
                      static_cast<std::size_t>(frontend.spec().mels);
    Result result;
    const auto sink = [&](const Span& span) { result.add(span, size); };
    edgeemo::VoiceStream stream = frontend.stream(rate_hz, sound.channels);
    for (std::size_t first = 0; first < sound.samples();) {
        seed = seed * 1664525u + 1013904223u;
        const std::size_t n = std::min<std::size_t>(seed >> 24, sound.samples() - first);  // 0, too
        stream.push(sound.part(first, n), sink);
        first += n;
    }
    stream.flush(sink);
    return result;
}

void check_chunks(const VoiceFrontend& frontend, const Sound& sound, std::int32_t rate_hz,
                  std::uint32_t seed) {
    const auto size = static_cast<std::size_t>(frontend.spec().span_frames) *
                      static_cast<std::size_t>(frontend.spec().mels);
    Result whole;
    try {
        frontend.compute(sound.part(0, sound.samples()), rate_hz,
                         [&](const Span& span) { whole.add(span, size); });
    } catch (const edgeemo::InputError&) {
        const auto bad = [](float x) { return !(std::fabs(x) <= edgeemo::kMostAmplitude); };
        CHECK(std::any_of(sound.float32.begin(), sound.float32.end(), bad));
        return;
    }
    for (const float x : whole.features) CHECK(std::isfinite(x));
    const Result chunks = in_chunks(frontend, sound, rate_hz, seed);
    CHECK(chunks.places == whole.places && chunks.features.size() == whole.features.size());
    CHECK(whole.features.empty() || std::memcmp(chunks.features.data(), whole.features.data(),
                                                whole.features.size() * sizeof(float)) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 8 || size > 20000) return 0;
    const VoiceFrontend frontend(spec_of(data));
    constexpr std::int32_t kRates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000};
    const std::int32_t rate_hz =
        data[5] < 8 ? std::min(kRates[data[5]] + data[4], 192000) : 8000 + data[4] * 256 + data[5];
    check_chunks(frontend, sound_of(data + 8, size - 8, data[6]), rate_hz, data[7]);
    return 0;
}
