// The one int8 rule. Trainer, converter, verifier and device all call it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgeemo {

// out[i] = saturate(round_half_even(x[i] / scale) + zero_point), the quotient in float32, the sum in int32,
// saturated to [-128, 127]. Infinities saturate.
// Throws InputError for NaN, for a scale that is not finite and > 0, for a zero point outside [-128, 127].
void quantize(const float* x, std::size_t n, float scale, std::int32_t zero_point, std::int8_t* out);

// out[i] = (q[i] - zero_point) * scale in float32. Throws InputError like quantize.
void dequantize(const std::int8_t* q, std::size_t n, float scale, std::int32_t zero_point, float* out);

}  // namespace edgeemo
