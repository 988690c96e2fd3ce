#include "text/wordpiece.h"

#include <algorithm>
#include <string_view>

#include "edgeemo/errors.h"
#include "text/unicode.h"

namespace edgeemo {
namespace {

// 1 if the piece is one character, plus 2 if it holds more than marks and punctuation.
std::int32_t traits(std::string_view piece, std::size_t line, const unicode::Table& table) {
    using unicode::Kind;
    const char* at = piece.data();
    const char* const end = at + piece.size();
    std::size_t n = 0;
    bool content = false;
    for (; at != end; ++n) {
        const char* const before = at;
        const char32_t c = unicode::decode(at, end);
        if (c == unicode::kReplacement &&
            std::string_view(before, static_cast<std::size_t>(at - before)) != "\xEF\xBF\xBD") {
            throw SpecError("vocabulary piece " + std::to_string(line) +
                            " is not valid UTF-8; write the vocabulary as UTF-8 text");
        }
        const Kind kind = table[c].kind();
        content |= kind != Kind::mark && kind != Kind::punctuation;
    }
    return (n == 1 ? 1 : 0) + (content ? 2 : 0);
}

}  // namespace

struct WordPiece::Key {
    std::string_view text;  // without "##"
    std::int32_t value;
};

// Places the children of one node after the other; `next_` skips the crowded beginning.
struct WordPiece::Builder {
    std::vector<Node>& nodes;
    std::uint32_t next = 2;

    void grow(std::size_t size) {
        if (nodes.size() < size) nodes.resize(std::max(size, nodes.size() * 3 / 2));
    }

    std::uint32_t find_base(const std::vector<unsigned char>& bytes) {
        std::uint32_t tried = 0, taken = 0;
        std::uint32_t at = std::max<std::uint32_t>(next, bytes.front() + 1u);
        for (;; ++at) {
            grow(at + 257);
            ++tried;
            if (nodes[at].parent != kFree) {
                ++taken;
                continue;
            }
            const std::uint32_t base = at - bytes.front();
            const auto is_free = [&](unsigned char b) { return nodes[base + b].parent == kFree; };
            if (!std::all_of(bytes.begin(), bytes.end(), is_free)) continue;
            if (taken * 20 >= tried * 19) next = at;
            return base;
        }
    }

    // keys[first, last) share `depth` bytes and end below `node`.
    void build(const std::vector<Key>& keys, std::size_t first, std::size_t last, std::size_t depth,
               std::uint32_t node) {
        if (first < last && keys[first].text.size() == depth) nodes[node].value = keys[first++].value;
        if (first == last) return;
        std::vector<unsigned char> bytes;
        std::vector<std::size_t> starts;
        for (std::size_t i = first; i < last; ++i) {
            const auto byte = static_cast<unsigned char>(keys[i].text[depth]);
            if (bytes.empty() || bytes.back() != byte) {
                bytes.push_back(byte);
                starts.push_back(i);
            }
        }
        starts.push_back(last);
        const std::uint32_t base = find_base(bytes);
        nodes[node].base = base;
        for (const unsigned char byte : bytes) nodes[base + byte].parent = node;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            build(keys, starts[i], starts[i + 1], depth + 1, base + bytes[i]);
        }
    }
};

WordPiece::WordPiece(const std::vector<std::string>& vocabulary, const unicode::Table& table)
    : size_(vocabulary.size()) {
    if (vocabulary.empty()) throw SpecError("the vocabulary is empty; it needs at least [PAD] and [UNK]");
    if (vocabulary.size() > kMaxPieces) {
        throw SpecError("the vocabulary has " + std::to_string(vocabulary.size()) +
                        " pieces; keep it within 1000000");
    }
    std::vector<Key> keys[2];
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
        std::string_view piece = vocabulary[i];
        if (piece.empty()) {
            throw SpecError("vocabulary piece " + std::to_string(i) + " is empty; remove the empty line");
        }
        if (piece.size() > kMaxPieceBytes) {
            throw SpecError("vocabulary piece " + std::to_string(i) + " has " + std::to_string(piece.size()) +
                            " bytes; keep pieces within 1024");
        }
        const bool inside = piece.size() >= 2 && piece[0] == '#' && piece[1] == '#';
        if (inside) piece.remove_prefix(2);
        keys[inside].push_back({piece, static_cast<std::int32_t>(i) * 4 + traits(piece, i, table)});
        longest_piece_ = std::max(longest_piece_, piece.size());
    }
    nodes_.resize(1024);
    nodes_[kStart].parent = nodes_[kInside].parent = kNoParent;
    Builder builder{nodes_};
    for (const std::uint32_t root : {kStart, kInside}) {
        const auto before = [](const Key& a, const Key& b) { return a.text < b.text; };
        std::sort(keys[root].begin(), keys[root].end(), before);
        const auto same = [](const Key& a, const Key& b) { return a.text == b.text; };
        const auto repeated = std::adjacent_find(keys[root].begin(), keys[root].end(), same);
        if (repeated != keys[root].end()) {
            throw SpecError("vocabulary piece '" + std::string(root == kInside ? "##" : "") +
                            std::string(repeated->text) + "' stands twice; every piece must be unique");
        }
        builder.build(keys[root], 0, keys[root].size(), 0, root);
    }
    nodes_[kInside].value = -1;  // a bare "##" continues nothing
    nodes_.shrink_to_fit();      // every base + 255 stays inside, see find_base
}

WordPiece::Match WordPiece::longest(const char* text, std::size_t size, bool inside) const {
    const Node* const nodes = nodes_.data();
    std::uint32_t node = inside ? kInside : kStart;
    std::int32_t value = -1;
    std::size_t matched = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint32_t child = nodes[node].base + static_cast<unsigned char>(text[i]);
        if (nodes[child].parent != node) break;
        node = child;
        if (nodes[node].value >= 0) {
            value = nodes[node].value;
            matched = i + 1;
        }
    }
    if (value < 0) return {-1, 0, false, false};
    return {value / 4, matched, (value & 1) != 0, (value & 2) != 0};
}

std::int32_t WordPiece::id_of(const std::string& piece) const {
    const Match match = longest(piece.data(), piece.size(), false);
    return match.size == piece.size() ? match.id : -1;
}

}  // namespace edgeemo
