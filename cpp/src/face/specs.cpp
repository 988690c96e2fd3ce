#include "base/specs.h"

#include <string>

#include "edgeemo/detect.h"
#include "edgeemo/errors.h"
#include "edgeemo/face.h"
#include "edgeemo/track.h"
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

std::size_t FaceSpec::size() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
           (channels == Channels::rgb ? 3 : 1);
}

void FaceSpec::validate() const {
    check_range("width", width, 8, 512);
    check_range("height", height, 8, 512);
    check_range("box_scale", box_scale, 0.25, 4.0);
    check_range("eye_y", eye_y, 0.0, 1.0);
    check_range("eye_distance", eye_distance, 0.05, 1.0);
    check_range("gain", gain, 1e-6, 1e6);
}

std::string FaceSpec::digest() const { return digest_of(sentence_of(*this)); }

bool operator==(const FaceSpec& a, const FaceSpec& b) { return sentence_of(a) == sentence_of(b); }
bool operator!=(const FaceSpec& a, const FaceSpec& b) { return !(a == b); }

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

void TrackerSpec::validate() const {
    check_range("least_overlap", least_overlap, 0.0, 1.0);
    check_range("most_distance", most_distance, 0.0, 10.0);
    check_range("most_growth", most_growth, 1.0, 10.0);
    check_range("agility", agility, 0.0, 1.0);
    check_range("most_gap_ms", most_gap_ms, 0, 60000);
    check_range("least_hits", least_hits, 1, 100);
}

std::string TrackerSpec::digest() const { return digest_of(sentence_of(*this)); }

bool operator==(const TrackerSpec& a, const TrackerSpec& b) { return sentence_of(a) == sentence_of(b); }
bool operator!=(const TrackerSpec& a, const TrackerSpec& b) { return !(a == b); }

}  // namespace edgeemo
