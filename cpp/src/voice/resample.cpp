#include "voice/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/exact_math.h"

namespace edgeemo {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kCrossings = 48;      // at the lower rate, to each side
constexpr double kBeta = 10.06;     // Kaiser's: 100 dB
constexpr double kCutoff = 0.9333;  // of the lower Nyquist frequency; 6 dB down there, 100 dB at Nyquist

double sinc(double x) { return std::fabs(x) < 1e-9 ? 1.0 : exact::sin_pi(x) / (kPi * x); }

}  // namespace

ResampleTable::ResampleTable(std::int32_t from_hz, std::int32_t to_hz) {
    const std::int32_t common = std::gcd(from_hz, to_hz);
    up = to_hz / common;
    down = from_hz / common;
    const double ratio = std::min(1.0, static_cast<double>(to_hz) / from_hz);
    const double reach = kCrossings / ratio;
    half = (static_cast<std::size_t>(std::ceil(reach)) + 3) / 4 * 4;
    width = 2 * half;
    const auto fit = static_cast<std::int64_t>(kMostTableFloats / width);
    exact = up <= fit;
    phases = exact ? up : fit - 1;
    rows.assign(static_cast<std::size_t>(phases + (exact ? 0 : 1)) * width, 0.0F);
    std::vector<double> row(width);
    const double top = exact::bessel_i0(kBeta);
    for (std::size_t r = 0; r < rows.size() / width; ++r) {
        double sum = 0.0;
        for (std::size_t j = 0; j < width; ++j) {
            const double away = static_cast<double>(j) - static_cast<double>(half - 1) -
                                static_cast<double>(r) / static_cast<double>(phases);
            const double inside = 1.0 - (away / reach) * (away / reach);
            row[j] = inside <= 0.0
                         ? 0.0
                         : sinc(away * ratio * kCutoff) * exact::bessel_i0(kBeta * std::sqrt(inside)) / top;
            sum += row[j];
        }
        for (std::size_t j = 0; j < width; ++j) rows[r * width + j] = static_cast<float>(row[j] / sum);
    }
}

Resampler::Resampler(const ResampleTable& table, const MelKernel& kernel)
    : table_(&table), kernel_(&kernel), held_(table.width + kBlock + 1) {
    reset();
}

void Resampler::reset() {
    n_held_ = table_->half - 1;
    std::fill(held_.begin(), held_.end(), 0.0F);
    first_ = -static_cast<std::int64_t>(n_held_);
    n_in_ = n_out_ = base_ = phase_ = 0;
}

std::size_t Resampler::most_out() const {
    const auto in = static_cast<std::int64_t>(std::max(kBlock, table_->half) + 1);
    return static_cast<std::size_t>(in * table_->up / table_->down + 2);
}

std::size_t Resampler::push(std::size_t n, float* out) {
    n_held_ += n;
    n_in_ += static_cast<std::int64_t>(n);
    return drain(INT64_MAX, out);
}

std::size_t Resampler::flush(float* out) {
    const std::int64_t total = (n_in_ * table_->up + table_->down - 1) / table_->down;
    std::size_t done = 0;
    for (std::size_t left = table_->half; left > 0;) {
        const std::size_t n = std::min(left, kBlock);
        std::memset(tail(), 0, n * sizeof(float));
        n_held_ += n;
        left -= n;
        done += drain(total, out + done);
    }
    return done;
}

float Resampler::output(const float* x) const {
    const ResampleTable& t = *table_;
    if (t.exact) return kernel_->dot(x, t.rows.data() + static_cast<std::size_t>(phase_) * t.width, t.width);
    const std::int64_t scaled = phase_ * t.phases;
    const float* const row = t.rows.data() + static_cast<std::size_t>(scaled / t.up) * t.width;
    const float between = static_cast<float>(scaled % t.up) / static_cast<float>(t.up);
    const float low = kernel_->dot(x, row, t.width);
    return low + between * (kernel_->dot(x, row + t.width, t.width) - low);
}

std::size_t Resampler::drain(std::int64_t until, float* out) {
    const auto half = static_cast<std::int64_t>(table_->half);
    const std::int64_t end = first_ + static_cast<std::int64_t>(n_held_);
    std::size_t done = 0;
    while (base_ + half < end && n_out_ < until) {
        out[done++] = output(held_.data() + (base_ - half + 1 - first_));
        ++n_out_;
        phase_ += table_->down;
        base_ += phase_ / table_->up;
        phase_ %= table_->up;
    }
    const auto drop = static_cast<std::size_t>(std::min(base_ - half + 1, end) - first_);
    n_held_ -= drop;
    std::memmove(held_.data(), held_.data() + drop, n_held_ * sizeof(float));
    first_ += static_cast<std::int64_t>(drop);
    return done;
}

std::int64_t resampled(std::int64_t samples, std::int32_t from_hz, std::int32_t to_hz) {
    const std::int64_t common = std::gcd(from_hz, to_hz);
    const std::int64_t up = to_hz / common, down = from_hz / common;
    return samples / down * up + (samples % down * up + down - 1) / down;
}

}  // namespace edgeemo
