// The caller's picture, as cameras and decoders give it: never copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace edgeemo {

inline constexpr std::int32_t kMostSide = 32768;  // pixels

// gray has 1 byte a pixel, rgb and bgr have 3. rgba has 4; its alpha is ignored. yuyv has 2 bytes: Y and, in
// turn, U or V; its width is even. nv12 has a plane of Y over a plane of U and V in turn, one pair a 2 x 2
// block. The
// sides of nv12 are even. YUV is BT.601 of limited range.
enum class Color { gray, rgb, bgr, rgba, yuyv, nv12 };

const char* name_of(Color value);

// The member of that name into `value`. Throws InputError, which lists the names.
void set_by_name(std::string_view name, Color& value);

std::int32_t channels_of(
    Color value);  // bytes a pixel of the array: gray and nv12 1, yuyv 2, rgb and bgr 3, rgba 4

// Byte c of pixel (x, y) lies at pixels + y * row_stride + x * pixel_stride + c * channel_stride; strides of
// any size and sign. Row y of nv12's second plane is row height + y.
struct Image {
    const std::uint8_t* pixels = nullptr;
    std::int32_t width = 0, height = 0;  // of the picture, 1 to kMostSide
    Color color = Color::rgb;
    std::ptrdiff_t row_stride = 0, pixel_stride = 0, channel_stride = 1;
};

// Throws InputError for sides out of range or odd where they must be even.
void check_image(const Image& image);

}  // namespace edgeemo
