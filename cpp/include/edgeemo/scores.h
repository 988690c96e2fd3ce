// From a model's logits to calibrated probabilities and the normalised view over the emotions.
#pragma once

#include <vector>

namespace edgeemo {

// How one model's logits are read; the numbers come from its card, whose reader checks them.
struct ScoreRule {
    bool multi_label = true;   // independent labels (sigmoid, any) or exclusive ones (softmax, sum)
    std::vector<float> scale;  // per label
    std::vector<float> bias;   // per label
    std::vector<std::vector<int>> groups;  // per emotion, the indices of the labels that express it
    float temperature = 1.0F;              // of the normalised view
};

// `logits` and `probabilities` have a float for each label, `scores` one for each group. Probabilities lie in
// [0, 1]; scores sum to 1. Throws InferenceError if a logit is NaN.
void read_scores(const ScoreRule& rule, const float* logits, float* probabilities, float* scores);

}  // namespace edgeemo
