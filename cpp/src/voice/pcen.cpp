#include "voice/pcen.h"

#include <algorithm>
#include <cmath>

#include "base/exact_math.h"

namespace edgeemo {

Pcen::Pcen(const VoiceSpec& spec) : spec_(&spec) {
    const double frames = spec.pcen_time_s * spec.rate_hz / spec.hop;
    smoothing_ = (std::sqrt(1.0 + 4.0 * frames * frames) - 1.0) / (2.0 * frames * frames);
    height_ = spec.pcen_bias > 0.0 ? exact::exp(spec.pcen_power * exact::log(spec.pcen_bias)) : 0.0;
    if (spec.compression == VoiceSpec::Compression::pcen) smooth_.resize(static_cast<std::size_t>(spec.mels));
    reset();
}

void Pcen::reset() { std::fill(smooth_.begin(), smooth_.end(), 1.0); }

void Pcen::apply(float* rows, std::size_t n) {
    for (std::size_t frame = 0; frame < n; ++frame, rows += smooth_.size()) {
        for (std::size_t first = 0; first < smooth_.size(); first += exact::Several{}.size())
            some(rows, first);
    }
}

// Bands from the first on, as many as are computed at once; of those there are not, nothing is kept.
void Pcen::some(float* row, std::size_t first) {
    const std::size_t n = std::min(exact::Several{}.size(), smooth_.size() - first);
    exact::Several power{};
    exact::Several x{};
    x.fill(1.0);
    for (std::size_t i = 0; i < n; ++i) {
        double& smooth = smooth_[first + i];
        power[i] = static_cast<double>(row[first + i]);
        smooth = (1.0 - smoothing_) * smooth + smoothing_ * power[i];
        x[i] = spec_->pcen_eps + smooth;
    }
    exact::log(x);
    for (double& each : x) each *= -spec_->pcen_gain;
    exact::exp(x);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = power[i] * x[i] / spec_->pcen_bias;
    exact::log1p(x);
    for (double& each : x) each *= spec_->pcen_power;
    exact::expm1(x);
    for (std::size_t i = 0; i < n; ++i) row[first + i] = static_cast<float>(height_ * x[i]);
}

}  // namespace edgeemo
