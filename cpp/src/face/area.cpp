#include "face/area.h"

#include <algorithm>
#include <array>
#include <utility>

namespace edgeemo {
namespace {

constexpr std::size_t kTogether = 8;       // rows that add_rows takes
constexpr std::int32_t kMostInside = 256;  // rows whose sum fits into 16 bits

// BT.601. Gray of red, green, blue; full range of limited-range YUV.
constexpr float kRed = 0.299F, kGreen = 0.587F, kBlue = 0.114F;
constexpr float kLuma = 255.0F / 219.0F, kBlack = 16.0F, kChroma = 255.0F / 224.0F, kMiddle = 128.0F;
constexpr float kRedOfV = 1.402F * kChroma, kBlueOfU = 1.772F * kChroma;
constexpr float kGreenOfU = 1.772F * kBlue / kGreen * kChroma, kGreenOfV = 1.402F * kRed / kGreen * kChroma;

float clip(float v) { return v < 0.0F ? 0.0F : v > 255.0F ? 255.0F : v; }

Cover cover(double from, double to, std::int32_t size, bool replicate) {
    const double low = std::clamp(from, 0.0, static_cast<double>(size));
    const double high = std::clamp(to, 0.0, static_cast<double>(size));
    const auto first = std::min(static_cast<std::int32_t>(low), size - 1);  // neither is negative
    const auto before = static_cast<std::int32_t>(high);
    const std::int32_t last = std::max(first, high > before ? before : before - 1);
    double first_weight = (last == first ? high : first + 1.0) - low;
    double last_weight = last == first ? 0.0 : high - last;
    if (replicate) {  // what lies outside belongs to the pixel at the edge
        first_weight += std::max(0.0, std::min(to, 0.0) - from);
        (last == first ? first_weight : last_weight) += std::max(0.0, to - std::max<double>(from, size));
    }
    return {first, std::max(0, last - first - 1), last, static_cast<float>(first_weight),
            static_cast<float>(last_weight)};
}

bool is_yuv(Color color) { return color == Color::yuyv || color == Color::nv12; }

Plane first_plane(const Image& i) {
    return {i.pixels, i.row_stride, i.pixel_stride,      i.channel_stride,
            i.width,  i.height,     channels_of(i.color)};
}

Plane chroma_plane(const Image& i) {
    return {i.pixels + i.height * i.row_stride,
            i.row_stride,
            2 * i.pixel_stride,
            i.pixel_stride,
            i.width / 2,
            i.height / 2,
            2};
}

void shares(const std::vector<Cover>& covers, double wide, std::vector<float>& all) {
    all.clear();
    for (const Cover& c : covers) {
        const double covered =
            static_cast<double>(c.first_weight) + c.inside + static_cast<double>(c.last_weight);
        all.push_back(static_cast<float>(covered / wide));
    }
}

// How many pixels a cover is, if they are whole, else 0.
std::int32_t whole(const Cover& c) {
    if (c.first_weight != 1.0F || (c.last != c.first && c.last_weight != 1.0F)) return 0;
    return c.last - c.first + 1;
}

// The columns that covers touch: they are counted from the first on. A multiple of `multiple` comes before
// them.
std::pair<std::int32_t, std::int32_t> rebase(std::vector<Cover>& covers, std::int32_t multiple) {
    const std::int32_t first = covers.front().first / multiple * multiple, end = covers.back().last + 1;
    for (Cover& c : covers) {
        c.first -= first;
        c.last -= first;
    }
    return {first, end - first};
}

}  // namespace

void covers(double from, double step, double wide, std::int32_t n, std::int32_t size, bool replicate,
            std::vector<Cover>& all) {
    all.resize(static_cast<std::size_t>(n));
    const double before = from - (wide - step) * 0.5, end = before + wide;
    for (std::int32_t i = 0; i < n; ++i) {
        all[static_cast<std::size_t>(i)] = cover(before + i * step, end + i * step, size, replicate);
    }
}

void PlaneRows::set(const Plane& plane, std::int32_t first_column, std::int32_t columns,
                    const CropKernel& kernel) {
    plane_ = plane;
    first_column_ = first_column;
    n_ = static_cast<std::size_t>(columns) * static_cast<std::size_t>(plane.channels);
    kernel_ = &kernel;
    gaps_ = plane.pixel_stride != plane.channels || (plane.channels > 1 && plane.channel_stride != 1);
    if (gaps_) room(packed_, kTogether * n_);
    room(sums_, n_);
    room(out_, n_ + 4);
}

const std::uint8_t* PlaneRows::bytes_of(std::int32_t row, std::size_t slot) {
    const std::uint8_t* from = plane_.bytes + row * plane_.row_stride + first_column_ * plane_.pixel_stride;
    if (!gaps_) return from;
    std::uint8_t* const packed = packed_.data() + slot * n_;
    const auto channels = static_cast<std::size_t>(plane_.channels);
    for (std::size_t i = 0; i < n_; i += channels, from += plane_.pixel_stride) {
        for (std::size_t c = 0; c < channels; ++c) {
            packed[i + c] = from[static_cast<std::ptrdiff_t>(c) * plane_.channel_stride];
        }
    }
    return packed;
}

const float* PlaneRows::row(std::size_t i) {
    const Cover& c = rows[i];
    const std::uint8_t* const first = bytes_of(c.first, 0);
    kernel_->blend(first, c.first_weight, c.last == c.first ? first : bytes_of(c.last, 1), c.last_weight, n_,
                   out_.data());
    for (std::int32_t done = 0; done < c.inside;) {
        const std::int32_t end = std::min(c.inside, done + kMostInside);
        for (bool more = false; done < end; more = true) {
            std::array<const std::uint8_t*, kTogether> some{};
            std::size_t n = 0;
            while (n < kTogether && done < end) {
                some[n] = bytes_of(c.first + 1 + done++, n);
                ++n;
            }
            kernel_->add_rows(some.data(), n, more, n_, sums_.data());
        }
        kernel_->add(sums_.data(), n_, out_.data());
    }
    return out_.data();
}

void AreaRows::set(const Image& image, const FaceSpec& spec, const Grid& g, std::size_t apart,
                   const CropKernel& kernel) {
    color_ = image.color;
    gray_ = spec.channels == FaceSpec::Channels::gray;
    n_ = static_cast<std::size_t>(g.columns);
    apart_ = apart;
    kernel_ = &kernel;
    room(four_, 4 * n_);
    const bool replicate = spec.border == FaceSpec::Border::replicate, yuv = is_yuv(color_);
    const double wide = std::max(1.0, g.step);
    norm_ = static_cast<float>(1.0 / (wide * wide));
    covers(g.x, g.step, wide, g.columns, image.width, replicate, columns_);
    const auto [first, n] = rebase(columns_, color_ == Color::yuyv ? 2 : 1);
    covers(g.y, g.step, wide, g.rows, image.height, replicate, planes_[0].rows);
    if (yuv) {
        shares(planes_[0].rows, wide, row_shares_);
        shares(columns_, wide, column_shares_);
    }
    planes_[0].set(first_plane(image), first, color_ == Color::yuyv ? (n + 1) / 2 * 2 : n, kernel);
    even_ = even_end_ = n_;
    if (!yuv) find_even();
    if (!yuv || gray_) return;
    // one U and one V for two columns, and of nv12 two rows
    covers(g.x / 2, g.step / 2, wide / 2, g.columns, image.width / 2, replicate, chroma_columns_);
    const auto [chroma_first, chroma_n] = rebase(chroma_columns_, 1);
    if (color_ == Color::nv12) {
        covers(g.y / 2, g.step / 2, wide / 2, g.rows, image.height / 2, replicate, planes_[1].rows);
        planes_[1].set(chroma_plane(image), chroma_first, chroma_n, kernel);
    }
}

void AreaRows::find_even() {
    even_ = 0;
    while (even_ < n_ && whole(columns_[even_]) == 0) ++even_;
    even_end_ = even_;
    if (even_ == n_) return;
    const std::int32_t many = whole(columns_[even_]), first = columns_[even_].first;
    const auto is_next = [&](std::size_t i) {
        return whole(columns_[i]) == many &&
               columns_[i].first == first + static_cast<std::int32_t>(i - even_) * many;
    };
    while (even_end_ < n_ && is_next(even_end_)) ++even_end_;
    many_ = static_cast<std::size_t>(many);
}

void AreaRows::row(std::size_t i, float* out) {
    if (is_yuv(color_)) return yuv_row(i, out);
    return color_ == Color::gray ? gray_row(i, out) : rgb_row(i, out);
}

void AreaRows::gray_row(std::size_t i, float* out) {
    float* const values = gray_ ? out : four_.data();
    across(planes_[0].row(i), values);
    if (gray_) return;
    for (std::size_t k = 0; k < n_; ++k) {
        for (std::size_t c = 0; c < 3; ++c) out[apart_ * k + c] = values[k];
    }
}

void AreaRows::rgb_row(std::size_t i, float* out) {
    const bool bgr = color_ == Color::bgr;
    const std::size_t step = color_ == Color::rgba ? 4 : 3;
    if (gray_) {
        const std::array<float, 3> weights{bgr ? kBlue : kRed, kGreen, bgr ? kRed : kBlue};
        across4(planes_[0].row(i), step, 4, four_.data());
        return kernel_->gray(four_.data(), n_, weights.data(), out);
    }
    across4(planes_[0].row(i), step, apart_, out);
    for (std::size_t k = 0; bgr && k < n_; ++k) std::swap(out[apart_ * k], out[apart_ * k + 2]);
}

void AreaRows::across(const float* row, float* out) const {
    const Cover* const all = columns_.data();
    kernel_->across(row, all, even_, 1, norm_, out);
    if (even_ == n_) return;
    kernel_->even(row + all[even_].first, many_, even_end_ - even_, norm_, out + even_);
    kernel_->across(row, all + even_end_, n_ - even_end_, 1, norm_, out + even_end_);
}

void AreaRows::across4(const float* row, std::size_t step, std::size_t apart, float* out) const {
    const Cover* const all = columns_.data();
    kernel_->across4(row, all, even_, step, norm_, apart, out);
    if (even_ == n_) return;
    const float* const first = row + static_cast<std::size_t>(all[even_].first) * step;
    kernel_->even4(first, many_, even_end_ - even_, step, norm_, apart, out + even_ * apart);
    kernel_->across4(row, all + even_end_, n_ - even_end_, step, norm_, apart, out + even_end_ * apart);
}

void AreaRows::yuv_row(std::size_t i, float* out) {
    const bool pairs = color_ == Color::yuyv;
    const float* const row = planes_[0].row(i);
    float* const y = four_.data();
    kernel_->across(row, columns_.data(), n_, pairs ? 2 : 1, norm_, y);
    const float share = row_shares_[i];
    if (gray_) {
        for (std::size_t k = 0; k < n_; ++k)
            out[k] = clip((y[k] - kBlack * share * column_shares_[k]) * kLuma);
        return;
    }
    float *const u = y + n_, *const v = u + n_;
    const float* const chroma = pairs ? row : planes_[1].row(i);
    const float norm = norm_ * (pairs ? 2.0F : 4.0F);
    kernel_->across(chroma + (pairs ? 1 : 0), chroma_columns_.data(), n_, pairs ? 4 : 2, norm, u);
    kernel_->across(chroma + (pairs ? 3 : 1), chroma_columns_.data(), n_, pairs ? 4 : 2, norm, v);
    for (std::size_t k = 0; k < n_; ++k) {
        const float covered = share * column_shares_[k], luma = (y[k] - kBlack * covered) * kLuma;
        const float blue = u[k] - kMiddle * covered, red = v[k] - kMiddle * covered;
        float* const pixel = out + apart_ * k;
        pixel[0] = clip(luma + red * kRedOfV);
        pixel[1] = clip((luma - blue * kGreenOfU) - red * kGreenOfV);
        pixel[2] = clip(luma + blue * kBlueOfU);
    }
}

}  // namespace edgeemo
