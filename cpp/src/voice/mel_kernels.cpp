#include "voice/mel.h"

namespace edgeemo {

extern const MelKernel kernel_baseline;
#ifdef EDGEEMO_X86_KERNELS
extern const MelKernel kernel_avx2;
extern const MelKernel kernel_avx512;
#endif

std::vector<const MelKernel*> mel_kernels() {
    std::vector<const MelKernel*> all{&kernel_baseline};
#ifdef EDGEEMO_X86_KERNELS
    if (__builtin_cpu_supports("avx2")) all.push_back(&kernel_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        all.push_back(&kernel_avx512);
    }
#endif
    return all;
}

}  // namespace edgeemo
