// The fields of a TextSpec and the names of its choices.
#pragma once

#include <array>

#include "base/specs.h"
#include "edgeemo/text.h"

namespace edgeemo {

constexpr auto names_of(TextSpec::Normalization) { return std::array{"nfkc", "bert"}; }
constexpr auto names_of(TextSpec::Unknown) { return std::array{"character", "word"}; }

template <>
struct Fields<TextSpec> {
    static constexpr const char* name = "TextSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("normalization", s.normalization, "'nfkc' or 'bert'.");
        field("lowercase", s.lowercase, "Fold case ('nfkc') or lower it ('bert').");
        field("strip_accents", s.strip_accents, "Drop nonspacing marks after decomposition.");
        field("unknown", s.unknown,
              "The part of an unknown word that becomes [UNK]: one 'character' or the whole 'word'.");
        field("special_tokens", s.special_tokens, "Put [CLS] before and [SEP] after the ids.");
        field("length", s.length, "Ids per text, 1 to 4096 (at least 3 with special_tokens).");
    }
};

}  // namespace edgeemo
