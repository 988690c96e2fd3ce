// Normalisation as a stream: bytes in, characters out, one at a time, as far as the receiver wants.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "text/unicode.h"

namespace edgeemo {

// A character that waits for its combining marks.
struct Waiting {
    char32_t c;
    unicode::Record record;
};

// A starter and its marks: inline up to 32, then on the heap.
class Run {
  public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    Waiting* begin() { return size_ <= small_.size() ? small_.data() : large_.data(); }
    Waiting* end() { return begin() + size_; }

    void push(Waiting w) {
        if (size_ < small_.size()) {
            small_[size_] = w;
        } else {
            if (size_ == small_.size()) large_.assign(small_.begin(), small_.end());
            large_.push_back(w);
        }
        ++size_;
    }

    void resize(std::size_t n) {  // only downwards
        if (n <= small_.size() && size_ > small_.size()) {
            std::copy_n(large_.begin(), n, small_.begin());
        } else if (n > small_.size()) {
            large_.erase(large_.begin() + static_cast<std::ptrdiff_t>(n), large_.end());
        }
        size_ = n;
    }

  private:
    std::array<Waiting, 32> small_;
    std::vector<Waiting> large_;
    std::size_t size_ = 0;
};

// Sink: bool put(char32_t, Kind), called with every kind but drop; false stops.
template <class Sink>
class Normalizer {
  public:
    Normalizer(const unicode::Table& table, bool composes, Sink& sink)
        : table_(table), composes_(composes), sink_(sink) {}

    void run(std::string_view text) {
        const char* at = text.data();
        const char* const end = at + text.size();
        while (at != end) {
            const auto byte = static_cast<unsigned char>(*at);
            if (byte < 0x80 && (at + 1 == end || separates(at[1]))) {
                ++at;
                if (!flush() || !ascii(byte)) return;
            } else if (!take(unicode::decode(at, end))) {
                return;
            }
        }
        flush();
    }

  private:
    // Before such a byte an ASCII character has no mark to wait for.
    bool separates(char next) const {
        const auto byte = static_cast<unsigned char>(next);
        return byte < 0x80 && table_.ascii(byte).kind != unicode::Kind::drop;
    }

    bool ascii(unsigned char byte) {
        const unicode::Table::Ascii a = table_.ascii(byte);
        return a.kind == unicode::Kind::drop || sink_.put(a.to, a.kind);
    }

    bool take(char32_t c) {
        const unicode::Record record = table_[c];
        if (record.kind() == unicode::Kind::drop) return !record.is_barrier() || flush();
        if (record.hangul()) return take_hangul(c);
        if (record.mapping_size() == 0) return add({c, record});
        const char32_t* mapping = record.mapping();
        for (std::size_t i = 0; i < record.mapping_size(); ++i) {
            if (!add({mapping[i], table_[mapping[i]]})) return false;
        }
        return true;
    }

    bool take_hangul(char32_t c) {
        const char32_t n = c - 0xAC00;
        const char32_t parts[] = {0x1100 + n / 588, 0x1161 + n % 588 / 28, 0x11A7 + n % 28};
        for (std::size_t i = 0; i < (n % 28 == 0 ? 2 : 3); ++i) {
            if (!add({parts[i], table_[parts[i]]})) return false;
        }
        return true;
    }

    bool add(Waiting w) {
        if (w.record.combining() == 0 && !(composes_ && w.record.composes_backwards()) && !flush())
            return false;
        run_.push(w);
        return true;
    }

    // Puts the marks in canonical order, composes, and hands all over.
    bool flush() {
        if (run_.size() > 1) {
            order();
            if (composes_) compose();
        }
        for (const Waiting& w : run_) {
            if (!sink_.put(w.c, w.record.kind())) return false;
        }
        run_.resize(0);
        return true;
    }

    void order() {
        const auto rank = [](const Waiting& w) { return w.record.combining(); };
        for (Waiting* at = run_.begin(); at != run_.end();) {
            Waiting* stop = at + 1;
            if (rank(*at) != 0) {
                stop = std::find_if(at, run_.end(), [&](const Waiting& w) { return rank(w) == 0; });
                const auto before = [&](const Waiting& a, const Waiting& b) { return rank(a) < rank(b); };
                if (!std::is_sorted(at, stop, before)) std::stable_sort(at, stop, before);
            }
            at = stop;
        }
    }

    void compose() {
        Waiting* const all = run_.begin();
        std::size_t kept = 0;
        std::size_t starter = run_.size();  // none yet
        for (std::size_t i = 0; i < run_.size(); ++i) {
            const Waiting w = all[i];
            const std::uint32_t rank = w.record.combining();
            // Blocked when a mark of the same or a higher class lies between.
            const bool reachable =
                starter + 1 == kept || (starter < kept && all[kept - 1].record.combining() < rank);
            if (reachable && w.record.composes_backwards()) {
                if (const char32_t c = unicode::compose(all[starter].c, w.c)) {
                    // The composed character maps to itself and its parts here: only its class matters.
                    all[starter] = {c, table_[c]};
                    continue;
                }
            }
            if (rank == 0) starter = kept;
            all[kept++] = w;
        }
        run_.resize(kept);
    }

    const unicode::Table& table_;
    const bool composes_;
    Sink& sink_;
    Run run_;
};

}  // namespace edgeemo
