// From the probability of speech, tick by tick, to utterances.
#pragma once

#include <cstdint>
#include <optional>

#include "edgeemo/utterances.h"

namespace edgeemo {

// Frames [begin, end) of a stream.
struct FrameRange {
    std::int64_t begin, end;
};

class UtteranceFinder {
  public:
    // `frame_ms` is the time from frame to frame; `block` the frames behind one probability.
    UtteranceFinder(const VoiceStreamSpec& spec, double frame_ms, std::int32_t block);

    std::int32_t tick_frames() const { return tick_; }
    std::int32_t margin_frames() const { return margin_; }  // of quiet before an utterance
    std::int32_t kept_frames() const { return 2 * block_; }

    // Whether the model is asked at this tick: at every tick of an utterance, at every second tick else.
    bool listens(std::int64_t frame) const { return begin_.has_value() || frame % (2 * tick_) == 0; }

    // Takes the probability that the block before `frame` is speech. Returns the utterance that has ended.
    std::optional<FrameRange> hear(std::int64_t frame, double speech);

    // The stream ends: returns the utterance that was still open.
    std::optional<FrameRange> finish(std::int64_t frame);

    // The utterance up to `frame`, if it is long enough and its speaker does not pause.
    std::optional<FrameRange> open(std::int64_t frame) const;

    // Where the utterance began, while somebody speaks.
    std::optional<std::int64_t> speaks_since() const { return rise_ ? begin_ : std::nullopt; }

    void reset() { begin_.reset(), rise_.reset(); }

  private:
    std::optional<FrameRange> ended();

    VoiceStreamSpec spec_;
    std::int32_t block_, tick_, least_, hang_over_, most_, margin_;
    std::optional<std::int64_t> rise_;   // where the probability rose above `end`
    std::optional<std::int64_t> begin_;  // of the utterance
    std::int64_t last_ = 0;              // the last tick with speech
};

}  // namespace edgeemo
