// UTF-8, read and written one code point at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace edgeemo::unicode {

inline constexpr char32_t kReplacement = 0xFFFD;

// Decodes one code point and moves `at`. An ill-formed sequence gives U+FFFD for each maximal subpart
// (Unicode, chapter 3.9). Precondition: at < end.
char32_t decode(const char*& at, const char* end);

// Appends 1 to 4 bytes to `out` and returns how many.
std::size_t encode(char32_t c, char* out);

// The text with U+FFFD for ill-formed bytes, cut after a whole character to at most `most` bytes.
std::string well_formed(std::string_view text, std::size_t most);

}  // namespace edgeemo::unicode
