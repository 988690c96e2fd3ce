#include "voice/pcm.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

// True for NaN, too.
bool is_wild(float x) { return !(std::fabs(x) <= kMostAmplitude); }

[[noreturn]] void refuse(const Pcm& pcm, std::size_t i) {
    const auto channels = static_cast<std::size_t>(pcm.channels);
    const std::string where = "sample " + std::to_string(i / channels) +
                              (channels > 1 ? " of channel " + std::to_string(i % channels) : std::string());
    const float x = pcm.float32[i];
    if (std::isnan(x) || std::isinf(x)) {
        throw InputError(where + " is " + (std::isnan(x) ? "NaN" : "infinite") +
                         "; check what decoded or changed the audio");
    }
    throw InputError(where + " is " + std::to_string(x) +
                     "; float audio lies in ±1, this looks like int16 passed as float: divide by 32768");
}

template <class T>
void mix_channels(const T* from, std::size_t n, std::size_t channels, float scale, float* out) {
    const auto count = static_cast<float>(channels);
    for (std::size_t i = 0; i < n; ++i) {
        float sum = 0.0F;  // of int16, too: 32 channels need 21 bits
        for (std::size_t c = 0; c < channels; ++c) sum += static_cast<float>(from[i * channels + c]);
        out[i] = sum * scale / count;
    }
}

template <class T>
void mix_mono(const T* from, std::size_t n, float scale, float* out) {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(from[i]) * scale;
}

}  // namespace

void check_rate(std::int32_t rate_hz) {
    if (rate_hz < kLeastRateHz || rate_hz > kMostRateHz) {
        throw InputError("rate_hz must be in [8000, 192000], got " + std::to_string(rate_hz) +
                         "; resample the audio first");
    }
}

void check_channels(std::int32_t channels) {
    if (channels < 1 || channels > kMostChannels) {
        throw InputError("channels must be in [1, 32], got " + std::to_string(channels) +
                         "; audio is (samples, channels)");
    }
}

void check_pcm(const Pcm& pcm) {
    check_channels(pcm.channels);
    const auto channels = static_cast<std::size_t>(pcm.channels);
    const std::size_t width = channels * (pcm.float32 != nullptr ? sizeof(float) : sizeof(std::int16_t));
    if (pcm.samples > PTRDIFF_MAX / width) {
        throw InputError("samples is " + std::to_string(pcm.samples) +
                         ", more than memory holds; check what counted them (-1 of a read that failed?)");
    }
    if (pcm.float32 == nullptr) return;
    const std::size_t n = pcm.samples * channels;
    constexpr std::size_t kBlock = 256;  // without a branch inside, to be fast
    for (std::size_t start = 0; start < n; start += kBlock) {
        const std::size_t end = start + kBlock < n ? start + kBlock : n;
        int wild = 0;
        for (std::size_t i = start; i < end; ++i) wild |= is_wild(pcm.float32[i]) ? 1 : 0;
        for (std::size_t i = start; wild != 0 && i < end; ++i) {
            if (is_wild(pcm.float32[i])) refuse(pcm, i);
        }
    }
}

void mix(const Pcm& pcm, std::size_t first, std::size_t n, float* out) {
    const auto channels = static_cast<std::size_t>(pcm.channels);
    constexpr float kInt16 = 1.0F / 32768.0F;
    if (pcm.float32 != nullptr) {
        const float* const from = pcm.float32 + first * channels;
        channels == 1 ? mix_mono(from, n, 1.0F, out) : mix_channels(from, n, channels, 1.0F, out);
    } else if (pcm.int16 != nullptr) {
        const std::int16_t* const from = pcm.int16 + first * channels;
        channels == 1 ? mix_mono(from, n, kInt16, out) : mix_channels(from, n, channels, kInt16, out);
    }
}

}  // namespace edgeemo
