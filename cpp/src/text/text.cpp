#include "edgeemo/text.h"

#include <algorithm>
#include <utility>

#include "edgeemo/errors.h"
#include "text/cutter.h"
#include "text/normalize.h"
#include "text/text_fields.h"
#include "text/unicode.h"
#include "text/wordpiece.h"

namespace edgeemo {
namespace {

std::int32_t required(const WordPiece& pieces, const char* piece) {
    const std::int32_t id = pieces.id_of(piece);
    if (id < 0) {
        throw SpecError(std::string("the vocabulary has no ") + piece + "; add it as a piece of its own");
    }
    return id;
}

}  // namespace

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

struct TextFrontend::Parts {
    TextSpec spec;
    unicode::Table table;
    WordPiece pieces;
    std::int32_t pad, unk, cls = -1, sep = -1;

    Parts(const TextSpec& s, const std::vector<std::string>& vocabulary)
        : spec((s.validate(), s)),
          table(s),
          pieces(vocabulary, table),
          pad(required(pieces, "[PAD]")),
          unk(required(pieces, "[UNK]")) {
        if (s.special_tokens) {
            cls = required(pieces, "[CLS]");
            sep = required(pieces, "[SEP]");
        }
    }

    bool composes() const { return spec.normalization == TextSpec::Normalization::nfkc; }

    template <class Sink>
    void normalize(std::string_view text, Sink& sink) const {
        Normalizer<Sink>(table, composes(), sink).run(text);
    }
};

namespace {

class WordList {
  public:
    bool put(char32_t c, unicode::Kind kind) {
        const bool alone = stands_alone(kind);
        if (alone || kind == unicode::Kind::space) inside_ = false;
        if (kind == unicode::Kind::space) return true;
        if (!inside_) words.emplace_back();
        char bytes[4];
        words.back().append(bytes, unicode::encode(c, bytes));
        inside_ = !alone;
        return true;
    }

    std::vector<std::string> words;

  private:
    bool inside_ = false;
};

// The text as BertNormalizer writes it: every space one blank, ideographs between blanks.
class BertText {
  public:
    bool put(char32_t c, unicode::Kind kind) {
        char bytes[4];
        const std::size_t n = unicode::encode(kind == unicode::Kind::space ? U' ' : c, bytes);
        const char* const blank = kind == unicode::Kind::ideograph ? " " : "";
        text.append(blank).append(bytes, n).append(blank);
        return true;
    }

    std::string text;
};

}  // namespace

TextFrontend::TextFrontend(const TextSpec& spec, const std::vector<std::string>& vocabulary)
    : parts_(std::make_unique<const Parts>(spec, vocabulary)) {}
TextFrontend::~TextFrontend() = default;
TextFrontend::TextFrontend(TextFrontend&&) noexcept = default;
TextFrontend& TextFrontend::operator=(TextFrontend&&) noexcept = default;

const TextSpec& TextFrontend::spec() const { return parts_->spec; }
std::size_t TextFrontend::vocab_size() const { return parts_->pieces.size(); }

TextCounts TextFrontend::encode(std::string_view text, std::int32_t* ids) const {
    const Parts& p = *parts_;
    const std::int32_t around = p.spec.special_tokens ? 1 : 0;
    const bool whole_words = p.spec.unknown == TextSpec::Unknown::word;
    Cutter cutter({p.pieces, p.unk, whole_words}, ids + around, p.spec.length - 2 * around);
    p.normalize(text, cutter);
    if (!cutter.counts.truncated) cutter.finish();
    TextCounts counts = cutter.counts;
    if (p.spec.special_tokens) {
        ids[0] = p.cls;
        ids[1 + counts.n_ids] = p.sep;
        counts.n_ids += 2;
    }
    std::fill(ids + counts.n_ids, ids + p.spec.length, p.pad);
    return counts;
}

std::string TextFrontend::normalize(std::string_view text) const {
    if (parts_->spec.normalization == TextSpec::Normalization::bert) {
        BertText bert;
        parts_->normalize(text, bert);
        return std::move(bert.text);
    }
    std::string joined;
    for (const std::string& word : words(text)) {
        if (!joined.empty()) joined += ' ';
        joined += word;
    }
    return joined;
}

std::vector<std::string> TextFrontend::words(std::string_view text) const {
    WordList list;
    parts_->normalize(text, list);
    return std::move(list.words);
}

}  // namespace edgeemo
