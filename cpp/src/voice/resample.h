// From any rate to the model's: polyphase windowed sinc, linear phase, its delay taken off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "voice/mel.h"

namespace edgeemo {

// The filter of one pair of rates: a sinc under a Kaiser window. The filter has 48 zero crossings to each
// side at the lower of the two rates. The table holds all phases if they fit into 256 KB. If they do not
// (44101 Hz to 16000 Hz has 16000), the table holds some. Then
// outputs between two phases are
// interpolated linearly.
struct ResampleTable {
    ResampleTable(std::int32_t from_hz, std::int32_t to_hz);

    std::int64_t up, down;  // output k lies at input k * down / up
    std::int64_t phases;    // of the table; equal to `up` when exact
    bool exact;
    std::size_t half, width;  // taps to each side, and together: a multiple of 8
    std::vector<float> rows;  // phases (+ 1 when not exact) x width; each sums to 1
};

inline constexpr std::size_t kMostTableFloats = 65536;

// One stream of samples through a filter; before its start and after its end there are zeros.
class Resampler {
  public:
    static constexpr std::size_t kBlock = 1024;

    Resampler(const ResampleTable& table, const MelKernel& kernel);

    void reset();
    float* tail() { return held_.data() + n_held_; }  // room for kBlock samples, which push then takes
    // Outputs that are now certain, of n <= kBlock samples; at most most_out() of them.
    std::size_t push(std::size_t n, float* out);
    // All the others.
    std::size_t flush(float* out);
    std::size_t most_out() const;

  private:
    std::size_t drain(std::int64_t until, float* out);
    float output(const float* x) const;

    const ResampleTable* table_;
    const MelKernel* kernel_;
    std::vector<float> held_;  // from input sample first_ on
    std::size_t n_held_;
    std::int64_t first_, n_in_, n_out_;
    std::int64_t base_, phase_;  // of the next output: it lies at base_ + phase_ / up
};

// ceil(samples * to_hz / from_hz)
std::int64_t resampled(std::int64_t samples, std::int32_t from_hz, std::int32_t to_hz);

}  // namespace edgeemo
