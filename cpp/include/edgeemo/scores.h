// From a model's logits to calibrated probabilities and the normalised view over the emotions.
#pragma once

#include <cstddef>
#include <vector>

namespace edgeemo {

// How one model's logits are read; the numbers come from its card.
struct ScoreRule {
    bool multi_label = true;   // independent labels (sigmoid, any) or exclusive ones (softmax, sum)
    std::vector<float> scale;  // per label
    std::vector<float> bias;   // per label
    std::vector<std::vector<int>> groups;  // per emotion, the indices of the labels that express it
    float temperature = 1.0F;              // of the normalised view
};

class ScoreMap {
  public:
    // Throws std::invalid_argument if sizes, indices or numbers of the rule do not fit together.
    explicit ScoreMap(ScoreRule rule);

    std::size_t labels() const noexcept { return rule_.scale.size(); }
    std::size_t groups() const noexcept { return rule_.groups.size(); }

    // `logits` and `probabilities` have labels() floats, `scores` groups(). Probabilities lie in [0, 1];
    // scores sum to 1. Throws std::invalid_argument if a logit is NaN. Thread-safe.
    void apply(const float* logits, float* probabilities, float* scores) const;

  private:
    ScoreRule rule_;
};

}  // namespace edgeemo
