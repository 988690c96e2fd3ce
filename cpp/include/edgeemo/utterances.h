// The results of a stream of a voice, and the rule by which utterances begin and end.
#pragma once

#include <cstdint>
#include <string>

namespace edgeemo {

// The result of a voice describes a whole clip, one span of a stream, one utterance, or an utterance that
// still lasts. Results of texts and faces have no kind.
enum class ResultKind : std::int32_t { none = 0, clip = 1, span = 2, utterance = 3, partial = 4 };

// The results that a stream gives.
struct VoiceResults {
    bool spans = true;        // one a span
    bool utterances = false;  // one an utterance, as soon as its pause is hang_over_ms long
    bool partials = false;    // one every hop of the model while an utterance lasts
};

// An utterance begins where the speech detector's probability reaches `onset`. The utterance ends where the
// probability stays below `end` for `hang_over_ms`: two thresholds, so that a wavering voice stays whole.
struct VoiceStreamSpec {
    double onset = 0.0;               // 0.05 to 0.99; 0 is the card's threshold of speech
    double end = 0.4;                 // 0.01 to 0.99; never above the onset
    std::int32_t least_ms = 150;      // of speech in an utterance, 0 to 2000: what is shorter is a click
    std::int32_t hang_over_ms = 128;  // the pause that ends an utterance, 64 to 2000
    std::int32_t most_ms = 12000;     // 1000 to 60000. Beyond half of it the shortest pause ends an utterance

    void validate() const;       // throws SpecError
    std::string digest() const;  // 16 hexadecimal digits, equal exactly for equal specs
};

bool operator==(const VoiceStreamSpec& a, const VoiceStreamSpec& b);
bool operator!=(const VoiceStreamSpec& a, const VoiceStreamSpec& b);

}  // namespace edgeemo
