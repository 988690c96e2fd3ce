// Shrinking without turning: each output pixel is the mean of the picture over a rectangle, exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "crop_kernel.h"
#include "edgeemo/face.h"

namespace edgeemo {

// Pixels upright in the picture, `step` apart, the corner of the first at (x, y). Each is the mean over a
// square of max(1, step) around its middle.
struct Grid {
    double x, y, step;
    std::int32_t columns, rows;
};

// One of the planes that a picture's bytes form.
struct Plane {
    const std::uint8_t* bytes;
    std::ptrdiff_t row_stride, pixel_stride, channel_stride;
    std::int32_t width, height, channels;
};

std::vector<Cover> covers(double from, double step, double wide, std::int32_t n, std::int32_t size,
                          bool replicate);

// What rows of a grid cover of a plane, summed over height only.
class PlaneRows {
  public:
    PlaneRows(const Plane& plane, std::vector<Cover> rows, std::int32_t first_column, std::int32_t columns,
              const CropKernel& kernel);

    // Sums of the bytes of first_column … , and four floats more.
    const float* row(std::size_t i);

  private:
    const std::uint8_t* bytes_of(std::int32_t row,
                                 std::size_t slot);  // of the columns; copied if they have gaps

    Plane plane_;
    std::vector<Cover> rows_;
    std::int32_t first_column_;
    std::size_t n_;
    const CropKernel* kernel_;
    bool gaps_;
    std::unique_ptr<std::uint8_t[]> packed_;
    std::unique_ptr<std::uint16_t[]> sums_;
    std::unique_ptr<float[]> out_;
};

// The picture on a grid, row after row, 0 to 255: gray one float a pixel, rgb three or four, `apart` (the
// fourth means nothing; where it is 3, one float beyond the row is written).
class AreaRows {
  public:
    AreaRows(const Image& image, const FaceSpec& spec, const Grid& grid, std::size_t apart,
             const CropKernel& kernel);

    void row(std::size_t i, float* out);

  private:
    void find_even();
    void gray_row(std::size_t i, float* out);
    void rgb_row(std::size_t i, float* out);
    void yuv_row(std::size_t i, float* out);
    void across(const float* row, float* out) const;
    void across4(const float* row, std::size_t step, std::size_t apart, float* out) const;

    Color color_;
    bool gray_;
    std::size_t n_, apart_;
    std::size_t even_ = 0, even_end_ = 0, many_ = 1;  // columns that are `many` whole pixels each and touch
    const CropKernel* kernel_;
    float norm_;
    std::vector<Cover> columns_, chroma_columns_;
    std::vector<float> row_shares_, column_shares_;  // of YUV: how much of what a pixel covers is picture
    std::vector<PlaneRows> planes_;
    std::unique_ptr<float[]> four_;
};

}  // namespace edgeemo
