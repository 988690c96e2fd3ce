#include <string>

#include "edgeemo/errors.h"
#include "text/text_fields.h"

namespace edgeemo {

void TextSpec::validate() const {
    const std::int32_t least = special_tokens ? 3 : 1;
    if (length < least || length > 4096) {
        throw SpecError("length must be in [" + std::to_string(least) + ", 4096]" +
                        (special_tokens ? " with special_tokens" : "") + ", got " + std::to_string(length));
    }
}

std::string TextSpec::digest() const { return digest_of(sentence_of(*this)); }

bool operator==(const TextSpec& a, const TextSpec& b) { return sentence_of(a) == sentence_of(b); }
bool operator!=(const TextSpec& a, const TextSpec& b) { return !(a == b); }

}  // namespace edgeemo
