// From a face to the crop that a model reads.
#pragma once

#include <cstdint>

#include "edgeemo/detect.h"
#include "edgeemo/face.h"

namespace edgeemo {

// over_box is the side of the crop that a model was trained on, over the side of the detector's box around
// the same face. down says how far the crop's middle lies below the box's (towards the chin, along the
// face), in sides of the crop. The one place that says how a detected box becomes a crop; boxes that a
// caller gives are taken as they are. Both are medians over 11,317 training pictures of FER+, whose crop is
// known, of the boxes the detector learns (quartiles of the first: 1.05 and 1.27).
struct Fit {
    double over_box = 1.14;
    double down = -0.11;
};

// Whether a found face can be read: it has a score, is a pixel in size, and its middle lies in the picture.
bool usable(const Face& face, std::int32_t width, std::int32_t height);

// The crop of a found face: its box, turned as the eyes are, then fitted. Eyes of a profile or an
// upside-down face do not say how the face is turned; then the box stays upright. Throws InputError for a
// box that cannot be cut.
Alignment fitted(const FaceFrontend& frontend, const Face& face, const Fit& fit = {});

// The face of a box, certain; its eyes are where an upright face in this box would have them. Throws
// InputError for a box that cannot be cut.
Face given(const FaceFrontend& frontend, const Box& box);

}  // namespace edgeemo
