#include "base/specs.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace edgeemo {
namespace {

std::string hex_of(std::uint64_t bits) {
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016" PRIx64, bits);
    return hex.data();
}

}  // namespace

std::string text_of(double x) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.9g", x);
    return text.data();
}

void check_range(const char* field, double value, double least, double most) {
    if (value >= least && value <= most) return;
    throw SpecError(std::string(field) + " must be in [" + text_of(least) + ", " + text_of(most) + "], got " +
                    text_of(value));
}

std::string canonical(bool value) { return value ? "1" : "0"; }
std::string canonical(std::int32_t value) { return std::to_string(value); }
std::string canonical(double value) {
    std::uint64_t bits = 0;
    if (value != 0.0) std::memcpy(&bits, &value, sizeof bits);
    return hex_of(bits);
}

std::string digest_of(const std::string& sentence) {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : sentence) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hex_of(hash);
}

}  // namespace edgeemo
