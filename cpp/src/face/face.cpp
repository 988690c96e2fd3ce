#include "edgeemo/face.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "edgeemo/quant.h"
#include "face/area.h"
#include "face/crop.h"

namespace edgeemo {
namespace {

constexpr double kLeastDeviation = 2.0;  // of 255: a crop of one colour is not blown up to its noise

const CropKernel& best_kernel() {
    static const CropKernel& best = *crop_kernels().back();
    return best;
}

// Light multiplies the pixels of a face, and a camera adds an offset. One mean and one deviation of the
// whole crop take both away. They leave the relation between the colours as it was.
Levels levels_of(const float* values, std::size_t n, double gain, const CropKernel& kernel) {
    const auto count = static_cast<double>(n);
    const double mean = kernel.sum(values, n, 0.0) / count;
    const double deviation = std::sqrt(kernel.square_sum(values, n, mean) / count);
    return {static_cast<float>(mean), static_cast<float>(gain / std::max(deviation, kLeastDeviation))};
}

// `emit(values, n, levels, at)` writes n values of the tensor from position `at` on. `whole` has room for the
// tensor, if the levels depend on all of it.
template <class Emit>
void to_tensor(const Image& image, const FaceSpec& spec, const Alignment& crop, float* whole,
               const Emit& emit) {
    const CropKernel& kernel = best_kernel();
    const std::size_t size = spec.size(), n = size / static_cast<std::size_t>(spec.height);
    if (spec.normalization == FaceSpec::Normalization::none) {
        const Levels levels{0.0F, static_cast<float>(spec.gain / 255.0)};
        const auto sink = [&](std::size_t row, const float* values) { emit(values, n, levels, row * n); };
        crop_rows(image, spec, crop, kernel, std::ref(sink));  // by reference: a copy would take memory
        return;
    }
    const auto sink = [&](std::size_t row, const float* values) {
        std::copy(values, values + n, whole + row * n);
    };
    crop_rows(image, spec, crop, kernel, std::ref(sink));
    emit(whole, size, levels_of(whole, size, spec.gain, kernel), std::size_t{0});
}

}  // namespace

FaceFrontend::FaceFrontend(const FaceSpec& spec) : spec_((spec.validate(), spec)) {}

void FaceFrontend::compute(const Image& image, const Alignment& crop, float* out) const {
    to_tensor(image, spec_, crop, out,
              [&](const float* values, std::size_t n, Levels levels, std::size_t at) {
                  best_kernel().to_float(values, n, levels, out + at);
              });
}

void FaceFrontend::compute(const Image& image, const Alignment& crop, float scale, std::int32_t zero_point,
                           std::int8_t* out) const {
    quantize(nullptr, 0, scale, zero_point, nullptr);  // refuses what quantize refuses
    const bool whole = spec_.normalization != FaceSpec::Normalization::none;
    thread_local std::vector<float> values_of_crop;  // kept for the next one
    to_tensor(image, spec_, crop, whole ? room(values_of_crop, spec_.size()) : nullptr,
              [&](const float* values, std::size_t n, Levels levels, std::size_t at) {
                  best_kernel().to_int8(values, n, levels, scale, zero_point, out + at);
              });
}

}  // namespace edgeemo
