#include "edgeemo/follow.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/specs.h"
#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

void check_rows(const float* rows, std::size_t faces, std::size_t size) {
    for (std::size_t i = 0; i < faces * size; ++i) {
        if (std::isfinite(rows[i])) continue;
        throw InputError("number " + std::to_string(i % size) + " of the row of face " +
                         std::to_string(i / size) + " is not finite; check the model");
    }
}

double checked(double smooth_ms) {
    check_range("smooth_ms", smooth_ms, 0.0, 60000.0);
    return smooth_ms;
}

}  // namespace

FaceFollower::FaceFollower(std::size_t size, double smooth_ms, const TrackerSpec& tracker)
    : tracker_(tracker), smoother_(size, checked(smooth_ms)), nothing_(size, 0.0F) {}

const std::vector<Followed>& FaceFollower::update(const std::vector<Face>& faces, const float* rows,
                                                  std::int64_t t_ms) {
    check_rows(rows, faces.size(), size());
    const std::vector<Track>& tracks = tracker_.update(faces, t_ms);
    ids_.clear();
    for (const Track& track : tracks) ids_.push_back(track.id);
    smoother_.keep(ids_);
    means_.resize(tracks.size() * size());
    followed_.clear();
    float* mean = means_.data();
    for (const Track& track : tracks) {
        const bool found = track.at != Track::kNowhere;
        const float* const row = found ? rows + track.at * size() : nothing_.data();
        const double evidence = found ? std::clamp(track.face.score, 0.0, 1.0) : 0.0;
        Followed followed{track, smoother_.update(track.id, row, evidence, t_ms, mean), mean};
        if (!found) followed.track.face.score = 0.0;
        if (track.confirmed) followed_.push_back(followed);
        mean += size();
    }
    return followed_;
}

void FaceFollower::reset() {
    tracker_.reset();
    smoother_.reset();
}

}  // namespace edgeemo
