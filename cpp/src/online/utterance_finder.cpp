#include "online/utterance_finder.h"

#include <algorithm>
#include <cmath>

namespace edgeemo {
namespace {

constexpr double kTickMs = 64.0, kMarginMs = 500.0;

}  // namespace

UtteranceFinder::UtteranceFinder(const VoiceStreamSpec& spec, double frame_ms, std::int32_t block)
    : spec_(spec), block_(block) {
    const auto frames = [&](double ms) { return static_cast<std::int32_t>(std::lround(ms / frame_ms)); };
    tick_ = std::max(1, std::min(block, frames(kTickMs)));
    least_ = frames(spec.least_ms);
    hang_over_ = std::max(tick_, frames(spec.hang_over_ms));
    most_ = frames(spec.most_ms);
    margin_ = frames(kMarginMs);
}

std::optional<FrameRange> UtteranceFinder::hear(std::int64_t frame, double speech) {
    if (speech < spec_.end) {
        rise_.reset();
        const bool is_long = begin_ && frame - *begin_ > most_ / 2;
        if (begin_ && frame - last_ >= (is_long ? tick_ : hang_over_)) return ended();
        return std::nullopt;
    }
    if (!rise_) rise_ = frame;
    last_ = frame;
    if (!begin_ && speech >= spec_.onset) begin_ = std::max<std::int64_t>(0, *rise_ - block_);
    if (begin_ && frame - *begin_ >= most_) {
        const std::optional<FrameRange> found = ended();
        begin_ = rise_ = frame;
        return found;
    }
    return std::nullopt;
}

std::optional<FrameRange> UtteranceFinder::finish(std::int64_t frame) {
    last_ = std::min(last_, frame);
    return begin_ ? ended() : std::nullopt;
}

std::optional<FrameRange> UtteranceFinder::open(std::int64_t frame) const {
    if (!begin_ || last_ != frame || frame - *begin_ < std::max(least_, 1)) return std::nullopt;
    return FrameRange{*begin_, frame - block_ / 2};
}

std::optional<FrameRange> UtteranceFinder::ended() {
    // the last block with speech is speech for half of it at least
    const FrameRange found{*begin_, std::max(last_ - block_ / 2, *begin_)};
    begin_.reset();
    return found.end - found.begin < std::max(least_, 1) ? std::nullopt : std::optional<FrameRange>(found);
}

}  // namespace edgeemo
