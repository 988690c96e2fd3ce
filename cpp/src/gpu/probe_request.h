// edgeemo-probe reads its request from standard input: this header, the model (padded to 16 bytes), the
// goldens, the path of the library and the options of the GPU. The program answers in lines: "at WHAT"
// before each step, then "same N", the GPU's time in millionths of the CPU's, or "not SENTENCE". A failure
// before "at loading the model on the GPU" says nothing about the GPU.
#pragma once

#include <array>
#include <cstdint>

namespace edgeemo {

inline constexpr const char* kGpuBegins = "loading the model on the GPU";

struct ProbeRequest {
    std::array<char, 8> magic{'E', 'D', 'G', 'E', 'P', 'R', 'B', '1'};
    std::uint64_t threads = 1, model = 0, goldens = 0, golden = 0, library = 0,
                  options = 0;  // sizes but threads
    std::uint64_t reserved = 0;
};
static_assert(sizeof(ProbeRequest) == 64);

}  // namespace edgeemo
