// JSON, strictly: RFC 8259, UTF-8, no name twice in an object, at most kMostDepth deep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgeemo::json {

inline constexpr int kMostDepth = 64;

struct Value {
    enum class Kind { null, boolean, number, text, list, object };

    Kind kind = Kind::null;
    bool boolean = false;
    bool whole = false;  // a number without point or exponent
    double number = 0.0;
    std::string text;
    std::vector<Value> items;                            // of a list
    std::vector<std::pair<std::string, Value>> members;  // of an object, in their order

    const Value* find(std::string_view name) const;  // null unless this is an object with such a member
    bool is(Kind k) const { return kind == k; }
};

// Throws BundleCorruptError, which says where. Lone surrogates, which UTF-8 has no bytes for, become U+FFFD.
Value parse(std::string_view text);

}  // namespace edgeemo::json
