#include "bundle/card_bursts.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "bundle/card_labels.h"

namespace edgeemo {
namespace {

constexpr const char* kNoBurst = "none";  // the label of speech and of noise
constexpr const char* kBurstAffect =
    "bursts.affect must give valence and arousal of every label but none, from -1 to 1";

float one_of_affect(const Value& value) {
    require(value.is(Kind::number) && std::fabs(value.number) <= 1.0, kBurstAffect);
    return static_cast<float>(value.number);
}

std::array<float, 2> affect_of_burst(const Value& affect, const std::string& label) {
    if (label == kNoBurst) return {};
    const Value* const pair = affect.find(label);
    require(pair != nullptr && pair->is(Kind::list) && pair->items.size() == 2, kBurstAffect);
    return {one_of_affect(pair->items[0]), one_of_affect(pair->items[1])};
}

}  // namespace

void read_bursts(const Value& raw, Card& card) {
    const Value& bursts = optional(raw, "bursts", Kind::object);
    const Value* const output = field(raw, "outputs", Kind::object).find("bursts");
    require(bursts.members.empty() == (output == nullptr),
            "bursts must be given if outputs name bursts, and only then");
    if (output == nullptr) return;
    require(card.modality == Modality::voice, "bursts are for the modality voice");
    require(bursts.members.size() == 4, "bursts must give labels, scale, emotions and affect");
    card.bursts_output = output->text;
    card.burst_labels = read_names(bursts, "bursts.labels");
    const std::size_t n = card.burst_labels.size();
    const double scale = field(bursts, "bursts.scale", Kind::number).number;
    require(scale >= 0.05 && scale <= 20, "bursts.scale must lie between 0.05 and 20");

    ReadoutRule& rule = card.bursts;
    rule.scores.multi_label = false;
    rule.scores.scale.assign(n, static_cast<float>(scale));
    rule.scores.bias.assign(n, 0.0F);
    rule.scores.groups = read_groups(bursts, "bursts.emotions", card.burst_labels);
    std::vector<bool> mapped(n);
    for (const std::vector<int>& group : rule.scores.groups)
        for (const int label : group) mapped[static_cast<std::size_t>(label)] = true;
    const Value& affect = field(bursts, "bursts.affect", Kind::object);
    std::size_t sounds = 0;
    for (std::size_t label = 0; label < n; ++label) {
        const bool is_sound = card.burst_labels[label] != kNoBurst;
        require(mapped[label] == is_sound, "bursts.emotions must map every label but none");
        rule.affect.push_back(affect_of_burst(affect, card.burst_labels[label]));
        sounds += is_sound ? 1 : 0;
        if (!is_sound) rule.neutral = {static_cast<int>(label)};
    }
    require(affect.members.size() == sounds, kBurstAffect);
    std::vector<int>& neutral = rule.scores.groups[0];
    neutral.insert(neutral.end(), rule.neutral.begin(), rule.neutral.end());
}

}  // namespace edgeemo
