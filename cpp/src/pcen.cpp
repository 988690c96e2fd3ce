#include "pcen.h"

#include <algorithm>
#include <cmath>

#include "exact_math.h"

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
    const std::size_t mels = smooth_.size();
    for (std::size_t i = 0; i < n * mels; ++i) {
        double& smooth = smooth_[i % mels];
        const double power = static_cast<double>(rows[i]);
        smooth = (1.0 - smoothing_) * smooth + smoothing_ * power;
        const double level = exact::exp(-spec_->pcen_gain * exact::log(spec_->pcen_eps + smooth));
        const double ratio = exact::log1p(power * level / spec_->pcen_bias);
        rows[i] = static_cast<float>(height_ * exact::expm1(spec_->pcen_power * ratio));
    }
}

}  // namespace edgeemo
