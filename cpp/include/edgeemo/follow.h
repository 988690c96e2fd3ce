// The faces of one camera or video, followed and steadied: from what frames say to one result a track.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgeemo/smooth.h"
#include "edgeemo/track.h"

namespace edgeemo {

inline constexpr double kSmoothMs = 300.0;  // age at which a frame counts for 1 / e, unless the caller says

// The mean of one face over the frames so far.
struct Followed {
    Track track;  // its face has score 0 while it is not found
    double evidence = 0.0;
    const float* row = nullptr;  // the mean
};

// All state between frames. Used again and again it needs no more memory. Not thread-safe.
class FaceFollower {
  public:
    // Rows of `size` numbers. Throws SpecError.
    FaceFollower(std::size_t size, double smooth_ms, const TrackerSpec& tracker);

    std::size_t size() const { return smoother_.size(); }

    // Takes the faces of a frame and their rows, one row after the other. Returns the mean of each confirmed
    // track by id, valid until the next call. A face has its score, 0 to 1, as weight. A hidden face keeps
    // its mean. Throws InputError as FaceTracker::update and for numbers that are not finite, and then has
    // not changed.
    const std::vector<Followed>& update(const std::vector<Face>& faces, const float* rows, std::int64_t t_ms);

    // Equals a fresh one.
    void reset();

    std::size_t tracks() const { return smoother_.tracks(); }

  private:
    FaceTracker tracker_;
    Smoother smoother_;
    std::vector<std::int64_t> ids_;
    std::vector<float> means_;
    std::vector<float> nothing_;
    std::vector<Followed> followed_;
};

}  // namespace edgeemo
