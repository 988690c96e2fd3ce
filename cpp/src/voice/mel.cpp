#include "voice/mel.h"

#include <algorithm>
#include <cmath>

#include "base/exact_math.h"

namespace edgeemo {
namespace {

// As kaldi computes it, in single precision: a bin close to the edge of a triangle feels the difference.
double kaldi_mel(double hz) {
    const float ratio = 1.0F + static_cast<float>(hz) / 700.0F;
    return static_cast<double>(1127.0F * static_cast<float>(exact::log(static_cast<double>(ratio))));
}

double hz_to_mel(double hz, VoiceSpec::MelScale scale) {
    if (scale == VoiceSpec::MelScale::kaldi) return kaldi_mel(hz);
    if (scale != VoiceSpec::MelScale::slaney) return 1127.0 * exact::log1p(hz / 700.0);
    if (hz < 1000.0) return hz * 3.0 / 200.0;
    return 15.0 + exact::log(hz / 1000.0) * 27.0 / exact::log(6.4);
}

double mel_to_hz(double mel, VoiceSpec::MelScale scale) {
    if (scale != VoiceSpec::MelScale::slaney) return 700.0 * exact::expm1(mel / 1127.0);
    if (mel < 15.0) return mel * 200.0 / 3.0;
    return 1000.0 * exact::exp((mel - 15.0) * exact::log(6.4) / 27.0);
}

double shape_at(const VoiceSpec& spec, std::int32_t i) {
    const double n = spec.window;
    switch (spec.window_shape) {
        case VoiceSpec::WindowShape::hamming:
            return 0.54 - 0.46 * exact::cos_pi(2.0 * i / (n - 1.0));
        case VoiceSpec::WindowShape::povey: {
            const double hann = 0.5 - 0.5 * exact::cos_pi(2.0 * i / (n - 1.0));
            return hann < 1e-12 ? 0.0 : exact::exp(0.85 * exact::log(hann));
        }
        default:
            return 0.5 - 0.5 * exact::cos_pi(2.0 * i / n);
    }
}

// Where complex input i of an n-point FFT stands before the first stage.
std::uint32_t place_of(std::uint32_t i, std::uint32_t n) {
    if (n <= 2) return i;
    return (i & 3u) * (n / 4) + place_of(i >> 2, n / 4);
}

// First inputs of the first butterflies; the others follow at distances of half / radix.
std::vector<std::uint32_t> first_inputs(std::uint32_t half) {
    std::uint32_t radix = 4;
    for (std::uint32_t n = half; n > 1; n /= 4) radix = n == 2 ? 2 : 4;
    std::vector<std::uint32_t> order(half / radix);
    for (std::uint32_t i = 0; i < half / radix; ++i) order[place_of(i, half) / radix] = i;
    return order;
}

std::vector<double> stage_twiddles(std::size_t half) {
    std::vector<double> all;
    std::size_t n = half;
    while (n > 4) n /= 4;
    for (n *= 4; n <= half; n *= 4) {
        for (std::size_t k = 1; k < n / 4; ++k) {
            for (std::size_t power = 1; power <= 3; ++power) {
                const double turn = 2.0 * static_cast<double>(k * power) / static_cast<double>(n);
                all.push_back(exact::cos_pi(turn));
                all.push_back(-exact::sin_pi(turn));
            }
        }
    }
    return all;
}

double in_single(double x) { return static_cast<double>(static_cast<float>(x)); }  // rounded

class Triangles {
  public:
    explicit Triangles(const VoiceSpec& spec)
        : spec_(spec), in_mel_(spec.mel_scale == VoiceSpec::MelScale::kaldi) {
        low_ = hz_to_mel(spec.low_hz, spec.mel_scale);
        const double range = hz_to_mel(spec.high_hz, spec.mel_scale) - low_;
        step_ = in_mel_ ? in_single(in_single(range) / (spec.mels + 1)) : range / (spec.mels + 1);
    }

    double weight(std::int32_t band, std::int32_t bin) const {
        const double hz = static_cast<double>(bin) * spec_.rate_hz / spec_.fft;
        const double at = in_mel_ ? kaldi_mel(hz) : hz;
        const double left = place(band), top = place(band + 1), right = place(band + 2);
        const double height = std::min((at - left) / (top - left), (right - at) / (right - top));
        if (height <= 0.0 || spec_.mel_norm == VoiceSpec::MelNorm::none) return std::max(height, 0.0);
        return height * 2.0 / (corner_hz(band + 2) - corner_hz(band));
    }

  private:
    double corner_hz(std::int32_t i) const { return mel_to_hz(low_ + step_ * i, spec_.mel_scale); }
    double place(std::int32_t i) const {
        return in_mel_ ? in_single(low_ + in_single(step_ * i)) : corner_hz(i);
    }

    const VoiceSpec& spec_;
    bool in_mel_;
    double low_, step_;
};

}  // namespace

MelTables::MelTables(const VoiceSpec& spec)
    : window(static_cast<std::size_t>(spec.window)),
      hop(static_cast<std::size_t>(spec.hop)),
      fft(static_cast<std::size_t>(spec.fft)),
      mels(static_cast<std::size_t>(spec.mels)),
      preemphasis(spec.preemphasis),
      remove_dc(spec.remove_dc),
      shape(fft, 0.0),
      order(first_inputs(static_cast<std::uint32_t>(fft / 2))),
      twiddles(stage_twiddles(fft / 2)) {
    for (std::int32_t i = 0; i < spec.window; ++i) {
        shape[static_cast<std::size_t>(i)] = 0.5 * spec.sample_scale * shape_at(spec, i);
    }
    for (std::size_t k = 0; k < fft / 4; ++k) {
        const double turn = 2.0 * static_cast<double>(k) / static_cast<double>(fft);
        split.push_back(exact::cos_pi(turn));
        split.push_back(-exact::sin_pi(turn));
    }
    const Triangles triangles(spec);
    for (std::int32_t b = 0; b < spec.mels; ++b) {
        MelBand band{0, 0, static_cast<std::int32_t>(weights.size())};
        for (std::int32_t bin = 0; bin <= spec.fft / 2; ++bin) {
            const double weight = triangles.weight(b, bin);
            if (weight <= 0.0) continue;
            if (band.bins++ == 0) band.first_bin = bin;
            weights.push_back(weight);
        }
        bands.push_back(band);
    }
}

MelScratch::MelScratch(const MelTables& tables)
    : memory_((tables.fft + tables.fft / 2 + 1) * kMostLanes + 8 + 8) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    aligned_ = memory_.data() + (64 - address % 64) % 64 / sizeof(double);
    powers_ = aligned_ + tables.fft * kMostLanes;
}

}  // namespace edgeemo
