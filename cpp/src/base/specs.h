// Specs share names of choices, checks of ranges, and the canonical sentence behind digest and equality.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "edgeemo/errors.h"

namespace edgeemo {

// The one list of a spec's fields: digest, equality, cards and Python follow it. A specialization has `name`
// and visit(spec, field), which calls field(name, value, meaning) for each field.
template <class Spec>
struct Fields;

// The name of a choice; names_of(choice) lists the names in the order of the enum.
template <class Choice>
const char* name_of(Choice choice) {
    return names_of(choice)[static_cast<std::size_t>(choice)];
}

// Sets the choice of that name. Throws SpecError, which lists the names.
template <class Choice>
void set_by_name(const char* field, std::string_view name, Choice& choice) {
    constexpr auto kNames = names_of(Choice{});
    std::string all;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (name == kNames[i]) {
            choice = static_cast<Choice>(i);
            return;
        }
        all += (i == 0 ? "'" : i + 1 == kNames.size() ? " or '" : ", '") + std::string(kNames[i]) + "'";
    }
    throw SpecError(std::string(field) + " must be " + all + ", got '" + std::string(name) + "'");
}

std::string text_of(double x);  // nine digits at most

// Throws SpecError unless least <= value <= most; NaN is refused.
void check_range(const char* field, double value, double least, double most);

std::string canonical(bool value);
std::string canonical(std::int32_t value);
std::string canonical(double value);  // its bits; -0 is 0
template <class Choice>
std::string canonical(Choice choice) {
    return name_of(choice);
}

// The name of a spec and its fields, except the field `left_out`.
template <class Spec>
std::string sentence_of(const Spec& spec, std::string_view left_out = {}) {
    std::string sentence = Fields<Spec>::name;
    Fields<Spec>::visit(spec, [&](const char* field, const auto& value, const char*) {
        if (field != left_out) sentence += std::string(" ") + field + "=" + canonical(value);
    });
    return sentence;
}

// 64-bit FNV-1a, 16 hexadecimal digits. A new field joins the sentence only where it is not at its default.
std::string digest_of(const std::string& sentence);

}  // namespace edgeemo
