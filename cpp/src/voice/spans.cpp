#include "voice/spans.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace edgeemo {
namespace {

constexpr double kLeastDeviation = 1e-5;               // a span that hardly varies is not blown up
constexpr double kLogOfDecibel = 0.23025850929940458;  // ln(10) / 10

// Frames of a span; no value lies below `least`.
struct Rows {
    const float* values;
    std::size_t n, mels;
    double least = -std::numeric_limits<double>::infinity();

    double operator()(std::size_t i, std::size_t b) const {
        return std::max(static_cast<double>(values[i * mels + b]), least);
    }
};

// The rows within the range of the spec.
Rows within_range(const VoiceSpec& spec, const float* values, std::size_t n) {
    Rows rows{values, n, static_cast<std::size_t>(spec.mels)};
    if (spec.range_db > 0.0 && spec.compression == VoiceSpec::Compression::log) {
        rows.least = static_cast<double>(*std::max_element(values, values + n * rows.mels)) -
                     spec.range_db * kLogOfDecibel;
    }
    return rows;
}

// Sums of each column, frame after frame.
void add_columns(const Rows& rows, double* sums) {
    std::fill(sums, sums + rows.mels, 0.0);
    for (std::size_t i = 0; i < rows.n; ++i) {
        for (std::size_t b = 0; b < rows.mels; ++b) sums[b] += rows(i, b);
    }
}

double sum_of(const double* x, std::size_t n) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += x[i];
    return sum;
}

// means[b] becomes what is subtracted of column b; returns what the result is multiplied by. `squares` has
// room for mels numbers.
double normalizer(const VoiceSpec& spec, const Rows& rows, double* means, double* squares) {
    const std::size_t mels = rows.mels;
    if (spec.normalization == VoiceSpec::Normalization::none) {
        std::fill(means, means + mels, 0.0);
        return spec.gain;
    }
    add_columns(rows, means);
    const auto frames = static_cast<double>(rows.n);
    if (spec.normalization == VoiceSpec::Normalization::level) {
        std::fill(means, means + mels, sum_of(means, mels) / (frames * static_cast<double>(mels)));
        return spec.gain;
    }
    for (std::size_t b = 0; b < mels; ++b) means[b] /= frames;
    if (spec.normalization == VoiceSpec::Normalization::mean) return spec.gain;
    std::fill(squares, squares + mels, 0.0);
    for (std::size_t i = 0; i < rows.n; ++i) {
        for (std::size_t b = 0; b < mels; ++b) {
            const double away = rows(i, b) - means[b];
            squares[b] += away * away;
        }
    }
    const double deviation = std::sqrt(sum_of(squares, mels) / (frames * static_cast<double>(mels)));
    return spec.gain / std::max(deviation, kLeastDeviation);
}

}  // namespace

SpanCutter::SpanCutter(const VoiceSpec& spec, const VoiceHistory& history)
    : spec_(&spec),
      tick_(history.tick_frames),
      mels_(static_cast<std::size_t>(spec.mels)),
      span_(static_cast<std::size_t>(spec.span_frames)),
      // a tick is called when the whole batch is there
      kept_(span_ + (tick_ == 0 ? 0 : static_cast<std::size_t>(history.kept_frames) + kBatch)),
      rows_((2 * kept_ + kBatch) * mels_),
      features_(span_ * mels_),
      means_(2 * mels_) {}

void SpanCutter::reset() {
    n_rows_ = 0;
    n_frames_ = next_ = 0;
}

float* SpanCutter::room(std::size_t n) {
    if ((n_rows_ + n) * mels_ > rows_.size()) {
        std::copy(rows_.data() + (n_rows_ - kept_) * mels_, rows_.data() + n_rows_ * mels_, rows_.data());
        n_rows_ = kept_;
    }
    return rows_.data() + n_rows_ * mels_;
}

void SpanCutter::add(std::size_t n, const SpanSink& sink, const TickSink& tick) {
    std::int64_t at = n_frames_;
    n_rows_ += n;
    n_frames_ += static_cast<std::int64_t>(n);
    const bool ticks = tick_ != 0 && tick;
    while (at < n_frames_) {
        const std::int64_t whole = next_ + spec_->span_frames;
        const std::int64_t beat = ticks ? at - at % tick_ + tick_ : n_frames_ + 1;
        at = std::min({whole, beat, n_frames_ + 1});
        if (at > n_frames_) return;
        if (at == whole) {
            read(next_, span_, sink);
            next_ += spec_->hop_frames;
        }
        if (at == beat) tick(at);
    }
}

void SpanCutter::finish(const SpanSink& sink) {
    const std::int64_t held = next_ == 0 ? 0 : next_ - spec_->hop_frames + spec_->span_frames;
    if (held >= n_frames_) return;
    const std::int64_t n = std::min<std::int64_t>(n_frames_, spec_->span_frames);
    read(n_frames_ - n, static_cast<std::size_t>(n), sink);
}

void SpanCutter::read(std::int64_t start, std::size_t n, const SpanSink& sink) {
    const auto back = static_cast<std::size_t>(n_frames_ - start);
    const Rows rows = within_range(*spec_, rows_.data() + (n_rows_ - back) * mels_, n);
    const double scale = normalizer(*spec_, rows, means_.data(), means_.data() + mels_);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t b = 0; b < mels_; ++b) {
            features_[i * mels_ + b] = static_cast<float>((rows(i, b) - means_[b]) * scale);
        }
    }
    std::fill(features_.begin() + static_cast<std::ptrdiff_t>(n * mels_), features_.end(), 0.0F);
    sink({features_.data(), start, static_cast<std::int32_t>(n)});
}

}  // namespace edgeemo
