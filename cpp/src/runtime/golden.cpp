#include "edgeemo/golden.h"

#include <cstdlib>

namespace edgeemo {
namespace {

constexpr std::int64_t kRate = kGoldenRateHz;
constexpr std::int64_t kSamples = kRate * kGoldenSeconds;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// White noise from a linear congruential generator (Numerical Recipes' constants), -30 dB.
std::vector<std::int16_t> hiss() {
    std::vector<std::int16_t> found;
    std::uint32_t x = 1;
    for (std::int64_t i = 0; i < kSamples; ++i) {
        x = 1664525U * x + 1013904223U;
        found.push_back(static_cast<std::int16_t>(static_cast<std::int32_t>(x >> 21U) - 1024));
    }
    return found;
}

// A sawtooth that swells and fades like syllables, its pitch rising and falling by a tenth.
std::vector<std::int16_t> hum(std::int64_t pitch_hz, std::int64_t syllables_hz) {
    std::vector<std::int16_t> found;
    std::int64_t tenths = 0;  // of the phase
    for (std::int64_t t = 0; t < kSamples; ++t) {
        const std::int64_t slow = std::llabs(t * 3 % kRate - kRate / 2) - kRate / 4;  // a triangle
        tenths += pitch_hz * 10 + floor_div(pitch_hz * slow, kRate / 4);
        const std::int64_t saw = tenths / 10 % kRate * 16384 / kRate - 8192;
        const std::int64_t swell = std::llabs(t * syllables_hz % kRate - kRate / 2) * 2;
        found.push_back(static_cast<std::int16_t>(floor_div(saw * swell, kRate)));
    }
    return found;
}

}  // namespace

std::vector<std::int16_t> golden_signal(std::string_view name) {
    if (name == "silence") return std::vector<std::int16_t>(static_cast<std::size_t>(kSamples));
    if (name == "hiss") return hiss();
    if (name == "low hum") return hum(110, 3);
    if (name == "high hum") return hum(220, 5);
    return {};
}

std::vector<std::uint8_t> golden_drawing(std::string_view name) {
    const bool open = name == "open";
    if (!open && name != "level" && name != "smile" && name != "frown") return {};
    const int bend = name == "smile" ? 1 : name == "frown" ? -1 : 0;
    std::vector<std::uint8_t> found;
    for (int row = 0; row < kGoldenSide; ++row) {
        for (int column = 0; column < kGoldenSide; ++column) {
            const int x = column * 2 + 1 - kGoldenSide,
                      y = row * 2 + 1 - kGoldenSide;  // half pixels from the middle
            const int beside = std::abs(x) - 34;
            const bool eye = beside * beside + (y + 20) * (y + 20) < 100;
            const bool mouth = open ? x * x + (y - 44) * (y - 44) < 300
                                    : std::abs(x) < 32 && std::abs(y - 44 + bend * (x * x / 64 - 8)) < 5;
            const bool face = x * x * 3 + y * y * 2 < 3 * 80 * 80;
            found.push_back(static_cast<std::uint8_t>(eye || mouth ? 30 : face ? 180 : 60));
        }
    }
    return found;
}

}  // namespace edgeemo
