// Golden inputs: signals and drawings made of whole numbers, the same to the bit everywhere. A card keeps
// the answers of its model under their names. No person's voice or face is in them.
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
