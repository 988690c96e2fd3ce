#define LANES 16
#define KERNEL crop_avx512
#include "face/crop_kernel.inc"
