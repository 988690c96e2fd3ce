// From a stream of characters to ids.
#pragma once

#include <algorithm>
#include <array>

#include "edgeemo/text.h"
#include "text/unicode.h"
#include "text/wordpiece.h"

namespace edgeemo {

// Characters that are a word of their own.
inline bool stands_alone(unicode::Kind kind) {
    using unicode::Kind;
    return kind == Kind::punctuation || kind == Kind::symbol || kind == Kind::ideograph;
}

// Cuts words into pieces while they come in. A word is judged by the pieces that were kept of it.
class Cutter {
  public:
    struct Plan {
        const WordPiece& pieces;
        std::int32_t unk;
        bool whole_words;  // TextSpec::Unknown::word
    };

    Cutter(Plan plan, std::int32_t* ids, std::int32_t room) : plan_(plan), ids_(ids), room_(room) {}

    bool put(char32_t c, unicode::Kind kind) {
        using unicode::Kind;
        if (kind == Kind::space) return finish();
        if (stands_alone(kind)) return finish() && append(c, kind) && finish();
        return append(c, kind);
    }

    // Ends the word. False when the ids are full.
    bool finish() {
        if (characters_ == 0) return true;
        if (plan_.whole_words && characters_ > kMaxWord) {
            add_unknown();
        } else {
            cut(0);
        }
        count_word();
        size_ = 0;
        characters_ = 0;
        kept_ = 0;
        split_ = counts_ = unknown_ = has_content_ = false;
        only_single_ = true;
        return !counts.truncated;
    }

    TextCounts counts;

  private:
    static constexpr std::size_t kMaxWord = 100;  // characters, with unknown = "word" (BERT)
    static constexpr std::size_t kBuffer = 4096;  // bytes, more than the longest piece

    bool append(char32_t c, unicode::Kind kind) {
        counts_ |= kind != unicode::Kind::punctuation;
        ++characters_;
        if (plan_.whole_words && characters_ > kMaxWord) return true;  // becomes [UNK]; nothing to keep
        if (c < 0x80) {
            word_[size_++] = static_cast<char>(c);
        } else {
            size_ += unicode::encode(c, word_.data() + size_);
        }
        if (size_ + 4 <= word_.size()) return true;
        cut(plan_.pieces.longest_piece());
        return !counts.truncated || finish();
    }

    // Cuts the buffered word as long as more than `reserve` bytes are left to look at.
    void cut(std::size_t reserve) {
        const std::int32_t before = counts.n_ids;
        std::size_t at = 0;
        while (at < size_ && size_ - at > reserve && (plan_.whole_words || !counts.truncated)) {
            const WordPiece::Match match =
                plan_.pieces.longest(word_.data() + at, size_ - at, split_ || at != 0);
            if (match.id >= 0) {
                add(match);
                at += match.size;
            } else if (plan_.whole_words) {
                counts.n_ids = before;
                counts.truncated = false;
                kept_ = 0;
                add_unknown();
                return;
            } else {
                add_unknown();
                const char* next = word_.data() + at;
                unicode::decode(next, word_.data() + size_);
                at = static_cast<std::size_t>(next - word_.data());
            }
        }
        split_ |= at != 0;
        std::copy(word_.begin() + static_cast<std::ptrdiff_t>(at),
                  word_.begin() + static_cast<std::ptrdiff_t>(size_), word_.begin());
        size_ -= at;
    }

    void add(const WordPiece::Match& piece) {
        if (counts.n_ids == room_) {
            counts.truncated = true;
            return;
        }
        ids_[counts.n_ids++] = piece.id;
        ++kept_;
        unknown_ |= piece.id == plan_.unk;
        only_single_ &= piece.single;
        has_content_ |= piece.content;
    }

    void add_unknown() { add({plan_.unk, 0, false, false}); }

    void count_word() {
        if (kept_ == 0 || !counts_) return;
        ++counts.n_words;
        const bool gibberish = only_single_ && characters_ > 1;
        if (has_content_ && !unknown_ && !gibberish) ++counts.n_understood;
    }

    const Plan plan_;
    std::int32_t* const ids_;
    const std::int32_t room_;
    std::array<char, kBuffer> word_;
    std::size_t size_ = 0;        // bytes in the buffer
    std::size_t characters_ = 0;  // of the word so far
    std::int32_t kept_ = 0;       // its ids so far
    bool split_ = false;          // its beginning has left the buffer
    bool counts_ = false;         // it is more than punctuation
    // of the pieces kept:
    bool unknown_ = false, only_single_ = true, has_content_ = false;
};

}  // namespace edgeemo
