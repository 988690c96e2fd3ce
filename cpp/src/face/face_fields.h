// The fields of a FaceSpec, a DetectorSpec and a TrackerSpec, and the names of their choices.
#pragma once

#include <array>

#include "base/specs.h"
#include "edgeemo/track.h"

namespace edgeemo {

constexpr auto names_of(FaceSpec::Channels) { return std::array{"gray", "rgb"}; }
constexpr auto names_of(FaceSpec::Border) { return std::array{"replicate", "black"}; }
constexpr auto names_of(FaceSpec::Normalization) { return std::array{"none", "mean_std"}; }
constexpr auto names_of(DetectorSpec::Merge) { return std::array{"best", "mean"}; }

template <>
struct Fields<FaceSpec> {
    static constexpr const char* name = "FaceSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("width", s.width, "Pixels of the tensor, 8 to 512.");
        field("height", s.height, "Pixels of the tensor, 8 to 512.");
        field("channels", s.channels, "'gray' (BT.601 luma, not rounded) or 'rgb'.");
        field("border", s.border, "Beyond the picture: 'replicate' (its edge goes on) or 'black'.");
        field("box_scale", s.box_scale,
              "Side of the crop over that of the least one holding the box, 0.25 to 4.");
        field("eye_y", s.eye_y, "Height of the eyes from the top over the crop's height, 0 to 1.");
        field("eye_distance", s.eye_distance, "Distance of the eyes over the crop's width, 0.05 to 1.");
        field("normalization", s.normalization, "Of a crop: 'none' ([0, 1]) or 'mean_std'.");
        field("gain", s.gain, "Multiplies what is normalised, 1e-6 to 1e6.");
    }
};

template <>
struct Fields<DetectorSpec> {
    static constexpr const char* name = "DetectorSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("width", s.width, "Pixels of the input, 32 to 512, a multiple of most_stride.");
        field("height", s.height, "Pixels of the input, 32 to 512, a multiple of most_stride.");
        field("least_stride", s.least_stride, "Stride of the finest grid, a power of two, 4 to most_stride.");
        field("most_stride", s.most_stride, "Stride of the coarsest grid, a power of two, to 64.");
        field("score_scale", s.score_scale,
              "A score is sigmoid(score_scale * logit + score_bias); 1e-3 to 1e3.");
        field("score_bias", s.score_bias,
              "A score is sigmoid(score_scale * logit + score_bias); -100 to 100.");
        field("least_score", s.least_score, "Below it nothing is a face, 0.001 to 0.999.");
        field("overlap", s.overlap,
              "Intersection over union from which two boxes are one face, 0.05 to 0.95.");
        field("merge", s.merge, "One face is its 'best' box or the 'mean' of all, weighed by their scores.");
        field("most_faces", s.most_faces, "1 to 256; the best are kept.");
    }
};

template <>
struct Fields<TrackerSpec> {
    static constexpr const char* name = "TrackerSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("least_overlap", s.least_overlap,
              "Least intersection over union with the expected box, 0 to 1. Or most_distance holds.");
        field("most_distance", s.most_distance,
              "Most distance of the middles over the mean side, 0 to 10. Or least_overlap holds.");
        field("most_growth", s.most_growth, "Ratio of the sides that is still the same face, 1 to 10.");
        field("agility", s.agility, "Share of the newest motion in the velocity, 0 (none is kept) to 1.");
        field("most_gap_ms", s.most_gap_ms, "A track not seen for longer ends, 0 to 60000.");
        field("least_hits", s.least_hits, "Times a face is seen until it is confirmed, 1 to 100.");
    }
};

}  // namespace edgeemo
