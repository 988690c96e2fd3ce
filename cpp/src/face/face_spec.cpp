#include <string>

#include "base/specs.h"
#include "edgeemo/errors.h"
#include "edgeemo/face.h"
#include "face/face_fields.h"

namespace edgeemo {

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

}  // namespace edgeemo
