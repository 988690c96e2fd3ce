#include "edgeemo/quant.h"

#include <cmath>
#include <string>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr std::int32_t kLow = -128;
constexpr std::int32_t kHigh = 127;

void check(float scale, std::int32_t zero_point) {
    if (!std::isfinite(scale) || scale <= 0.0f) {
        throw InputError("scale must be finite and greater than 0, got " + std::to_string(scale) +
                         "; take scale and zero point from the model's quantization");
    }
    if (zero_point < kLow || zero_point > kHigh) {
        throw InputError("zero_point must be in [-128, 127], got " + std::to_string(zero_point) +
                         "; int8 tensors have no other");
    }
}

// Independent of the rounding mode of the floating-point unit. |v| is small enough for int32.
std::int32_t round_half_even(float v) {
    const float below = std::floor(v);
    const float rest = v - below;
    auto n = static_cast<std::int32_t>(below);
    if (rest > 0.5f || (rest == 0.5f && (n & 1) != 0)) ++n;
    return n;
}

}  // namespace

void quantize(const float* x, std::size_t n, float scale, std::int32_t zero_point, std::int8_t* out) {
    check(scale, zero_point);
    constexpr float kBeyond = 512.0f;  // farther out everything saturates, whatever the zero point
    for (std::size_t i = 0; i < n; ++i) {
        float v = x[i] / scale;
        if (std::isnan(v)) {
            throw InputError("cannot quantize NaN at position " + std::to_string(i) +
                             "; check the values before this step");
        }
        v = v < -kBeyond ? -kBeyond : (v > kBeyond ? kBeyond : v);
        const std::int32_t q = round_half_even(v) + zero_point;
        out[i] = static_cast<std::int8_t>(q < kLow ? kLow : (q > kHigh ? kHigh : q));
    }
}

void dequantize(const std::int8_t* q, std::size_t n, float scale, std::int32_t zero_point, float* out) {
    check(scale, zero_point);
    for (std::size_t i = 0; i < n; ++i) {
        out[i] = static_cast<float>(static_cast<std::int32_t>(q[i]) - zero_point) * scale;
    }
}

}  // namespace edgeemo
