// Numbers read from a face jitter from frame to frame. A smoother steadies rows of numbers over time, track
// by track.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace edgeemo {

// The running mean of rows. A row's weight is evidence * duration * exp(-age / time_ms). The duration is the
// time since the row before; the first row has the duration of the second. So neither the frame rate nor
// dropped frames change the mean. Not thread-safe.
class Smoother {
  public:
    // Rows of `size` numbers. time_ms, the age at which a row counts for a third (1 / e), is 0 to 60000; 0
    // smooths nothing. Throws SpecError.
    Smoother(std::size_t size, double time_ms);

    std::size_t size() const { return size_; }

    // Takes in a row of the track `key` and writes the mean so far into `mean` (size() floats; may be `row`).
    // Returns the mean of the evidence, weighed by time and age alone, 0 to 1. Without evidence the mean
    // stays what it was, at first zeros. A row at the time of the one before it adds nothing. Throws
    // InputError for evidence outside 0 … 1, a number that is not finite, or a time before the track's last
    // one. After an error the smoother has not changed.
    double update(std::int64_t key, const float* row, double evidence, std::int64_t t_ms, float* mean);

    // Forgets all other tracks.
    void keep(const std::vector<std::int64_t>& keys);

    // Equals a fresh smoother.
    void reset() { keep({}); }

    std::size_t tracks() const { return memories_.size(); }

  private:
    struct Memory {
        std::int64_t t_ms = 0;
        std::vector<double> sum;  // of rows by their weights
        double weight = 0.0;      // sum of them
        double time = 1.0;        // the same, had all evidence been 1
        bool alone = true;        // one row so far
        std::vector<float> mean;
    };

    Memory& begin(std::int64_t key);
    void add(Memory& memory, const float* row, double evidence, std::int64_t t_ms) const;

    std::size_t size_;
    double time_ms_;
    using Memories = std::map<std::int64_t, Memory>;
    Memories memories_;
    std::vector<Memories::node_type> spare_;  // of tracks that ended: the next ones need no more memory
};

}  // namespace edgeemo
