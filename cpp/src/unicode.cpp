#include "unicode.h"

namespace edgeemo::unicode {
namespace {

#include "unicode_tables.inc"

constexpr std::size_t kTopsPerTable = 272;
static_assert(sizeof(kTops) / sizeof(kTops[0]) == 8 * kTopsPerTable);

constexpr char32_t kHangulBase = 0xAC00, kLeadBase = 0x1100, kVowelBase = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28;

}  // namespace

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

const char32_t* Record::mapping() const { return kSequences + (bits >> 16); }

Table::Table(const TextSpec& spec)
    : tops_(kTops + kTopsPerTable * ((spec.normalization == TextSpec::Normalization::bert ? 4u : 0u) +
                                     (spec.lowercase ? 2u : 0u) + (spec.strip_accents ? 1u : 0u))) {
    for (unsigned char byte = 0; byte < ascii_.size(); ++byte) {
        const Record record = (*this)[byte];  // ASCII maps to one ASCII character at most
        const char32_t to = record.mapping_size() == 0 ? byte : *record.mapping();
        ascii_[byte] = {static_cast<unsigned char>(to), (*this)[to].kind()};
    }
}

Record Table::operator[](char32_t c) const {
    const std::size_t middle = static_cast<std::size_t>(tops_[c >> 12]) << 5 | (c >> 7 & 31u);
    const std::size_t leaf = static_cast<std::size_t>(kMiddles[middle]) << 7 | (c & 127u);
    return Record{kRecords[kLeaves[leaf]]};
}

char32_t compose(char32_t first, char32_t second) {
    if (first - kLeadBase < kLeads && second - kVowelBase < kVowels) {
        return kHangulBase + ((first - kLeadBase) * kVowels + (second - kVowelBase)) * kTails;
    }
    if (first - kHangulBase < kLeads * kVowels * kTails && (first - kHangulBase) % kTails == 0 &&
        second - kTailBase - 1 < kTails - 1) {
        return first + (second - kTailBase);
    }
    constexpr std::size_t kPairs = sizeof(kCompositions) / sizeof(kCompositions[0]) / 3;
    std::size_t low = 0, high = kPairs;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const char32_t* pair = kCompositions + 3 * middle;
        if (pair[0] < first || (pair[0] == first && pair[1] < second)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const char32_t* pair = kCompositions + 3 * low;
    return low < kPairs && pair[0] == first && pair[1] == second ? pair[2] : 0;
}

}  // namespace edgeemo::unicode

namespace edgeemo {

const char* unicode_version() { return unicode::kUnicodeVersion; }

}  // namespace edgeemo
