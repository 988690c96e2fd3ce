#include "face/crop_kernel.h"

namespace edgeemo {

extern const CropKernel crop_baseline;
#ifdef EDGEEMO_X86_KERNELS
extern const CropKernel crop_avx2;
extern const CropKernel crop_avx512;
#endif

std::vector<const CropKernel*> crop_kernels() {
    std::vector<const CropKernel*> all{&crop_baseline};
#ifdef EDGEEMO_X86_KERNELS
    if (__builtin_cpu_supports("avx2")) all.push_back(&crop_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        all.push_back(&crop_avx512);
    }
#endif
    return all;
}

}  // namespace edgeemo
