#include "text/unicode.h"

namespace edgeemo::unicode {
namespace {

#include "text/unicode_tables.inc"

constexpr std::size_t kTopsPerTable = 272;
static_assert(sizeof(kTops) / sizeof(kTops[0]) == 8 * kTopsPerTable);

constexpr char32_t kHangulBase = 0xAC00, kLeadBase = 0x1100, kVowelBase = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28;

}  // namespace

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
