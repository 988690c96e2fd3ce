// A place in a picture at the model's size, upright or turned.
#pragma once

#include <cstddef>
#include <functional>

#include "edgeemo/face.h"
#include "face/crop_kernel.h"

namespace edgeemo {

// Row after row, from the first: width x channels floats, 0 to 255.
using RowSink = std::function<void(std::size_t row, const float* values)>;

// Throws InputError for a bad image or a crop that is not finite, out of scale or wholly outside the picture.
void crop_rows(const Image& image, const FaceSpec& spec, const Alignment& crop, const CropKernel& kernel,
               const RowSink& sink);

}  // namespace edgeemo
