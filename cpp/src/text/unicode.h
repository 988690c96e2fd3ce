// The tables of tools/make_unicode_tables.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/utf8.h"
#include "edgeemo/text.h"

namespace edgeemo::unicode {

enum class Kind : std::uint8_t { letter, mark, space, drop, punctuation, symbol, ideograph };

// The table's entry of one code point.
struct Record {
    std::uint32_t bits;

    Kind kind() const { return static_cast<Kind>(bits & 7u); }
    bool composes_backwards() const { return (bits >> 3 & 1u) != 0; }
    bool is_barrier() const { return (bits >> 3 & 1u) != 0; }  // dropped, but marks do not pass it
    bool hangul() const { return (bits >> 4 & 1u) != 0; }
    std::uint32_t combining() const { return bits >> 5 & 63u; }  // rank of the combining class
    std::size_t mapping_size() const { return bits >> 11 & 31u; }
    const char32_t* mapping() const;
};

// One of the eight tables: normalisation x lowercase x strip_accents.
class Table {
  public:
    struct Ascii {
        unsigned char to;
        Kind kind;
    };

    explicit Table(const TextSpec& spec);
    Record operator[](char32_t c) const;
    Ascii ascii(unsigned char byte) const { return ascii_[byte]; }  // byte < 128

  private:
    const std::uint16_t* tops_;
    std::array<Ascii, 128> ascii_;
};

// The canonical composition of two characters, 0 if there is none. Hangul included.
char32_t compose(char32_t first, char32_t second);

}  // namespace edgeemo::unicode
