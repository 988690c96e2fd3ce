#include <limits>
#include <vector>

#include "check.h"
#include "edgeemo/detect.h"
#include "edgeemo/errors.h"
#include "edgeemo/track.h"

namespace {

using edgeemo::Alignment;
using edgeemo::Box;
using edgeemo::DetectorSpec;
using edgeemo::Face;
using edgeemo::FaceDecoder;
using edgeemo::FaceTracker;
using edgeemo::InputError;
using edgeemo::SpecError;
using edgeemo::Track;
using edgeemo::TrackerSpec;

struct Heads {
    std::vector<float> logits, boxes, eyes;
};

// From integers; a tenth of the cells may be faces.
Heads synthetic(const DetectorSpec& spec, std::uint32_t seed) {
    std::uint32_t noise = seed * 2654435761u + 1u;
    const auto next = [&](float low, float high) {
        noise = noise * 1664525u + 1013904223u;
        return low + static_cast<float>(noise >> 16) * (high - low) / 65536.0F;
    };
    Heads heads;
    for (std::size_t i = 0; i < spec.cells(); ++i) {
        heads.logits.push_back(next(-9.0F, 1.0F));
        for (int k = 0; k < 2; ++k) heads.boxes.push_back(next(-1.0F, 1.0F));
        for (int k = 0; k < 2; ++k) heads.boxes.push_back(next(0.0F, 2.0F));
        for (int k = 0; k < 4; ++k) heads.eyes.push_back(next(-0.5F, 0.5F));
    }
    return heads;
}

std::vector<Face> decode(const DetectorSpec& spec, const Heads& heads, const Alignment& crop) {
    return FaceDecoder(spec).decode(heads.logits.data(), heads.boxes.data(), heads.eyes.data(), crop);
}

Face face_at(double x, double y, double side) {
    Face face;
    face.box = {x, y, x + side, y + side};
    face.eyes = {{{x + 0.3 * side, y + 0.4 * side}, {x + 0.7 * side, y + 0.4 * side}}};
    face.score = 0.9;
    return face;
}

std::uint64_t hash_of(const std::vector<Face>& faces) {
    std::uint64_t hash = 14695981039346656037u;
    for (const Face& f : faces) {
        for (const double x : {f.box.x0, f.box.y0, f.box.x1, f.box.y1, f.eyes[0].x, f.eyes[0].y, f.eyes[1].x,
                               f.eyes[1].y, f.score}) {
            const auto micro = static_cast<std::int64_t>(x * 1048576.0);
            for (int byte = 0; byte < 8; ++byte) {
                hash = (hash ^ (static_cast<std::uint64_t>(micro) >> (8 * byte) & 0xffu)) * 1099511628211u;
            }
        }
    }
    return hash;
}

void the_faces_are_those_of_every_machine() {
    DetectorSpec spec;
    const Alignment crop{5.0, 0.25, -3.0, -100.0};
    const std::vector<Face> mean = decode(spec, synthetic(spec, 1), crop);
    spec.merge = DetectorSpec::Merge::best;
    const std::vector<Face> best = decode(spec, synthetic(spec, 1), crop);
    CHECK(mean.size() > 5 && best.size() == mean.size());
    CHECK(hash_of(mean) == 0x3c341f314e671580u);
    CHECK(hash_of(best) == 0x579edd4b5057cc85u);
}

void faces_come_by_falling_score_and_do_not_overlap() {
    DetectorSpec spec;
    spec.merge = DetectorSpec::Merge::best;
    const std::vector<Face> faces = decode(spec, synthetic(spec, 2), {1.0, 0.0, 0.0, 0.0});
    for (std::size_t i = 0; i < faces.size(); ++i) {
        CHECK(i == 0 || faces[i].score <= faces[i - 1].score);
        for (std::size_t k = 0; k < i; ++k) {
            CHECK(intersection_over_union(faces[i].box, faces[k].box) < spec.overlap);
        }
    }
}

void overlap_is_a_share() {
    CHECK(edgeemo::intersection_over_union({0, 0, 2, 2}, {0, 0, 2, 2}) == 1.0);
    CHECK(edgeemo::intersection_over_union({0, 0, 2, 2}, {1, 0, 3, 2}) == 2.0 / 6.0);
    CHECK(edgeemo::intersection_over_union({0, 0, 2, 2}, {2, 0, 3, 2}) == 0.0);
    CHECK(edgeemo::intersection_over_union({0, 0, 2, 2}, {5, 5, 6, 6}) == 0.0);
}

void the_face_in_front_is_the_largest() {
    const std::vector<Face> faces{face_at(0, 0, 10), face_at(50, 0, 30), face_at(90, 0, 30)};
    CHECK(edgeemo::in_front(faces) == &faces[1]);
    CHECK(edgeemo::in_front({}) == nullptr);
}

void crossing_faces_keep_their_ids() {
    FaceTracker tracker{TrackerSpec{}};
    for (int i = 0; i <= 20; ++i) {
        const Face a = face_at(100.0 + 10.0 * i, 100.0, 40.0), b = face_at(300.0 - 10.0 * i, 113.0, 40.0);
        const std::vector<Track> tracks =
            i % 2 == 0 ? tracker.update({a, b}, 40 * i) : tracker.update({b, a}, 40 * i);
        CHECK(tracks.size() == 2 && tracks[0].id == 1 && tracks[1].id == 2);
        CHECK(tracks[0].face == a && tracks[1].face == b);
        CHECK(tracks[0].confirmed == (i > 0));
    }
}

void tracks_are_born_and_end() {
    FaceTracker tracker{TrackerSpec{}};
    CHECK(tracker.update({}, 0).empty());
    CHECK(tracker.update({face_at(0, 0, 40)}, 40).size() == 1);
    CHECK(tracker.update({}, 80).empty());  // a false alarm
    for (const std::int64_t t : {120, 160}) CHECK(tracker.update({face_at(0, 0, 40)}, t)[0].id == 2);
    CHECK(tracker.update({}, 760).size() == 1);
    CHECK(tracker.update({}, 761).empty());
    tracker.reset();
    CHECK(tracker.update({face_at(0, 0, 40)}, 0)[0].id == 1);
}

void bad_input_is_named() {
    DetectorSpec spec;
    Heads heads = synthetic(spec, 3);
    heads.logits[7] = std::numeric_limits<float>::quiet_NaN();
    CHECK(message_of<InputError>([&] { decode(spec, heads, {}); }).find("NaN at cell 7") !=
          std::string::npos);
    spec.most_stride = 12;
    CHECK(message_of<SpecError>([&] { FaceDecoder d(spec); }) ==
          "most_stride must be a power of two, got 12");
    TrackerSpec bad;
    bad.least_hits = 0;
    CHECK(message_of<SpecError>([&] { FaceTracker t(bad); }) == "least_hits must be in [1, 100], got 0");
    FaceTracker tracker{TrackerSpec{}};
    tracker.update({}, 5);
    CHECK(message_of<InputError>([&] { tracker.update({}, 4); }).find("t_ms went back from 5 to 4") == 0);
    CHECK(message_of<InputError>([&] {
              tracker.update({Face{}}, 6);
          }).find("the box of face 0 has NaN or no area") == 0);
    for (const std::int64_t t :
         {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        CHECK(message_of<InputError>([&] { tracker.update({}, t); }).find("t_ms must be within") == 0);
    }
}

}  // namespace

int main() {
    the_faces_are_those_of_every_machine();
    faces_come_by_falling_score_and_do_not_overlap();
    overlap_is_a_share();
    the_face_in_front_is_the_largest();
    crossing_faces_keep_their_ids();
    tracks_are_born_and_end();
    bad_input_is_named();
}
