#include <thread>

#include "check.h"
#include "edgeemo/errors.h"
#include "edgeemo/text.h"

namespace {

using edgeemo::SpecError;
using edgeemo::TextFrontend;
using edgeemo::TextSpec;
using Strings = std::vector<std::string>;

const Strings kVocabulary = {"[PAD]",   "[UNK]", "[CLS]", "[SEP]",      "so", "happy", "un",
                             "##happy", "a",     "##a",   "\U0001F600", "日", "cafe"};

struct Result {
    std::vector<std::int32_t> ids;
    edgeemo::TextCounts counts;
};

Result encode(const TextFrontend& frontend, std::string_view text) {
    Result result{std::vector<std::int32_t>(static_cast<std::size_t>(frontend.spec().length), -1), {}};
    result.counts = frontend.encode(text, result.ids.data());
    return result;
}

void a_text_becomes_ids() {
    TextSpec spec;
    spec.length = 8;
    const TextFrontend frontend(spec, kVocabulary);
    CHECK((encode(frontend, "So UNHAPPY \U0001F600\U0001F3FD日 Café").ids ==
           std::vector<std::int32_t>{4, 6, 7, 10, 11, 12, 0, 0}));
    const Result unknown = encode(frontend, "so xa");
    CHECK((unknown.ids == std::vector<std::int32_t>{4, 1, 9, 0, 0, 0, 0, 0}));
    CHECK(unknown.counts.n_words == 2 && unknown.counts.n_understood == 1 && !unknown.counts.truncated);
}

void special_tokens_stay_when_the_text_is_cut() {
    TextSpec spec;
    spec.length = 4;
    spec.special_tokens = true;
    const TextFrontend frontend(spec, kVocabulary);
    const Result cut = encode(frontend, "so so so");
    CHECK((cut.ids == std::vector<std::int32_t>{2, 4, 4, 3}) && cut.counts.truncated);
    CHECK((encode(frontend, "").ids == std::vector<std::int32_t>{2, 3, 0, 0}));
}

void bert_and_nfkc_normalize_differently() {
    TextSpec spec;
    const TextFrontend nfkc(spec, kVocabulary);
    spec.normalization = TextSpec::Normalization::bert;
    const TextFrontend bert(spec, kVocabulary);
    CHECK(nfkc.normalize("Ｆｕｌｌ\tStraße日") == "full strasse 日");
    CHECK(bert.normalize("Ａ\tStraße日") == "ａ straße 日 ");
    CHECK((bert.words("I\u2764you 日") == Strings{"i\u2764you", "日"}));
    CHECK((nfkc.words("I\u2764you") == Strings{"i", "\u2764", "you"}));
}

void ill_formed_bytes_are_dropped() {
    const TextFrontend frontend(TextSpec{}, kVocabulary);
    CHECK(frontend.normalize("a\xC0\xAF\xED\xA0\x80\xF4\x90\x80\x80\xE2\x82z\xC3") == "az");
    CHECK(frontend.normalize(std::string_view("a\0b", 3)) == "ab");
}

void combining_marks_are_ordered_and_composed() {
    TextSpec spec;
    spec.strip_accents = false;
    const TextFrontend frontend(spec, kVocabulary);
    CHECK(frontend.normalize("a\u0302\u0323") == "\u1EAD");
    CHECK(frontend.normalize("\u1112\u1161\u11AB") == "\uD55C");
    std::string many = "a";
    for (int i = 0; i < 100; ++i) many += "\u0315\u0300";  // more than wait inline
    const std::string once = frontend.normalize(many);
    CHECK(once.rfind("\u00E0\u0300", 0) == 0 && frontend.normalize(once) == once);
}

void a_bad_specification_says_what_is_wrong() {
    TextSpec spec;
    spec.length = 0;
    CHECK(message_of<SpecError>([&] { spec.validate(); }) == "length must be in [1, 4096], got 0");
    const auto error = [](const Strings& v) {
        return message_of<SpecError>([&] { const TextFrontend f(TextSpec{}, v); });
    };
    CHECK(error({}).find("empty") != std::string::npos);
    CHECK(error({"[PAD]"}).find("[UNK]") != std::string::npos);
    CHECK(error({"[PAD]", "[UNK]", "a", "a"}).find("'a' stands twice") != std::string::npos);
    CHECK(error({"[PAD]", "[UNK]", "\xFF"}).find("not valid UTF-8") != std::string::npos);
}

void equal_specs_have_equal_digests() {
    TextSpec a, b;
    CHECK(a == b && a.digest() == b.digest());
    b.unknown = TextSpec::Unknown::word;
    CHECK(a != b && a.digest() != b.digest());
}

void threads_share_a_frontend() {
    const TextFrontend frontend(TextSpec{}, kVocabulary);
    const auto expected = encode(frontend, "so unhappy aaa").ids;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) CHECK(encode(frontend, "so unhappy aaa").ids == expected);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main() {
    a_text_becomes_ids();
    special_tokens_stay_when_the_text_is_cut();
    bert_and_nfkc_normalize_differently();
    ill_formed_bytes_are_dropped();
    combining_marks_are_ordered_and_composed();
    a_bad_specification_says_what_is_wrong();
    equal_specs_have_equal_digests();
    threads_share_a_frontend();
}
