// Every field of a TextSpec with its name, in one place: digest, equality and reading from a card follow it.
#pragma once

#include "edgeemo/text.h"

namespace edgeemo::fields {

template <class Visit>
void visit_text(TextSpec& s, Visit&& field) {
    field("normalization", s.normalization);
    field("lowercase", s.lowercase);
    field("strip_accents", s.strip_accents);
    field("unknown", s.unknown);
    field("special_tokens", s.special_tokens);
    field("length", s.length);
}

}  // namespace edgeemo::fields
