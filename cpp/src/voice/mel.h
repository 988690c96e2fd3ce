// From samples to mel power: tables of a spec, and the kernels that use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgeemo/voice.h"

namespace edgeemo {

// One triangle of the mel filter bank: weights of neighbouring FFT bins.
struct MelBand {
    std::int32_t first_bin;
    std::int32_t bins;    // 0: no bin lies inside, the power is 0
    std::int32_t offset;  // into MelTables::weights
};

// Everything constant under the loop over frames. The FFT is complex, of half the size, decimated in time:
// radix 4, with one stage of radix 2 where the size asks for it. Its first stage has no twiddles.
struct MelTables {
    explicit MelTables(const VoiceSpec& spec);

    std::size_t window, hop, fft, mels;
    double preemphasis;
    bool remove_dc;
    std::vector<double> shape;         // fft: the window, scaled by sample_scale / 2, then zeros
    std::vector<std::uint32_t> order;  // of the first butterflies: complex index of their first input
    std::vector<double> twiddles;      // of the later stages, in the order of use: w, w^2, w^3 (re, im)
    std::vector<double> split;         // fft / 4 times (re, im): from half a complex FFT to a real one
    std::vector<MelBand> bands;
    std::vector<double> weights;
};

// Working memory of a kernel, for any kernel.
class MelScratch {
  public:
    explicit MelScratch(const MelTables& tables);
    double* complexes() { return aligned_; }
    double* powers() { return powers_; }

  private:
    std::vector<double> memory_;
    double* aligned_;
    double* powers_;
};

// A kernel computes several frames at once, one in each lane of its vectors, so its width never changes the
// numbers. The processor does not change them either: every operation is elementwise IEEE double or float,
// without FMA.
struct MelKernel {
    const char* name;
    // rows: n x mels, the power of frame i in row i. Reads samples[0 … (n - 1) * hop + window - 1].
    void (*power)(const MelTables& tables, const float* samples, std::size_t n, MelScratch& scratch,
                  float* rows);
    // x[i] = log(max(x[i], floor)), natural, within 1e-7 of its size; floor normal and > 0.
    void (*log)(float* x, std::size_t n, float floor);
    // sum of a[i] * b[i], n a multiple of 8, in eight fixed partial sums.
    float (*dot)(const float* a, const float* b, std::size_t n);
};

inline constexpr std::size_t kMostLanes = 8;

// All kernels this processor can run; the last is the fastest.
std::vector<const MelKernel*> mel_kernels();

}  // namespace edgeemo
