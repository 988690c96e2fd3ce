#include "base/utf8.h"

#include <array>

namespace edgeemo::unicode {

char32_t decode(const char*& at, const char* end) {
    const auto lead = static_cast<unsigned char>(*at++);
    if (lead < 0x80) return lead;
    if (lead < 0xC2 || lead > 0xF4) return kReplacement;
    const int more = lead < 0xE0 ? 1 : (lead < 0xF0 ? 2 : 3);
    // Table 3-7: the second byte has a narrower range after E0, ED, F0 and F4.
    unsigned low = lead == 0xE0 ? 0xA0 : (lead == 0xF0 ? 0x90 : 0x80);
    unsigned high = lead == 0xED ? 0x9F : (lead == 0xF4 ? 0x8F : 0xBF);
    auto c = static_cast<char32_t>(lead & (0x3F >> more));
    for (int i = 0; i < more; ++i) {
        if (at == end) return kReplacement;
        const auto byte = static_cast<unsigned char>(*at);
        if (byte < low || byte > high) return kReplacement;
        c = c << 6 | (byte & 0x3Fu);
        ++at;
        low = 0x80;
        high = 0xBF;
    }
    return c;
}

std::size_t encode(char32_t c, char* out) {
    const auto tail = [c](int shift) { return static_cast<char>(0x80u | (c >> shift & 0x3Fu)); };
    if (c < 0x80) {
        out[0] = static_cast<char>(c);
        return 1;
    }
    if (c < 0x800) {
        out[0] = static_cast<char>(0xC0u | c >> 6);
        out[1] = tail(0);
        return 2;
    }
    if (c < 0x10000) {
        out[0] = static_cast<char>(0xE0u | c >> 12);
        out[1] = tail(6);
        out[2] = tail(0);
        return 3;
    }
    out[0] = static_cast<char>(0xF0u | c >> 18);
    out[1] = tail(12);
    out[2] = tail(6);
    out[3] = tail(0);
    return 4;
}

std::string well_formed(std::string_view text, std::size_t most) {
    std::string made;
    const char* const end = text.data() + text.size();
    for (const char* at = text.data(); at != end;) {
        std::array<char, 4> bytes{};
        const std::size_t size = encode(decode(at, end), bytes.data());
        if (made.size() + size > most) break;
        made.append(bytes.data(), size);
    }
    return made;
}

}  // namespace edgeemo::unicode
