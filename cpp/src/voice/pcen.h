// Per-channel energy normalisation as librosa defines it.
#pragma once

#include <cstddef>
#include <vector>

#include "edgeemo/voice.h"

namespace edgeemo {

// out = bias^power * expm1(power * log1p(S / (eps + M)^gain / bias)). M[t] = (1 - b) M[t - 1] + b S[t], with
// M = 1 before the first frame. b = (sqrt(1 + 4 T^2) - 1) / (2 T^2), with T = pcen_time_s in frames.
class Pcen {
  public:
    explicit Pcen(const VoiceSpec& spec);

    void reset();
    void apply(float* rows, std::size_t n);  // n frames, power in, PCEN out

  private:
    void some(float* row, std::size_t first);

    const VoiceSpec* spec_;
    double smoothing_, height_;
    std::vector<double> smooth_;
};

}  // namespace edgeemo
