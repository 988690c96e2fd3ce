#define LANES 8
#define KERNEL crop_avx2
#include "crop_kernel.inc"
