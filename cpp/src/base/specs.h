// What the specs share: names of choices, ranges, and the canonical sentence that digest and equality follow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "edgeemo/errors.h"

namespace edgeemo {

template <std::size_t n>
using Names = std::array<const char*, n>;

// The member of that name into `value`; names stand in the order of the enum.
template <class Value, std::size_t n>
void set_member(const char* field, const Names<n>& names, std::string_view name, Value& value) {
    std::string all;
    for (std::size_t i = 0; i < n; ++i) {
        if (name == names[i]) {
            value = static_cast<Value>(i);
            return;
        }
        all += (i == 0 ? "'" : i + 1 == n ? " or '" : ", '") + std::string(names[i]) + "'";
    }
    throw SpecError(std::string(field) + " must be " + all + ", got '" + std::string(name) + "'");
}

std::string text_of(double x);  // nine digits at most

// Throws SpecError unless least <= value <= most; NaN is refused.
void check_range(const char* field, double value, double least, double most);

std::string canonical(const char* value);
std::string canonical(bool value);
std::string canonical(std::int32_t value);
std::string canonical(double value);  // its bits; -0 is 0

// A choice by its name.
template <class Choice, std::enable_if_t<std::is_enum_v<Choice>, int> = 0>
std::string canonical(Choice value) {
    return canonical(name_of(value));
}

// Name and fields of a spec, which `visit(spec, field)` hands over as field(name, value).
template <class Spec, class Visit>
std::string sentence_of(const char* name, const Spec& spec, Visit visit) {
    std::string sentence = name;
    visit(spec, [&](const char* field, auto value) {
        sentence += std::string(" ") + field + "=" + canonical(value);
    });
    return sentence;
}

// 64-bit FNV-1a, 16 hexadecimal digits. A new field joins the sentence only where it is not at its default.
std::string digest_of(const std::string& sentence);

}  // namespace edgeemo
