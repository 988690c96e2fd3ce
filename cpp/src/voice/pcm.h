// The caller's samples: checked, and mixed down to one channel.
#pragma once

#include "edgeemo/voice.h"

namespace edgeemo {

// Throws InputError.
void check_rate(std::int32_t rate_hz);
void check_channels(std::int32_t channels);
void check_pcm(const Pcm& pcm);  // channels, size, NaN, infinities, values beyond ±8

// Samples first … first + n - 1 as the mean of their channels, in ±1.
void mix(const Pcm& pcm, std::size_t first, std::size_t n, float* out);

}  // namespace edgeemo
