// From faces in single frames to tracks: each track is one face over time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "edgeemo/detect.h"

namespace edgeemo {

// When a face that was found is one seen before. A face is expected where it would be had it gone on as it
// went.
struct TrackerSpec {
    double least_overlap = 0.2;  // intersection over union with the expected box, 0 to 1; or
    double most_distance = 0.6;  // distance of the middles over the mean side, 0 to 10
    double most_growth = 2.0;    // ratio of the sides that is still the same face, 1 to 10
    double agility = 0.5;        // share of the newest motion in the velocity, 0 (none is kept) to 1
    // A track ends when frames have missed it for longer, 0 to 60000. With a slow camera or a gap between
    // frames the limit is 5000 if that is longer: the next frame may show the face again.
    std::int32_t most_gap_ms = 600;
    std::int32_t least_hits = 2;  // times a face is seen until it is confirmed, 1 to 100

    void validate() const;       // throws SpecError
    std::string digest() const;  // 16 hexadecimal digits, equal exactly for equal specs
};

bool operator==(const TrackerSpec& a, const TrackerSpec& b);
bool operator!=(const TrackerSpec& a, const TrackerSpec& b);

// One face over time.
struct Track {
    std::int64_t id = 0;  // from 1, never given twice
    Face face;            // as last found; while it is not, where it is expected
    std::int64_t first_ms = 0, seen_ms = 0;
    std::int32_t hits = 0;  // frames in which it was found
    bool confirmed = false;
    std::size_t at = kNowhere;  // of the last frame's faces it is this one; kNowhere: it was not found
    static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
};

// The state of one camera or video. Deterministic: the same faces at the same times give the same tracks. Not
// thread-safe.
class FaceTracker {
  public:
    explicit FaceTracker(const TrackerSpec& spec);  // throws SpecError

    const TrackerSpec& spec() const { return spec_; }

    // All live tracks by id, until the next call; those whose face is among `faces` have seen_ms == t_ms.
    // Pairs of tracks and faces that may be the same are joined greedily, the most similar pair first. Among
    // equal pairs the oldest track goes first, then the first face. A face without a track starts a new
    // track. A track not yet confirmed ends with the first frame that misses it. Throws InputError, and then
    // has not changed, for a time before the last one (or beyond 2^52) or a box with NaN or without area.
    const std::vector<Track>& update(const std::vector<Face>& faces, std::int64_t t_ms);

    // Equals a fresh tracker.
    void reset();

  private:
    struct Moving {
        Track track;
        Face seen;                            // as last found
        double x_speed = 0.0, y_speed = 0.0;  // pixels a millisecond
    };
    // A track and a face that may be the same.
    struct Pair {
        std::size_t track, face;
        double likeness;
    };

    void expect(std::int64_t t_ms);              // ends tracks, moves the others
    void match(const std::vector<Face>& faces);  // the track of each face, if any, into track_of_
    void see(Moving& moving, const std::vector<Face>& faces, std::size_t at, std::int64_t t_ms) const;

    TrackerSpec spec_;
    std::vector<Moving> live_;  // by id
    std::int64_t next_id_ = 1, last_ms_ = INT64_MIN;
    std::vector<Pair> pairs_;  // this and what follows is kept so that a steady tracker needs no more memory
    std::vector<std::size_t> track_of_;
    std::vector<Track> tracks_;
};

}  // namespace edgeemo
