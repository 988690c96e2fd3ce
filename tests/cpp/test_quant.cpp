#include <cmath>
#include <limits>

#include "check.h"
#include "edgeemo/errors.h"
#include "edgeemo/quant.h"

namespace {

int quantized(float x, float scale = 1.0f, int zero_point = 0) {
    std::int8_t q = 0;
    edgeemo::quantize(&x, 1, scale, zero_point, &q);
    return q;
}

void halves_go_to_the_even_neighbour() {
    for (int n = -200; n < 200; ++n) {
        const int even = n % 2 == 0 ? n : n + 1;
        const int expected = even < -128 ? -128 : (even > 127 ? 127 : even);
        CHECK(quantized(static_cast<float>(n) + 0.5f) == expected);
    }
    CHECK(quantized(0.5f, 1.0f, 3) == 3);
}

void everything_outside_saturates() {
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(quantized(infinity, 1.0f, -128) == 127);
    CHECK(quantized(-infinity, 1.0f, 127) == -128);
    CHECK(quantized(1e38f, 1e-38f) == 127);
    CHECK(quantized(255.0f, 1.0f, -128) == 127);
    CHECK(quantized(254.0f, 1.0f, -128) == 126);
}

void what_has_no_answer_is_refused() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(message_of<edgeemo::InputError>([&] { quantized(nan); }).find("NaN") != std::string::npos);
    for (const float scale : {0.0f, -1.0f, nan, std::numeric_limits<float>::infinity()}) {
        CHECK(message_of<edgeemo::InputError>([&] { quantized(1, scale); }).find("scale") == 0);
    }
    for (const int zero_point : {-129, 128}) {
        CHECK(message_of<edgeemo::InputError>([&] { quantized(1, 1, zero_point); }).find("zero_point") == 0);
    }
}

void there_and_back_is_the_same() {
    for (int q = -128; q <= 127; ++q) {
        const auto in = static_cast<std::int8_t>(q);
        float x = 0;
        edgeemo::dequantize(&in, 1, 0.0173f, -7, &x);
        CHECK(quantized(x, 0.0173f, -7) == q);
    }
}

}  // namespace

int main() {
    halves_go_to_the_even_neighbour();
    everything_outside_saturates();
    what_has_no_answer_is_refused();
    there_and_back_is_the_same();
}
