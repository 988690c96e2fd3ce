// The vocabulary as a double-array trie over UTF-8 bytes: the longest piece at a place, one step a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "text/unicode.h"

namespace edgeemo {

class WordPiece {
  public:
    static constexpr std::size_t kMaxPieces = 1'000'000;
    static constexpr std::size_t kMaxPieceBytes = 1024;

    struct Match {
        std::int32_t id;   // -1: no piece matches
        std::size_t size;  // bytes
        bool single;       // the piece is one character
        bool content;      // it holds more than marks and punctuation
    };

    // Throws SpecError: no pieces, too many, an empty, over-long, ill-formed or repeated piece.
    WordPiece(const std::vector<std::string>& vocabulary, const unicode::Table& table);

    // The longest piece that text[0, size) begins with; `inside` takes the "##" pieces.
    Match longest(const char* text, std::size_t size, bool inside) const;

    std::int32_t id_of(const std::string& piece) const;  // -1: not there; for pieces without "##"
    std::size_t size() const { return size_; }
    std::size_t longest_piece() const { return longest_piece_; }  // bytes, without "##"

  private:
    // Children of node n stand at base + byte and carry n as parent. value: id * 4 + content * 2 + single.
    struct Node {
        std::uint32_t base = 0;
        std::uint32_t parent = kFree;
        std::int32_t value = -1;  // no piece ends here
    };
    struct Key;
    struct Builder;

    static constexpr std::uint32_t kFree = 0xFFFFFFFFu, kNoParent = 0xFFFFFFFEu;
    static constexpr std::uint32_t kStart = 0, kInside = 1;  // the two roots

    std::vector<Node> nodes_;
    std::size_t size_ = 0;
    std::size_t longest_piece_ = 0;
};

}  // namespace edgeemo
