// From frames to the spans a model sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgeemo/voice.h"

namespace edgeemo {

// Spans start at 0, hop_frames, 2 hop_frames … as long as they are whole. If frames remain, finish() adds a
// span of the last frames.
class SpanCutter {
  public:
    static constexpr std::size_t kBatch = 32;

    explicit SpanCutter(const VoiceSpec& spec, const VoiceHistory& history = {});

    void reset();
    float* room(std::size_t n);  // for n <= kBatch frames, which add() then takes
    void add(std::size_t n, const SpanSink& sink, const TickSink& tick);
    void finish(const SpanSink& sink);
    void read(std::int64_t start, std::size_t n, const SpanSink& sink);  // as VoiceStream::read
    std::int64_t n_frames() const { return n_frames_; }

  private:
    const VoiceSpec* spec_;
    std::int64_t tick_;
    std::size_t mels_, span_, kept_;
    std::vector<float> rows_;  // the last frames
    std::size_t n_rows_ = 0;
    std::int64_t n_frames_ = 0, next_ = 0;
    std::vector<float> features_;
    std::vector<double> means_;
};

}  // namespace edgeemo
