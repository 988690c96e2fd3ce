// From a model's outputs to the numbers of a result, and how much they are worth.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgeemo/scores.h"

namespace edgeemo {

inline constexpr std::size_t kEmotions = 8;

// neutral, happiness, sadness, anger, fear, disgust, surprise, contempt: the order of every score vector
extern const std::array<const char*, kEmotions> kEmotionNames;

// The card's rules to read a model's outputs; the card's reader checks them.
struct ReadoutRule {
    ScoreRule scores;                          // its groups are the emotions, in their order
    std::vector<std::array<float, 2>> affect;  // valence and arousal of each label; empty: an output says it
    std::vector<float> thresholds;             // per label
    std::vector<int> neutral;                  // labels that are 1 where there is no evidence
    bool weighs = false;                       // evidence is weighed, as below
    double least = 0.0, enough = 1.0;  // share of speech: neutral up to it, the model's own from it on
    double speech_threshold = 0.5;     // probability from which a block is speech
};

// A row is labels() probabilities, kEmotions scores, valence, arousal. Immutable; any number of threads may
// share one.
class Readout {
  public:
    explicit Readout(ReadoutRule rule);

    const ReadoutRule& rule() const { return rule_; }
    std::size_t labels() const { return rule_.scores.scale.size(); }
    std::size_t row_size() const { return labels() + kEmotions + 2; }

    // One run of the model: `affect` has two floats, or is null if the rule gives each label's. Throws
    // InferenceError for NaN.
    void read(const float* logits, const float* affect, float* row) const;

    // Writes the neutral result, which stands for no evidence.
    void neutral(float* row) const;

    // The share of the first `real` blocks that are speech, by their logits. Throws InferenceError for NaN.
    double speech_share(const float* logits, std::size_t real) const;

    // weight * row + (1 - weight) * neutral in place, weight = clip((evidence - least) / (enough - least), 0,
    // 1).
    void weigh(double evidence, float* row) const;

  private:
    ReadoutRule rule_;
    double least_logit_ = 0.0;
    std::vector<float> neutral_;
};

}  // namespace edgeemo
