// Raw inputs under whose names a card keeps what its model said of them: signals and drawings of whole
// numbers, nobody's voice and nobody's face, the same to the bit everywhere.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace edgeemo {

inline constexpr std::int32_t kGoldenRateHz = 16000, kGoldenSeconds = 3, kGoldenSide = 96;

// int16 at kGoldenRateHz: "silence", "hiss", "low hum" or "high hum". Empty for another name.
std::vector<std::int16_t> golden_signal(std::string_view name);

// A face as a child draws it, gray, kGoldenSide pixels square: "level", "smile", "frown" or "open". Empty for
// another name.
std::vector<std::uint8_t> golden_drawing(std::string_view name);

}  // namespace edgeemo
