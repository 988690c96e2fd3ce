// SHA-256 (FIPS 180-4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace edgeemo {

// 64 hexadecimal digits.
std::string sha256_hex(const std::uint8_t* data, std::size_t size);

}  // namespace edgeemo
