#include <cmath>
#include <limits>

#include "check.h"
#include "edgeemo/errors.h"
#include "edgeemo/scores.h"

namespace {

using edgeemo::InferenceError;
using edgeemo::ScoreRule;

struct Read {
    std::vector<float> probabilities;
    std::vector<float> scores;
};

ScoreRule rule(bool multi_label, std::vector<std::vector<int>> groups, float temperature = 1.0F) {
    return {multi_label, {1.0F, 1.0F, 1.0F}, {0.0F, 0.0F, 0.0F}, std::move(groups), temperature};
}

Read read(const ScoreRule& given, const std::vector<float>& logits) {
    Read made{std::vector<float>(given.scale.size()), std::vector<float>(given.groups.size())};
    edgeemo::read_scores(given, logits.data(), made.probabilities.data(), made.scores.data());
    return made;
}

bool near(float a, double b) { return std::fabs(static_cast<double>(a) - b) < 1e-6; }

void independent_labels_are_sigmoids_and_a_group_is_any_of_them() {
    const Read made = read(rule(true, {{0, 1}, {2}, {}}), {0.0F, 1.0F, -1.0F});
    CHECK(near(made.probabilities[0], 0.5));
    CHECK(near(made.probabilities[1], 0.7310586));
    CHECK(near(made.probabilities[2], 0.2689414));
    const double any = 1 - 0.5 * (1 - 0.7310586);
    CHECK(near(made.scores[0], any / (any + 0.2689414)));
    CHECK(near(made.scores[1], 0.2689414 / (any + 0.2689414)));
    CHECK(made.scores[2] == 0.0F);
}

void exclusive_labels_share_one_and_a_group_is_their_sum() {
    const Read made = read(rule(false, {{0, 1}, {2}}), {1.0F, 1.0F, 1.0F});
    for (float p : made.probabilities) CHECK(near(p, 1.0 / 3));
    CHECK(near(made.scores[0], 2.0 / 3));
    CHECK(near(made.scores[1], 1.0 / 3));
}

void calibration_comes_first() {
    ScoreRule given = rule(true, {{0}, {1}, {2}});
    given.scale = {0.0F, 2.0F, -1.0F};
    given.bias = {0.0F, -2.0F, 0.0F};
    const Read made = read(given, {9.0F, 1.0F, 0.0F});
    for (float p : made.probabilities) CHECK(near(p, 0.5));
}

void scores_sum_to_one_at_every_temperature() {
    for (float temperature : {0.05F, 0.5F, 1.0F, 20.0F})
        for (float logit : {-100.0F, -9.0F, 0.0F, 100.0F}) {
            const Read made = read(rule(true, {{0}, {1, 2}}, temperature), {logit, logit, logit});
            CHECK(near(made.scores[0] + made.scores[1], 1.0));
            CHECK(made.scores[1] >= made.scores[0]);  // two labels are likelier than one
        }
}

void certainty_has_no_overflow() {
    const float infinity = std::numeric_limits<float>::infinity();
    for (bool multi_label : {true, false}) {
        const Read made = read(rule(multi_label, {{0}, {1}}), {infinity, -infinity, -infinity});
        CHECK(near(made.probabilities[0], 1.0));
        CHECK(near(made.probabilities[1], 0.0));
        CHECK(near(made.scores[0], 1.0));
    }
}

void nan_is_refused() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    message_of<InferenceError>([&] { read(rule(true, {{0}}), {nan, 0.0F, 0.0F}); });
    ScoreRule flat = rule(true, {{0}});
    flat.scale[0] = 0.0F;
    message_of<InferenceError>([&] { read(flat, {infinity, 0.0F, 0.0F}); });  // 0 times infinity
}

}  // namespace

int main() {
    independent_labels_are_sigmoids_and_a_group_is_any_of_them();
    exclusive_labels_share_one_and_a_group_is_their_sum();
    calibration_comes_first();
    scores_sum_to_one_at_every_temperature();
    certainty_has_no_overflow();
    nan_is_refused();
}
