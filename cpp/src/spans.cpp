#include "spans.h"

#include <algorithm>
#include <cmath>

namespace edgeemo {
namespace {

constexpr double kLeastDeviation = 1e-5;  // a span that hardly varies is not blown up

// Sums of each column, frame after frame.
void add_columns(const float* rows, std::size_t n, std::size_t mels, double* sums) {
    std::fill(sums, sums + mels, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t b = 0; b < mels; ++b) sums[b] += static_cast<double>(rows[i * mels + b]);
    }
}

double sum_of(const double* x, std::size_t n) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += x[i];
    return sum;
}

// means[b] becomes what is subtracted of column b; returns what the result is multiplied by. `squares` has
// room for mels numbers.
double normalizer(const VoiceSpec& spec, const float* rows, std::size_t n, double* means, double* squares) {
    const auto mels = static_cast<std::size_t>(spec.mels);
    if (spec.normalization == VoiceSpec::Normalization::none) {
        std::fill(means, means + mels, 0.0);
        return spec.gain;
    }
    add_columns(rows, n, mels, means);
    const auto frames = static_cast<double>(n);
    if (spec.normalization == VoiceSpec::Normalization::level) {
        std::fill(means, means + mels, sum_of(means, mels) / (frames * static_cast<double>(mels)));
        return spec.gain;
    }
    for (std::size_t b = 0; b < mels; ++b) means[b] /= frames;
    if (spec.normalization == VoiceSpec::Normalization::mean) return spec.gain;
    std::fill(squares, squares + mels, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t b = 0; b < mels; ++b) {
            const double away = static_cast<double>(rows[i * mels + b]) - means[b];
            squares[b] += away * away;
        }
    }
    const double deviation = std::sqrt(sum_of(squares, mels) / (frames * static_cast<double>(mels)));
    return spec.gain / std::max(deviation, kLeastDeviation);
}

}  // namespace

SpanCutter::SpanCutter(const VoiceSpec& spec)
    : spec_(&spec),
      mels_(static_cast<std::size_t>(spec.mels)),
      span_(static_cast<std::size_t>(spec.span_frames)),
      rows_((2 * span_ + kBatch) * mels_),
      features_(span_ * mels_),
      means_(2 * mels_) {}

void SpanCutter::reset() {
    n_rows_ = 0;
    n_frames_ = next_ = 0;
}

float* SpanCutter::room(std::size_t n) {
    if ((n_rows_ + n) * mels_ > rows_.size()) {
        std::copy(rows_.data() + (n_rows_ - span_) * mels_, rows_.data() + n_rows_ * mels_, rows_.data());
        n_rows_ = span_;
    }
    return rows_.data() + n_rows_ * mels_;
}

void SpanCutter::add(std::size_t n, const SpanSink& sink) {
    n_rows_ += n;
    n_frames_ += static_cast<std::int64_t>(n);
    while (next_ + spec_->span_frames <= n_frames_) {
        hand_over(next_, span_, sink);
        next_ += spec_->hop_frames;
    }
}

void SpanCutter::finish(const SpanSink& sink) {
    const std::int64_t held = next_ == 0 ? 0 : next_ - spec_->hop_frames + spec_->span_frames;
    if (held >= n_frames_) return;
    const std::int64_t n = std::min<std::int64_t>(n_frames_, spec_->span_frames);
    hand_over(n_frames_ - n, static_cast<std::size_t>(n), sink);
}

void SpanCutter::hand_over(std::int64_t start, std::size_t n, const SpanSink& sink) {
    const auto back = static_cast<std::size_t>(n_frames_ - start);
    const float* const rows = rows_.data() + (n_rows_ - back) * mels_;
    const double scale = normalizer(*spec_, rows, n, means_.data(), means_.data() + mels_);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t b = 0; b < mels_; ++b) {
            const double value = (static_cast<double>(rows[i * mels_ + b]) - means_[b]) * scale;
            features_[i * mels_ + b] = static_cast<float>(value);
        }
    }
    std::fill(features_.begin() + static_cast<std::ptrdiff_t>(n * mels_), features_.end(), 0.0F);
    sink({features_.data(), start, static_cast<std::int32_t>(n)});
}

std::int64_t spans_of(std::int64_t frames, const VoiceSpec& spec) {
    if (frames <= 0) return 0;
    if (frames < spec.span_frames) return 1;
    const std::int64_t further = frames - spec.span_frames;
    return 1 + further / spec.hop_frames + (further % spec.hop_frames != 0 ? 1 : 0);
}

}  // namespace edgeemo
