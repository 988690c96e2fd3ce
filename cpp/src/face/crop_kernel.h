// The loops over pixels, compiled for several processors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgeemo {

// The part of a row or column under an output pixel: `inside` whole pixels between `first` and `last`, which
// have weights.
struct Cover {
    std::int32_t first, inside, last;
    float first_weight, last_weight;
};

// Points on a line through a picture, in 32.32 fixed point from the middle of its pixel (0, 0). The line
// also has the steps from there to each of the first points. The steps have kWalkBits of fraction, which
// leave room for any grid under a crop.
inline constexpr std::size_t kWalkPoints = 16;
inline constexpr int kWalkBits = 18;

struct Walk {
    std::int64_t x, y, dx, dy;
    std::int32_t x_ahead[kWalkPoints], y_ahead[kWalkPoints];
};

// A picture of floats, at least 2 x 2. A pixel has four floats, or two: its own and that of the pixel below.
// So the four floats around a point lie together.
struct Floats2d {
    const float* pixels;
    std::int32_t width, height;
};

// v becomes (v - mean) * factor.
struct Levels {
    float mean, factor;
};

// Arithmetic is elementwise or in a fixed order, in integers or IEEE float without FMA. So neither the width
// of the vectors nor the processor changes the numbers.
struct CropKernel {
    const char* name;
    // sums[i] = the sum over n_rows (1 to 8) of rows[k][i], added to what sums holds if `more`.
    void (*add_rows)(const std::uint8_t* const* rows, std::size_t n_rows, bool more, std::size_t n,
                     std::uint16_t* sums);
    // out[i] = first[i] * first_weight + last[i] * last_weight.
    void (*blend)(const std::uint8_t* first, float first_weight, const std::uint8_t* last, float last_weight,
                  std::size_t n, float* out);
    // out[i] += sums[i].
    void (*add)(const std::uint16_t* sums, std::size_t n, float* out);
    // out[i] = (what cover i covers of every step-th float of row) * norm.
    void (*across)(const float* row, const Cover* covers, std::size_t n, std::size_t step, float norm,
                   float* out);
    // The same of covers that are `many` whole pixels each and touch, step 1.
    void (*even)(const float* row, std::size_t many, std::size_t n, float norm, float* out);
    // The same for four neighbouring floats at once, written `apart` (3 or 4) from pixel to pixel; step 3
    // or 4. Where it is 3, one float beyond the row is read or written.
    void (*across4)(const float* row, const Cover* covers, std::size_t n, std::size_t step, float norm,
                    std::size_t apart, float* out);
    void (*even4)(const float* row, std::size_t many, std::size_t n, std::size_t step, float norm,
                  std::size_t apart, float* out);
    // gray[i] = the weighted sum of the first three of four floats.
    void (*gray)(const float* pixels, std::size_t n, const float* weights, float* out);
    // out[2 i], out[2 i + 1] = above[i], below[i].
    void (*beside)(const float* above, const float* below, std::size_t n, float* out);
    // Bilinear interpolation at n points of a walk; beyond the border, at the border. With two floats a
    // pixel the kernel writes one float a point, up to a multiple of kWalkPoints. With four floats a pixel
    // the kernel writes all four, `apart`.
    void (*walk)(const Floats2d& picture, const Walk& from, std::size_t n, std::size_t apart, float* out);
    void (*walk4)(const Floats2d& picture, const Walk& from, std::size_t n, std::size_t apart, float* out);
    // The mean of each 2 x 2 among 2 n points of two lines. One float a point stays one, four become three.
    void (*halve)(const float* top, const float* bottom, std::size_t n, std::size_t floats, float* out);
    // The sum of v - mean, and of its square, in eight fixed partial sums.
    double (*sum)(const float* values, std::size_t n, double mean);
    double (*square_sum)(const float* values, std::size_t n, double mean);
    // To the tensor, which for floats may be where the values are; int8 by the rule of quant.h.
    void (*to_float)(const float* values, std::size_t n, Levels levels, float* out);
    void (*to_int8)(const float* values, std::size_t n, Levels levels, float scale, std::int32_t zero_point,
                    std::int8_t* out);
};

// All kernels this processor can run; the last is the fastest.
std::vector<const CropKernel*> crop_kernels();

}  // namespace edgeemo
