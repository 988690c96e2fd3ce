#include <string>

#include "base/specs.h"
#include "edgeemo/detect.h"
#include "edgeemo/errors.h"
#include "face/face_fields.h"

namespace edgeemo {
namespace {

void check_stride(const char* field, std::int32_t stride, std::int32_t least) {
    check_range(field, stride, least, 64);
    if ((stride & (stride - 1)) != 0) {
        throw SpecError(std::string(field) + " must be a power of two, got " + std::to_string(stride));
    }
}

void check_side(const char* field, std::int32_t side, std::int32_t stride) {
    check_range(field, side, 32, 512);
    if (side % stride != 0) {
        throw SpecError(std::string(field) + " must be a multiple of most_stride (" + std::to_string(stride) +
                        "), got " + std::to_string(side));
    }
}

}  // namespace

std::size_t DetectorSpec::cells() const {
    std::size_t n = 0;
    for (std::int32_t stride = least_stride; stride <= most_stride; stride *= 2) {
        n += static_cast<std::size_t>(width / stride) * static_cast<std::size_t>(height / stride);
    }
    return n;
}

void DetectorSpec::validate() const {
    check_stride("least_stride", least_stride, 4);
    check_stride("most_stride", most_stride, least_stride);
    check_side("width", width, most_stride);
    check_side("height", height, most_stride);
    check_range("score_scale", score_scale, 1e-3, 1e3);
    check_range("score_bias", score_bias, -100.0, 100.0);
    check_range("least_score", least_score, 0.001, 0.999);
    check_range("overlap", overlap, 0.05, 0.95);
    check_range("most_faces", most_faces, 1, 256);
}

std::string DetectorSpec::digest() const { return digest_of(sentence_of(*this)); }

bool operator==(const DetectorSpec& a, const DetectorSpec& b) { return sentence_of(a) == sentence_of(b); }
bool operator!=(const DetectorSpec& a, const DetectorSpec& b) { return !(a == b); }

}  // namespace edgeemo
