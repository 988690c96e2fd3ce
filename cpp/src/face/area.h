// Shrinking without turning: each output pixel is the mean of the picture over a rectangle, exactly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgeemo/face.h"
#include "face/crop_kernel.h"

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

// Memory that is used again and again and only grows.
template <class T>
T* room(std::vector<T>& memory, std::size_t n) {
    if (memory.size() < n) memory.resize(n);
    return memory.data();
}

// Writes the cover of each of `n` output pixels into `all`.
void covers(double from, double step, double wide, std::int32_t n, std::int32_t size, bool replicate,
            std::vector<Cover>& all);

// The rows of a grid over a plane, summed over height only.
class PlaneRows {
  public:
    std::vector<Cover> rows;  // of the grid; filled before row() is called

    void set(const Plane& plane, std::int32_t first_column, std::int32_t columns, const CropKernel& kernel);

    // Sums of the bytes of first_column … , and four floats more.
    const float* row(std::size_t i);

  private:
    const std::uint8_t* bytes_of(std::int32_t row,
                                 std::size_t slot);  // of the columns; copied if they have gaps

    Plane plane_{};
    std::int32_t first_column_ = 0;
    std::size_t n_ = 0;
    const CropKernel* kernel_ = nullptr;
    bool gaps_ = false;
    std::vector<std::uint8_t> packed_;
    std::vector<std::uint16_t> sums_;
    std::vector<float> out_;
};

// The picture on a grid, row after row, 0 to 255. A gray pixel has one float, an rgb pixel `apart` floats,
// three or four; the fourth means nothing. With three, one float beyond the row is written. An object that
// is set again needs no more memory than the largest grid did.
class AreaRows {
  public:
    void set(const Image& image, const FaceSpec& spec, const Grid& grid, std::size_t apart,
             const CropKernel& kernel);

    void row(std::size_t i, float* out);

  private:
    void find_even();
    void gray_row(std::size_t i, float* out);
    void rgb_row(std::size_t i, float* out);
    void yuv_row(std::size_t i, float* out);
    void across(const float* row, float* out) const;
    void across4(const float* row, std::size_t step, std::size_t apart, float* out) const;

    Color color_ = Color::gray;
    bool gray_ = true;
    std::size_t n_ = 0, apart_ = 1;
    std::size_t even_ = 0, even_end_ = 0, many_ = 1;  // columns that are `many` whole pixels each and touch
    const CropKernel* kernel_ = nullptr;
    float norm_ = 1.0F;
    std::vector<Cover> columns_, chroma_columns_;
    std::vector<float> row_shares_, column_shares_;  // of YUV: how much of what a pixel covers is picture
    std::array<PlaneRows, 2> planes_;                // the second is nv12's chroma
    std::vector<float> four_;
};

}  // namespace edgeemo
