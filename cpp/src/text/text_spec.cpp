#include <array>
#include <cstdio>
#include <string>

#include "edgeemo/errors.h"
#include "edgeemo/text.h"

namespace edgeemo {

const char* name_of(TextSpec::Normalization value) {
    return value == TextSpec::Normalization::nfkc ? "nfkc" : "bert";
}

const char* name_of(TextSpec::Unknown value) {
    return value == TextSpec::Unknown::character ? "character" : "word";
}

TextSpec::Normalization normalization_of(std::string_view name) {
    if (name == "nfkc") return TextSpec::Normalization::nfkc;
    if (name == "bert") return TextSpec::Normalization::bert;
    throw SpecError("normalization must be 'nfkc' or 'bert', got '" + std::string(name) + "'");
}

TextSpec::Unknown unknown_of(std::string_view name) {
    if (name == "character") return TextSpec::Unknown::character;
    if (name == "word") return TextSpec::Unknown::word;
    throw SpecError("unknown must be 'character' or 'word', got '" + std::string(name) + "'");
}

void TextSpec::validate() const {
    const std::int32_t least = special_tokens ? 3 : 1;
    if (length < least || length > 4096) {
        throw SpecError("length must be in [" + std::to_string(least) + ", 4096]" +
                        (special_tokens ? " with special_tokens" : "") + ", got " + std::to_string(length));
    }
}

// 64-bit FNV-1a of a canonical sentence. A new field joins the sentence only where it is not at its default.
std::string TextSpec::digest() const {
    const std::string sentence =
        std::string("TextSpec normalization=") + name_of(normalization) +
        " lowercase=" + (lowercase ? "1" : "0") + " strip_accents=" + (strip_accents ? "1" : "0") +
        " unknown=" + name_of(unknown) + " special_tokens=" + (special_tokens ? "1" : "0") +
        " length=" + std::to_string(length);
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : sentence) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(hash));
    return hex.data();
}

bool operator==(const TextSpec& a, const TextSpec& b) {
    return a.normalization == b.normalization && a.lowercase == b.lowercase &&
           a.strip_accents == b.strip_accents && a.unknown == b.unknown &&
           a.special_tokens == b.special_tokens && a.length == b.length;
}

bool operator!=(const TextSpec& a, const TextSpec& b) { return !(a == b); }

}  // namespace edgeemo
