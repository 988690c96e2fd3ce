#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <locale>
#include <sstream>

#include "base/utf8.h"
#include "edgeemo/errors.h"

namespace edgeemo::json {
namespace {

constexpr std::size_t kMostDigits = 400;  // of a number: more is nobody's

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Value whole() {
        Value value = read(0);
        spaces();
        if (at_ != text_.size()) fail("more than one value");
        return value;
    }

  private:
    [[noreturn]] void fail(const char* what) const {
        throw BundleCorruptError(std::string("The model card is not JSON: ") + what + " at byte " +
                                 std::to_string(at_) + ". Fetch or convert the bundle again.");
    }

    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void spaces() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void word(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected) fail("an unknown word");
        at_ += expected.size();
    }

    Value read(int depth) {
        if (depth > kMostDepth) fail("too deep");
        spaces();
        Value value;
        switch (peek()) {
            case '{':
                return object(depth);
            case '[':
                return list(depth);
            case '"':
                value.kind = Value::Kind::text;
                value.text = string();
                return value;
            case 't':
                word("true");
                value.boolean = true;
                break;
            case 'f':
                word("false");
                break;
            case 'n':
                word("null");
                return value;
            default:
                return number();
        }
        value.kind = Value::Kind::boolean;
        return value;
    }

    Value list(int depth) {
        Value value;
        value.kind = Value::Kind::list;
        ++at_;
        spaces();
        if (take(']')) return value;
        do {
            value.items.push_back(read(depth + 1));
            spaces();
        } while (take(','));
        if (!take(']')) fail("a list without its end");
        return value;
    }

    Value object(int depth) {
        Value value;
        value.kind = Value::Kind::object;
        ++at_;
        spaces();
        if (take('}')) return value;
        do {
            spaces();
            if (peek() != '"') fail("a member without a name");
            std::string name = string();
            if (value.find(name) != nullptr) fail("a name that stands twice");
            spaces();
            if (!take(':')) fail("a member without a value");
            value.members.emplace_back(std::move(name), read(depth + 1));
            spaces();
        } while (take(','));
        if (!take('}')) fail("an object without its end");
        return value;
    }

    void digits() {
        if (!is_digit(peek())) fail("no value");
        while (is_digit(peek())) ++at_;
    }

    Value number() {
        const std::size_t begin = at_;
        take('-');
        if (!take('0')) digits();
        Value value;
        value.kind = Value::Kind::number;
        value.whole = true;
        if (take('.')) {
            value.whole = false;
            digits();
        }
        if (take('e') || take('E')) {
            value.whole = false;
            if (!take('+')) take('-');
            digits();
        }
        if (at_ - begin > kMostDigits) fail("a number of too many digits");
        std::istringstream stream{std::string(text_.substr(begin, at_ - begin))};
        stream.imbue(std::locale::classic());  // whatever the process's locale has for a point
        stream >> value.number;
        return value;
    }

    std::uint32_t hex4() {
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = peek();
            const bool lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
            if (!is_digit(c) && !lower && !upper) fail("an escape that is none");
            code = code * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0'
                                                          : lower     ? c - 'a' + 10
                                                                      : c - 'A' + 10);
            ++at_;
        }
        return code;
    }

    char32_t escaped() {
        const char32_t first = hex4();
        if (first < 0xD800 || first > 0xDFFF) return first;
        if (first > 0xDBFF || text_.substr(at_, 2) != "\\u") return unicode::kReplacement;
        const std::size_t back = at_;
        at_ += 2;
        const char32_t second = hex4();
        if (second >= 0xDC00 && second <= 0xDFFF)
            return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        at_ = back;
        return unicode::kReplacement;
    }

    std::string string() {
        ++at_;
        std::string out;
        while (true) {
            if (at_ >= text_.size()) fail("a text without its end");
            const char c = text_[at_];
            if (c == '"') break;
            if (static_cast<unsigned char>(c) < 0x20) fail("a control character");
            if (c == '\\') {
                ++at_;
                escape(out);
            } else if (static_cast<unsigned char>(c) < 0x80) {
                out += c;
                ++at_;
            } else {
                character(out);
            }
        }
        ++at_;
        return out;
    }

    void character(std::string& out) {
        const char* const begin = text_.data() + at_;
        const char* next = begin;
        const char32_t c = unicode::decode(next, text_.data() + text_.size());
        const std::string_view bytes(begin, static_cast<std::size_t>(next - begin));
        if (c == unicode::kReplacement && bytes != "\xEF\xBF\xBD") fail("bytes that are not UTF-8");
        out += bytes;
        at_ += bytes.size();
    }

    void escape(std::string& out) {
        constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
        const char c = peek();
        ++at_;
        if (c == 'u') {
            char bytes[4];
            out.append(bytes, unicode::encode(escaped(), bytes));
            return;
        }
        const std::size_t which = kNames.find(c);
        if (c == '\0' || which == std::string_view::npos) fail("an escape that is none");
        out += kMeanings[which];
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

const Value* Value::find(std::string_view name) const {
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const auto& member) { return member.first == name; });
    return found == members.end() ? nullptr : &found->second;
}

Value parse(std::string_view text) { return Parser(text).whole(); }

}  // namespace edgeemo::json
