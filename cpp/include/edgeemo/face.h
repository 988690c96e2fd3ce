// Face frontend: from a picture and a place in it to the tensor a model was trained on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "edgeemo/image.h"

namespace edgeemo {

inline constexpr int kFaceFrontendVersion = 1;  // goes up when the same spec gives other numbers

// How a face becomes a tensor (height, width, 1 or 3). The crop is what the model sees, a rectangle of its
// shape in the picture, possibly turned.
struct FaceSpec {
    enum class Channels { gray, rgb };
    enum class Border { replicate, black };
    enum class Normalization { none, mean_std };

    std::int32_t width = 64;  // pixels of the tensor, 8 to 512
    std::int32_t height = 64;
    Channels channels = Channels::gray;  // gray: BT.601 luma, not rounded
    Border border = Border::replicate;   // of the picture: its edge goes on, or all is black
    double box_scale = 1.0;      // the crop's side over that of the least crop that holds the box, 0.25 to 4
    double eye_y = 0.38;         // where the eyes go: their height from the top over the crop's, 0 to 1
    double eye_distance = 0.42;  // their distance over the crop's width, 0.05 to 1; they lie level, centred
    Normalization normalization =
        Normalization::none;  // none: [0, 1]; mean_std: of the crop, takes light away
    double gain = 1.0;        // multiplies what is normalised, 1e-6 to 1e6

    std::size_t size() const;    // floats in the tensor
    void validate() const;       // throws SpecError
    std::string digest() const;  // 16 hexadecimal digits, equal exactly for equal specs
};

bool operator==(const FaceSpec& a, const FaceSpec& b);
bool operator!=(const FaceSpec& a, const FaceSpec& b);

// Places are in pixels from the top left corner of the picture: pixel (i, j) covers [i, i + 1) x [j, j + 1).
struct Point {
    double x = 0.0, y = 0.0;
};

struct Box {
    double x0 = 0.0, y0 = 0.0, x1 = 0.0, y1 = 0.0;
};

using Eyes = std::array<Point, 2>;  // in picture order: left, right

// Whether eyes say how a face is turned, so that align() takes them: finite, apart, and in picture order.
bool tell_the_turn(const Eyes& eyes);

// From the crop's pixels to those of the picture: shift, turn and scale.
struct Alignment {
    double a = 1.0, b = 0.0;  // scale times cosine and sine of the turn
    double x = 0.0, y = 0.0;  // where the crop's top left corner lies

    double scale() const;  // picture pixels a crop pixel
    Point to_picture(const Point& crop) const {
        return {x + a * crop.x - b * crop.y, y + b * crop.x + a * crop.y};
    }
    Point to_crop(const Point& picture) const;
};

// Immutable; any number of threads may share one.
//
// A tensor's pixel is the mean of the picture over a square around its place. The square is as wide as a
// crop pixel. In a crop finer than the picture, the square is as wide as a picture pixel, which is bilinear
// interpolation. A turned crop approximates this mean in two steps. First the picture is shrunk, without
// turning, to half a crop pixel, but not below one picture pixel. Then 2 x 2 points of each crop pixel are
// interpolated bilinearly; a crop finer than the picture takes just the middle.
class FaceFrontend {
  public:
    explicit FaceFrontend(const FaceSpec& spec);  // throws SpecError

    const FaceSpec& spec() const { return spec_; }

    // The least upright crop that holds the box, with the same middle, then scaled by box_scale. Throws
    // InputError for boxes with NaN, inverted, thinner than a pixel or a million pixels away.
    Alignment align(const Box& box) const;

    // The crop in which the eyes lie where the spec wants them. Throws InputError for eyes with NaN, less
    // than a pixel apart, not in picture order or a million pixels away.
    Alignment align(const Eyes& eyes) const;

    // Middle and size of the box, turned as the eyes are.
    Alignment align(const Box& box, const Eyes& eyes) const;

    // Writes spec().size() floats. Throws InputError for a bad image, or a crop wholly outside the picture.
    void compute(const Image& image, const Alignment& crop, float* out) const;

    // The same through the one rule of quant.h, in the same pass. Throws InputError like quantize.
    void compute(const Image& image, const Alignment& crop, float scale, std::int32_t zero_point,
                 std::int8_t* out) const;

  private:
    FaceSpec spec_;
};

}  // namespace edgeemo
