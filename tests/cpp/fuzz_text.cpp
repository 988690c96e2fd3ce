// Any bytes through every spec: no crash, ids in range, counts in order, normalising twice is once.
// Byte 0 chooses the spec; the rest is the text.
#include <algorithm>
#include <array>
#include <memory>

#include "check.h"
#include "edgeemo/text.h"

namespace {

using edgeemo::TextFrontend;
using edgeemo::TextSpec;

const std::vector<std::string> kVocabulary = {
    "[PAD]",  "[UNK]",  "[CLS]",  "[SEP]",    "a",          "b",      "ab",       "##a", "##b",
    "##ab",   "##bab",  "happy",  "##ness",   "!",          ".",      "\u00E9",   "e",   "##\u0301",
    "\u65E5", "\u672C", "\uAC00", "##\uAC01", "\U0001F600", "\u3042", "##\u0B95", "ss"};

constexpr std::int32_t kLengths[] = {3, 8, 64, 512};

TextSpec spec_of(unsigned bits) {
    TextSpec spec;
    spec.normalization = (bits & 1u) != 0 ? TextSpec::Normalization::bert : TextSpec::Normalization::nfkc;
    spec.lowercase = (bits & 2u) != 0;
    spec.strip_accents = (bits & 4u) != 0;
    spec.unknown = (bits & 8u) != 0 ? TextSpec::Unknown::word : TextSpec::Unknown::character;
    spec.special_tokens = (bits & 16u) != 0;
    spec.length = kLengths[bits >> 5 & 3u];
    return spec;
}

const TextFrontend& frontend_of(unsigned bits) {
    static std::array<std::unique_ptr<TextFrontend>, 128> all;
    if (!all[bits]) all[bits] = std::make_unique<TextFrontend>(spec_of(bits), kVocabulary);
    return *all[bits];
}

std::vector<std::int32_t> check_ids(const TextFrontend& frontend, std::string_view text) {
    const auto length = static_cast<std::size_t>(frontend.spec().length);
    std::vector<std::int32_t> ids(length, -1);
    const edgeemo::TextCounts counts = frontend.encode(text, ids.data());
    for (const std::int32_t id : ids) CHECK(id >= 0 && id < static_cast<std::int32_t>(kVocabulary.size()));
    CHECK(counts.n_ids >= 0 && counts.n_ids <= frontend.spec().length);
    CHECK(0 <= counts.n_understood && counts.n_understood <= counts.n_words &&
          counts.n_words <= counts.n_ids);
    CHECK(!counts.truncated || counts.n_ids == frontend.spec().length);
    CHECK(std::all_of(ids.begin() + counts.n_ids, ids.end(), [](std::int32_t id) { return id == 0; }));
    return ids;
}

void check_words(const TextFrontend& frontend, std::string_view text) {
    const std::string once = frontend.normalize(text);
    const auto words = frontend.words(text);
    for (const std::string& word : words) CHECK(!word.empty() && word.find(' ') == std::string::npos);
    if (frontend.spec().normalization == TextSpec::Normalization::nfkc) {
        CHECK(frontend.normalize(once) == once);
        CHECK(frontend.words(once) == words);
        CHECK(check_ids(frontend, once) == check_ids(frontend, text));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const TextFrontend& frontend = frontend_of(data[0] & 127u);
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    check_ids(frontend, text);  // of bert, too
    check_words(frontend, text);
    return 0;
}
