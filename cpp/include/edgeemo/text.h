// Text frontend: from UTF-8 to the ids a model was trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace edgeemo {

inline constexpr int kTextFrontendVersion = 1;  // goes up when the same spec gives other ids

// How text becomes ids. Texts are UTF-8; every ill-formed sequence counts as U+FFFD, which is dropped.
struct TextSpec {
    enum class Normalization { nfkc, bert };
    enum class Unknown { character, word };

    Normalization normalization = Normalization::nfkc;
    bool lowercase = true;
    bool strip_accents = true;
    Unknown unknown = Unknown::character;
    bool special_tokens = false;
    std::int32_t length = 48;  // 1 to 4096; at least 3 with special_tokens

    void validate() const;       // throws SpecError
    std::string digest() const;  // 16 hexadecimal digits, equal exactly for equal specs
};

bool operator==(const TextSpec& a, const TextSpec& b);
bool operator!=(const TextSpec& a, const TextSpec& b);

// The Unicode version of the "nfkc" tables.
const char* unicode_version();

// Counts over a text up to the cut. Words made only of punctuation are not counted.
struct TextCounts {
    std::int32_t n_ids = 0;    // ids without padding
    std::int32_t n_words = 0;  // words with at least one piece before the cut
    std::int32_t n_understood =
        0;                   // of these, words cut entirely into known pieces that are more than letters
    bool truncated = false;  // there was more text than `length` ids can hold
};

// Immutable; any number of threads may share one.
class TextFrontend {
  public:
    // vocabulary: pieces in the order of their ids; "##" marks continuation. Throws SpecError.
    TextFrontend(const TextSpec& spec, const std::vector<std::string>& vocabulary);
    ~TextFrontend();
    TextFrontend(TextFrontend&&) noexcept;
    TextFrontend& operator=(TextFrontend&&) noexcept;

    const TextSpec& spec() const;
    std::size_t vocab_size() const;

    // Writes exactly spec().length ids. Reads no more of the text than the ids need.
    TextCounts encode(std::string_view text, std::int32_t* ids) const;

    // The whole text after normalisation: with "bert" what BertNormalizer gives, with "nfkc" the words
    // with one space between them.
    std::string normalize(std::string_view text) const;

    // The words of the whole text, as WordPiece gets them.
    std::vector<std::string> words(std::string_view text) const;

  private:
    struct Parts;
    std::unique_ptr<const Parts> parts_;
};

}  // namespace edgeemo
