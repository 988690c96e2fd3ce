#define LANES 8
#define KERNEL crop_avx2
#include "face/crop_kernel.inc"
