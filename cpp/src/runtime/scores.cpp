#include "edgeemo/scores.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace edgeemo {
namespace {

constexpr double kLeast =
    1e-9;  // below every probability an int8 logit can give; keeps log and division finite

bool all_finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

void softmax(float* values, std::size_t n) {
    const double highest = *std::max_element(values, values + n);
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(values[i]) - highest);
    for (std::size_t i = 0; i < n; ++i)
        values[i] = static_cast<float>(std::exp(static_cast<double>(values[i]) - highest) / sum);
}

}  // namespace

ScoreMap::ScoreMap(ScoreRule rule) : rule_(std::move(rule)) {
    if (rule_.scale.empty() || rule_.scale.size() != rule_.bias.size())
        throw std::invalid_argument("expected one scale and one bias per label, at least one label");
    if (!all_finite(rule_.scale) || !all_finite(rule_.bias))
        throw std::invalid_argument("expected finite scales and biases");
    if (!(rule_.temperature > 0.0F) || !std::isfinite(rule_.temperature))
        throw std::invalid_argument("expected a finite temperature above 0");
    for (const auto& group : rule_.groups)
        for (int label : group)
            if (label < 0 || static_cast<std::size_t>(label) >= rule_.scale.size())
                throw std::invalid_argument("a group names a label the model does not have");
}

void ScoreMap::apply(const float* logits, float* probabilities, float* scores) const {
    const std::size_t n = labels();
    for (std::size_t i = 0; i < n; ++i) {
        const float z = rule_.scale[i] * logits[i] + rule_.bias[i];
        if (std::isnan(z))
            throw std::invalid_argument("expected finite logits, got NaN; the model is broken");
        // ±80 is certainty in float32, and keeps an infinite logit from making NaN below
        probabilities[i] = std::clamp(z, -80.0F, 80.0F);
    }
    if (rule_.multi_label) {
        for (std::size_t i = 0; i < n; ++i)
            probabilities[i] =
                static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(probabilities[i]))));
    } else {
        softmax(probabilities, n);
    }

    double highest = kLeast;
    for (std::size_t g = 0; g < groups(); ++g) {
        double p = 0.0;
        for (int label : rule_.groups[g]) {
            const double q = probabilities[label];
            p += rule_.multi_label ? q * (1.0 - p) : q;  // any of them, or the sum
        }
        scores[g] = static_cast<float>(p);
        highest = std::max(highest, p);
    }
    // relative to the highest, so that no temperature makes every weight underflow
    double sum = 0.0;
    for (std::size_t g = 0; g < groups(); ++g) {
        const double p = std::max(static_cast<double>(scores[g]), kLeast) / highest;
        scores[g] = rule_.groups[g].empty() ? 0.0F : static_cast<float>(std::pow(p, 1.0 / rule_.temperature));
        sum += static_cast<double>(scores[g]);
    }
    for (std::size_t g = 0; g < groups(); ++g)
        scores[g] = sum > 0.0 ? static_cast<float>(static_cast<double>(scores[g]) / sum) : 0.0F;
}

}  // namespace edgeemo
