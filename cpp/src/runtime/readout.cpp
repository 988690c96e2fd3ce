#include "edgeemo/readout.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "edgeemo/errors.h"

namespace edgeemo {

const std::array<const char*, kEmotions> kEmotionNames{"neutral", "happiness", "sadness",  "anger",
                                                       "fear",    "disgust",   "surprise", "contempt"};

Readout::Readout(ReadoutRule rule) : rule_(std::move(rule)) {
    const std::size_t n = labels();
    if (rule_.weighs) least_logit_ = std::log(rule_.speech_threshold / (1.0 - rule_.speech_threshold));
    neutral_.assign(row_size(), 0.0F);
    for (const int label : rule_.neutral) neutral_[static_cast<std::size_t>(label)] = 1.0F;
    neutral_[n] = 1.0F;
}

void Readout::read(const float* logits, const float* affect, float* row) const {
    const std::size_t n = labels();
    read_scores(rule_.scores, logits, row, row + n);
    for (std::size_t side = 0; side < 2; ++side) {
        double value = 0.0;
        if (rule_.affect.empty()) {
            value = static_cast<double>(affect[side]);
        } else {
            for (std::size_t i = 0; i < n; ++i)
                value += static_cast<double>(row[i]) * static_cast<double>(rule_.affect[i][side]);
        }
        if (std::isnan(value)) throw InferenceError("valence or arousal is NaN. Convert it again.");
        row[n + kEmotions + side] = static_cast<float>(std::clamp(value, -1.0, 1.0));
    }
}

void Readout::neutral(float* row) const { std::copy(neutral_.begin(), neutral_.end(), row); }

double Readout::speech_share(const float* logits, std::size_t real) const {
    std::size_t speech = 0;
    for (std::size_t i = 0; i < real; ++i) {
        if (std::isnan(logits[i])) throw InferenceError("a logit of speech is NaN. Convert it again.");
        speech += static_cast<double>(logits[i]) >= least_logit_ ? 1 : 0;
    }
    return static_cast<double>(speech) / static_cast<double>(real);
}

void Readout::weigh(double evidence, float* row) const {
    if (!rule_.weighs) return;
    const double share = (evidence - rule_.least) / (rule_.enough - rule_.least);
    const auto weight = static_cast<float>(std::clamp(share, 0.0, 1.0));
    for (std::size_t i = 0; i < neutral_.size(); ++i)
        row[i] = weight * row[i] + (1.0F - weight) * neutral_[i];
}

}  // namespace edgeemo
