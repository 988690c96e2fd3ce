#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.h"
#include "edgeemo/errors.h"
#include "edgeemo/smooth.h"

namespace {

using edgeemo::InputError;
using edgeemo::Smoother;
using edgeemo::SpecError;

double next(Smoother& s, std::int64_t key, float x, double evidence, std::int64_t t_ms,
            double* said = nullptr) {
    float mean = 0.0F;
    const double found = s.update(key, &x, evidence, t_ms, &mean);
    if (said != nullptr) *said = found;
    return static_cast<double>(mean);
}

bool near(double a, double b) { return std::fabs(a - b) < 1e-6; }

void a_row_counts_for_a_third_after_the_time_constant() {
    Smoother s(1, 100.0);
    for (int t = 0; t <= 5000; t += 10) next(s, 1, 0.0F, 1.0, t);
    double mean = 0.0;
    for (int t = 5010; t <= 5100; t += 10) mean = next(s, 1, 1.0F, 1.0, t);
    CHECK(near(mean, 1.0 - std::exp(-1.0)));
}

void the_frame_rate_does_not_show() {
    for (const int step : {5, 20, 50}) {
        Smoother s(1, 200.0);
        for (int t = 0; t <= 4000; t += step) next(s, 1, 0.0F, 0.8, t);
        double mean = 0.0;
        for (int t = 4000 + step; t <= 4200; t += step) mean = next(s, 1, 1.0F, 0.8, t);
        CHECK(near(mean, 1.0 - std::exp(-1.0)));
    }
}

void the_first_row_counts_as_long_as_the_second() {
    Smoother s(1, 1000.0);
    CHECK(next(s, 1, 1.0F, 1.0, 0) == 1.0);
    const double left = std::exp(-0.05);
    CHECK(near(next(s, 1, 0.0F, 1.0, 50), left / (1.0 + left)));
}

void rows_weigh_their_evidence() {
    Smoother s(1, 0.0);
    double said = 0.0;
    CHECK(next(s, 1, 3.0F, 0.0, 0, &said) == 0.0 && said == 0.0);  // nothing is known yet
    CHECK(next(s, 1, 3.0F, 0.5, 10, &said) == 3.0 && said == 0.5);
    CHECK(next(s, 1, 9.0F, 0.0, 20, &said) == 3.0 && said == 0.0);  // it stays what it was
    Smoother slow(1, 100.0);
    next(slow, 1, 0.0F, 1.0, 0);
    const double left = std::exp(-1.0);
    CHECK(near(next(slow, 1, 1.0F, 0.25, 100, &said), 0.25 / (0.25 + left)));
    CHECK(near(said, (0.25 + left) / (1.0 + left)));
}

void tracks_do_not_mix_and_are_forgotten() {
    Smoother s(1, 100.0);
    next(s, 1, 0.0F, 1.0, 0);
    next(s, 2, 8.0F, 1.0, 0);
    CHECK(next(s, 1, 0.0F, 1.0, 40) == 0.0 && next(s, 2, 8.0F, 1.0, 40) == 8.0);
    s.keep({2, 7});
    CHECK(s.tracks() == 1);
    CHECK(next(s, 1, 5.0F, 1.0, 10) == 5.0);  // starts again, whatever its time was
    s.reset();
    CHECK(s.tracks() == 0 && next(s, 2, 1.0F, 1.0, 0) == 1.0);
}

void long_gaps_and_equal_times_are_sane() {
    Smoother s(1, 1.0);
    next(s, 1, 1.0F, 1.0, -(std::int64_t{1} << 52));
    CHECK(next(s, 1, 7.0F, 1.0, std::int64_t{1} << 52) == 7.0);
    CHECK(next(s, 1, 9.0F, 1.0, std::int64_t{1} << 52) == 7.0);  // at the same time: adds nothing
    for (int i = 1; i < 3000; ++i) CHECK(next(s, 1, 9.0F, 0.0, (std::int64_t{1} << 52) + i) == 7.0);
}

void bad_input_is_named_and_changes_nothing() {
    Smoother s(1, 100.0);
    next(s, 1, 1.0F, 1.0, 100);
    CHECK(message_of<InputError>([&] { next(s, 1, 1.0F, 1.0, 99); }).find("t_ms went back from 100 to 99") ==
          0);
    CHECK(message_of<InputError>([&] { next(s, 3, std::nanf(""), 1.0, 100); }).find("number 0 of the row") ==
          0);
    for (const double evidence : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
        CHECK(message_of<InputError>([&] { next(s, 3, 1.0F, evidence, 100); }).find("evidence must be in") ==
              0);
    CHECK(s.tracks() == 1);
    CHECK(message_of<SpecError>([] { Smoother(1, -1.0); }).find("time_ms must be in [0, 60000]") == 0);
    CHECK(message_of<SpecError>([] { Smoother(0, 1.0); }).find("size must be in") == 0);
}

}  // namespace

int main() {
    a_row_counts_for_a_third_after_the_time_constant();
    the_frame_rate_does_not_show();
    the_first_row_counts_as_long_as_the_second();
    rows_weigh_their_evidence();
    tracks_do_not_mix_and_are_forgotten();
    long_gaps_and_equal_times_are_sane();
    bad_input_is_named_and_changes_nothing();
}
