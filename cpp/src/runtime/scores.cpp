#include "edgeemo/scores.h"

#include <algorithm>
#include <cmath>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr double kLeast =
    1e-9;  // below every probability an int8 logit can give; keeps log and division finite

void softmax(float* values, std::size_t n) {
    const double highest = *std::max_element(values, values + n);
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(values[i]) - highest);
    for (std::size_t i = 0; i < n; ++i)
        values[i] = static_cast<float>(std::exp(static_cast<double>(values[i]) - highest) / sum);
}

}  // namespace

void read_scores(const ScoreRule& rule, const float* logits, float* probabilities, float* scores) {
    const std::size_t n = rule.scale.size();
    for (std::size_t i = 0; i < n; ++i) {
        const float z = rule.scale[i] * logits[i] + rule.bias[i];
        if (std::isnan(z)) throw InferenceError("expected finite logits, got NaN; the model is broken");
        // ±80 is certainty in float32, and keeps an infinite logit from making NaN below
        probabilities[i] = std::clamp(z, -80.0F, 80.0F);
    }
    if (rule.multi_label) {
        for (std::size_t i = 0; i < n; ++i)
            probabilities[i] =
                static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(probabilities[i]))));
    } else {
        softmax(probabilities, n);
    }

    double highest = kLeast;
    for (std::size_t g = 0; g < rule.groups.size(); ++g) {
        double p = 0.0;
        for (int label : rule.groups[g]) {
            const double q = probabilities[label];
            p += rule.multi_label ? q * (1.0 - p) : q;  // any of them, or the sum
        }
        scores[g] = static_cast<float>(p);
        highest = std::max(highest, p);
    }
    // relative to the highest, so that no temperature makes every weight underflow
    double sum = 0.0;
    for (std::size_t g = 0; g < rule.groups.size(); ++g) {
        const double p = std::max(static_cast<double>(scores[g]), kLeast) / highest;
        scores[g] = rule.groups[g].empty() ? 0.0F : static_cast<float>(std::pow(p, 1.0 / rule.temperature));
        sum += static_cast<double>(scores[g]);
    }
    for (std::size_t g = 0; g < rule.groups.size(); ++g)
        scores[g] = sum > 0.0 ? static_cast<float>(static_cast<double>(scores[g]) / sum) : 0.0F;
}

}  // namespace edgeemo
