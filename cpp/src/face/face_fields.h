// Every field of a FaceSpec and a DetectorSpec with its name, in one place: digest, equality and reading from a card follow it.
#pragma once

#include "edgeemo/detect.h"
#include "edgeemo/face.h"

namespace edgeemo::fields {

template <class Spec, class Visit>
void visit_face(Spec& s, Visit&& field) {
    field("width", s.width);
    field("height", s.height);
    field("channels", s.channels);
    field("border", s.border);
    field("box_scale", s.box_scale);
    field("eye_y", s.eye_y);
    field("eye_distance", s.eye_distance);
    field("normalization", s.normalization);
    field("gain", s.gain);
}

template <class Spec, class Visit>
void visit_detector(Spec& s, Visit&& field) {
    field("width", s.width);
    field("height", s.height);
    field("least_stride", s.least_stride);
    field("most_stride", s.most_stride);
    field("score_scale", s.score_scale);
    field("score_bias", s.score_bias);
    field("least_score", s.least_score);
    field("overlap", s.overlap);
    field("merge", s.merge);
    field("most_faces", s.most_faces);
}

}  // namespace edgeemo::fields
