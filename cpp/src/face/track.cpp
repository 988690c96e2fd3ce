#include "edgeemo/track.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr std::int64_t kMostMs = std::int64_t{1} << 52;

Point middle_of(const Box& b) { return {(b.x0 + b.x1) * 0.5, (b.y0 + b.y1) * 0.5}; }

double side_of(const Box& b) { return std::sqrt((b.x1 - b.x0) * (b.y1 - b.y0)); }

Face moved(Face face, double dx, double dy) {
    face.box = {face.box.x0 + dx, face.box.y0 + dy, face.box.x1 + dx, face.box.y1 + dy};
    for (Point& eye : face.eyes) eye = {eye.x + dx, eye.y + dy};
    return face;
}

void check_time(std::int64_t t_ms, std::int64_t last_ms) {
    if (t_ms > kMostMs || t_ms < -kMostMs) {
        throw InputError("t_ms must be within 2^52 ms of 0, got " + std::to_string(t_ms) +
                         "; pass milliseconds of the caller's clock");
    }
    if (t_ms < last_ms) {
        throw InputError("t_ms went back from " + std::to_string(last_ms) + " to " + std::to_string(t_ms) +
                         "; pass frames in the order of their times, or call reset()");
    }
}

void check_faces(const std::vector<Face>& faces) {
    for (std::size_t i = 0; i < faces.size(); ++i) {
        const Box& b = faces[i].box;
        const bool finite =
            std::isfinite(b.x0) && std::isfinite(b.y0) && std::isfinite(b.x1) && std::isfinite(b.y1);
        if (finite && b.x1 > b.x0 && b.y1 > b.y0) continue;
        throw InputError("the box of face " + std::to_string(i) +
                         " has NaN or no area; pass faces as the detector found them");
    }
}

// Whether they may be; likeness is overlap less distance (in sides), from 1 down.
bool compare(const Box& expected, const Box& found, const TrackerSpec& spec, double& likeness) {
    const double a = side_of(expected), b = side_of(found);
    if (std::max(a, b) > spec.most_growth * std::min(a, b)) return false;
    const Point p = middle_of(expected), q = middle_of(found);
    const double dx = p.x - q.x, dy = p.y - q.y;
    const double distance = std::sqrt(dx * dx + dy * dy) / ((a + b) * 0.5);
    const double overlap = intersection_over_union(expected, found);
    likeness = overlap - distance;
    return (overlap > 0.0 && overlap >= spec.least_overlap) || distance <= spec.most_distance;
}

}  // namespace

// A track ends when frames miss the face, not when no frames come. But a camera that stood still for longer
// starts with no tracks.
constexpr std::int32_t kMostWaitMs = 5000;

FaceTracker::FaceTracker(const TrackerSpec& spec) : spec_((spec.validate(), spec)) {}

void FaceTracker::see(Moving& m, const std::vector<Face>& faces, std::size_t at, std::int64_t t_ms) const {
    const Face& face = faces[at];
    if (m.track.hits > 0 && t_ms > m.track.seen_ms) {
        const Point from = middle_of(m.seen.box), to = middle_of(face.box);
        const auto ms = static_cast<double>(t_ms - m.track.seen_ms);
        const double share = m.track.hits == 1 && spec_.agility > 0.0 ? 1.0 : spec_.agility;
        m.x_speed += ((to.x - from.x) / ms - m.x_speed) * share;
        m.y_speed += ((to.y - from.y) / ms - m.y_speed) * share;
    }
    m.seen = m.track.face = face;
    m.track.seen_ms = t_ms;
    m.track.at = at;
    m.track.confirmed = ++m.track.hits >= spec_.least_hits;
}

void FaceTracker::expect(std::int64_t t_ms) {
    const auto is_over = [&](const Moving& m) {
        const bool missed = m.track.at == Track::kNowhere;  // by the frame before this one
        return t_ms - m.track.seen_ms >
               (missed ? spec_.most_gap_ms : std::max(spec_.most_gap_ms, kMostWaitMs));
    };
    live_.erase(std::remove_if(live_.begin(), live_.end(), is_over), live_.end());
    for (Moving& m : live_) {
        const auto ms = static_cast<double>(t_ms - m.track.seen_ms);
        m.track.face = moved(m.seen, m.x_speed * ms, m.y_speed * ms);
        m.track.at = Track::kNowhere;
    }
}

void FaceTracker::match(const std::vector<Face>& faces) {
    pairs_.clear();
    for (std::size_t t = 0; t < live_.size(); ++t) {
        for (std::size_t f = 0; f < faces.size(); ++f) {
            double likeness = 0.0;
            if (compare(live_[t].track.face.box, faces[f].box, spec_, likeness))
                pairs_.push_back({t, f, likeness});
        }
    }
    std::sort(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
        if (a.likeness != b.likeness) return a.likeness > b.likeness;
        return a.track != b.track ? a.track < b.track : a.face < b.face;
    });
    track_of_.assign(faces.size(), Track::kNowhere);
    for (const Pair& pair : pairs_) {
        if (live_[pair.track].track.at != Track::kNowhere || track_of_[pair.face] != Track::kNowhere)
            continue;
        live_[pair.track].track.at = pair.face;
        track_of_[pair.face] = pair.track;
    }
}

const std::vector<Track>& FaceTracker::update(const std::vector<Face>& faces, std::int64_t t_ms) {
    check_time(t_ms, last_ms_);
    check_faces(faces);
    last_ms_ = t_ms;
    expect(t_ms);
    match(faces);
    for (std::size_t f = 0; f < faces.size(); ++f) {
        if (track_of_[f] != Track::kNowhere) {
            see(live_[track_of_[f]], faces, f, t_ms);
            continue;
        }
        live_.emplace_back();
        live_.back().track.id = next_id_++;
        live_.back().track.first_ms = t_ms;
        see(live_.back(), faces, f, t_ms);
    }
    const auto is_gone = [&](const Moving& m) {
        const bool too_long = t_ms - m.track.seen_ms > spec_.most_gap_ms;
        return m.track.at == Track::kNowhere && (too_long || !m.track.confirmed);
    };
    live_.erase(std::remove_if(live_.begin(), live_.end(), is_gone), live_.end());

    tracks_.clear();
    for (const Moving& m : live_) tracks_.push_back(m.track);
    return tracks_;
}

void FaceTracker::reset() {
    live_.clear();
    next_id_ = 1;
    last_ms_ = INT64_MIN;
}

}  // namespace edgeemo
