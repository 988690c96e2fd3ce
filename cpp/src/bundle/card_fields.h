// Reads cards: members of JSON objects by name and kind, and specs field by field.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/specs.h"
#include "edgeemo/errors.h"

namespace edgeemo {

using json::Value;
using Kind = json::Value::Kind;

inline constexpr double kLargest = 3.4e38;  // of float32

[[noreturn]] inline void invalid(const std::string& problem) {
    throw BundleCorruptError("The model card is not valid: " + problem +
                             ". Fetch or convert the bundle again.");
}

inline void require(bool good, const char* problem) {
    if (!good) invalid(problem);
}

// The member whose name stands behind the last dot of `path`; messages name the whole path.
inline const Value& field(const Value& object, const std::string& path, Kind kind) {
    constexpr std::array<const char*, 6> kNames{"null", "a boolean", "a number",
                                                "text", "a list",    "an object"};
    const auto name_of_kind = [&](Kind k) { return kNames[static_cast<std::size_t>(k)]; };
    const Value* const found = object.find(path.substr(path.rfind('.') + 1));
    if (found == nullptr) invalid("it has no " + path);
    if (!found->is(kind))
        invalid(path + " must be " + name_of_kind(kind) + ", got " + name_of_kind(found->kind));
    return *found;
}

// One without text, items or members where there is none.
inline const Value& optional(const Value& card, const char* name, Kind kind) {
    static const Value nothing;
    return card.find(name) == nullptr ? nothing : field(card, name, kind);
}

inline float number(const Value& value) {
    require(value.is(Kind::number) && std::fabs(value.number) <= kLargest,
            "calibration, thresholds and affect must be finite numbers");
    return static_cast<float>(value.number);
}

inline void check_texts(const Value& object, const char* name) {
    for (const auto& [key, value] : object.members)
        if (!value.is(Kind::text)) invalid(std::string(name) + " must map text to text");
}

[[noreturn]] inline void wrong_type(const char* name, const char* expected) {
    throw SpecError(std::string(name) + " must be " + expected);
}

inline void read_value(const char* name, const Value& value, bool& to) {
    if (!value.is(Kind::boolean)) wrong_type(name, "a bool");
    to = value.boolean;
}
inline void read_value(const char* name, const Value& value, std::int32_t& to) {
    if (!value.is(Kind::number) || !value.whole) wrong_type(name, "an int");
    if (std::fabs(value.number) > 2147483647.0) wrong_type(name, "a smaller number");
    to = static_cast<std::int32_t>(value.number);
}
inline void read_value(const char* name, const Value& value, double& to) {
    if (!value.is(Kind::number)) wrong_type(name, "a float");
    to = value.number;
}
template <class Choice>
void read_value(const char* name, const Value& value, Choice& to) {
    if (!value.is(Kind::text)) wrong_type(name, "a str");
    set_by_name(name, value.text, to);
}

// Reads a spec by its list of fields. Throws SpecError for an unknown key.
template <class Spec>
Spec read_spec(const Value& raw) {
    Spec spec;
    for (const auto& member : raw.members) {
        bool known = false;
        Fields<Spec>::visit(spec, [&](const char* name, auto& to, const char*) {
            if (member.first != name) return;
            known = true;
            read_value(name, member.second, to);
        });
        if (!known) throw SpecError("unknown key '" + member.first + "' in a " + Fields<Spec>::name);
    }
    spec.validate();
    return spec;
}

}  // namespace edgeemo
